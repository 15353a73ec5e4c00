/* Streams with a chain: the bytes do not depend on who asks for what, when and
 * with how many workers, and reading on costs one paste a sample. What a chain
 * is, test_chain.c says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/serve/composites.h"
#include "server/serve/parents.h"
#include "tests/unit/serve_rig.h"

/* Few edges an epoch, so that chains cross epochs. */
#define CHAIN(slots, rest)                                                     \
    "{\"size\":[8,9],\"seed\":5,\"chain\":{\"slots\":" #slots                  \
    ",\"reset\":0.3,\"max_length\":6" rest                                     \
    "},\"image\":{\"operations\":[{\"op\":\"box_blur\"}]}}"

static struct {
    int64_t composed, again;
} before;

static void note(void)
{
    before.composed = metric_get(METRIC_SAMPLES_COMPOSED);
    before.again = metric_get(METRIC_CHAIN_AGAIN);
}

static int64_t composed(void)
{
    return metric_get(METRIC_SAMPLES_COMPOSED) - before.composed;
}

static int64_t again(void)
{
    return metric_get(METRIC_CHAIN_AGAIN) - before.again;
}

static uint32_t next(uint32_t *random, uint32_t n)
{
    *random = *random * 1664525 + 1013904223;
    return (*random >> 8) % n;
}

static void any_request_in_any_order_has_the_same_bytes(void **state)
{
    (void)state;
    static const char *const recipes[] = {CHAIN(1, ""), CHAIN(7, ""),
                                          CHAIN(10, ",\"handed_on\":\"image\""),
                                          CHAIN(40, "")};
    struct store_config config = rig_config();
    config.budget_bytes = 1 << 20; /* evicts */
    for (uint32_t i = 0; i < 8; i++) {
        struct stream *stream = rig_stream(recipes[i / 2]);
        uint32_t random = i;
        struct rig rig;
        rig_start(&rig, i % 2 ? 1 : 5, &config);
        for (int k = 0; k < 60; k++) {
            struct ask ask;
            ask_init(&ask, stream, next(&random, 400), 1 + next(&random, 85));
            ask.request.dtype = next(&random, 2) ? TENSOR_F32 : TENSOR_U8;
            ask.request.n_candidates = 1 + next(&random, 3);
            ask.request.checksum = (enum checksum_kind)next(&random, 3);
            struct batch *b = ask_batch(&rig, &ask);
            rig_check_batch(b);
            batch_unref(b);
        }
        rig_stop(&rig);
        stream_destroy(stream);
    }
}

/* One step in flight, many, steps of several slots' rounds, and ranks. */
static void reading_on_composes_every_sample_once(void **state)
{
    (void)state;
    static const struct {
        uint32_t batch, world, ahead;
    } cases[] = {{20, 1, 1}, {20, 1, 6}, {20, 4, 3}, {7, 1, 5},
                 {60, 1, 2}, {50, 2, 2}, {10, 2, 1}, {10, 1, 9}};
    struct store_config config = rig_config();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct stream *stream = rig_stream(CHAIN(20, ""));
        const uint32_t n = cases[i].batch / cases[i].world;
        const uint32_t n_asks = cases[i].ahead * cases[i].world;
        struct rig rig;
        struct ask ask[16];
        uint64_t at = 0;
        rig_start(&rig, 3, &config);
        note();
        for (uint32_t k = 0; k < 12; k++) {
            for (uint32_t j = 0; j < n_asks; j++, at += n) {
                ask_init(&ask[j], stream, at, n);
                assert_int_equal(ask_send(&rig, &ask[j]), 0);
            }
            rig_settle(&rig);
            for (uint32_t j = 0; j < n_asks; j++) {
                assert_true(ask[j].answered && ask[j].status == 0);
                rig_check_batch(ask[j].batch);
                batch_unref(ask[j].batch);
            }
        }
        assert_int_equal(composed(), at);
        assert_int_equal(again(), 0);
        rig_stop(&rig);
        stream_destroy(stream);
    }
}

static void two_readers_at_different_places_need_no_more(void **state)
{
    (void)state;
    struct store_config config = rig_config();
    struct stream *stream = rig_stream(CHAIN(20, ""));
    struct rig rig;
    rig_start(&rig, 2, &config);
    for (uint64_t step = 0; step < 30; step++) {
        if (step == 1)
            note(); /* the second reader begins in the middle */
        for (uint64_t reader = 0; reader < 2; reader++) {
            struct ask ask;
            ask_init(&ask, stream, reader * 2000 + step * 20, 20);
            batch_unref(ask_batch(&rig, &ask));
        }
    }
    assert_int_equal(composed(), 2 * 29 * 20);
    assert_int_equal(again(), 0);
    rig_stop(&rig);
    stream_destroy(stream);
}

static void one_sample_alone_costs_its_chain_at_most(void **state)
{
    (void)state;
    struct store_config config = rig_config();
    struct stream *stream = rig_stream(CHAIN(20, ""));
    struct rig rig;
    int64_t most = 0, sum = 0;
    rig_start(&rig, 2, &config);
    for (uint64_t i = 0; i < 200; i++) {
        struct ask ask;
        note();
        ask_init(&ask, stream, i * 1009, 1);
        batch_unref(ask_batch(&rig, &ask));
        assert_int_equal(composed(), 1 + again());
        assert_true(composed() <= 6);
        most = composed() > most ? composed() : most;
        sum += composed();
    }
    assert_int_equal(most, 6);
    assert_true(sum > 300 && sum < 700); /* 1 / 0.3 less the bound */
    rig_stop(&rig);
    stream_destroy(stream);
}

/* Far beyond 32 bits too, and where chains cross epochs. */
static void resuming_anywhere_goes_on_with_the_same_bytes(void **state)
{
    (void)state;
    struct store_config config = rig_config();
    static const uint64_t places[] = {
        0, 19, 20, 21, 139, 1ull << 40, (1ull << 63) - 60};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        struct stream *stream = rig_stream(CHAIN(20, ""));
        struct rig rig;
        rig_start(&rig, 2, &config);
        for (uint64_t k = 0; k < 60; k += 20) {
            struct ask ask;
            ask_init(&ask, stream, places[i] + k, 20);
            struct batch *b = ask_batch(&rig, &ask);
            rig_check_batch(b);
            batch_unref(b);
            if (k == 0)
                note();
        }
        assert_int_equal(composed(), 40);
        rig_stop(&rig);
        stream_destroy(stream);
    }
}

static void what_is_cancelled_hands_nothing_on(void **state)
{
    (void)state;
    struct store_config config = rig_config();
    struct stream *stream = rig_stream(CHAIN(20, ""));
    uint32_t random = 3;
    struct rig rig;
    rig_start(&rig, 2, &config);
    for (uint64_t round = 0; round < 60; round++) {
        struct ask ask[6];
        for (uint64_t i = 0; i < 6; i++) {
            ask_init(&ask[i], stream, (round * 6 + i) * 10, 10);
            assert_int_equal(ask_send(&rig, &ask[i]), 0);
        }
        for (uint32_t i = next(&random, 6); i > 0; i--)
            store_cancel(rig.store, &ask[next(&random, 6)].request);
        rig_settle(&rig);
        for (uint64_t i = 0; i < 6; i++) {
            if (!ask[i].answered)
                continue;
            rig_check_batch(ask[i].batch);
            batch_unref(ask[i].batch);
        }
    }
    rig_stop(&rig);
    stream_destroy(stream); /* asserts that no entry is in use */
}

static void composites_keep_the_latest_and_what_is_used(void **state)
{
    (void)state;
    static const struct digest none, table = {.bytes = {1}};
    struct composites *c;
    struct fault fault = {0};
    struct recipe r;
    recipe_default(&r);
    r.height = r.width = 4;
    r.chain.slots = 2;
    assert_int_equal(composites_bytes(&r), 8 * 64);
    assert_int_equal(composites_create(&r, &c, &fault), 0);
    assert_int_equal(metric_get(METRIC_CHAIN_BYTES), 8 * 64);
    for (uint64_t p = 0; p < 8; p++)
        composites_finish(c, composites_reserve(c, p, &none), true);
    struct composite *zero = composites_take(c, 0, &none);
    assert_int_equal(zero->position, 0);
    assert_null(composites_take(c, 0, &table));
    assert_null(composites_reserve(c, 3, &none)); /* is there */
    for (uint64_t p = 8; p < 15; p++)
        composites_finish(c, composites_reserve(c, p, &none), p != 10);
    assert_ptr_equal(composites_take(c, 0, &none), zero);
    assert_null(composites_take(c, 10, &none));
    for (uint64_t p = 1; p < 7; p++)
        assert_null(composites_take(c, p, &none));
    struct composite *held[7];
    for (uint64_t i = 0; i < 7; i++)
        held[i] = composites_reserve(c, 20 + i, &none);
    assert_non_null(held[6]);
    assert_null(composites_reserve(c, 30, &none)); /* all are in use */
    for (int i = 0; i < 7; i++)
        composites_finish(c, held[i], false);
    composites_return(c, zero);
    composites_return(c, zero);
    composites_destroy(c);
    assert_int_equal(metric_get(METRIC_CHAIN_BYTES), 0);
}

/* By trying every position. */
static void who_waits_for_whom(void **state)
{
    (void)state;
    const struct chain chain = {.slots = 6};
    for (uint64_t first = 0; first < 30; first++)
        for (uint64_t made = 0; made < 30; made++)
            for (uint32_t n = 1; n < 15; n++)
                for (uint32_t m = 1; m < 15; m++) {
                    bool expected = false;
                    for (uint64_t p = first; p < first + n && p < first + 6;
                         p++)
                        for (uint64_t q = m < 6 ? made : made + m - 6;
                             q < made + m; q++)
                            expected = expected || q + 6 == p;
                    const struct batch_key of = {.first_position = first,
                                                 .n_samples = n};
                    struct batch_key other = {.first_position = made,
                                              .n_samples = m};
                    assert_int_equal(parents_are_made_by(&chain, &of, &other),
                                     expected);
                    other.feedback.bytes[5] = 1;
                    assert_false(parents_are_made_by(&chain, &of, &other));
                    assert_true(!expected || made < first);
                }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_request_in_any_order_has_the_same_bytes),
        cmocka_unit_test(reading_on_composes_every_sample_once),
        cmocka_unit_test(two_readers_at_different_places_need_no_more),
        cmocka_unit_test(one_sample_alone_costs_its_chain_at_most),
        cmocka_unit_test(resuming_anywhere_goes_on_with_the_same_bytes),
        cmocka_unit_test(what_is_cancelled_hands_nothing_on),
        cmocka_unit_test(composites_keep_the_latest_and_what_is_used),
        cmocka_unit_test(who_waits_for_whom),
    };
    return cmocka_run_group_tests(tests, rig_make_catalog, rig_drop_catalog);
}
