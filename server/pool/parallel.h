/* Runs numbered jobs on a few threads and waits for all of them. Knows nothing
 * of what a job does; the daemon's workers (server/base/workers.h) need a loop,
 * which does not run yet while pools are loaded. */
#ifndef PASTED_POOL_PARALLEL_H
#define PASTED_POOL_PARALLEL_H

#include <stdint.h>

#include "common/error.h"

struct parallel {
    uint32_t n_threads; /* 0 counts as 1 */
    uint64_t n_jobs;
    /* Any thread; jobs begin in order. Not 0 stops: later jobs do not begin. */
    int (*run)(void *context, uint64_t job, struct fault *fault);
    void *context;
    /* On the calling thread, now and then and once at the end; or NULL. */
    void (*progress)(void *context, uint64_t n_done, uint64_t n_total);
    void *progress_context;
};

/* 0, or the code and fault of the failed job of the lowest number: the same one
 * for any number of threads. Where no thread can be had, the caller's runs the
 * jobs. */
int parallel_run(const struct parallel *p, struct fault *fault);

#endif
