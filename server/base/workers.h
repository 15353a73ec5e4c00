/* The worker threads: jobs made of parts, run on any core, finished on the
 * loop thread. Knows nothing of what a job does.
 *
 *   loop thread            worker threads             loop thread
 *   workers_submit(job) -> job->run(job, part, w)  -> job->done(job)
 *                          for each part, any order   once, after all parts
 *
 * Threads: submit and done on the loop thread; run on a worker. Jobs of a
 * higher class start first: small before bulk, so that a preview does not wait
 * behind batches; but after WORKER_SMALL_RUN parts of small ones comes one of a
 * bulk job that waits, so that these are never starved. Inside a class, first
 * come first served by part. */
#ifndef PASTED_BASE_WORKERS_H
#define PASTED_BASE_WORKERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "common/error.h"

enum worker_class { WORKER_SMALL = 0, WORKER_BULK = 1, WORKER_N_CLASSES = 2 };
#define WORKER_SMALL_RUN 8 /* small parts that overtake one of bulk */

/* Embedded in the caller's object; caller's memory until done is called. */
struct worker_job {
    enum worker_class class;
    uint32_t n_parts; /* >= 1 */
    /* part < n_parts, worker < n_workers: index for per-worker scratch. */
    void (*run)(struct worker_job *job, uint32_t part, uint32_t worker);
    void (*done)(struct worker_job *job);
    /* Private to workers.c. */
    struct worker_job *next;
    uint32_t next_part;
    _Atomic uint32_t parts_left;
};

struct workers;

/* Starts n_threads (1..256) threads and their async handle on loop. */
int workers_create(uv_loop_t *loop, uint32_t n_threads,
                   struct workers **out_workers, struct fault *fault);
/* Runs what was submitted to its end, calls every done, joins. Then closes the
 * async handle: run the loop once more before closing it. NULL is fine. */
void workers_destroy(struct workers *w);

void workers_submit(struct workers *w, struct worker_job *job);
uint32_t workers_count(const struct workers *w);
uint32_t workers_pending(const struct workers *w); /* jobs not yet done */

/* True on a worker thread: heavy code asserts it, loop code asserts not. */
bool workers_here(void);

#endif
