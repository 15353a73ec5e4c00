/* Worker threads: two queues of jobs, parts handed out one at a time. Knows
 * nothing of what a job does and touches none of the loop's state.
 *
 *   submit --> queue[class] --part by part--> run() on a thread
 *                                               | last part
 *              done() on the loop <--async-- finished list
 *
 * Threads: `mutex` guards queue, finished, small_run, n_idle, awaited,
 * stopping; the rest is the loop's, or constant once the threads run. A job's
 * memory belongs to the workers until its done() is called.
 *
 * Threads sleep on semaphores: glibc's pthread_cond_signal may wait until a
 * thread that it woke before has run, and the loop was seen to stand there for
 * workers, which come after it where CPUs are short; in glibc 2.27 to 2.40 it
 * can lose a wakeup too. Source: sourceware.org bug 25847. */
#include "server/base/workers.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "server/base/mem.h"
#include "server/base/metrics.h"

#define MAX_THREADS 256
/* Workers stand behind the loop thread where CPUs are short. On two full ones
 * with 64 sessions it waited 80 % of the time for its turn, and a small request
 * took 67 ms at p99; so it takes 28 ms, and as many batches are made
 * (tests/bench/sessions.py). */
#define WORKER_NICE 5

struct job_list {
    struct worker_job *head, *tail;
};

struct thread_seat {
    struct workers *workers;
    uint32_t index;
    pthread_t thread;
};

struct workers {
    pthread_mutex_t mutex;
    sem_t work;  /* a token for each idle thread that is woken */
    sem_t ended; /* one when finished is not empty and that is awaited */
    struct job_list queue[WORKER_N_CLASSES]; /* mutex */
    struct job_list finished;                /* mutex */
    uint32_t small_run; /* mutex: parts since bulk had to wait for one */
    uint32_t n_idle;    /* mutex: threads that sleep and are not woken */
    bool awaited;       /* mutex: the loop sleeps until a job has finished */
    bool stopping;      /* mutex */
    uv_async_t async;
    uint32_t n_pending; /* loop: submitted, done() not yet called */
    uint32_t n_threads;
    struct thread_seat seat[];
};

static _Thread_local bool on_worker;

static void list_push(struct job_list *list, struct worker_job *job)
{
    job->next = NULL;
    if (list->tail)
        list->tail->next = job;
    else
        list->head = job;
    list->tail = job;
}

static void list_pop(struct job_list *list)
{
    list->head = list->head->next;
    if (!list->head)
        list->tail = NULL;
}

/* Whose turn it is, with mutex held. */
static enum worker_class next_class(struct workers *w)
{
    if (!w->queue[WORKER_SMALL].head)
        return WORKER_BULK;
    if (!w->queue[WORKER_BULK].head || w->small_run < WORKER_SMALL_RUN)
        return WORKER_SMALL;
    return WORKER_BULK;
}

/* The next part of the first job of the class whose turn it is, with mutex
 * held; a job whose last part is taken leaves its queue. NULL when all queues
 * are empty. */
static struct worker_job *take_part(struct workers *w, uint32_t *out_part)
{
    enum worker_class class = next_class(w);
    struct worker_job *job = w->queue[class].head;

    if (!job)
        return NULL;
    w->small_run = class == WORKER_SMALL ? w->small_run + 1 : 0;
    *out_part = job->next_part++;
    if (job->next_part == job->n_parts)
        list_pop(&w->queue[class]);
    return job;
}

/* Gives one finished part back; the last one hands the job to the loop. */
static void finish_part(struct workers *w, struct worker_job *job)
{
    if (atomic_fetch_sub_explicit(&job->parts_left, 1, memory_order_acq_rel) !=
        1)
        return;
    pthread_mutex_lock(&w->mutex);
    list_push(&w->finished, job);
    if (w->awaited)
        sem_post(&w->ended);
    w->awaited = false;
    pthread_mutex_unlock(&w->mutex);
    uv_async_send(&w->async);
}

static void sleep_on(sem_t *tokens)
{
    while (sem_wait(tokens) != 0)
        assert(errno == EINTR);
}

/* Wakes up to n idle threads, with mutex held. */
static void wake(struct workers *w, uint32_t n)
{
    for (; n > 0 && w->n_idle > 0; n--) {
        w->n_idle--;
        sem_post(&w->work);
    }
}

/* The next part for a thread, which sleeps until there is one; NULL when the
 * thread should end. */
static struct worker_job *await_part(struct workers *w, uint32_t *out_part)
{
    struct worker_job *job;

    pthread_mutex_lock(&w->mutex);
    while (!(job = take_part(w, out_part)) && !w->stopping) {
        w->n_idle++;
        pthread_mutex_unlock(&w->mutex);
        sleep_on(&w->work);
        pthread_mutex_lock(&w->mutex);
    }
    pthread_mutex_unlock(&w->mutex);
    return job;
}

static void *work(void *argument)
{
    struct thread_seat *seat = argument;
    struct workers *w = seat->workers;
    struct worker_job *job;
    uint32_t part;

    on_worker = true;
    int before = nice(WORKER_NICE); /* on Linux of this thread alone */
    (void)before;                   /* where it may not: as before */
    while ((job = await_part(w, &part))) {
        job->run(job, part, seat->index);
        finish_part(w, job);
    }
    return NULL;
}

static struct worker_job *take_finished(struct workers *w)
{
    struct worker_job *head;

    pthread_mutex_lock(&w->mutex);
    head = w->finished.head;
    w->finished = (struct job_list){0};
    pthread_mutex_unlock(&w->mutex);
    return head;
}

/* Calls done() of each; a done() may free its job and submit others. */
static void call_done(struct workers *w, struct worker_job *head)
{
    while (head) {
        struct worker_job *next = head->next;

        w->n_pending--;
        metric_set(METRIC_QUEUE_JOBS, w->n_pending);
        head->done(head);
        head = next;
    }
}

static void on_async(uv_async_t *async)
{
    struct workers *w = async->data;

    call_done(w, take_finished(w));
}

static void on_closed(uv_handle_t *handle)
{
    struct workers *w = handle->data;

    sem_destroy(&w->ended);
    sem_destroy(&w->work);
    pthread_mutex_destroy(&w->mutex);
    mem_free(w);
}

static void stop_threads(struct workers *w)
{
    pthread_mutex_lock(&w->mutex);
    w->stopping = true;
    wake(w, w->n_idle);
    pthread_mutex_unlock(&w->mutex);
    for (uint32_t i = 0; i < w->n_threads; i++)
        pthread_join(w->seat[i].thread, NULL);
    metric_set(METRIC_WORKERS, 0);
    uv_close((uv_handle_t *)&w->async, on_closed);
}

/* Signals belong to the loop thread, so the new threads block all of them. */
static int start_threads(struct workers *w, uint32_t n_threads)
{
    sigset_t all, before;
    int rc = 0;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (rc == 0 && w->n_threads < n_threads) {
        struct thread_seat *seat = &w->seat[w->n_threads];

        seat->workers = w;
        seat->index = w->n_threads;
        rc = pthread_create(&seat->thread, NULL, work, seat);
        if (rc == 0)
            w->n_threads++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

int workers_create(uv_loop_t *loop, uint32_t n_threads,
                   struct workers **out_workers, struct fault *fault)
{
    struct workers *w;
    int rc;

    if (n_threads == 0 || n_threads > MAX_THREADS)
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "%u worker threads: 1 to %d are possible",
                         (unsigned)n_threads, MAX_THREADS);
    w = mem_calloc(1, sizeof(*w) + n_threads * sizeof(w->seat[0]));
    if (!w)
        return fault_set(fault, ERROR_NO_MEMORY, "no memory for workers");
    pthread_mutex_init(&w->mutex, NULL);
    sem_init(&w->work, 0, 0);
    sem_init(&w->ended, 0, 0);
    w->async.data = w;
    rc = uv_async_init(loop, &w->async, on_async);
    if (rc < 0) {
        on_closed((uv_handle_t *)&w->async);
        return fault_set(fault, ERROR_INTERNAL, "async handle: %s",
                         uv_strerror(rc));
    }
    rc = start_threads(w, n_threads);
    if (rc != 0) {
        stop_threads(w);
        return fault_set(fault, ERROR_NO_MEMORY, "worker thread: %s",
                         strerror(rc));
    }
    metric_set(METRIC_WORKERS, n_threads);
    *out_workers = w;
    return 0;
}

void workers_destroy(struct workers *w)
{
    if (!w)
        return;
    assert(!on_worker);
    while (w->n_pending > 0) {
        pthread_mutex_lock(&w->mutex);
        w->awaited = !w->finished.head;
        bool sleeps = w->awaited;
        pthread_mutex_unlock(&w->mutex);
        if (sleeps)
            sleep_on(&w->ended);
        call_done(w, take_finished(w));
    }
    stop_threads(w);
}

void workers_submit(struct workers *w, struct worker_job *job)
{
    assert(!on_worker);
    assert(job->n_parts > 0 && job->class < WORKER_N_CLASSES);
    job->next_part = 0;
    atomic_store_explicit(&job->parts_left, job->n_parts, memory_order_relaxed);
    w->n_pending++;
    metric_set(METRIC_QUEUE_JOBS, w->n_pending);
    pthread_mutex_lock(&w->mutex);
    list_push(&w->queue[job->class], job);
    wake(w, job->n_parts);
    pthread_mutex_unlock(&w->mutex);
}

uint32_t workers_count(const struct workers *w)
{
    return w->n_threads;
}

uint32_t workers_pending(const struct workers *w)
{
    return w->n_pending;
}

bool workers_here(void)
{
    return on_worker;
}
