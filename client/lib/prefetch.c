/* The caller's side of an open stream: starts the receiver, waits for what it
 * delivers. No sockets, no frames. */
#include "client/lib/prefetch.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/lib/clock.h"
#include "client/lib/member.h"
#include "client/lib/refine.h"

struct prefetch {
    struct options options;
    struct exchange exchange;
    struct stream_facts facts;
    struct batch_pool *pool;
    struct receiver receiver; /* the thread's, while it runs */
    pthread_t thread;
};

/* All signals stay with the program's own threads. */
static int start_thread(struct prefetch *p, struct fault *fault)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&p->thread, NULL, receiver_main, &p->receiver);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0)
        return fault_set(fault, ERROR_NO_MEMORY, "no thread: %s",
                         strerror(error));
    return 0;
}

/* Each attempt has a deadline of its own in the receiver. */
static int wait_until_open(struct prefetch *p, struct fault *fault)
{
    struct exchange *x = &p->exchange;
    int rc = 0;
    exchange_lock(x);
    while (x->state == EXCHANGE_OPENING)
        pthread_cond_wait(&x->changed, &x->mutex);
    if (x->state == EXCHANGE_DOWN && !p->receiver.opened_once) {
        *fault = x->fault;
        rc = -fault->code;
    }
    exchange_unlock(x);
    return rc;
}

int prefetch_create(const struct options *options, struct prefetch **out,
                    struct fault *fault)
{
    struct prefetch *p = calloc(1, sizeof *p);
    int rc = fault_set(fault, ERROR_NO_MEMORY, "out of memory");
    if (p == NULL)
        return rc;
    p->options = *options;
    if (p->options.group[0] != '\0')
        member_make_name(p->options.member, sizeof p->options.member);
    /* What is ready, one being filled, one in the caller's hands. */
    p->pool = batch_pool_create(options->prefetch + 2);
    if (p->pool == NULL)
        goto free_prefetch;
    rc = exchange_init(&p->exchange, options->position, fault);
    if (rc != 0)
        goto unref_pool;
    p->exchange.opened_ns = clock_now_ns();
    p->exchange.member.joined = p->options.group[0] != '\0';
    receiver_init(&p->receiver, &p->exchange, &p->options, p->pool, &p->facts);
    rc = start_thread(p, fault);
    if (rc != 0)
        goto fini_exchange;
    rc = wait_until_open(p, fault);
    if (rc != 0) {
        prefetch_destroy(p);
        return rc;
    }
    *out = p;
    return 0;

fini_exchange:
    receiver_fini(&p->receiver);
    exchange_fini(&p->exchange);
unref_pool:
    batch_pool_unref(p->pool);
free_prefetch:
    free(p);
    return rc;
}

void prefetch_destroy(struct prefetch *p)
{
    if (p == NULL)
        return;
    exchange_lock(&p->exchange);
    p->exchange.stop = true;
    exchange_unlock(&p->exchange);
    exchange_wake(&p->exchange);
    pthread_join(p->thread, NULL);
    receiver_fini(&p->receiver);
    exchange_fini(&p->exchange);
    batch_pool_unref(p->pool);
    class_names_fini(&p->facts.classes);
    free(p);
}

void prefetch_abandon(struct prefetch *p)
{
    close(p->exchange.wake_fd);
    connection_close(&p->receiver.session.connection);
}

const struct stream_facts *prefetch_facts(const struct prefetch *p)
{
    return &p->facts;
}

static const char *state_words(const struct exchange *x)
{
    return x->state == EXCHANGE_LOST ? "; reconnecting: " : "";
}

/* Whether a wait must end without its result. With the lock held. */
static int wait_must_end(struct exchange *x, int64_t deadline_ns,
                         struct fault *fault)
{
    if (x->interrupted) {
        x->interrupted = false;
        return fault_set(fault, ERROR_CANCELLED, "interrupted");
    }
    if (x->state == EXCHANGE_DOWN && !x->retry) {
        x->fault_told = true;
        *fault = x->fault;
        return -x->fault.code;
    }
    if (x->member.ended)
        return fault_set(fault, ERROR_ENDED, "%s", error_sentence(ERROR_ENDED));
    if (clock_now_ns() >= deadline_ns)
        return fault_set(fault, ERROR_TIMEOUT,
                         "nothing came before the deadline%s%s", state_words(x),
                         x->state == EXCHANGE_LOST ? x->fault.text : "");
    return 0;
}

/* Sleeps until something changes or the deadline. With the lock held. */
static void sleep_until_change(struct exchange *x, int64_t deadline_ns)
{
    struct timespec at = clock_timespec(deadline_ns);
    pthread_cond_timedwait(&x->changed, &x->mutex, &at);
}

/* A call after one that was told why the stream is down asks to try anew. */
static void ask_again(struct exchange *x)
{
    if (x->state == EXCHANGE_DOWN && x->fault_told)
        x->retry = true;
}

/* The receiver lets go of the caller's buffers, which is soon: it looks after
 * each piece that it receives. With the lock held. */
static void take_buffers_back(struct exchange *x)
{
    if (x->into.active) {
        x->into.abandoned = true;
        exchange_wake(x);
    }
    while (x->into.active)
        pthread_cond_wait(&x->changed, &x->mutex);
    x->into = (struct into){0};
}

/* The caller asks for a batch: since the last one it was at work. With the
 * lock held. */
static void pace_called(struct exchange *x)
{
    int64_t now = clock_now_ns();
    if (x->returned_ns != 0) {
        x->pace.busy_ns += (uint64_t)(now - x->returned_ns);
        x->stats.busy_ns += (uint64_t)(now - x->returned_ns);
        x->returned_ns = 0;
    }
    if (x->called_ns == 0) { /* else it asks again after a failure */
        x->called_ns = now;
        x->found_ready = x->ready != NULL;
    }
}

/* It gets one. With the lock held. */
static void pace_returned(struct exchange *x)
{
    int64_t now = clock_now_ns();
    uint64_t wait_ns = (uint64_t)(now - x->called_ns);
    x->pace.found_ready += x->found_ready;
    x->pace.waited += !x->found_ready;
    x->pace.wait_ns += wait_ns;
    x->stats.ready += x->found_ready;
    x->stats.waited += !x->found_ready;
    x->stats.wait_ns += wait_ns;
    if (x->stats.first_batch_ns == 0)
        x->stats.first_batch_ns = (uint64_t)(now - x->opened_ns);
    x->called_ns = 0;
    x->returned_ns = now;
}

/* Whether the receiver has something to do because a call waits; in the middle
 * of a BATCH it asks for the next (receiver_ask_ahead), and a server that is
 * short of slots gets back at once what the caller released. Else it sleeps
 * until what was asked for comes, and a wake would only cost: slots go with the
 * next CREDIT. With the lock held. */
static bool wait_is_news(const struct prefetch *p)
{
    const struct exchange *x = &p->exchange;
    return x->state != EXCHANGE_STREAMING || p->options.prefetch == 0 ||
           x->member.joined || x->reads || x->short_of_slots;
}

/* Until a batch is ready. With the lock held. */
static int wait_for_ready(struct prefetch *p,
                          const struct pasted_buffer *buffers, size_t n_buffers,
                          int64_t deadline_ns, struct fault *fault)
{
    struct exchange *x = &p->exchange;
    int rc = 0;
    if (x->ready == NULL) {
        x->stats.waits++;
        ask_again(x);
        x->waiting = true;
        x->into = (struct into){.buffers = buffers, .n_buffers = n_buffers};
        if (wait_is_news(p))
            exchange_wake(x);
    }
    while (x->ready == NULL && rc == 0) {
        rc = wait_must_end(x, deadline_ns, fault);
        if (rc == 0)
            sleep_until_change(x, deadline_ns);
    }
    take_buffers_back(x);
    x->waiting = false;
    return x->ready != NULL ? 0 : rc; /* perhaps it came just now */
}

/* The first that is ready is the caller's from here on. With the lock held. */
static struct pasted_batch *take(struct prefetch *p)
{
    struct exchange *x = &p->exchange;
    struct pasted_batch *b = exchange_pop(x);
    assert(b != NULL);
    x->cursor = options_step(&p->options, x->replay_from, x->cursor,
                             p->facts.opened.global_batch);
    if (x->member.joined)
        x->cursor = b->cursor + p->facts.opened.n_samples;
    x->member.held = b->lease.lease;
    x->stats.batches++;
    pace_returned(x);
    return b;
}

/* Found and taken under one lock: in between, the receiver would withdraw a
 * batch whose lease is lost, or begin a round of replay anew. */
int prefetch_next(struct prefetch *p, const struct pasted_buffer *buffers,
                  size_t n_buffers, int64_t deadline_ns,
                  struct pasted_batch **out_batch, struct fault *fault)
{
    struct exchange *x = &p->exchange;
    exchange_lock(x);
    pace_called(x);
    if (member_wants_next(x))
        exchange_wake(x);
    int rc = wait_for_ready(p, buffers, n_buffers, deadline_ns, fault);
    if (rc == 0)
        rc = exchange_check_buffers(buffers, n_buffers, x->ready, fault);
    struct pasted_batch *b = rc == 0 ? take(p) : NULL;
    exchange_unlock(x);
    if (rc != 0)
        return rc;
    if (!b->is_replaced)
        exchange_wake(x); /* room for one more */
    *out_batch = b;
    return 0;
}

/* Whether a wait for the pull must end; a timeout says why the server did not
 * take it. With the lock held. */
static int pull_must_end(struct exchange *x, const struct pull *pull,
                         int64_t deadline_ns, struct fault *fault)
{
    int rc = wait_must_end(x, deadline_ns, fault);
    if (rc == -ERROR_TIMEOUT && pull->state == PULL_WANTED &&
        pull->fault.code == ERROR_OVERLOADED)
        fault_set(fault, ERROR_TIMEOUT, "no room before the deadline: %s",
                  pull->fault.text);
    return rc;
}

/* With the lock held: what became of the pull, and forgets it. */
static int collect_pull(struct exchange *x, int rc,
                        struct pasted_batch **out_batch, struct fault *fault)
{
    if (x->pull.state == PULL_DONE) {
        *out_batch = x->pull.batch;
        x->stats.batches++;
        rc = 0;
    } else if (x->pull.state == PULL_FAILED) {
        *fault = x->pull.fault;
        rc = -fault->code;
    }
    x->pull = (struct pull){.state = PULL_IDLE};
    return rc;
}

int prefetch_pull(struct prefetch *p, uint64_t position, int64_t deadline_ns,
                  struct pasted_batch **out_batch, struct fault *fault)
{
    struct exchange *x = &p->exchange;
    int rc = 0;
    exchange_lock(x);
    ask_again(x);
    x->pull = (struct pull){.state = PULL_WANTED, .position = position};
    exchange_wake(x);
    while (rc == 0 && x->pull.state != PULL_DONE &&
           x->pull.state != PULL_FAILED) {
        rc = pull_must_end(x, &x->pull, deadline_ns, fault);
        if (rc == 0)
            sleep_until_change(x, deadline_ns);
    }
    rc = collect_pull(x, rc, out_batch, fault);
    exchange_unlock(x);
    return rc;
}

int prefetch_refine(struct prefetch *p, uint64_t position, const void *contexts,
                    uint64_t n_bytes, const uint8_t *given, struct fault *fault)
{
    return refine_add(&p->exchange, &p->facts, position, contexts, n_bytes,
                      given, fault);
}

int prefetch_refined(struct prefetch *p, int64_t deadline_ns,
                     struct pasted_batch **out_batch, struct fault *fault)
{
    struct exchange *x = &p->exchange;
    exchange_lock(x);
    ask_again(x);
    exchange_wake(x);
    int rc = refine_take(x, out_batch, fault);
    while (rc == 0) {
        const struct pull *oldest = &exchange_refine(x, 0)->pull;
        rc = pull_must_end(x, oldest, deadline_ns, fault);
        if (rc != 0)
            break;
        sleep_until_change(x, deadline_ns);
        rc = refine_take(x, out_batch, fault);
    }
    exchange_unlock(x);
    return rc == 1 ? 0 : rc;
}

uint32_t prefetch_n_refines(const struct prefetch *p)
{
    return p->exchange.n_refines; /* the caller's to change */
}

void prefetch_withdraw(struct prefetch *p)
{
    exchange_lock(&p->exchange);
    refine_withdraw(&p->exchange);
    exchange_unlock(&p->exchange);
}

int prefetch_ack(struct prefetch *p, int64_t deadline_ns, struct fault *fault)
{
    struct exchange *x = &p->exchange;
    exchange_lock(x);
    int rc = member_ask_ack(x, fault);
    if (rc == 0)
        exchange_wake(x);
    while (rc == 0 && !x->member.answered) {
        rc = wait_must_end(x, deadline_ns, fault);
        if (rc == -ERROR_ENDED)
            rc = 0; /* its answer came before */
        if (rc == 0)
            sleep_until_change(x, deadline_ns);
    }
    if (x->member.answered)
        rc = member_answer(x, fault);
    x->member.awaited = 0;
    x->member.answered = false;
    exchange_unlock(x);
    return rc;
}

bool prefetch_is_group(const struct prefetch *p)
{
    return p->exchange.member.joined;
}

void prefetch_seek(struct prefetch *p, uint64_t position)
{
    struct exchange *x = &p->exchange;
    exchange_lock(x);
    for (struct pasted_batch *b; (b = exchange_pop(x)) != NULL;) {
        x->stats.stale++;
        batch_release(b);
    }
    x->cursor = x->replay_from = position;
    x->seek_wanted = true;
    exchange_unlock(x);
    exchange_wake(x);
}

uint64_t prefetch_cursor(struct prefetch *p)
{
    exchange_lock(&p->exchange);
    uint64_t cursor = p->exchange.cursor;
    exchange_unlock(&p->exchange);
    return cursor;
}

struct pasted_stats prefetch_stats(struct prefetch *p)
{
    exchange_lock(&p->exchange);
    struct pasted_stats stats = p->exchange.stats;
    exchange_unlock(&p->exchange);
    return stats;
}

void prefetch_interrupt(struct prefetch *p)
{
    exchange_lock(&p->exchange);
    p->exchange.interrupted = true;
    pthread_cond_broadcast(&p->exchange.changed);
    exchange_unlock(&p->exchange);
}
