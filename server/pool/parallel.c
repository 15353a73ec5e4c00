/* Runs numbered jobs on a few threads and waits for all of them. Does not keep
 * threads.
 *
 * Threads: jobs are handed out in order under the mutex, and those that were
 * handed out always finish; so the failure of the lowest number is seen
 * whatever the threads do. */
#include "server/pool/parallel.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#define MAX_THREADS          256
#define PROGRESS_INTERVAL_NS 200000000L

struct crew {
    const struct parallel *plan;
    pthread_mutex_t mutex; /* guards everything below */
    pthread_cond_t ended;  /* a thread left */
    uint64_t next_job, n_done;
    uint32_t n_running; /* threads */
    bool failed;
    uint64_t failed_job;
    int code;
    struct fault fault;
};

static bool take(struct crew *c, uint64_t *out_job)
{
    bool taken = false;

    pthread_mutex_lock(&c->mutex);
    if (!c->failed && c->next_job < c->plan->n_jobs) {
        *out_job = c->next_job++;
        taken = true;
    }
    pthread_mutex_unlock(&c->mutex);
    return taken;
}

static void report(struct crew *c, uint64_t job, int code,
                   const struct fault *fault)
{
    pthread_mutex_lock(&c->mutex);
    c->n_done++;
    if (code && (!c->failed || job < c->failed_job)) {
        c->failed = true;
        c->failed_job = job;
        c->code = code;
        c->fault = *fault;
    }
    pthread_mutex_unlock(&c->mutex);
}

static void work(struct crew *c)
{
    uint64_t job;

    while (take(c, &job)) {
        struct fault fault = {0};
        int code = c->plan->run(c->plan->context, job, &fault);

        report(c, job, code, &fault);
    }
}

static void *thread_main(void *context)
{
    struct crew *c = context;

    work(c);
    pthread_mutex_lock(&c->mutex);
    c->n_running--;
    pthread_cond_signal(&c->ended);
    pthread_mutex_unlock(&c->mutex);
    return NULL;
}

static void tell(struct crew *c)
{
    const uint64_t n_done = c->n_done;

    if (!c->plan->progress)
        return;
    pthread_mutex_unlock(&c->mutex);
    c->plan->progress(c->plan->progress_context, n_done, c->plan->n_jobs);
    pthread_mutex_lock(&c->mutex);
}

static void wait_for_threads(struct crew *c)
{
    pthread_mutex_lock(&c->mutex);
    while (c->n_running > 0) {
        struct timespec until;

        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += PROGRESS_INTERVAL_NS;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        if (pthread_cond_timedwait(&c->ended, &c->mutex, &until))
            tell(c);
    }
    pthread_mutex_unlock(&c->mutex);
}

int parallel_run(const struct parallel *p, struct fault *fault)
{
    struct crew c = {.plan = p,
                     .mutex = PTHREAD_MUTEX_INITIALIZER,
                     .ended = PTHREAD_COND_INITIALIZER};
    pthread_t threads[MAX_THREADS];
    uint32_t n_wanted = p->n_threads < MAX_THREADS ? p->n_threads : MAX_THREADS;
    uint32_t n_started = 0;

    if (n_wanted > p->n_jobs)
        n_wanted = (uint32_t)p->n_jobs;
    for (; n_started < n_wanted; n_started++) {
        pthread_mutex_lock(&c.mutex);
        c.n_running++;
        pthread_mutex_unlock(&c.mutex);
        if (pthread_create(&threads[n_started], NULL, thread_main, &c))
            break;
    }
    if (n_started < n_wanted) { /* the one that did not start */
        pthread_mutex_lock(&c.mutex);
        c.n_running--;
        pthread_mutex_unlock(&c.mutex);
    }
    if (n_started == 0)
        work(&c);
    wait_for_threads(&c);
    for (uint32_t i = 0; i < n_started; i++)
        pthread_join(threads[i], NULL);
    if (p->progress)
        p->progress(p->progress_context, c.n_done, p->n_jobs);
    pthread_mutex_destroy(&c.mutex);
    pthread_cond_destroy(&c.ended);
    if (c.failed && fault)
        *fault = c.fault;
    return c.failed ? c.code : 0;
}
