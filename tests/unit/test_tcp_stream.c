/* Streams over a connection: credit, cursor, SEEK, PULL, formats, and what
 * OPEN refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/error.h"
#include "server/base/metrics.h"
#include "tests/unit/tcp_world.h"

static void start(struct world *w, struct peer *p, uint32_t kinds)
{
    const struct tcp_config config = world_config();
    world_start(w, &config);
    peer_greet(p, w->port, kinds);
}

static void stop(struct world *w, struct peer *p)
{
    peer_close(p);
    world_wait_sessions(w, 0);
    assert_int_equal(world_ahead_bytes(w), 0);
    world_stop(w);
}

/* Copy of the payload [0, tensors_bytes), whose checksum byte is 0 now. */
static uint8_t *keep_tensors(const struct peer *p)
{
    uint8_t *copy = malloc((size_t)p->head.tensors_bytes);
    assert_non_null(copy);
    memcpy(copy, p->payload, (size_t)p->head.tensors_bytes);
    return copy;
}

static const uint8_t *tensor(const struct peer *p, const char *name)
{
    for (uint32_t i = 0; i < p->head.n_tensors; i++)
        if (strcmp(p->tensors[i].name, name) == 0)
            return p->payload + p->tensors[i].offset_bytes;
    fail_msg("no tensor %s", name);
    return NULL;
}

static void opened_describes_the_stream(void **state)
{
    struct world w;
    struct peer p;
    start(&w, &p, 2);
    struct wire_opened m = peer_open(&p, SMALL, 1, 2, 24, 2);
    const struct stream *stream = w.streams.stream[0];
    assert_memory_equal(m.fingerprint, stream->fingerprint.bytes, 32);
    assert_int_equal(m.global_batch, 8);
    assert_int_equal(m.n_samples, 4);
    assert_int_equal(m.rank, 1);
    assert_int_equal(m.world, 2);
    assert_int_equal(m.height, 16);
    assert_int_equal(m.width, 16);
    assert_int_equal(m.edges_per_epoch, stream->edges_per_epoch);
    assert_int_equal(m.n_classes, stream->catalog->n_classes);
    peer_send_credit(&p, 1, 0);
    peer_expect_batch(&p, 2, 28, 4);
    assert_int_equal(p.header.payload_bytes, m.batch_bytes);
    stop(&w, &p);
}

static void positions_come_in_order_over_the_seam_of_epochs(void **state)
{
    struct world w;
    struct peer p;
    start(&w, &p, 1);
    uint64_t epoch = w.streams.stream[0]->edges_per_epoch;
    uint64_t first = epoch - 20;
    peer_open(&p, SMALL, 0, 1, first, 2);
    peer_send_credit(&p, 40, 0);
    for (uint64_t step = 0; step < 40; step++) {
        peer_expect_batch(&p, 2, first + 8 * step, 8);
        const uint8_t *positions = tensor(&p, "position");
        for (uint64_t i = 0; i < 8; i++) {
            uint64_t position;
            memcpy(&position, positions + 8 * i, 8);
            assert_int_equal(position, first + 8 * step + i);
        }
    }
    peer_expect_silence(&p, 50);
    stop(&w, &p);
}

static void without_credit_nothing_is_composed(void **state)
{
    struct world w;
    struct peer p;
    start(&w, &p, 1);
    int64_t composed = metric_get(METRIC_BATCHES_COMPOSED);
    int64_t sent = metric_get(METRIC_TCP_BATCHES_SENT);
    peer_open(&p, SMALL, 0, 1, 0, 2);
    peer_expect_silence(&p, 150);
    assert_int_equal(metric_get(METRIC_BATCHES_COMPOSED), composed);
    peer_send_credit(&p, 3, 0);
    for (uint64_t i = 0; i < 3; i++)
        peer_expect_batch(&p, 2, 8 * i, 8);
    peer_expect_silence(&p, 150);
    assert_int_equal(metric_get(METRIC_BATCHES_COMPOSED), composed + 3);
    assert_int_equal(metric_get(METRIC_TCP_BATCHES_SENT), sent + 3);
    stop(&w, &p);
}

static void bytes_of_credit_hold_batches_back(void **state)
{
    struct world w;
    struct peer p;
    start(&w, &p, 1);
    int64_t composed = metric_get(METRIC_BATCHES_COMPOSED);
    uint64_t n_bytes = peer_open(&p, SMALL, 0, 1, 0, 2).batch_bytes;
    peer_send_credit(&p, 5, 2 * n_bytes - 1);
    peer_expect_batch(&p, 2, 0, 8);
    peer_expect_silence(&p, 100);
    assert_int_equal(metric_get(METRIC_BATCHES_COMPOSED), composed + 1);
    peer_send_credit(&p, 0, 1);
    peer_expect_batch(&p, 2, 8, 8);
    peer_expect_silence(&p, 100);
    stop(&w, &p);
}

static void too_much_credit_is_refused_and_not_taken(void **state)
{
    struct world w;
    struct peer p;
    struct tcp_config config = world_config();
    config.max_credit_batches = 4;
    config.max_credit_bytes = 1u << 20;
    world_start(&w, &config);
    peer_greet(&p, w.port, 1);
    peer_open(&p, SMALL, 0, 1, 0, 2);
    peer_send_credit(&p, 5, 0);
    peer_expect_error(&p, 3, ERROR_TOO_LARGE, false, NULL);
    peer_send_credit(&p, UINT32_MAX, 0);
    peer_expect_error(&p, 3, ERROR_TOO_LARGE, false, NULL);
    peer_send_credit(&p, 1, (1u << 20) + 1);
    peer_expect_error(&p, 3, ERROR_TOO_LARGE, false, NULL);
    peer_send_credit(&p, 1, UINT64_MAX);
    peer_expect_error(&p, 3, ERROR_TOO_LARGE, false, NULL);
    peer_expect_silence(&p, 100);
    peer_send_credit(&p, 1, 0);
    peer_expect_batch(&p, 2, 0, 8);
    stop(&w, &p);
}

static void ranks_together_hold_the_whole_step(void **state)
{
    struct world w;
    struct peer whole, rank[4];
    start(&w, &whole, 1);
    peer_open(&whole, SMALL, 0, 1, 16, 2);
    peer_send_credit(&whole, 1, 0);
    peer_expect_batch(&whole, 2, 16, 8);
    for (uint32_t r = 0; r < 4; r++) {
        peer_greet(&rank[r], w.port, 4);
        peer_open(&rank[r], SMALL, r, 4, 16, 7);
        peer_send_credit(&rank[r], 2, 0);
        peer_expect_batch(&rank[r], 7, 16 + 2 * r, 2);
        assert_memory_equal(tensor(&rank[r], "image"),
                            tensor(&whole, "image") + 2 * r * 16 * 16 * 3,
                            2 * 16 * 16 * 3);
        assert_memory_equal(tensor(&rank[r], "label"),
                            tensor(&whole, "label") + 2 * r * 8, 16);
        peer_expect_batch(&rank[r], 7, 24 + 2 * r, 2);
        peer_close(&rank[r]);
    }
    stop(&w, &whole);
}

/* Three sessions with three kinds share one rendering. */
static void kinds_of_checksum_share_the_bytes(void **state)
{
    static const uint32_t kinds[] = {1, 3, 7};
    struct world w;
    struct peer p;
    uint8_t *tensors = NULL;
    start(&w, &p, 1);
    int64_t composed = metric_get(METRIC_BATCHES_COMPOSED);
    for (int i = 0; i < 3; i++) {
        struct peer q;
        peer_greet(&q, w.port, kinds[i]);
        peer_open(&q, SMALL, 0, 1, 800, 2);
        peer_send_credit(&q, 1, 0);
        peer_expect_batch(&q, 2, 800, 8);
        assert_int_equal(q.head.checksum, i);
        if (!tensors)
            tensors = keep_tensors(&q);
        assert_memory_equal(q.payload, tensors, q.head.tensors_bytes);
        peer_close(&q);
    }
    assert_int_equal(metric_get(METRIC_BATCHES_COMPOSED), composed + 1);
    free(tensors);
    stop(&w, &p);
}

static void formats_follow_the_client(void **state)
{
    struct world w;
    struct peer p;
    struct wire_open m = {.stream = SMALL,
                          .world = 1,
                          .global_batch = 4,
                          .dtype = TENSOR_F32,
                          .layout = TENSOR_NCHW};
    start(&w, &p, 1);
    peer_send_open(&p, 2, &m);
    peer_expect(&p, WIRE_OPENED);
    peer_send_credit(&p, 1, 0);
    peer_expect_batch(&p, 2, 0, 4);
    const struct tensor_desc *image = &p.tensors[p.head.n_tensors - 1];
    assert_int_equal(image->dtype, TENSOR_F32);
    assert_int_equal(image->shape[1], 3);
    assert_int_equal(image->shape[3], 16);
    stop(&w, &p);
}

/* OPEN with m is refused with that code; the session lives on. */
static void refused(struct peer *p, const struct wire_open *m, int code,
                    const char *word)
{
    struct wire_error e;
    peer_send_open(p, 2, m);
    peer_send_credit(p, 1, 0); /* pipelined: forgiven */
    peer_expect_error(p, 2, code, false, &e);
    assert_non_null(strstr(e.text, word));
    peer_expect_error(p, 3, ERROR_BAD_STATE, false, NULL);
}

static void open_refuses_in_sentences(void **state)
{
    const struct wire_open good = {.stream = SMALL, .world = 1};
    struct wire_open m;
    struct world w;
    struct peer p;
    start(&w, &p, 1);
    m = good;
    strcpy(m.stream, "nothing");
    refused(&p, &m, ERROR_NOT_FOUND, "nothing");
    m = good;
    m.world = 3; /* does not divide 8 */
    refused(&p, &m, ERROR_BAD_ARGUMENT, "3");
    m.world = 0;
    refused(&p, &m, ERROR_BAD_ARGUMENT, "0");
    m = good;
    m.rank = 1;
    refused(&p, &m, ERROR_BAD_ARGUMENT, "1");
    m = good;
    m.dtype = TENSOR_F16;
    refused(&p, &m, ERROR_BAD_ARGUMENT, "dtype");
    m = good;
    m.layout = 3;
    refused(&p, &m, ERROR_BAD_ARGUMENT, "layout");
    m = good;
    m.position = UINT64_MAX;
    refused(&p, &m, ERROR_BAD_ARGUMENT, "");
    m = good;
    m.global_batch = UINT32_MAX;
    refused(&p, &m, ERROR_TOO_LARGE, "slice");
    m = good;
    strcpy(m.stream, LARGE);
    m.global_batch = 1024; /* 50 MB of a budget of 64 */
    refused(&p, &m, ERROR_TOO_LARGE, "1024");
    m = good;
    m.global_batch = 2048; /* more samples than the store takes */
    refused(&p, &m, ERROR_TOO_LARGE, "2048");
    peer_open(&p, SMALL, 0, 1, 0, 2); /* still good */
    stop(&w, &p);
}

static void a_changed_stream_is_an_error_that_names_both(void **state)
{
    struct world w;
    struct peer p;
    struct wire_error e;
    struct wire_open m = {.stream = SMALL, .world = 1, .has_fingerprint = true};
    start(&w, &p, 1);
    memset(m.fingerprint, 0xab, sizeof m.fingerprint);
    peer_send_open(&p, 2, &m);
    peer_expect_error(&p, 2, ERROR_FINGERPRINT, false, &e);
    assert_non_null(strstr(e.text, "abababab"));
    assert_non_null(strstr(e.text, w.streams.stream[0]->fingerprint_hex));
    memcpy(m.fingerprint, w.streams.stream[0]->fingerprint.bytes, 32);
    peer_send_open(&p, 2, &m);
    peer_expect(&p, WIRE_OPENED);
    stop(&w, &p);
}

static void a_second_open_replaces_the_stream(void **state)
{
    struct world w;
    struct peer p;
    start(&w, &p, 1);
    peer_open(&p, SMALL, 0, 1, 0, 2);
    peer_send_credit(&p, 1, 0);
    peer_expect_batch(&p, 2, 0, 8);
    peer_open(&p, LARGE, 0, 1, 64, 9);
    peer_expect_silence(&p, 50); /* credit is the stream's */
    peer_send_credit(&p, 1, 0);
    peer_expect_batch(&p, 9, 64, LARGE_BATCH);
    stop(&w, &p);
}

static void seek_moves_the_cursor_and_keeps_the_credit(void **state)
{
    struct world w;
    struct peer p;
    start(&w, &p, 1);
    peer_open(&p, SMALL, 0, 1, 0, 2);
    peer_send_credit(&p, 2, 0);
    peer_expect_batch(&p, 2, 0, 8);
    peer_expect_batch(&p, 2, 8, 8);
    peer_send_seek(&p, 20, 4000);
    peer_expect_silence(&p, 50);
    peer_send_credit(&p, 2, 0);
    peer_send_seek(&p, 21, 400);
    int n = 0; /* of serial 20, before the second SEEK was read */
    for (peer_expect(&p, WIRE_BATCH); p.header.request == 20;
         peer_expect(&p, WIRE_BATCH))
        n++;
    assert_true(n < 2);
    assert_int_equal(p.header.request, 21);
    if (n == 0)
        peer_expect_batch(&p, 21, 408, 8);
    peer_expect_silence(&p, 50);
    stop(&w, &p);
}

/* What was composed ahead but is not in the socket is not charged. */
static void seek_drops_what_is_stale_without_charging_it(void **state)
{
    struct world w;
    struct peer p;
    start(&w, &p, 1);
    peer_close(&p);
    peer_connect_narrow(&p, w.port);
    peer_send_hello(&p, 1, 1, "", 1);
    peer_expect(&p, WIRE_WELCOME);
    peer_open(&p, LARGE, 0, 1, 0, 2);
    int64_t composed = metric_get(METRIC_BATCHES_COMPOSED);
    peer_send_credit(&p, 10, 0);
    world_wait_composed(composed, 4); /* two fill the socket, two wait */
    world_sleep_ms(100);
    peer_send_seek(&p, 5, 1u << 20);
    int n_old = 0, n_new = 0;
    for (int i = 0; i < 10; i++) {
        peer_expect(&p, WIRE_BATCH);
        n_old += p.header.request == 2;
        n_new += p.header.request == 5;
        assert_true(p.header.request == 5 || n_new == 0);
    }
    assert_true(n_old <= 3);
    assert_int_equal(n_old + n_new, 10);
    peer_expect_silence(&p, 50);
    stop(&w, &p);
}

static void a_bad_seek_changes_nothing(void **state)
{
    struct world w;
    struct peer p;
    start(&w, &p, 1);
    peer_open(&p, SMALL, 0, 1, 0, 2);
    peer_send_seek(&p, 20, UINT64_MAX);
    peer_expect_error(&p, 20, ERROR_BAD_ARGUMENT, false, NULL);
    peer_send_seek(&p, 0, 8);
    peer_expect_error(&p, 0, ERROR_BAD_ARGUMENT, false, NULL);
    peer_send_credit(&p, 1, 0);
    peer_expect_batch(&p, 2, 0, 8);
    stop(&w, &p);
}

static void a_pull_answers_any_step_without_credit(void **state)
{
    struct world w;
    struct peer p;
    start(&w, &p, PEER_KINDS);
    peer_open(&p, SMALL, 0, 1, 0, 2);
    peer_send_pull(&p, 50, 800);
    peer_expect_batch(&p, 50, 800, 8);
    uint8_t *pulled = keep_tensors(&p);
    peer_send_credit(&p, 1, 0);
    peer_expect_batch(&p, 2, 0, 8); /* the cursor did not move */
    peer_send_seek(&p, 3, 800);
    peer_send_credit(&p, 1, 0);
    peer_expect_batch(&p, 3, 800, 8);
    assert_memory_equal(p.payload, pulled, p.head.tensors_bytes);
    free(pulled);
    peer_expect_silence(&p, 50);
    stop(&w, &p);
}

static void pulls_are_limited_and_named(void **state)
{
    struct world w;
    struct peer p;
    bool answered[16] = {false};
    int n_refused = 0;
    start(&w, &p, 1);
    peer_close(&p);
    peer_connect_narrow(&p, w.port);
    peer_send_hello(&p, 1, 1, "", 1);
    peer_expect(&p, WIRE_WELCOME);
    peer_open(&p, LARGE, 0, 1, 0, 2);
    /* Two fill the socket; 16 wait behind them; the last finds no place. */
    int64_t composed = metric_get(METRIC_BATCHES_COMPOSED);
    peer_send_pull(&p, 200, 0);
    peer_send_pull(&p, 201, 1000);
    world_wait_composed(composed, 2);
    world_sleep_ms(100);
    for (uint32_t i = 0; i < 16; i++)
        peer_send_pull(&p, 100 + i, 10000 + 1000 * i);
    peer_send_pull(&p, 300, 7);
    peer_send_pull(&p, 2, 7);   /* the serial */
    peer_send_pull(&p, 0, 7);   /* no id */
    peer_send_pull(&p, 100, 7); /* in use */
    for (int i = 0; i < 22; i++) {
        int type = peer_read(&p);
        uint32_t request = p.header.request;
        if (type == WIRE_BATCH && request < 200) {
            assert_in_range(request, 100, 115);
            assert_false(answered[request - 100]);
            answered[request - 100] = true;
        }
        n_refused += type == WIRE_ERROR;
    }
    assert_int_equal(n_refused, 4);
    for (int i = 0; i < 16; i++)
        assert_true(answered[i]);
    peer_send_pull(&p, 300, 7); /* a place again */
    peer_expect_batch(&p, 300, 7, LARGE_BATCH);
    stop(&w, &p);
}

static void a_pull_out_of_range_is_refused(void **state)
{
    struct world w;
    struct peer p;
    start(&w, &p, 1);
    peer_open(&p, SMALL, 0, 1, 0, 2);
    peer_send_pull(&p, 9, (1ull << 63) - 4);
    peer_expect_error(&p, 9, ERROR_BAD_ARGUMENT, false, NULL);
    peer_send_pull(&p, 9, 1ull << 40); /* any epoch */
    peer_expect_batch(&p, 9, 1ull << 40, 8);
    stop(&w, &p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opened_describes_the_stream),
        cmocka_unit_test(positions_come_in_order_over_the_seam_of_epochs),
        cmocka_unit_test(without_credit_nothing_is_composed),
        cmocka_unit_test(bytes_of_credit_hold_batches_back),
        cmocka_unit_test(too_much_credit_is_refused_and_not_taken),
        cmocka_unit_test(ranks_together_hold_the_whole_step),
        cmocka_unit_test(kinds_of_checksum_share_the_bytes),
        cmocka_unit_test(formats_follow_the_client),
        cmocka_unit_test(open_refuses_in_sentences),
        cmocka_unit_test(a_changed_stream_is_an_error_that_names_both),
        cmocka_unit_test(a_second_open_replaces_the_stream),
        cmocka_unit_test(seek_moves_the_cursor_and_keeps_the_credit),
        cmocka_unit_test(seek_drops_what_is_stale_without_charging_it),
        cmocka_unit_test(a_bad_seek_changes_nothing),
        cmocka_unit_test(a_pull_answers_any_step_without_credit),
        cmocka_unit_test(pulls_are_limited_and_named),
        cmocka_unit_test(a_pull_out_of_range_is_refused),
    };
    return cmocka_run_group_tests(tests, world_setup_group,
                                  world_teardown_group);
}
