/* Long frames from clients that stop, die, drip and ask for much: nothing of
 * their contexts stays. What it says in answer is
 * tests/protocol/cases_hard.py's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/error.h"
#include "server/base/host.h"
#include "server/base/metrics.h"
#include "tests/unit/tcp_world.h"

#define CHAINED "chained"
#define SIDE    48
#define N       64 /* 442 kB of contexts */
#define SLOTS   128

static struct stream *chained;

static void add_stream(struct world *w, void *argument)
{
    struct fault fault = {0};
    struct recipe recipe = w->streams.stream[0]->recipe;
    recipe.height = recipe.width = SIDE;
    recipe.batch = N;
    recipe.chain.slots = SLOTS;
    recipe.chain.max_length = 8;
    assert_int_equal(stream_create(CHAINED, w->streams.stream[0]->catalog,
                                   &recipe, &chained, &fault),
                     0);
    w->streams.stream[w->streams.n_streams++] = chained;
}

static void start(struct world *w, uint32_t write_stall_ms)
{
    struct tcp_config config = world_config();
    config.write_stall_ms = write_stall_ms;
    world_start(w, &config);
    world_call(w, add_stream, NULL);
}

static void read_used(struct world *w, void *argument)
{
    *(uint64_t *)argument = w->server->contexts.used_bytes;
}

static void wait_empty(struct world *w)
{
    uint64_t used = 1, begin_ns = host_now_ns();
    while (used > 0) {
        world_call(w, read_used, &used);
        if (host_now_ns() - begin_ns > 20000000000u)
            fail_msg("%llu bytes of contexts are left",
                     (unsigned long long)used);
        world_sleep_ms(5);
    }
    assert_int_equal(metric_get(METRIC_CONTEXT_BYTES), 0);
}

/* Greets with the capability and opens the stream. */
static void refining(struct peer *p, struct world *w)
{
    uint8_t frame[WIRE_MAX_CLIENT_BYTES];
    struct bytes_writer writer;
    const struct wire_hello hello = {.min_version = 1,
                                     .max_version = 1,
                                     .capabilities = WIRE_CAPABILITY_HARD,
                                     .checksum_kinds = PEER_KINDS};
    peer_connect(p, w->port);
    wire_frame_begin(&writer, frame, sizeof frame);
    wire_encode_hello(&writer, &hello);
    peer_send(p, frame, wire_frame_finish(&writer, WIRE_HELLO, 1));
    peer_expect(p, WIRE_WELCOME);
    (void)peer_open(p, CHAINED, 0, 1, 0, 2);
}

struct frame {
    uint8_t *bytes;
    size_t n_bytes;
};

/* A whole REFINE; free() its bytes. */
static struct frame make_frame(uint32_t request, uint64_t position)
{
    const struct wire_refine m = {.position = position,
                                  .first_position = position,
                                  .n_samples = N,
                                  .height = SIDE,
                                  .width = SIDE,
                                  .dtype = TENSOR_U8,
                                  .layout = TENSOR_NHWC};
    struct frame f = {.n_bytes =
                          WIRE_HEADER_BYTES + (size_t)wire_refine_bytes(&m)};
    struct bytes_writer w;
    f.bytes = calloc(1, f.n_bytes);
    assert_non_null(f.bytes);
    bytes_writer_init(&w, f.bytes + WIRE_HEADER_BYTES, WIRE_REFINE_HEAD_BYTES);
    wire_encode_refine(&w, &m);
    memset(f.bytes + WIRE_HEADER_BYTES + WIRE_REFINE_HEAD_BYTES, 1,
           f.n_bytes - WIRE_HEADER_BYTES - WIRE_REFINE_HEAD_BYTES);
    const struct wire_header h = {
        .version = WIRE_VERSION,
        .type = WIRE_REFINE,
        .request = request,
        .payload_bytes = f.n_bytes - WIRE_HEADER_BYTES,
        .payload_crc32 = checksum_crc32(0, f.bytes + WIRE_HEADER_BYTES,
                                        f.n_bytes - WIRE_HEADER_BYTES)};
    wire_encode_header(f.bytes, &h);
    return f;
}

static void send_refine(struct peer *p, uint32_t request, uint64_t position)
{
    struct frame f = make_frame(request, position);
    peer_send(p, f.bytes, f.n_bytes);
    free(f.bytes);
}

static void who_stops_in_the_middle_is_let_go(void **state)
{
    static const size_t sent[] = {WIRE_HEADER_BYTES, 40, 70, 5000, 200000};
    struct world w;
    struct peer p[5];
    struct frame f = make_frame(5, SLOTS);
    start(&w, 300);
    for (int i = 0; i < 5; i++) {
        refining(&p[i], &w);
        peer_send(&p[i], f.bytes, sent[i]);
    }
    for (int i = 0; i < 5; i++) {
        peer_expect_error(&p[i], 0, ERROR_TIMEOUT, true, NULL);
        peer_expect_end(&p[i]);
        peer_close(&p[i]);
    }
    wait_empty(&w);
    free(f.bytes);
    world_stop(&w);
}

/* A byte now and then is no progress that counts. */
static void who_drips_is_let_go(void **state)
{
    struct world w;
    struct peer p;
    struct frame f = make_frame(5, SLOTS);
    const uint64_t begin_ns = host_now_ns();
    size_t n = 100;
    start(&w, 400);
    refining(&p, &w);
    peer_send(&p, f.bytes, n);
    while (metric_get(METRIC_CONTEXT_BYTES) == 0)
        world_sleep_ms(1);
    while (metric_get(METRIC_CONTEXT_BYTES) > 0) {
        assert_true(host_now_ns() - begin_ns < 10000000000u);
        (void)peer_try_send(&p, f.bytes + n++, 1);
        world_sleep_ms(10);
    }
    peer_abort(&p);
    world_wait_sessions(&w, 0);
    wait_empty(&w);
    free(f.bytes);
    world_stop(&w);
}

/* A long FEEDBACK too: else, while its batches go on, it could keep from others
 * what all such frames have together. */
static void a_table_that_never_ends_is_let_go(void **state)
{
    struct world w;
    struct peer p;
    uint8_t head[WIRE_HEADER_BYTES + 8] = {0};
    const struct wire_header h = {.version = WIRE_VERSION,
                                  .type = WIRE_FEEDBACK,
                                  .request = 5,
                                  .payload_bytes = 1u << 20};
    start(&w, 400);
    refining(&p, &w);
    wire_encode_header(head, &h);
    peer_send(&p, head, sizeof head);
    peer_expect_error(&p, 0, ERROR_TIMEOUT, true, NULL);
    peer_expect_end(&p);
    peer_close(&p);
    world_wait_sessions(&w, 0);
    world_stop(&w);
}

static void who_dies_anywhere_leaves_nothing(void **state)
{
    struct world w;
    struct frame f = make_frame(5, SLOTS);
    start(&w, 60000);
    for (size_t n = 1; n <= f.n_bytes; n += n < 300 ? 13 : f.n_bytes / 40) {
        struct peer p;
        refining(&p, &w);
        peer_send(&p, f.bytes, n);
        if (n % 2)
            peer_abort(&p);
        else
            peer_close(&p);
    }
    for (int i = 0; i < 20; i++) { /* composing, or on its way back */
        struct peer p;
        refining(&p, &w);
        send_refine(&p, 5, SLOTS + (uint64_t)i * N);
        send_refine(&p, 7, SLOTS + 500 * N + (uint64_t)i * N);
        world_sleep_ms((unsigned)i / 4);
        peer_abort(&p);
    }
    world_wait_sessions(&w, 0);
    wait_empty(&w);
    free(f.bytes);
    world_stop(&w);
}

static void many_come_and_nothing_stays(void **state)
{
    struct world w;
    struct peer p;
    start(&w, 60000);
    refining(&p, &w);
    uint64_t sum = 0;
    for (uint32_t i = 0; i <= 300; i++) { /* two under way, in any order */
        if (i < 300)
            send_refine(&p, 5 + 2 * i, SLOTS + (uint64_t)i * N);
        if (i > 0) {
            peer_expect(&p, WIRE_BATCH);
            sum += p.header.request;
        }
    }
    assert_int_equal(sum, 300 * 5 + 300 * 299);
    wait_empty(&w);
    peer_close(&p);
    world_stop(&w);
}

static void read_touched(struct world *w, void *argument)
{
    *(bool *)argument = w->server->contexts.is_touched;
}

/* What contexts lay in is the system's again once nobody sends any. */
static void memory_goes_back_with_the_session(void **state)
{
    struct world w;
    struct peer p, idle;
    bool is_touched;
    start(&w, 60000);
    refining(&idle, &w);
    refining(&p, &w);
    send_refine(&p, 5, SLOTS);
    peer_expect_batch(&p, 5, SLOTS, N);
    world_call(&w, read_touched, &is_touched);
    assert_true(is_touched);
    peer_close(&p);
    world_wait_sessions(&w, 1);
    world_call(&w, read_touched, &is_touched);
    assert_false(is_touched);
    send_refine(&idle, 5, SLOTS);
    peer_expect_batch(&idle, 5, SLOTS, N);
    peer_close(&idle);
    world_stop(&w);
}

static void set_budget(struct world *w, void *argument)
{
    w->server->contexts.max_bytes = *(uint64_t *)argument;
}

/* What a frame's contexts count as. */
static uint64_t counted(const struct frame *f)
{
    return (f->n_bytes / ARENA_PAGE_BYTES + 1) * ARENA_PAGE_BYTES;
}

/* Room for three sets, of which two are taken: who leaves less than a third of
 * what it takes is refused, with its bytes read over, and lives on. */
static void the_budget_holds(void **state)
{
    struct world w;
    struct peer p, other;
    struct frame f = make_frame(5, SLOTS);
    uint64_t budget = 3 * counted(&f);
    start(&w, 60000);
    world_call(&w, set_budget, &budget);
    refining(&p, &w);
    refining(&other, &w);
    peer_send(&other, f.bytes, f.n_bytes / 2); /* holds its room */
    while (metric_get(METRIC_CONTEXT_BYTES) == 0)
        world_sleep_ms(1);
    struct peer third;
    refining(&third, &w);
    peer_send(&third, f.bytes, f.n_bytes / 2);
    while (metric_get(METRIC_CONTEXT_BYTES) < (int64_t)f.n_bytes * 3 / 2)
        world_sleep_ms(1);
    peer_send(&p, f.bytes, f.n_bytes);
    peer_expect_error(&p, 5, ERROR_OVERLOADED, false, NULL);
    peer_abort(&other);
    peer_abort(&third);
    wait_empty(&w);
    peer_send(&p, f.bytes, f.n_bytes);
    peer_expect_batch(&p, 5, SLOTS, N);
    budget = 1000;
    world_call(&w, set_budget, &budget);
    peer_send(&p, f.bytes, f.n_bytes);
    peer_expect_error(&p, 5, ERROR_TOO_LARGE, false, NULL);
    peer_send_pull(&p, 9, 0);
    peer_expect_batch(&p, 9, 0, N);
    peer_close(&p);
    wait_empty(&w);
    free(f.bytes);
    world_stop(&w);
}

/* It asks for all and reads nothing: its contexts wait. */
static void a_slow_reader_leaves_room_for_others(void **state)
{
    struct world w;
    struct peer slow, other;
    struct frame f = make_frame(5, SLOTS);
    const uint64_t set = counted(&f);
    uint64_t budget = 8 * set, used = 0, most = 0;
    start(&w, 60000);
    world_call(&w, set_budget, &budget);
    refining(&slow, &w);
    for (uint32_t i = 0; i < 60 && most < 6 * set; i++) {
        send_refine(&slow, 5 + 2 * i, SLOTS + (uint64_t)i * N);
        world_sleep_ms(10);
        world_call(&w, read_used, &used);
        most = used > most ? used : most;
    }
    assert_int_equal(most, 6 * set); /* alone: three quarters */
    for (uint32_t i = 0; i < 3; i++) {
        send_refine(&slow, 501 + 2 * i, SLOTS + (500 + (uint64_t)i) * N);
        world_sleep_ms(10);
        world_call(&w, read_used, &used);
        assert_true(used <= 6 * set);
    }
    refining(&other, &w);
    for (uint32_t i = 0; i < 5; i++) {
        send_refine(&other, 5 + 2 * i, SLOTS + (1000 + (uint64_t)i) * N);
        peer_expect_batch(&other, 5 + 2 * i, SLOTS + (1000 + (uint64_t)i) * N,
                          N);
    }
    peer_abort(&slow);
    peer_close(&other);
    world_wait_sessions(&w, 0);
    wait_empty(&w);
    free(f.bytes);
    world_stop(&w);
}

static void a_stop_in_the_middle_leaves_nothing(void **state)
{
    struct world w;
    struct peer p[3];
    struct frame f = make_frame(5, SLOTS);
    start(&w, 60000);
    for (int i = 0; i < 3; i++) {
        refining(&p[i], &w);
        peer_send(&p[i], f.bytes, (size_t)(i + 1) * (f.n_bytes / 3));
    }
    world_drain(&w, 200);
    world_wait_sessions(&w, 0);
    wait_empty(&w);
    world_stop(&w);
    for (int i = 0; i < 3; i++)
        peer_abort(&p[i]);
    free(f.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_stops_in_the_middle_is_let_go),
        cmocka_unit_test(who_drips_is_let_go),
        cmocka_unit_test(a_table_that_never_ends_is_let_go),
        cmocka_unit_test(who_dies_anywhere_leaves_nothing),
        cmocka_unit_test(many_come_and_nothing_stays),
        cmocka_unit_test(memory_goes_back_with_the_session),
        cmocka_unit_test(the_budget_holds),
        cmocka_unit_test(a_slow_reader_leaves_room_for_others),
        cmocka_unit_test(a_stop_in_the_middle_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, world_setup_group,
                                  world_teardown_group);
}
