/* Jobs on a few threads: each runs once, and the failure that is told is the
 * same one whatever the threads do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "server/pool/parallel.h"

#define N_JOBS 100

struct board {
    atomic_int runs[N_JOBS];
    uint64_t slow; /* fails late, the next one later, all others at once */
};

static int count(void *context, uint64_t job, struct fault *fault)
{
    struct board *b = context;

    atomic_fetch_add(&b->runs[job], 1);
    return 0;
}

static int fail_from_slow(void *context, uint64_t job, struct fault *fault)
{
    struct board *b = context;

    atomic_fetch_add(&b->runs[job], 1);
    if (job < b->slow)
        return 0;
    if (job <= b->slow + 1)
        nanosleep(
            &(struct timespec){.tv_nsec = job == b->slow ? 30000000 : 60000000},
            NULL);
    return fault_set(fault, ERROR_BAD_FILE, "job %d", (int)job);
}

static void every_job_runs_once(void **state)
{
    for (uint32_t n_threads = 0; n_threads < 6; n_threads++) {
        struct board b = {0};
        const struct parallel p = {.n_threads = n_threads,
                                   .n_jobs = N_JOBS,
                                   .run = count,
                                   .context = &b};

        assert_int_equal(parallel_run(&p, NULL), 0);
        for (int i = 0; i < N_JOBS; i++)
            assert_int_equal(b.runs[i], 1);
    }
}

static void the_lowest_failure_is_told(void **state)
{
    for (uint32_t n_threads = 1; n_threads < 6; n_threads++) {
        struct board b = {.slow = 50};
        const struct parallel p = {.n_threads = n_threads,
                                   .n_jobs = N_JOBS,
                                   .run = fail_from_slow,
                                   .context = &b};
        struct fault fault = {0};

        assert_int_equal(parallel_run(&p, &fault), -ERROR_BAD_FILE);
        assert_string_equal(fault.text, "job 50");
        assert_int_equal(b.runs[49], 1);
        assert_int_equal(b.runs[N_JOBS - 1], 0); /* it stopped */
    }
}

static void no_jobs_are_done_at_once(void **state)
{
    const struct parallel p = {.n_threads = 3, .run = count};

    assert_int_equal(parallel_run(&p, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_job_runs_once),
        cmocka_unit_test(the_lowest_failure_is_told),
        cmocka_unit_test(no_jobs_are_done_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
