/* Workers: every part once, done on the loop, classes, destruction with jobs
 * pending. Meant for the thread sanitizer as much as for its assertions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "server/base/mem.h"
#include "server/base/metrics.h"
#include "server/base/workers.h"

#define N_PARTS 100

struct counted {
    struct worker_job job; /* first */
    _Atomic uint32_t runs[N_PARTS];
    uint32_t plain; /* written by one part, read in done: ordered by workers */
    uint32_t n_done;
    struct workers *workers;
    struct counted *then; /* submitted from done */
};

static uv_loop_t loop;
static pthread_t loop_thread;

static struct workers *start(uint32_t n_threads)
{
    struct workers *w;
    struct fault fault = {0};

    assert_int_equal(uv_loop_init(&loop), 0);
    loop_thread = pthread_self();
    assert_int_equal(workers_create(&loop, n_threads, &w, &fault), 0);
    return w;
}

static void stop(struct workers *w)
{
    workers_destroy(w);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void run_counted(struct worker_job *job, uint32_t part, uint32_t worker)
{
    struct counted *c = (struct counted *)job;

    assert_true(workers_here());
    assert_true(worker < 4);
    atomic_fetch_add(&c->runs[part], 1);
    if (part == 0)
        c->plain = 7;
}

static void done_counted(struct worker_job *job)
{
    struct counted *c = (struct counted *)job;

    assert_true(pthread_equal(pthread_self(), loop_thread));
    assert_false(workers_here());
    assert_int_equal(c->plain, 7);
    c->n_done++;
    if (c->then)
        workers_submit(c->workers, &c->then->job);
}

static void counted_init(struct counted *c, struct workers *w,
                         enum worker_class class, uint32_t n_parts)
{
    memset(c, 0, sizeof(*c));
    c->workers = w;
    c->job.class = class;
    c->job.n_parts = n_parts;
    c->job.run = run_counted;
    c->job.done = done_counted;
}

static void check_all_once(const struct counted *c)
{
    assert_int_equal(c->n_done, 1);
    for (uint32_t i = 0; i < c->job.n_parts; i++)
        assert_int_equal(c->runs[i], 1);
}

static void every_part_runs_once_and_done_comes_on_the_loop(void **state)
{
    static struct counted jobs[50];
    struct workers *w = start(4);

    assert_int_equal(workers_count(w), 4);
    assert_int_equal(metric_get(METRIC_WORKERS), 4);
    for (int i = 0; i < 50; i++) {
        counted_init(&jobs[i], w, i % 3 ? WORKER_BULK : WORKER_SMALL,
                     1 + (uint32_t)i * 2);
        workers_submit(w, &jobs[i].job);
    }
    while (workers_pending(w) > 0)
        uv_run(&loop, UV_RUN_ONCE);
    for (int i = 0; i < 50; i++)
        check_all_once(&jobs[i]);
    assert_int_equal(metric_get(METRIC_QUEUE_JOBS), 0);
    stop(w);
}

/* One worker waits at the gate while the test fills the queues. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static char order[64];
static size_t n_ordered;

struct lettered {
    struct worker_job job; /* first */
    char letter;
};

static void run_gate(struct worker_job *job, uint32_t part, uint32_t worker)
{
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
}

static void run_letter(struct worker_job *job, uint32_t part, uint32_t worker)
{
    order[n_ordered++] = ((struct lettered *)job)->letter;
}

static void done_nothing(struct worker_job *job)
{
}

static void
small_jobs_overtake_bulk_and_each_class_keeps_its_order(void **state)
{
    struct worker_job first = {.class = WORKER_BULK,
                               .n_parts = 1,
                               .run = run_gate,
                               .done = done_nothing};
    struct lettered letters[4];
    struct workers *w;

    pthread_mutex_lock(&gate);
    w = start(1);
    workers_submit(w, &first);
    for (int i = 0; i < 4; i++) {
        letters[i] = (struct lettered){
            .job = {.class = i < 2 ? WORKER_BULK : WORKER_SMALL,
                    .n_parts = 2,
                    .run = run_letter,
                    .done = done_nothing},
            .letter = "ABab"[i]};
        workers_submit(w, &letters[i].job);
    }
    pthread_mutex_unlock(&gate);
    stop(w);
    order[n_ordered] = '\0';
    /* The gate may or may not have been taken before the small ones came. */
    assert_string_equal(order, "aabbAABB");
}

static void destroying_finishes_what_was_submitted(void **state)
{
    static struct counted jobs[20], chained;
    struct workers *w = start(3);

    for (int i = 0; i < 20; i++) {
        counted_init(&jobs[i], w, WORKER_BULK, N_PARTS);
        workers_submit(w, &jobs[i].job);
    }
    counted_init(&chained, w, WORKER_SMALL, 5);
    jobs[19].then = &chained; /* even what a done submits meanwhile */
    stop(w);
    for (int i = 0; i < 20; i++)
        check_all_once(&jobs[i]);
    check_all_once(&chained);
}

static void impossible_thread_counts_are_refused(void **state)
{
    struct workers *w = NULL;
    struct fault fault = {0};

    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(workers_create(&loop, 0, &w, &fault), -ERROR_BAD_ARGUMENT);
    assert_int_equal(workers_create(&loop, 257, &w, &fault),
                     -ERROR_BAD_ARGUMENT);
    mem_fail_nth(1);
    assert_int_equal(workers_create(&loop, 1, &w, &fault), -ERROR_NO_MEMORY);
    mem_fail_nth(0);
    workers_destroy(NULL);
    assert_int_equal(uv_loop_close(&loop), 0);
}

/* However many small ones there are, bulk that waits has every ninth part. */
static void a_flood_of_small_jobs_leaves_bulk_its_turn(void **state)
{
    struct worker_job first = {.class = WORKER_BULK,
                               .n_parts = 1,
                               .run = run_gate,
                               .done = done_nothing};
    struct lettered letters[2];
    struct workers *w;

    n_ordered = 0;
    pthread_mutex_lock(&gate);
    w = start(1);
    workers_submit(w, &first);
    for (int i = 0; i < 2; i++) {
        letters[i] = (struct lettered){
            .job = {.class = i == 0 ? WORKER_BULK : WORKER_SMALL,
                    .n_parts = i == 0 ? 2 : 40,
                    .run = run_letter,
                    .done = done_nothing},
            .letter = "Ab"[i]};
        workers_submit(w, &letters[i].job);
    }
    pthread_mutex_unlock(&gate);
    stop(w);
    order[n_ordered] = '\0';
    const char *bulk = strchr(order, 'A');
    assert_non_null(bulk);
    /* As above, the gate may take the first turn. */
    assert_true(bulk - order <= 2 * WORKER_SMALL_RUN);
    assert_int_equal(strchr(bulk + 1, 'A') - bulk, WORKER_SMALL_RUN + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_part_runs_once_and_done_comes_on_the_loop),
        cmocka_unit_test(
            small_jobs_overtake_bulk_and_each_class_keeps_its_order),
        cmocka_unit_test(a_flood_of_small_jobs_leaves_bulk_its_turn),
        cmocka_unit_test(destroying_finishes_what_was_submitted),
        cmocka_unit_test(impossible_thread_counts_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
