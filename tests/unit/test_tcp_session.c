/* The beginning of sessions: greetings, refusals, garbage, states. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/error.h"
#include "server/base/mem.h"
#include "server/base/metrics.h"
#include "tests/unit/tcp_world.h"

static void start_default(struct world *w)
{
    const struct tcp_config config = world_config();
    world_start(w, &config);
}

static void a_greeting_names_limits_and_streams(void **state)
{
    static struct wire_welcome m;
    struct world w;
    struct peer p;
    struct bytes_reader r;
    start_default(&w);
    peer_greet(&p, w.port, PEER_KINDS);
    bytes_reader_init(&r, p.payload, (size_t)p.header.payload_bytes);
    assert_int_equal(wire_decode_welcome(&r, &m), 0);
    assert_int_equal(p.header.request, 1);
    assert_int_equal(m.version, 1);
    assert_int_equal(m.checksum, CHECKSUM_XXH3);
    assert_int_equal(m.max_pulls, 16);
    assert_int_equal(m.idle_timeout_ms, 120000);
    assert_true(m.max_batch_bytes > 16u << 20);
    assert_int_equal(m.n_streams, 2);
    assert_string_equal(m.streams[0], SMALL);
    assert_string_equal(m.streams[1], LARGE);
    peer_send_ping(&p, 0xfeedface);
    peer_expect(&p, WIRE_PONG);
    assert_int_equal(p.header.request, 5);
    peer_send_close(&p);
    peer_expect_end(&p);
    peer_close(&p);
    world_wait_sessions(&w, 0);
    world_stop(&w);
}

static void the_best_common_checksum_is_chosen(void **state)
{
    static const struct {
        uint32_t kinds;
        enum checksum_kind chosen;
    } cases[] = {{0, CHECKSUM_NONE},  {1, CHECKSUM_NONE},
                 {3, CHECKSUM_CRC32}, {4, CHECKSUM_XXH3},
                 {7, CHECKSUM_XXH3},  {0xfffffff8u, CHECKSUM_NONE}};
    static struct wire_welcome m;
    struct world w;
    start_default(&w);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct peer p;
        struct bytes_reader r;
        peer_greet(&p, w.port, cases[i].kinds);
        bytes_reader_init(&r, p.payload, (size_t)p.header.payload_bytes);
        assert_int_equal(wire_decode_welcome(&r, &m), 0);
        assert_int_equal(m.checksum, cases[i].chosen);
        peer_close(&p);
    }
    world_stop(&w);
}

static void a_client_of_another_version_learns_which_are_spoken(void **state)
{
    struct world w;
    struct peer p;
    struct wire_error e;
    start_default(&w);
    peer_connect(&p, w.port);
    peer_send_hello(&p, 2, 9, "", 1);
    peer_expect_error(&p, 1, ERROR_UNSUPPORTED, true, &e);
    assert_non_null(strstr(e.text, "2 to 9"));
    peer_expect_end(&p);
    peer_close(&p);
    world_stop(&w);
}

static struct tokens *load_tokens(const char *text)
{
    char path[] = "/tmp/pasted-test-tokens-XXXXXX";
    struct fault fault = {0};
    struct tokens *tokens = NULL;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    assert_int_equal(tokens_load(path, &tokens, &fault), 0);
    unlink(path);
    return tokens;
}

static void only_a_right_token_is_let_in(void **state)
{
    static const char *const wrong[] = {"", "open-sesame-0001",
                                        "open-sesame-000", "open-sesame-00000"};
    struct world w;
    struct peer p;
    struct tokens *tokens =
        load_tokens("open-sesame-0000\nanother-good-token\n");
    struct tcp_config config = world_config();
    config.tokens = tokens;
    world_start(&w, &config);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        peer_connect(&p, w.port);
        peer_send_hello(&p, 1, 1, wrong[i], 1);
        peer_expect_error(&p, 1, ERROR_UNAUTHORIZED, true, NULL);
        peer_expect_end(&p);
        peer_close(&p);
    }
    peer_connect(&p, w.port);
    peer_send_hello(&p, 1, 1, "another-good-token", 1);
    peer_expect(&p, WIRE_WELCOME);
    peer_close(&p);
    world_stop(&w);
    tokens_destroy(tokens);
}

static void garbage_is_answered_and_closed(void **state)
{
    struct world w;
    struct peer p;
    uint8_t garbage[20000];
    memset(garbage, 'G', sizeof garbage);
    start_default(&w);
    int64_t before = metric_get(METRIC_TCP_CLOSED_ERROR);
    peer_connect(&p, w.port);
    peer_send(&p, garbage, sizeof garbage);
    peer_expect_error(&p, 0, ERROR_BAD_FRAME, true, NULL);
    peer_expect_end(&p);
    peer_close(&p);
    world_wait_sessions(&w, 0);
    assert_int_equal(metric_get(METRIC_TCP_CLOSED_ERROR), before + 1);
    world_stop(&w);
}

static size_t hello_frame(uint8_t *out, size_t n_bytes)
{
    const struct wire_hello m = {.min_version = 1, .max_version = 1};
    struct bytes_writer w;
    wire_frame_begin(&w, out, n_bytes);
    wire_encode_hello(&w, &m);
    return wire_frame_finish(&w, WIRE_HELLO, 1);
}

static void every_damaged_byte_of_a_frame_is_noticed(void **state)
{
    uint8_t frame[64];
    size_t n = hello_frame(frame, sizeof frame);
    struct world w;
    start_default(&w);
    for (size_t i = 0; i < n; i++) {
        struct peer p;
        frame[i] ^= 0x10;
        peer_connect(&p, w.port);
        peer_send(&p, frame, n);
        peer_expect_error(
            &p, 0, i < WIRE_HEADER_BYTES ? ERROR_BAD_FRAME : ERROR_CORRUPT,
            true, NULL);
        peer_expect_end(&p);
        peer_close(&p);
        frame[i] ^= 0x10;
    }
    world_stop(&w);
}

/* A frame with that header, good crc, and no payload. */
static void send_bare(struct peer *p, int type, uint64_t payload_bytes)
{
    uint8_t frame[WIRE_HEADER_BYTES];
    const struct wire_header h = {.version = 1,
                                  .type = (uint8_t)type,
                                  .request = 8,
                                  .payload_bytes = payload_bytes};
    wire_encode_header(frame, &h);
    peer_send(p, frame, sizeof frame);
}

static void frames_that_no_client_sends_are_refused(void **state)
{
    static const struct {
        int type;
        uint64_t payload_bytes;
        int code;
    } cases[] = {
        {WIRE_BATCH, 1u << 30, ERROR_BAD_FRAME},
        {WIRE_WELCOME, 100, ERROR_BAD_FRAME},
        {99, 0, ERROR_UNSUPPORTED},
        {WIRE_HELLO, 4065, ERROR_TOO_LARGE},
        {WIRE_HELLO, UINT64_MAX, ERROR_TOO_LARGE},
    };
    struct world w;
    start_default(&w);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct peer p;
        peer_connect(&p, w.port);
        send_bare(&p, cases[i].type, cases[i].payload_bytes);
        peer_expect_error(&p, 0, cases[i].code, true, NULL);
        peer_expect_end(&p);
        peer_close(&p);
    }
    world_stop(&w);
}

static void a_malformed_payload_is_refused(void **state)
{
    struct world w;
    struct peer p;
    start_default(&w);
    peer_connect(&p, w.port);
    send_bare(&p, WIRE_HELLO, 0);
    struct wire_error e;
    peer_expect_error(&p, 8, ERROR_BAD_FRAME, true, &e);
    assert_non_null(strstr(e.text, "HELLO"));
    peer_expect_end(&p);
    peer_close(&p);
    world_stop(&w);
}

static void a_frame_may_come_byte_by_byte(void **state)
{
    uint8_t frame[64];
    size_t n = hello_frame(frame, sizeof frame);
    struct world w;
    struct peer p;
    start_default(&w);
    peer_connect(&p, w.port);
    for (size_t i = 0; i < n; i++) {
        peer_send(&p, frame + i, 1);
        world_sleep_ms(i % 8 == 0);
    }
    peer_expect(&p, WIRE_WELCOME);
    peer_close(&p);
    world_stop(&w);
}

static void many_frames_may_come_at_once(void **state)
{
    uint8_t frames[40 * 1000];
    size_t n = 0;
    struct world w;
    struct peer p;
    struct bytes_writer writer;
    start_default(&w);
    peer_greet(&p, w.port, 1);
    for (uint64_t i = 0; i < 1000; i++) {
        const struct wire_ping m = {.token = i};
        wire_frame_begin(&writer, frames + n, sizeof frames - n);
        wire_encode_ping(&writer, &m);
        n += wire_frame_finish(&writer, WIRE_PING, (uint32_t)i);
    }
    peer_send(&p, frames, n);
    for (uint32_t i = 0; i < 1000; i++) {
        peer_expect(&p, WIRE_PONG);
        assert_int_equal(p.header.request, i);
    }
    peer_close(&p);
    world_stop(&w);
}

static void states_allow_only_their_frames(void **state)
{
    struct world w;
    struct peer p;
    start_default(&w);
    peer_connect(&p, w.port); /* nothing before HELLO */
    peer_send_ping(&p, 1);
    peer_expect_error(&p, 5, ERROR_BAD_STATE, true, NULL);
    peer_expect_end(&p);
    peer_close(&p);

    peer_greet(&p, w.port, 1); /* no stream is open: forgiven */
    peer_send_credit(&p, 1, 0);
    peer_expect_error(&p, 3, ERROR_BAD_STATE, false, NULL);
    peer_send_pull(&p, 9, 0);
    peer_expect_error(&p, 9, ERROR_BAD_STATE, false, NULL);
    peer_send_seek(&p, 10, 0);
    peer_expect_error(&p, 10, ERROR_BAD_STATE, false, NULL);
    peer_send_hello(&p, 1, 1, "", 1); /* twice: not */
    peer_expect_error(&p, 1, ERROR_BAD_STATE, true, NULL);
    peer_expect_end(&p);
    peer_close(&p);
    world_stop(&w);
}

static void beyond_max_sessions_a_client_is_told_so(void **state)
{
    struct world w;
    struct peer p[3];
    struct wire_error e;
    struct tcp_config config = world_config();
    config.max_sessions = 2;
    world_start(&w, &config);
    peer_greet(&p[0], w.port, 1);
    peer_greet(&p[1], w.port, 1);
    peer_connect(&p[2], w.port);
    peer_expect_error(&p[2], 0, ERROR_OVERLOADED, true, &e);
    assert_true(e.retry_after_ms > 0);
    peer_expect_end(&p[2]);
    peer_close(&p[2]);
    peer_close(&p[0]);
    world_wait_sessions(&w, 1);
    peer_greet(&p[2], w.port, 1); /* room again */
    peer_close(&p[1]);
    peer_close(&p[2]);
    world_stop(&w);
}

static void every_failing_allocation_leaves_a_server_that_serves(void **state)
{
    struct world w;
    start_default(&w);
    for (uint64_t nth = 1; nth < 12; nth++) {
        struct peer p;
        mem_fail_nth(nth);
        peer_connect(&p, w.port);
        peer_send_hello(&p, 1, 1, "", 1);
        if (peer_read(&p) == WIRE_WELCOME) {
            const struct wire_open m = {.stream = SMALL, .world = 1};
            peer_send_open(&p, 2, &m);
            if (peer_read(&p) == WIRE_OPENED)
                peer_send_ping(&p, 1);
            peer_read(&p);
        }
        mem_fail_nth(0);
        peer_close(&p);
        world_wait_sessions(&w, 0);
        peer_greet(&p, w.port, 1);
        peer_open(&p, SMALL, 0, 1, 0, 2);
        peer_close(&p);
    }
    world_stop(&w);
}

static void a_taken_port_is_an_error_with_its_name(void **state)
{
    struct world w;
    struct tcp_server *server = NULL;
    struct fault fault = {0};
    uv_loop_t loop;
    struct tcp_config config = world_config();
    world_start(&w, &config);
    config.port = w.port;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(
        tcp_server_create(&loop, w.store, &w.streams, &config, &server, &fault),
        -ERROR_IO);
    assert_null(server);
    assert_non_null(strstr(fault.text, "127.0.0.1"));
    config.address = "localhost"; /* numeric only */
    assert_int_equal(
        tcp_server_create(&loop, w.store, &w.streams, &config, &server, &fault),
        -ERROR_IO);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    world_stop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_greeting_names_limits_and_streams),
        cmocka_unit_test(the_best_common_checksum_is_chosen),
        cmocka_unit_test(a_client_of_another_version_learns_which_are_spoken),
        cmocka_unit_test(only_a_right_token_is_let_in),
        cmocka_unit_test(garbage_is_answered_and_closed),
        cmocka_unit_test(every_damaged_byte_of_a_frame_is_noticed),
        cmocka_unit_test(frames_that_no_client_sends_are_refused),
        cmocka_unit_test(a_malformed_payload_is_refused),
        cmocka_unit_test(a_frame_may_come_byte_by_byte),
        cmocka_unit_test(many_frames_may_come_at_once),
        cmocka_unit_test(states_allow_only_their_frames),
        cmocka_unit_test(beyond_max_sessions_a_client_is_told_so),
        cmocka_unit_test(every_failing_allocation_leaves_a_server_that_serves),
        cmocka_unit_test(a_taken_port_is_an_error_with_its_name),
    };
    return cmocka_run_group_tests(tests, world_setup_group,
                                  world_teardown_group);
}
