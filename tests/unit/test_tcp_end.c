/* The end of sessions: deadlines, slow and dying clients, draining. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/error.h"
#include "server/base/metrics.h"
#include "server/tcp/session.h"
#include "tests/unit/tcp_world.h"

static void start_default(struct world *w)
{
    const struct tcp_config config = world_config();
    world_start(w, &config);
}

static void silence_before_open_times_out(void **state)
{
    struct world w;
    struct peer silent, greeted;
    struct tcp_config config = world_config();
    config.hello_timeout_ms = 100;
    world_start(&w, &config);
    int64_t before = metric_get(METRIC_TCP_CLOSED_TIMEOUT);
    peer_connect(&silent, w.port);
    peer_greet(&greeted, w.port, 1);
    peer_expect_error(&silent, 0, ERROR_TIMEOUT, true, NULL);
    peer_expect_end(&silent);
    peer_expect_error(&greeted, 0, ERROR_TIMEOUT, true, NULL);
    peer_expect_end(&greeted);
    peer_close(&silent);
    peer_close(&greeted);
    world_wait_sessions(&w, 0);
    assert_int_equal(metric_get(METRIC_TCP_CLOSED_TIMEOUT), before + 2);
    world_stop(&w);
}

static void an_idle_client_is_asked_and_then_let_go(void **state)
{
    struct world w;
    struct peer p;
    struct tcp_config config = world_config();
    config.idle_timeout_ms = 2000;
    world_start(&w, &config);
    peer_greet(&p, w.port, 1);
    peer_open(&p, SMALL, 0, 1, 0, 2);
    peer_expect(&p, WIRE_PING);
    peer_send_ping(&p, 1); /* a sign of life */
    peer_expect(&p, WIRE_PONG);
    peer_expect(&p, WIRE_PING); /* silent again */
    peer_expect_error(&p, 0, ERROR_TIMEOUT, true, NULL);
    peer_expect_end(&p);
    peer_close(&p);
    world_stop(&w);
}

/* Brings a client to a state and kills it there. */
static void die_at(struct world *w, int where, bool abort)
{
    struct peer p;
    static const uint8_t half[33] = {'P', 'S', 'T', 'D'};
    if (where < 2) {
        peer_connect(&p, w->port);
        peer_send(&p, half, where == 0 ? 0 : 20); /* nothing, half a header */
    } else {
        peer_greet(&p, w->port, PEER_KINDS);
    }
    if (where >= 3)
        peer_open(&p, LARGE, 0, 1, 0, 2);
    if (where == 4) /* composing */
        peer_send_credit(&p, 8, 0);
    if (where == 5) { /* batches in the socket and behind it */
        peer_send_credit(&p, 8, 0);
        peer_expect_batch(&p, 2, 0, LARGE_BATCH);
    }
    if (where == 6) /* PULLs */
        for (uint32_t i = 0; i < 16; i++)
            peer_send_pull(&p, 100 + i, i * LARGE_BATCH);
    if (where == 7) { /* in the middle of a frame */
        peer_send_pull(&p, 100, 0);
        peer_send(&p, half, 20);
    }
    if (abort)
        peer_abort(&p);
    else
        peer_close(&p);
}

static void a_client_may_die_anywhere(void **state)
{
    struct world w;
    struct peer p;
    start_default(&w);
    for (int where = 0; where < 8; where++) {
        die_at(&w, where, false);
        die_at(&w, where, true);
    }
    world_wait_sessions(&w, 0);
    assert_int_equal(metric_get(METRIC_TCP_SESSIONS), 0);
    assert_int_equal(world_ahead_bytes(&w), 0);
    /* The budget is free again: the largest batches go through. */
    peer_greet(&p, w.port, 1);
    peer_open(&p, LARGE, 0, 1, 1u << 20, 2);
    peer_send_credit(&p, 3, 0);
    for (uint64_t i = 0; i < 3; i++)
        peer_expect_batch(&p, 2, (1u << 20) + i * LARGE_BATCH, LARGE_BATCH);
    peer_close(&p);
    world_stop(&w);
}

static void the_server_may_close_with_everything_under_way(void **state)
{
    struct world w;
    struct peer p[4];
    start_default(&w);
    for (int i = 0; i < 4; i++) {
        peer_greet(&p[i], w.port, PEER_KINDS);
        peer_open(&p[i], LARGE, 0, 1, (uint64_t)i << 20, 2);
        peer_send_credit(&p[i], 100, 0);
        peer_send_pull(&p[i], 3, 77);
    }
    peer_expect(&p[0], WIRE_BATCH);
    world_stop(&w);
    for (int i = 0; i < 4; i++)
        peer_close(&p[i]);
}

/* Reads the BATCH, CLOSE and end that follow DRAIN; the batches. */
static int read_to_the_end(struct peer *p, struct wire_close *out)
{
    int n_batches = 0;
    int type = peer_read(p);
    for (; type == WIRE_BATCH; type = peer_read(p))
        n_batches++;
    struct bytes_reader r;
    assert_int_equal(type, WIRE_CLOSE);
    bytes_reader_init(&r, p->payload, (size_t)p->header.payload_bytes);
    assert_int_equal(wire_decode_close(&r, out), 0);
    peer_expect_end(p);
    return n_batches;
}

static struct wire_drain expect_drain(struct peer *p)
{
    struct bytes_reader r;
    struct wire_drain m;
    peer_expect(p, WIRE_DRAIN);
    bytes_reader_init(&r, p->payload, (size_t)p->header.payload_bytes);
    assert_int_equal(wire_decode_drain(&r, &m), 0);
    return m;
}

static void a_draining_server_says_where_it_stops(void **state)
{
    struct world w;
    struct peer idle, greeted, fresh;
    struct wire_close closed;
    start_default(&w);
    peer_connect(&fresh, w.port);
    peer_greet(&greeted, w.port, 1);
    peer_greet(&idle, w.port, 1);
    peer_open(&idle, SMALL, 0, 1, 80, 2);
    peer_send_credit(&idle, 2, 0);
    peer_expect_batch(&idle, 2, 80, 8);
    peer_expect_batch(&idle, 2, 88, 8);
    world_wait_sessions(&w, 3);
    world_drain(&w, 5000);
    const struct wire_drain m = expect_drain(&idle);
    assert_int_equal(m.position, 96);
    assert_int_equal(m.grace_ms, 5000);
    assert_int_equal(read_to_the_end(&idle, &closed), 0);
    assert_int_equal(closed.code, ERROR_DRAINING);
    assert_int_equal(expect_drain(&greeted).position, 0);
    assert_int_equal(read_to_the_end(&greeted, &closed), 0);
    peer_expect_error(&fresh, 0, ERROR_DRAINING, true, NULL);
    peer_expect_end(&fresh);
    peer_close(&idle);
    peer_close(&greeted);
    peer_close(&fresh);
    world_wait_sessions(&w, 0);
    world_stop(&w);
}

static void a_draining_server_sends_what_it_began(void **state)
{
    struct world w;
    struct peer p;
    struct wire_close closed;
    start_default(&w);
    peer_connect_narrow(&p, w.port);
    peer_send_hello(&p, 1, 1, "", 1);
    peer_expect(&p, WIRE_WELCOME);
    peer_open(&p, LARGE, 0, 1, 0, 2);
    peer_send_credit(&p, 100, 0);
    peer_expect_batch(&p, 2, 0, LARGE_BATCH); /* others are on their way */
    world_drain(&w, 20000);
    int type;
    int n_batches = 1;
    while ((type = peer_read(&p)) == WIRE_BATCH)
        n_batches++;
    struct bytes_reader r;
    struct wire_drain m;
    assert_int_equal(type, WIRE_DRAIN);
    bytes_reader_init(&r, p.payload, (size_t)p.header.payload_bytes);
    assert_int_equal(wire_decode_drain(&r, &m), 0);
    peer_send_pull(&p, 9, 0); /* nothing new is begun */
    int n_more = 0, n_refused = 0;
    while ((type = peer_read(&p)) == WIRE_BATCH || type == WIRE_ERROR) {
        n_more += type == WIRE_BATCH;
        n_refused += type == WIRE_ERROR;
    }
    assert_int_equal(type, WIRE_CLOSE);
    assert_in_range(n_refused, 0, 1); /* unless CLOSE was sent before */
    assert_true(n_batches + n_more < 100);
    assert_int_equal(m.position, (n_batches + n_more) * LARGE_BATCH);
    bytes_reader_init(&r, p.payload, (size_t)p.header.payload_bytes);
    assert_int_equal(wire_decode_close(&r, &closed), 0);
    peer_expect_end(&p);
    peer_close(&p);
    world_wait_sessions(&w, 0);
    world_stop(&w);
}

static void grace_ends(void **state)
{
    struct world w;
    struct peer p;
    start_default(&w);
    peer_connect_narrow(&p, w.port);
    peer_send_hello(&p, 1, 1, "", 1);
    peer_expect(&p, WIRE_WELCOME);
    peer_open(&p, LARGE, 0, 1, 0, 2);
    peer_send_credit(&p, 100, 0);
    world_sleep_ms(200);
    world_drain(&w, 100); /* the client reads nothing */
    world_wait_sessions(&w, 0);
    peer_close(&p);
    world_stop(&w);
}

static void a_slow_reader_stalls_alone_and_is_let_go(void **state)
{
    struct world w;
    struct peer slow, quick;
    struct tcp_config config = world_config();
    config.write_stall_ms = 1500;
    world_start(&w, &config);
    int64_t timeouts = metric_get(METRIC_TCP_CLOSED_TIMEOUT);
    int64_t composed = metric_get(METRIC_BATCHES_COMPOSED);
    peer_connect_narrow(&slow, w.port);
    peer_send_hello(&slow, 1, 1, "", 1);
    peer_expect(&slow, WIRE_WELCOME);
    peer_open(&slow, LARGE, 0, 1, 0, 2);
    peer_send_credit(&slow, 1000, 0);
    world_sleep_ms(300);
    /* It has 1000 credits, yet only so many batches are made. */
    assert_true(metric_get(METRIC_BATCHES_COMPOSED) - composed <= 10);
    peer_greet(&quick, w.port, 1);
    peer_open(&quick, LARGE, 0, 1, 1u << 20, 2);
    peer_send_credit(&quick, 12, 0);
    for (uint64_t i = 0; i < 12; i++)
        peer_expect_batch(&quick, 2, (1u << 20) + i * LARGE_BATCH, LARGE_BATCH);
    world_wait_sessions(&w, 1);
    assert_int_equal(metric_get(METRIC_TCP_CLOSED_TIMEOUT), timeouts + 1);
    peer_close(&slow);
    peer_close(&quick);
    world_wait_sessions(&w, 0);
    assert_int_equal(world_ahead_bytes(&w), 0);
    world_stop(&w);
}

static void a_slow_reader_that_reads_is_not_stalled(void **state)
{
    struct world w;
    struct peer p;
    struct tcp_config config = world_config();
    config.write_stall_ms = 400;
    config.idle_timeout_ms = 400;
    world_start(&w, &config);
    peer_connect_narrow(&p, w.port);
    peer_send_hello(&p, 1, 1, "", 1);
    peer_expect(&p, WIRE_WELCOME);
    peer_open(&p, LARGE, 0, 1, 0, 2);
    peer_send_credit(&p, 4, 0);
    for (uint64_t i = 0; i < 4; i++) {
        world_sleep_ms(250); /* 1 s in all, and no frame from the client */
        peer_expect_batch(&p, 2, i * LARGE_BATCH, LARGE_BATCH);
    }
    peer_close(&p);
    world_stop(&w);
}

static void get_stalled(struct world *w, void *argument)
{
    const struct session *s = w->server->first_session;
    *(bool *)argument = s && s->stalled;
}

/* Memory that waits for a client to read is for others; nothing is lost when
 * it does read again. */
static void a_reader_that_stalls_holds_only_what_is_in_its_socket(void **state)
{
    struct world w;
    struct peer p;
    bool stalled = false;
    start_default(&w);
    peer_connect_narrow(&p, w.port);
    peer_send_hello(&p, 1, 1, "", 1);
    peer_expect(&p, WIRE_WELCOME);
    struct wire_opened opened = peer_open(&p, LARGE, 0, 1, 0, 2);
    int64_t composed = metric_get(METRIC_BATCHES_COMPOSED);
    peer_send_credit(&p, 5, 0);
    peer_send_pull(&p, 100, 1u << 20);
    world_wait_composed(composed, 4);
    for (int i = 0; !stalled && i < 500; i++) {
        world_call(&w, get_stalled, &stalled);
        world_sleep_ms(20);
    }
    assert_true(stalled);
    /* One is free, and one more stands in the socket. */
    assert_true(world_ahead_bytes(&w) <= opened.batch_bytes);
    uint64_t next = 0;
    for (int i = 0; i < 6; i++) {
        peer_expect(&p, WIRE_BATCH);
        if (p.header.request == 100)
            continue;
        uint64_t first_position;
        memcpy(&first_position, p.payload, sizeof first_position);
        assert_int_equal(first_position, next);
        next += LARGE_BATCH;
    }
    assert_int_equal(next, 5 * LARGE_BATCH);
    peer_close(&p);
    world_stop(&w);
}

static void get_controls(struct world *w, void *argument)
{
    const struct session *s = w->server->first_session;
    bool is_served = s && s->state != SESSION_CLOSING; /* no ERROR on top */
    *(uint32_t *)argument = is_served ? s->transport.n_controls : 0;
}

/* PINGs whose PONGs nobody reads must not fill the server's memory. */
static void who_does_not_take_answers_is_not_read(void **state)
{
    struct world w;
    struct peer p;
    uint8_t frames[40 * 100];
    size_t n = 0;
    struct bytes_writer writer;
    struct tcp_config config = world_config();
    config.write_stall_ms = 1000;
    world_start(&w, &config);
    peer_connect_narrow(&p, w.port);
    peer_send_hello(&p, 1, 1, "", 1);
    peer_expect(&p, WIRE_WELCOME);
    for (int i = 0; i < 100; i++) {
        const struct wire_ping m = {.token = 1};
        wire_frame_begin(&writer, frames + n, sizeof frames - n);
        wire_encode_ping(&writer, &m);
        n += wire_frame_finish(&writer, WIRE_PING, 1);
    }
    /* Until the server stops reading and the sockets are full. */
    uint32_t most = 0;
    for (uint64_t i = 0; peer_try_send(&p, frames, n); i++) {
        uint32_t n_controls = 0;
        if (i % 64 == 0)
            world_call(&w, get_controls, &n_controls);
        most = n_controls > most ? n_controls : most;
    }
    /* A PING of the server's own may come on top. */
    assert_in_range(most, TRANSPORT_MAX_CONTROLS, TRANSPORT_MAX_CONTROLS + 1);
    world_wait_sessions(&w, 0); /* write stall */
    peer_close(&p);
    world_stop(&w);
}

/* What the loop's turns saw. */
struct turns {
    uv_check_t check;
    struct tcp_server *server;
    size_t most_bytes;
    uint32_t n_rests;
};

static void on_turn(uv_check_t *check)
{
    struct turns *turns = check->data;
    const struct session *s = turns->server->first_session;
    for (; s; s = s->next) {
        if (s->transport.turn_bytes > turns->most_bytes)
            turns->most_bytes = s->transport.turn_bytes;
        turns->n_rests += s->transport.resting;
    }
}

static void watch_turns(struct world *w, void *argument)
{
    struct turns *turns = argument;
    turns->server = w->server;
    turns->check.data = turns;
    uv_check_init(&w->loop, &turns->check);
    uv_check_start(&turns->check, on_turn);
}

static void unwatch_turns(struct world *w, void *argument)
{
    struct turns *turns = argument;
    uv_close((uv_handle_t *)&turns->check, NULL);
}

/* 64 that sent without end kept everybody else waiting for seconds. */
static void who_sends_much_gives_others_their_turn(void **state)
{
    struct world w;
    struct peer p;
    static struct turns turns;
    uint8_t frames[200 * (WIRE_HEADER_BYTES + 8)];
    size_t n = 0;
    start_default(&w);
    peer_greet(&p, w.port, 1);
    world_call(&w, watch_turns, &turns);
    while (n < sizeof frames) {
        struct bytes_writer writer;
        const struct wire_ping pong = {.token = n};
        wire_frame_begin(&writer, frames + n, sizeof frames - n);
        wire_encode_ping(&writer, &pong);
        n += wire_frame_finish(&writer, WIRE_PONG, 0);
    }
    peer_send(&p, frames, n);
    peer_send_ping(&p, 7);
    peer_expect(&p, WIRE_PONG); /* all of them were taken */
    world_call(&w, unwatch_turns, &turns);
    assert_in_range(turns.n_rests, 4, 200);
    assert_in_range(turns.most_bytes, 1, 300 << 10);
    peer_close(&p);
    world_stop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silence_before_open_times_out),
        cmocka_unit_test(an_idle_client_is_asked_and_then_let_go),
        cmocka_unit_test(a_client_may_die_anywhere),
        cmocka_unit_test(the_server_may_close_with_everything_under_way),
        cmocka_unit_test(a_draining_server_says_where_it_stops),
        cmocka_unit_test(a_draining_server_sends_what_it_began),
        cmocka_unit_test(grace_ends),
        cmocka_unit_test(a_slow_reader_stalls_alone_and_is_let_go),
        cmocka_unit_test(a_slow_reader_that_reads_is_not_stalled),
        cmocka_unit_test(a_reader_that_stalls_holds_only_what_is_in_its_socket),
        cmocka_unit_test(who_does_not_take_answers_is_not_read),
        cmocka_unit_test(who_sends_much_gives_others_their_turn),
    };
    return cmocka_run_group_tests(tests, world_setup_group,
                                  world_teardown_group);
}
