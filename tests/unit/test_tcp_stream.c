/* Streams over a connection: order, credit, ranks, formats, checksums, and what
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
#include "server/base/mem.h"
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

/* Composing ahead meets the end first: what is owed still comes. */
static void the_last_position_ends_the_stream_in_words(void **state)
{
    struct world w;
    struct peer p;
    const uint64_t first = WIRE_MAX_POSITION - 16;
    start(&w, &p, 1);
    peer_open(&p, SMALL, 0, 1, first, 2);
    peer_send_credit(&p, 5, 0);
    peer_expect_batch(&p, 2, first, 8);
    peer_expect_batch(&p, 2, first + 8, 8);
    peer_expect_error(&p, 2, ERROR_BAD_ARGUMENT, true, NULL);
    peer_expect_end(&p);
    stop(&w, &p);
}

static void a_batch_that_fails_ends_the_stream_in_words(void **state)
{
    struct world w;
    struct peer p;
    int n_failed = 0;
    start(&w, &p, 1);
    for (uint64_t nth = 1; nth < 6; nth++) {
        struct peer q;
        peer_greet(&q, w.port, 1);
        peer_open(&q, SMALL, 0, 1, nth << 40, 2); /* an epoch of its own */
        mem_fail_nth(nth);
        peer_send_credit(&q, 1, 0);
        int type = peer_read(&q);
        mem_fail_nth(0);
        if (type != WIRE_BATCH) {
            struct wire_error e;
            struct bytes_reader r;
            assert_int_equal(type, WIRE_ERROR);
            assert_int_equal(q.header.request, 2);
            bytes_reader_init(&r, q.payload, (size_t)q.header.payload_bytes);
            assert_int_equal(wire_decode_error(&r, &e), 0);
            assert_int_equal(e.code, ERROR_NO_MEMORY);
            assert_true(e.fatal);
            peer_expect_end(&q);
            n_failed++;
        }
        peer_close(&q);
    }
    assert_true(n_failed > 0);
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
    m.dtype = TENSOR_I32;
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opened_describes_the_stream),
        cmocka_unit_test(positions_come_in_order_over_the_seam_of_epochs),
        cmocka_unit_test(the_last_position_ends_the_stream_in_words),
        cmocka_unit_test(a_batch_that_fails_ends_the_stream_in_words),
        cmocka_unit_test(without_credit_nothing_is_composed),
        cmocka_unit_test(bytes_of_credit_hold_batches_back),
        cmocka_unit_test(too_much_credit_is_refused_and_not_taken),
        cmocka_unit_test(ranks_together_hold_the_whole_step),
        cmocka_unit_test(kinds_of_checksum_share_the_bytes),
        cmocka_unit_test(formats_follow_the_client),
        cmocka_unit_test(open_refuses_in_sentences),
        cmocka_unit_test(a_changed_stream_is_an_error_that_names_both),
        cmocka_unit_test(a_second_open_replaces_the_stream),
    };
    return cmocka_run_group_tests(tests, world_setup_group,
                                  world_teardown_group);
}
