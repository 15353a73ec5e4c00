/* Batches that nobody waits for any more: what no worker has begun of them is
 * left out, who asks again in time has them whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <semaphore.h>
#include <unistd.h>

#include "tests/unit/serve_rig.h"

/* Keeps the only worker until it is let go. */
static struct blocker {
    struct worker_job job;
    sem_t go;
} blocker;

static void run_blocker(struct worker_job *job, uint32_t part, uint32_t worker)
{
    sem_wait(&((struct blocker *)job)->go);
}

static void on_unblocked(struct worker_job *job)
{
    sem_destroy(&((struct blocker *)job)->go);
}

/* A rig whose epoch 0 is built and whose worker is kept. */
static void start_blocked(struct rig *rig)
{
    struct store_config config = rig_config();

    rig_start(rig, 1, &config);
    rig_warm(rig, rig_usual, 20);
    sem_init(&blocker.go, 0, 0);
    blocker.job = (struct worker_job){.class = WORKER_BULK,
                                      .n_parts = 1,
                                      .run = run_blocker,
                                      .done = on_unblocked};
    workers_submit(rig->workers, &blocker.job);
}

static void unblock(struct rig *rig)
{
    sem_post(&blocker.go);
    rig_settle(rig);
}

static void what_nobody_waits_for_is_left_out(void **state)
{
    int64_t abandoned = metric_get(METRIC_BATCHES_ABANDONED);
    struct ask gone[3], next;
    struct rig rig;

    start_blocked(&rig);
    int64_t before = metric_get(METRIC_SAMPLES_COMPOSED);
    int64_t bytes = metric_get(METRIC_BUDGET_USED_BYTES);
    for (uint32_t i = 0; i < 3; i++) {
        ask_init(&gone[i], rig_usual, i, 16);
        assert_int_equal(ask_send(&rig, &gone[i]), 0);
    }
    assert_true(metric_get(METRIC_BUDGET_USED_BYTES) > bytes);
    for (uint32_t i = 0; i < 3; i++)
        store_cancel(rig.store, &gone[i].request);
    unblock(&rig);
    assert_int_equal(metric_get(METRIC_SAMPLES_COMPOSED), before);
    assert_int_equal(metric_get(METRIC_BATCHES_ABANDONED) - abandoned, 3);
    assert_int_equal(metric_get(METRIC_BUDGET_USED_BYTES), bytes);
    ask_init(&next, rig_usual, 1, 16); /* nothing half-made was kept */
    rig_check_batch(ask_batch(&rig, &next));
    assert_int_equal(metric_get(METRIC_SAMPLES_COMPOSED) - before, 16);
    batch_unref(next.batch);
    rig_stop(&rig);
}

static void who_asks_again_in_time_has_it_whole(void **state)
{
    int64_t joins = metric_get(METRIC_BATCH_CACHE_JOINS);
    struct ask gone, next;
    struct rig rig;

    start_blocked(&rig);
    int64_t before = metric_get(METRIC_SAMPLES_COMPOSED);
    ask_init(&gone, rig_usual, 0, 16);
    assert_int_equal(ask_send(&rig, &gone), 0);
    store_cancel(rig.store, &gone.request);
    ask_init(&next, rig_usual, 0, 16);
    next.request.checksum = CHECKSUM_XXH3; /* and what only it needs */
    assert_int_equal(ask_send(&rig, &next), 0);
    assert_int_equal(metric_get(METRIC_BATCH_CACHE_JOINS) - joins, 1);
    unblock(&rig);
    assert_false(gone.answered);
    assert_true(next.answered);
    rig_check_batch(next.batch);
    assert_non_null(next.batch->checksums[CHECKSUM_XXH3]);
    assert_int_equal(metric_get(METRIC_SAMPLES_COMPOSED) - before, 16);
    batch_unref(next.batch);
    rig_stop(&rig);
}

/* Its one part has ended when its client goes, and the loop does not know. */
static void what_has_begun_goes_on_and_is_cached(void **state)
{
    struct store_config config = rig_config();
    struct ask gone, next;
    struct rig rig;

    rig_start(&rig, 1, &config);
    rig_warm(&rig, rig_usual, 20);
    int64_t busy_ns = metric_get(METRIC_COMPOSE_NS);
    ask_init(&gone, rig_usual, 1, 1);
    assert_int_equal(ask_send(&rig, &gone), 0);
    while (metric_get(METRIC_COMPOSE_NS) == busy_ns)
        usleep(1000);
    store_cancel(rig.store, &gone.request);
    rig_settle(&rig);
    assert_false(gone.answered);
    ask_init(&next, rig_usual, 1, 1);
    assert_int_equal(ask_send(&rig, &next), 1);
    batch_unref(next.batch);
    rig_stop(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_nobody_waits_for_is_left_out,
                                        rig_make_usual, rig_drop_usual),
        cmocka_unit_test_setup_teardown(who_asks_again_in_time_has_it_whole,
                                        rig_make_usual, rig_drop_usual),
        cmocka_unit_test_setup_teardown(what_has_begun_goes_on_and_is_cached,
                                        rig_make_usual, rig_drop_usual),
    };
    return cmocka_run_group_tests(tests, rig_make_catalog, rig_drop_catalog);
}
