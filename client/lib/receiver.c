/* The receiver's thread: wishes out, frames in. Reading a BATCH is
 * receive_batch.c, reconnecting failover.c.
 *
 * Request ids: even ones are the stream's (OPEN, SEEK), odd ones PULLs. */
#include "client/lib/receiver.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/lib/clock.h"
#include "client/lib/member.h"

static bool stopping(void *context)
{
    struct exchange *x = context;
    exchange_lock(x);
    bool stop = x->stop;
    exchange_unlock(x);
    return stop;
}

void receiver_init(struct receiver *r, struct exchange *x,
                   const struct options *options, struct batch_pool *pool,
                   struct stream_facts *facts)
{
    memset(r, 0, sizeof *r);
    r->exchange = x;
    r->options = options;
    r->pool = pool;
    r->facts = facts;
    r->cursor = r->replay_from = options->position;
    r->pull_request = 1;
    r->random = (uint64_t)clock_now_ns() ^ ((uint64_t)getpid() << 32);
    r->address = (uint32_t)(r->random * 0x9e3779b97f4a7c15u >> 34);
    session_init(&r->session, options, x->wake_fd, stopping, x);
}

void receiver_fini(struct receiver *r)
{
    session_fini(&r->session);
}

/* What the server allows; as many batches as it grants bytes for. */
static uint32_t credit_window(const struct receiver *r, bool waiting)
{
    const struct wire_welcome *w = &r->session.welcome;
    uint64_t window = r->options->prefetch;
    uint64_t batch_bytes = r->session.opened.batch_bytes;
    if (window == 0)
        window = waiting ? 1 : 0;
    if (w->max_credit_batches > 0 && window > w->max_credit_batches)
        window = w->max_credit_batches;
    if (w->max_credit_bytes > 0 && batch_bytes > 0 && window > 1 &&
        window > w->max_credit_bytes / batch_bytes) {
        window = w->max_credit_bytes / batch_bytes;
        window = window > 0 ? window : 1;
    }
    return (uint32_t)window;
}

int64_t receiver_stall_ns(const struct receiver *r)
{
    return clock_after_ms(r->options->keepalive_ms) +
           (int64_t)r->options->keepalive_ms * CLOCK_NS_PER_MS;
}

int receiver_seek(struct receiver *r, struct fault *fault)
{
    r->stream_request += 2;
    return session_send_seek(&r->session, r->stream_request, r->cursor,
                             receiver_stall_ns(r), fault);
}

/* How many batches more than the server owes may be asked for. With the lock
 * held. */
static uint32_t room_for(const struct receiver *r, uint32_t n_filling)
{
    const struct exchange *x = r->exchange;
    uint32_t window = x->member.paused ? 0 : credit_window(r, x->waiting);
    uint32_t used = x->n_ready + r->outstanding + n_filling;
    return window > used ? window - used : 0;
}

/* With the lock held: CREDIT for n batches, and the pace it tells. */
static struct wire_credit take_credit(struct receiver *r, uint32_t n)
{
    struct exchange *x = r->exchange;
    struct wire_credit credit = x->pace;
    if (n > 0)
        x->pace = (struct wire_credit){0};
    credit.batches = n;
    r->outstanding += n;
    return credit;
}

static bool is_due(const struct pull *pull, int64_t now_ns)
{
    return pull->state == PULL_WANTED && now_ns >= pull->not_before_ns;
}

/* With the lock held: the first that is to be sent, or NULL. */
static struct refine *wanted_refine(struct exchange *x)
{
    const int64_t now_ns = clock_now_ns();
    for (uint32_t i = 0; i < x->n_refines; i++)
        if (is_due(&exchange_refine(x, i)->pull, now_ns))
            return exchange_refine(x, i);
    return NULL;
}

/* When a pull that found no room is to be sent again, until_ns at the latest.
 */
static int64_t next_due_ns(struct receiver *r, int64_t until_ns)
{
    struct exchange *x = r->exchange;
    exchange_lock(x);
    for (uint32_t i = 0; i <= x->n_refines; i++) {
        const struct pull *pull =
            i < x->n_refines ? &exchange_refine(x, i)->pull : &x->pull;
        if (pull->state == PULL_WANTED && pull->not_before_ns < until_ns)
            until_ns = pull->not_before_ns;
    }
    exchange_unlock(x);
    return until_ns;
}

/* The payload is read without the lock: is_read keeps it, or leaves it to this
 * thread. */
static int send_refine(struct receiver *r, const struct refine *sent,
                       struct fault *fault)
{
    /* A megabyte a second at the least. */
    const int64_t deadline_ns =
        receiver_stall_ns(r) + (int64_t)sent->payload_bytes * 1000;
    const struct wire_header h = {
        .version = WIRE_VERSION,
        .type = WIRE_REFINE,
        .request = sent->request,
        .payload_bytes = sent->payload_bytes,
        .payload_crc32 = sent->crc,
    };
    return session_send_payload(&r->session, &h, sent->payload, deadline_ns,
                                fault);
}

static int send_refines(struct receiver *r, struct fault *fault)
{
    struct exchange *x = r->exchange;
    int rc = 0;
    for (;;) {
        exchange_lock(x);
        struct refine *next = rc == 0 ? wanted_refine(x) : NULL;
        struct refine copy = {0};
        if (next != NULL) {
            r->pull_request += 2;
            next->request = r->pull_request;
            next->pull.state = PULL_SENT;
            next->is_read = true;
            copy = *next;
        }
        exchange_unlock(x);
        if (next == NULL)
            return rc;
        rc = send_refine(r, &copy, fault);
        exchange_lock(x);
        if (next->payload == copy.payload)
            next->is_read = false;
        else
            free(copy.payload); /* withdrawn meanwhile */
        exchange_unlock(x);
    }
}

struct pull *receiver_pull_of(struct receiver *r, uint32_t request)
{
    struct exchange *x = r->exchange;
    if (request == r->plain_request && x->pull.state == PULL_SENT)
        return &x->pull;
    for (uint32_t i = 0; i < x->n_refines; i++) {
        struct refine *f = exchange_refine(x, i);
        if (f->request == request && f->pull.state == PULL_SENT)
            return &f->pull;
    }
    return NULL;
}

/* Sends what the caller wishes: seek, then pull, then credit. */
static int send_wishes(struct receiver *r, struct fault *fault)
{
    struct exchange *x = r->exchange;
    int rc = 0;
    uint64_t position = 0;
    exchange_lock(x);
    bool seek = x->seek_wanted;
    x->seek_wanted = false;
    if (seek)
        r->cursor = r->replay_from = x->cursor;
    bool pull = is_due(&x->pull, clock_now_ns());
    if (pull) {
        x->pull.state = PULL_SENT;
        position = x->pull.position;
    }
    struct wire_credit credit = take_credit(r, room_for(r, 0));
    exchange_unlock(x);
    if (seek)
        rc = receiver_seek(r, fault);
    if (rc == 0)
        rc = session_send_returns(&r->session, receiver_stall_ns(r), fault);
    if (rc == 0 && pull) {
        r->pull_request += 2;
        r->plain_request = r->pull_request;
        rc = session_send_pull(&r->session, r->plain_request, position,
                               receiver_stall_ns(r), fault);
    }
    if (rc == 0)
        rc = send_refines(r, fault);
    if (rc == 0 && x->member.joined)
        rc = member_send_acks(r, fault);
    if (rc == 0 && credit.batches > 0)
        rc = session_send_credit(&r->session, r->stream_request, &credit,
                                 receiver_stall_ns(r), fault);
    if (rc == 0)
        rc = session_flush(&r->session, receiver_stall_ns(r), fault);
    return rc;
}

int receiver_ask_ahead(struct receiver *r, struct pasted_batch *b,
                       struct fault *fault)
{
    struct exchange *x = r->exchange;
    exchange_lock(x);
    bool may_ask = !x->seek_wanted && !r->draining && !x->member.joined;
    /* A caller who was given one still says that it waits until it runs. */
    bool is_callers =
        may_ask && x->waiting && x->n_ready == 0 && r->options->prefetch > 0;
    struct wire_credit credit =
        take_credit(r, may_ask ? room_for(r, is_callers ? 0 : 1) : 0);
    exchange_unlock(x);
    b->is_replaced = is_callers;
    if (credit.batches == 0)
        return 0;
    int rc = session_send_returns(&r->session, receiver_stall_ns(r), fault);
    if (rc == 0)
        rc = session_send_credit(&r->session, r->stream_request, &credit,
                                 receiver_stall_ns(r), fault);
    /* What the server sent before it went is read all the same. */
    return rc == -ERROR_CLOSED ? 0 : rc;
}

/* An ERROR for an outstanding PULL fails that pull only; where the server has
 * no room now it waits as long as it was asked to, and is sent again. */
static void fail_pull(struct receiver *r)
{
    struct exchange *x = r->exchange;
    exchange_lock(x);
    struct pull *pull = receiver_pull_of(r, r->session.frame.header.request);
    if (pull != NULL) {
        int rc = session_server_error(&r->session, &pull->fault);
        pull->state = rc == -ERROR_OVERLOADED ? PULL_WANTED : PULL_FAILED;
        pull->not_before_ns =
            failover_again_ns(r->session.frame.u.error.retry_after_ms);
        pthread_cond_broadcast(&x->changed);
    }
    exchange_unlock(x);
}

static int handle_error(struct receiver *r, bool *out_final,
                        struct fault *fault)
{
    const struct wire_error *e = &r->session.frame.u.error;
    uint32_t request = r->session.frame.header.request;
    if (!e->fatal && request % 2 == 1) {
        fail_pull(r);
        return 0;
    }
    if (!e->fatal && request != 0 && request != r->stream_request)
        return 0; /* of before a seek */
    if (!e->fatal && e->code == ERROR_ENDED && r->exchange->member.joined) {
        member_ended(r->exchange);
        return 0;
    }
    r->session.retry_after_ms = e->retry_after_ms;
    int rc = session_server_error(&r->session, fault);
    *out_final = !error_is_retryable(rc);
    return rc;
}

static int handle_frame(struct receiver *r, bool *out_final,
                        struct fault *fault)
{
    int type = r->session.frame.header.type;
    switch (type) {
    case WIRE_BATCH:
    case WIRE_SLOT:
        return receiver_batch(r, out_final, fault);
    case WIRE_ERROR:
        return handle_error(r, out_final, fault);
    case WIRE_PING: /* answered by session_read */
    case WIRE_PONG:
        return 0;
    case WIRE_LEASE:
        return member_lease(r, fault);
    case WIRE_ACKED:
        return member_acked(r, fault);
    case WIRE_DRAIN:
        /* Groups and replays have no cursor that grows: CLOSE is the end. */
        r->draining = !r->exchange->member.joined && r->options->replay == 0;
        r->drain_cursor = r->session.frame.u.drain.position;
        return 0;
    case WIRE_CLOSE:
        return session_server_error(&r->session, fault);
    default:
        return fault_set(fault, ERROR_BAD_FRAME,
                         "the server sent %s at a "
                         "wrong time",
                         wire_type_name(type));
    }
}

/* Silence after which a PING goes out: well before the server's own patience
 * ends. */
static uint32_t ping_after_ms(const struct receiver *r)
{
    uint32_t ms = r->options->keepalive_ms;
    uint32_t idle = r->session.welcome.idle_timeout_ms;
    if (idle > 0 && ms > idle / 3)
        ms = idle / 3;
    return ms > 0 ? ms : 1;
}

/* Waits for a frame and handles it, or for a wake, or sends a PING. */
static int wait_and_handle(struct receiver *r, bool *silent, bool *out_final,
                           struct fault *fault)
{
    bool readable = false;
    const int64_t ping_ns = clock_after_ms(ping_after_ms(r));
    int rc = connection_wait(&r->session.connection, next_due_ns(r, ping_ns),
                             &readable);
    if (rc == -ERROR_TIMEOUT && clock_now_ns() < ping_ns)
        return 0;
    if (rc == -ERROR_TIMEOUT) {
        if (*silent)
            return fault_set(fault, ERROR_CLOSED,
                             "the server does not answer a PING");
        *silent = true;
        return session_send_ping(&r->session, receiver_stall_ns(r), fault);
    }
    if (rc != 0 || !readable)
        return rc;
    *silent = false;
    rc = session_read(&r->session, receiver_stall_ns(r), fault);
    return rc != 0 ? rc : handle_frame(r, out_final, fault);
}

int receiver_pump(struct receiver *r, bool *out_final, struct fault *fault)
{
    bool silent = false;
    *out_final = false;
    for (;;) {
        if (r->draining && r->cursor >= r->drain_cursor)
            return fault_set(fault, ERROR_DRAINING, "the server is stopping");
        int rc = send_wishes(r, fault);
        if (rc == 0)
            rc = wait_and_handle(r, &silent, out_final, fault);
        if (rc != 0)
            return rc;
    }
}

/* Sleeps until the caller asks again or stops. */
static void wait_for_retry(struct receiver *r)
{
    struct exchange *x = r->exchange;
    exchange_lock(x);
    bool retry = x->retry;
    if (retry) {
        x->retry = false;
        r->lost_ns = clock_now_ns();
        r->backoff_ms = 0;
        r->n_strikes = 0;
        exchange_move(x, EXCHANGE_LOST);
    }
    exchange_unlock(x);
    bool readable;
    if (!retry)
        (void)connection_wait(&r->session.connection, clock_after_ms(60000),
                              &readable);
}

static void stream_until_lost(struct receiver *r)
{
    struct fault why = {0};
    bool final = false;
    int rc = receiver_pump(r, &final, &why);
    if (rc == -ERROR_CANCELLED)
        return;
    if (why.code == 0)
        fault_set(&why, (enum error_code) - rc, "%s", error_sentence(rc));
    failover_lost(r, final, &why);
}

void *receiver_main(void *receiver)
{
    struct receiver *r = receiver;
    struct exchange *x = r->exchange;
    struct fault why = {0};
    int rc = failover_open(r, &why);
    exchange_lock(x);
    if (rc != 0)
        exchange_give_up(x, &why);
    else
        exchange_move(x, EXCHANGE_STREAMING);
    exchange_unlock(x);
    while (rc == 0 && !stopping(x)) {
        exchange_lock(x);
        enum exchange_state state = x->state;
        exchange_unlock(x);
        if (state == EXCHANGE_STREAMING)
            stream_until_lost(r);
        else if (state == EXCHANGE_LOST)
            failover_step(r);
        else
            wait_for_retry(r);
    }
    session_close(&r->session);
    return NULL;
}
