/* The limits of the store: budget, queue, sizes, cancelling, short memory, and
 * no allocation on the way of a batch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/base/arena.h"
#include "server/base/mem.h"
#include "server/serve/epochs.h"
#include "tests/unit/serve_rig.h"

static int64_t composed(void)
{
    return metric_get(METRIC_SAMPLES_COMPOSED);
}

/* A store whose arena holds two pages: one small batch each. */
static struct store_config two_pages(void)
{
    struct store_config config = rig_config();

    config.budget_bytes = 2 * ARENA_PAGE_BYTES;
    return config;
}

/* Fills it: batches of positions 0 and 1 that nobody returns. */
static void hold_two(struct rig *rig, struct ask held[2])
{
    for (uint32_t i = 0; i < 2; i++) {
        ask_init(&held[i], rig_usual, i, 1);
        ask_batch(rig, &held[i]);
    }
}

static void a_full_budget_makes_requests_wait_for_their_turn(void **state)
{
    struct store_config config = two_pages();
    struct ask held[2], late[2];
    struct rig rig;

    rig_start(&rig, 2, &config);
    hold_two(&rig, held);
    for (uint32_t i = 0; i < 2; i++) {
        ask_init(&late[i], rig_usual, 10 + i, 1);
        assert_int_equal(ask_send(&rig, &late[i]), 0);
    }
    rig_settle(&rig);
    assert_false(late[0].answered || late[1].answered);
    assert_int_equal(metric_get(METRIC_BUDGET_USED_BYTES),
                     2 * ARENA_PAGE_BYTES);
    batch_unref(held[0].batch);
    rig_settle(&rig);
    assert_true(late[0].answered && !late[1].answered);
    batch_unref(late[0].batch);
    rig_settle(&rig);
    assert_true(late[1].answered);
    batch_unref(late[1].batch);
    batch_unref(held[1].batch);
    rig_stop(&rig);
}

static void beyond_the_queue_a_request_is_refused(void **state)
{
    struct store_config config = two_pages();
    int64_t rejected = metric_get(METRIC_BATCH_REJECTED);
    struct ask held[2], waiting[3], refused;
    struct rig rig;

    config.max_queued = 3;
    rig_start(&rig, 1, &config);
    hold_two(&rig, held);
    for (uint32_t i = 0; i < 3; i++) {
        ask_init(&waiting[i], rig_usual, 4 + i, 1);
        assert_int_equal(ask_send(&rig, &waiting[i]), 0);
    }
    ask_init(&refused, rig_usual, 9, 1);
    assert_int_equal(ask_send(&rig, &refused), -ERROR_OVERLOADED);
    assert_true(strlen(refused.fault.text) > 0);
    assert_int_equal(metric_get(METRIC_BATCH_REJECTED) - rejected, 1);
    /* A hit and a join are still answered. */
    ask_init(&refused, rig_usual, 0, 1);
    assert_int_equal(ask_send(&rig, &refused), 1);
    batch_unref(refused.batch);
    ask_init(&refused, rig_usual, 4, 1);
    assert_int_equal(ask_send(&rig, &refused), 0);
    batch_unref(held[0].batch);
    for (uint32_t i = 0; i < 3; i++) {
        rig_settle(&rig);
        assert_true(waiting[i].answered); /* in the order of arrival */
        batch_unref(waiting[i].batch);
        if (i == 0)
            batch_unref(refused.batch);
    }
    batch_unref(held[1].batch);
    rig_stop(&rig);
}

static void a_small_request_overtakes_bulk_that_waits(void **state)
{
    struct store_config config = two_pages();
    struct ask held[2], bulk, small;
    struct rig rig;

    rig_start(&rig, 1, &config);
    hold_two(&rig, held);
    ask_init(&bulk, rig_usual, 5, 1);
    ask_init(&small, rig_usual, 6, 1);
    small.request.class = WORKER_SMALL;
    assert_int_equal(ask_send(&rig, &bulk), 0);
    assert_int_equal(ask_send(&rig, &small), 0);
    batch_unref(held[0].batch);
    rig_settle(&rig);
    assert_true(small.answered && !bulk.answered);
    batch_unref(small.batch);
    rig_settle(&rig);
    assert_true(bulk.answered);
    batch_unref(bulk.batch);
    batch_unref(held[1].batch);
    rig_stop(&rig);
}

static void a_cancelled_request_that_waits_is_never_composed(void **state)
{
    struct store_config config = two_pages();
    struct ask held[2], gone, next;
    int64_t before;
    struct rig rig;

    rig_start(&rig, 1, &config);
    hold_two(&rig, held);
    before = composed();
    ask_init(&gone, rig_usual, 5, 1);
    ask_init(&next, rig_usual, 6, 1);
    assert_int_equal(ask_send(&rig, &gone), 0);
    assert_int_equal(ask_send(&rig, &next), 0);
    store_cancel(rig.store, &gone.request);
    store_cancel(rig.store, &gone.request); /* again is harmless */
    batch_unref(held[0].batch);
    rig_settle(&rig);
    assert_false(gone.answered);
    assert_true(next.answered);
    assert_int_equal(composed() - before, 1);
    batch_unref(next.batch);
    batch_unref(held[1].batch);
    rig_stop(&rig);
}

static void one_of_two_may_cancel(void **state)
{
    struct store_config config = rig_config();
    struct ask a, b;
    struct rig rig;

    rig_start(&rig, 1, &config);
    ask_init(&a, rig_usual, 0, 3);
    ask_init(&b, rig_usual, 0, 3);
    assert_int_equal(ask_send(&rig, &a), 0);
    assert_int_equal(ask_send(&rig, &b), 0);
    store_cancel(rig.store, &a.request);
    rig_settle(&rig);
    assert_false(a.answered);
    assert_true(b.answered);
    batch_unref(b.batch);
    rig_stop(&rig);
}

static void the_longest_unused_batch_makes_room(void **state)
{
    struct store_config config = two_pages();
    int64_t evicted = metric_get(METRIC_BATCH_EVICTIONS);
    struct ask a;
    struct rig rig;

    rig_start(&rig, 2, &config);
    rig_warm(&rig, rig_usual, 0);
    rig_warm(&rig, rig_usual, 1);
    ask_init(&a, rig_usual, 0, 1); /* 0 is now the most recently used */
    assert_int_equal(ask_send(&rig, &a), 1);
    batch_unref(a.batch);
    rig_warm(&rig, rig_usual, 2);
    assert_int_equal(metric_get(METRIC_BATCH_EVICTIONS) - evicted, 1);
    ask_init(&a, rig_usual, 0, 1);
    assert_int_equal(ask_send(&rig, &a), 1);
    batch_unref(a.batch);
    ask_init(&a, rig_usual, 1, 1);
    rig_check_batch(ask_batch(&rig, &a)); /* composed again, same bytes */
    batch_unref(a.batch);
    rig_stop(&rig);
}

static void check_refused(struct rig *rig, struct ask *a, int expected)
{
    assert_int_equal(ask_send(rig, a), expected);
    assert_true(strlen(a->fault.text) > 0);
}

static void impossible_requests_are_refused_with_a_sentence(void **state)
{
    struct store_config config = rig_config();
    struct ask a;
    struct rig rig;

    config.epoch_budget_bytes = 4 * graph_epoch_bytes(&rig_usual->graph);
    rig_start(&rig, 1, &config);
    ask_init(&a, rig_usual, 0, 0);
    check_refused(&rig, &a, -ERROR_BAD_ARGUMENT);
    ask_init(&a, rig_usual, 0, 257);
    check_refused(&rig, &a, -ERROR_TOO_LARGE);
    ask_init(&a, rig_usual, (UINT64_C(1) << 63) - 3, 4);
    check_refused(&rig, &a, -ERROR_BAD_ARGUMENT);
    ask_init(&a, rig_usual, UINT64_MAX, 1);
    check_refused(&rig, &a, -ERROR_BAD_ARGUMENT);
    ask_init(&a, rig_usual, 0, 1);
    a.request.dtype = TENSOR_I32;
    check_refused(&rig, &a, -ERROR_BAD_ARGUMENT);
    ask_init(&a, rig_usual, 0, 1);
    a.request.checksum = CHECKSUM_N_KINDS;
    check_refused(&rig, &a, -ERROR_BAD_ARGUMENT);
    ask_init(&a, rig_usual, 0, 5 * RIG_EDGES); /* five epochs, room for four */
    check_refused(&rig, &a, -ERROR_TOO_LARGE);
    assert_non_null(strstr(a.fault.text, "epoch"));
    ask_init(&a, rig_usual, 0, 4 * RIG_EDGES);
    rig_check_batch(ask_batch(&rig, &a));
    batch_unref(a.batch);
    rig_stop(&rig);
}

static void too_many_epochs_for_one_batch_are_refused(void **state)
{
    /* One class and one background: every sample is an epoch. */
    struct stream tiny = {.edges_per_epoch = 1, .turns = 1};
    static const uint32_t first[] = {0, 1};
    struct store_config config = rig_config();
    struct fault fault = {0};
    struct epoch_shelf *shelf;
    struct rig rig;

    tiny.graph = (struct graph_spec){.n_classes = 1,
                                     .class_first = first,
                                     .n_backgrounds = 1,
                                     .objects_per_background = 1};
    rig_start(&rig, 1, &config);
    assert_int_equal(
        epoch_shelf_create(rig.workers, UINT64_MAX, NULL, NULL, &shelf, &fault),
        0);
    assert_int_equal(epochs_check(shelf, &tiny, EPOCHS_MAX_HELD, &fault), 0);
    assert_int_equal(epochs_check(shelf, &tiny, EPOCHS_MAX_HELD + 1, &fault),
                     -ERROR_TOO_LARGE);
    epoch_shelf_destroy(shelf);
    rig_stop(&rig);
}

static void the_largest_batch_fits_twice_and_no_larger_one(void **state)
{
    struct store_config config = rig_config();
    struct stream *large = rig_stream("{\"size\": [128, 128]}");
    struct ask a, b;
    struct rig rig;
    uint64_t sample_bytes = 128 * 128 * 3 + 64, limit;
    uint32_t n;

    rig_start(&rig, 2, &config);
    limit = store_max_batch_bytes(rig.store);
    n = (uint32_t)((limit - 2048) / sample_bytes);
    ask_init(&a, large, 0, n);
    ask_batch(&rig, &a);
    ask_init(&b, large, n, n);
    ask_batch(&rig, &b); /* while a is held */
    assert_true(a.batch->layout.tensors_bytes + 8 * (n + 1) <= limit);
    batch_unref(a.batch);
    batch_unref(b.batch);
    ask_init(&a, large, 0, n + 2);
    check_refused(&rig, &a, -ERROR_TOO_LARGE);
    rig_stop(&rig);
    stream_destroy(large);
}

static void a_store_that_could_hold_nothing_is_refused(void **state)
{
    struct store_config config = rig_config();
    struct fault fault = {0};
    struct store *store = NULL;
    struct rig rig;

    rig_start(&rig, 1, &config);
    config.budget_bytes = ARENA_PAGE_BYTES;
    assert_int_equal(store_create(rig.workers, &config, &store, &fault),
                     -ERROR_BAD_ARGUMENT);
    config = rig_config();
    config.max_samples = 0;
    assert_int_equal(store_create(rig.workers, &config, &store, &fault),
                     -ERROR_BAD_ARGUMENT);
    assert_null(store);
    store_destroy(NULL);
    rig_stop(&rig);
}

static void every_allocation_of_create_may_fail(void **state)
{
    struct store_config config = rig_config();
    struct store *store = NULL;
    struct fault fault = {0};
    struct rig rig;
    int rc = -1;

    rig_start(&rig, 1, &config);
    for (uint64_t nth = 1; rc < 0; nth++) {
        mem_fail_nth(nth);
        rc = store_create(rig.workers, &config, &store, &fault);
        assert_true(rc == 0 || rc == -ERROR_NO_MEMORY);
        assert_true(nth < 100);
    }
    mem_fail_nth(0);
    store_destroy(store);
    rig_stop(&rig);
}

static void every_allocation_of_a_first_request_may_fail(void **state)
{
    struct store_config config = rig_config();
    bool succeeded = false;

    for (uint64_t nth = 1; !succeeded; nth++) {
        struct rig rig;
        struct ask a;
        int rc;

        rig_start(&rig, 1, &config);
        mem_fail_nth(nth);
        ask_init(&a, rig_usual, RIG_EDGES - 1, 2); /* two epochs to build */
        rc = ask_send(&rig, &a);
        rig_settle(&rig);
        succeeded = rc == 0 && a.answered && a.status == 0;
        if (!succeeded) {
            assert_int_equal(rc < 0 ? rc : a.status, -ERROR_NO_MEMORY);
            assert_true(strlen(a.fault.text) > 0);
        }
        mem_fail_nth(0);
        batch_unref(a.batch);
        ask_init(&a, rig_usual, RIG_EDGES - 1, 2); /* and then it works */
        rig_check_batch(ask_batch(&rig, &a));
        batch_unref(a.batch);
        rig_stop(&rig);
        assert_true(nth < 200);
    }
}

/* Asks again from inside the failure's done, as a session may. */
struct stubborn {
    struct store_request request;
    struct store *store;
    uint32_t n_failures;
    struct batch *batch;
};

static void on_stubborn(struct store_request *request, int status,
                        struct batch *batch, const struct fault *fault)
{
    struct stubborn *s = request->context;
    struct fault none = {0};

    s->batch = batch;
    if (status == 0)
        return;
    assert_int_equal(++s->n_failures, 1);
    assert_int_equal(store_get(s->store, request, &s->batch, &none), 0);
}

static void who_asks_again_after_a_failure_starts_anew(void **state)
{
    struct store_config config = rig_config();
    struct stubborn s = {.n_failures = 0};
    struct fault fault = {0};
    struct rig rig;

    rig_start(&rig, 1, &config);
    rig_warm(&rig, rig_usual, 0);
    s.store = rig.store;
    s.request = (struct store_request){.stream = rig_usual,
                                       .first_position = 5 * RIG_EDGES,
                                       .n_samples = 2,
                                       .class = WORKER_BULK,
                                       .done = on_stubborn,
                                       .context = &s};
    mem_fail_nth(2); /* the first is the epoch's slot, then its graph */
    assert_int_equal(store_get(rig.store, &s.request, &s.batch, &fault), 0);
    rig_settle(&rig);
    mem_fail_nth(0);
    assert_int_equal(s.n_failures, 1);
    assert_non_null(s.batch);
    rig_check_batch(s.batch);
    batch_unref(s.batch);
    rig_stop(&rig);
}

static void a_batch_allocates_nothing_once_its_epoch_is_there(void **state)
{
    struct store_config config = rig_config();
    uint64_t before;
    struct ask a;
    struct rig rig;

    rig_start(&rig, 2, &config);
    rig_warm(&rig, rig_usual, 0);
    before = mem_allocations();
    /* In the first half of the epoch, so that none is built ahead. */
    for (uint32_t n = 1; n < RIG_EDGES / 2; n++) {
        for (int kind = 0; kind < CHECKSUM_N_KINDS; kind++) {
            ask_init(&a, rig_usual, 0, n);
            a.request.checksum = (enum checksum_kind)kind;
            a.request.dtype = n % 2 ? TENSOR_U8 : TENSOR_F32;
            batch_unref(ask_batch(&rig, &a));
        }
    }
    assert_int_equal(mem_allocations(), before);
    rig_stop(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_budget_makes_requests_wait_for_their_turn),
        cmocka_unit_test(beyond_the_queue_a_request_is_refused),
        cmocka_unit_test(a_small_request_overtakes_bulk_that_waits),
        cmocka_unit_test(a_cancelled_request_that_waits_is_never_composed),
        cmocka_unit_test(one_of_two_may_cancel),
        cmocka_unit_test(the_longest_unused_batch_makes_room),
        cmocka_unit_test(impossible_requests_are_refused_with_a_sentence),
        cmocka_unit_test(too_many_epochs_for_one_batch_are_refused),
        cmocka_unit_test(the_largest_batch_fits_twice_and_no_larger_one),
        cmocka_unit_test(a_store_that_could_hold_nothing_is_refused),
        cmocka_unit_test(every_allocation_of_create_may_fail),
        cmocka_unit_test(every_allocation_of_a_first_request_may_fail),
        cmocka_unit_test(who_asks_again_after_a_failure_starts_anew),
        cmocka_unit_test(a_batch_allocates_nothing_once_its_epoch_is_there),
    };

    if (rig_make_catalog(NULL) != 0)
        return 1;
    int rc = cmocka_run_group_tests(tests, rig_make_usual, rig_drop_usual);
    return rig_drop_catalog(NULL) != 0 ? 1 : rc;
}
