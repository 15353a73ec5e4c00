/* What the store answers: the same batch once for all, the right bytes, the
 * asked checksums, epochs joined. Limits are in test_store_limits.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tests/unit/serve_rig.h"

static int64_t composed(void)
{
    return metric_get(METRIC_SAMPLES_COMPOSED);
}

static void two_requests_for_one_batch_compose_it_once(void **state)
{
    struct store_config config = rig_config();
    struct stream *stream = rig_stream(RIG_RECIPE);
    int64_t before = composed(), joins = metric_get(METRIC_BATCH_CACHE_JOINS);
    struct ask a, b;
    struct rig rig;

    rig_start(&rig, 2, &config);
    ask_init(&a, stream, 3, 10);
    ask_init(&b, stream, 3, 10);
    assert_int_equal(ask_send(&rig, &a), 0);
    assert_int_equal(ask_send(&rig, &b), 0);
    rig_settle(&rig);
    assert_true(a.answered && b.answered);
    assert_ptr_equal(a.batch, b.batch);
    assert_int_equal(a.batch->refs, 2);
    assert_int_equal(composed() - before, 10);
    assert_int_equal(metric_get(METRIC_BATCH_CACHE_JOINS) - joins, 1);
    rig_check_batch(a.batch);
    batch_unref(a.batch);
    batch_unref(b.batch);
    rig_stop(&rig);
    stream_destroy(stream);
}

static void a_cached_batch_is_there_at_once_and_composes_nothing(void **state)
{
    struct store_config config = rig_config();
    struct stream *stream = rig_stream(RIG_RECIPE);
    int64_t hits = metric_get(METRIC_BATCH_CACHE_HITS), before;
    struct ask a, b;
    struct rig rig;
    struct batch *first;

    rig_start(&rig, 2, &config);
    ask_init(&a, stream, 0, 4);
    first = ask_batch(&rig, &a);
    batch_unref(first);
    before = composed();
    ask_init(&b, stream, 0, 4);
    assert_int_equal(ask_send(&rig, &b), 1);
    assert_ptr_equal(b.batch, first);
    assert_int_equal(b.batch->refs, 1);
    assert_int_equal(composed(), before);
    assert_int_equal(metric_get(METRIC_BATCH_CACHE_HITS) - hits, 1);
    batch_unref(b.batch);
    rig_stop(&rig);
    stream_destroy(stream);
}

static void what_differs_in_any_argument_is_another_batch(void **state)
{
    struct store_config config = rig_config();
    struct stream *stream = rig_stream(RIG_RECIPE);
    int64_t before = composed();
    struct ask asks[5];
    struct rig rig;

    rig_start(&rig, 2, &config);
    for (int i = 0; i < 5; i++)
        ask_init(&asks[i], stream, i == 1 ? 1 : 0, i == 2 ? 5 : 4);
    asks[3].request.dtype = TENSOR_F32;
    asks[4].request.layout = TENSOR_NCHW;
    for (int i = 0; i < 5; i++)
        assert_int_equal(ask_send(&rig, &asks[i]), 0);
    rig_settle(&rig);
    assert_int_equal(composed() - before, 4 * 4 + 5);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(asks[i].status, 0);
        rig_check_batch(asks[i].batch);
        batch_unref(asks[i].batch);
    }
    rig_stop(&rig);
    stream_destroy(stream);
}

static void the_default_format_and_its_name_are_one_batch(void **state)
{
    struct store_config config = rig_config();
    struct stream *stream = rig_stream(RIG_RECIPE);
    struct ask a, b;
    struct rig rig;

    rig_start(&rig, 1, &config);
    ask_init(&a, stream, 0, 4);
    ask_init(&b, stream, 0, 4);
    b.request.dtype = TENSOR_U8;
    b.request.layout = TENSOR_NHWC;
    batch_unref(ask_batch(&rig, &a));
    assert_int_equal(ask_send(&rig, &b), 1);
    batch_unref(b.batch);
    rig_stop(&rig);
    stream_destroy(stream);
}

static void bytes_do_not_depend_on_the_number_of_workers(void **state)
{
    static const uint32_t counts[] = {1, 2, 5};
    struct store_config config = rig_config();
    struct stream *stream = rig_stream(RIG_RECIPE);

    for (int i = 0; i < 3; i++) {
        struct ask a;
        struct rig rig;

        rig_start(&rig, counts[i], &config);
        ask_init(&a, stream, 5, 200);
        rig_check_batch(ask_batch(&rig, &a));
        batch_unref(a.batch);
        rig_stop(&rig);
    }
    stream_destroy(stream);
}

static void a_batch_straddles_as_many_epochs_as_it_needs(void **state)
{
    static const struct {
        uint64_t first;
        uint32_t n;
    } rows[] = {{RIG_EDGES - 1, 2},     {RIG_EDGES - 1, 1},
                {RIG_EDGES, RIG_EDGES}, {RIG_EDGES / 2, RIG_EDGES},
                {5, 7 * RIG_EDGES + 3}, {(UINT64_C(1) << 63) - 40, 40}};
    struct store_config config = rig_config();
    struct stream *stream = rig_stream(RIG_RECIPE);
    struct rig rig;

    assert_int_equal(stream->edges_per_epoch, RIG_EDGES);
    rig_start(&rig, 2, &config);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ask a;

        ask_init(&a, stream, rows[i].first, rows[i].n);
        rig_check_batch(ask_batch(&rig, &a));
        batch_unref(a.batch);
    }
    rig_stop(&rig);
    stream_destroy(stream);
}

static void
checksums_come_with_the_batch_and_later_ones_compose_nothing(void **state)
{
    struct store_config config = rig_config();
    struct stream *stream = rig_stream(RIG_RECIPE);
    int64_t before;
    struct ask a, b, c;
    struct rig rig;

    rig_start(&rig, 2, &config);
    ask_init(&a, stream, 0, 33);
    a.request.checksum = CHECKSUM_CRC32;
    ask_batch(&rig, &a);
    assert_non_null(a.batch->checksums[CHECKSUM_CRC32]);
    assert_null(a.batch->checksums[CHECKSUM_XXH3]);
    before = composed();
    ask_init(&b, stream, 0, 33);
    ask_init(&c, stream, 0, 33);
    b.request.checksum = c.request.checksum = CHECKSUM_XXH3;
    assert_int_equal(ask_send(&rig, &b), 0);
    assert_int_equal(ask_send(&rig, &c), 0);
    rig_settle(&rig);
    assert_ptr_equal(b.batch, a.batch);
    assert_ptr_equal(c.batch, a.batch);
    assert_non_null(a.batch->checksums[CHECKSUM_XXH3]);
    rig_check_batch(a.batch);
    assert_int_equal(composed(), before);
    batch_unref(a.batch);
    batch_unref(b.batch);
    batch_unref(c.batch);
    rig_stop(&rig);
    stream_destroy(stream);
}

static void whoever_joins_late_gets_another_kind_of_checksum(void **state)
{
    struct store_config config = rig_config();
    struct stream *stream = rig_stream(RIG_RECIPE);
    int64_t before = composed();
    struct ask asks[CHECKSUM_N_KINDS];
    struct rig rig;

    rig_start(&rig, 2, &config);
    /* The first request warms the epoch, so the next begins at once. */
    ask_init(&asks[0], stream, 0, 1);
    batch_unref(ask_batch(&rig, &asks[0]));
    for (int kind = 0; kind < CHECKSUM_N_KINDS; kind++) {
        ask_init(&asks[kind], stream, 2, 9);
        asks[kind].request.checksum = (enum checksum_kind)kind;
        assert_int_equal(ask_send(&rig, &asks[kind]), 0);
    }
    rig_settle(&rig);
    for (int kind = 0; kind < CHECKSUM_N_KINDS; kind++) {
        assert_true(asks[kind].answered);
        assert_int_equal(asks[kind].status, 0);
        assert_ptr_equal(asks[kind].batch, asks[0].batch);
        if (kind != CHECKSUM_NONE)
            assert_non_null(asks[0].batch->checksums[kind]);
    }
    rig_check_batch(asks[0].batch);
    assert_int_equal(composed() - before, 1 + 9);
    for (int kind = 0; kind < CHECKSUM_N_KINDS; kind++)
        batch_unref(asks[kind].batch);
    rig_stop(&rig);
    stream_destroy(stream);
}

/* A trainer asks for the next step as soon as it has one. */
struct reader {
    struct store_request request;
    struct rig *rig;
    uint32_t n_left;
};

static void on_step(struct store_request *request, int status,
                    struct batch *batch, const struct fault *fault)
{
    struct reader *r = request->context;
    struct fault none = {0};
    struct batch *hit = NULL;

    assert_int_equal(status, 0);
    batch_unref(batch);
    if (--r->n_left == 0)
        return;
    request->first_position += request->n_samples;
    assert_int_equal(store_get(r->rig->store, request, &hit, &none), 0);
}

static void a_done_may_ask_for_the_next_batch(void **state)
{
    struct store_config config = rig_config();
    struct stream *stream = rig_stream(RIG_RECIPE);
    struct rig rig;
    struct reader reader = {.rig = &rig, .n_left = 50};
    struct fault fault = {0};
    struct batch *hit;

    reader.request = (struct store_request){.stream = stream,
                                            .n_samples = 8,
                                            .class = WORKER_BULK,
                                            .done = on_step,
                                            .context = &reader};
    rig_start(&rig, 2, &config);
    assert_int_equal(store_get(rig.store, &reader.request, &hit, &fault), 0);
    rig_settle(&rig);
    assert_int_equal(reader.n_left, 0);
    rig_stop(&rig);
    stream_destroy(stream);
}

static void streams_of_different_frames_share_a_store(void **state)
{
    static const char *const recipes[] = {
        "{\"size\": [4, 4], \"seed\": 1}", "{\"size\": [40, 30], \"seed\": 2}",
        "{\"size\": [16, 64], \"seed\": 3}", "{\"size\": 128, \"seed\": 4}"};
    struct store_config config = rig_config();
    struct stream *stream[4];
    struct ask asks[4];
    struct rig rig;

    rig_start(&rig, 2, &config);
    for (int i = 0; i < 4; i++) {
        stream[i] = rig_stream(recipes[i]);
        ask_init(&asks[i], stream[i], 9, 12);
        assert_int_equal(ask_send(&rig, &asks[i]), 0);
    }
    rig_settle(&rig);
    for (int i = 0; i < 4; i++) {
        rig_check_batch(asks[i].batch);
        batch_unref(asks[i].batch);
    }
    rig_stop(&rig);
    for (int i = 0; i < 4; i++)
        stream_destroy(stream[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_requests_for_one_batch_compose_it_once),
        cmocka_unit_test(a_cached_batch_is_there_at_once_and_composes_nothing),
        cmocka_unit_test(what_differs_in_any_argument_is_another_batch),
        cmocka_unit_test(the_default_format_and_its_name_are_one_batch),
        cmocka_unit_test(bytes_do_not_depend_on_the_number_of_workers),
        cmocka_unit_test(a_batch_straddles_as_many_epochs_as_it_needs),
        cmocka_unit_test(
            checksums_come_with_the_batch_and_later_ones_compose_nothing),
        cmocka_unit_test(whoever_joins_late_gets_another_kind_of_checksum),
        cmocka_unit_test(a_done_may_ask_for_the_next_batch),
        cmocka_unit_test(streams_of_different_frames_share_a_store),
    };

    return cmocka_run_group_tests(tests, rig_make_catalog, rig_drop_catalog);
}
