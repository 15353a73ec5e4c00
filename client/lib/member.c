/* Leases and acknowledgements between the caller, the receiver and the server.
 * Reads no batch and makes no connection. */
#include "client/lib/member.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/lib/clock.h"

void member_make_name(char *name, size_t n_bytes)
{
    char host[40] = "";
    if (name[0] != '\0')
        return;
    gethostname(host, sizeof host - 1);
    for (char *at = host; *at != '\0'; at++)
        if (!((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
              (*at >= '0' && *at <= '9') || *at == '.'))
            *at = '-';
    snprintf(name, n_bytes, "%.39s-%ld-%06llx", host, (long)getpid(),
             (unsigned long long)clock_now_ns() & 0xffffff);
}

/* A lease that was lost before the caller saw its batch. With the lock held;
 * NULL when there is none such. */
static struct pasted_batch *withdraw(struct exchange *x, uint64_t lease)
{
    struct pasted_batch *before = NULL;
    struct pasted_batch **at = &x->ready;
    while (*at != NULL && (*at)->lease.lease != lease) {
        before = *at;
        at = &before->next;
    }
    struct pasted_batch *b = *at;
    if (b == NULL)
        return NULL;
    *at = b->next;
    if (x->last_ready == b)
        x->last_ready = before;
    x->n_ready--;
    b->next = NULL;
    return b;
}

/* Gives up all but the batch in the caller's hands. With the lock held. */
static void forget(struct exchange *x)
{
    for (struct pasted_batch *b; (b = exchange_pop(x)) != NULL;) {
        x->stats.leases_lost++;
        batch_release(b);
    }
    x->stats.leases_lost += x->member.n_acks;
    x->member.n_acks = 0;
}

/* What the new connection takes along of the old one's: all but what is beyond
 * a JOIN. With the lock held. */
static void list_kept(struct exchange *x, struct wire_join *join)
{
    struct membership *m = &x->member;
    while (1 + m->n_acks + x->n_ready > WIRE_MAX_KEPT && x->n_ready > 0) {
        batch_release(withdraw(x, x->last_ready->lease.lease));
        x->stats.leases_lost++;
    }
    if (1 + m->n_acks > WIRE_MAX_KEPT)
        forget(x);
    if (m->held != 0)
        join->kept[join->n_kept++] = m->held;
    for (uint32_t i = 0; i < m->n_acks; i++)
        join->kept[join->n_kept++] = m->acks[i];
    for (struct pasted_batch *b = x->ready; b != NULL; b = b->next)
        join->kept[join->n_kept++] = b->lease.lease;
}

/* An ACK that was sent may never be answered now. With the lock held. */
static void end_wait(struct membership *m)
{
    bool waits = m->awaited != 0 && !m->answered;
    for (uint32_t i = 0; i < m->n_acks; i++)
        waits = waits && m->acks[i] != m->awaited; /* else: yet to be sent */
    if (waits) {
        m->answered = true;
        m->answer = -ERROR_CLOSED;
    }
}

int member_join(struct receiver *r, const struct wire_open *open,
                int64_t deadline_ns, struct fault *fault)
{
    const struct options *o = r->options;
    struct wire_join join = {
        .position = o->position,
        .n_steps = o->steps,
        .n_epochs = o->epochs,
        .global_batch = open->global_batch,
        .world = open->world,
        .lease_ms = o->lease_ms,
        .dtype = open->dtype,
        .layout = open->layout,
        .has_fingerprint = open->has_fingerprint,
        .extras = open->extras, /* a group has no replay */
    };
    memcpy(join.fingerprint, open->fingerprint, sizeof join.fingerprint);
    memcpy(join.stream, open->stream, sizeof join.stream);
    memcpy(join.group, o->group, sizeof o->group);
    memcpy(join.member, o->member, sizeof o->member);
    exchange_lock(r->exchange);
    if (r->session.welcome.capabilities & WIRE_CAPABILITY_KEEP)
        list_kept(r->exchange, &join);
    else
        forget(r->exchange);
    end_wait(&r->exchange->member);
    exchange_unlock(r->exchange);
    return session_join(&r->session, &join, r->stream_request, deadline_ns,
                        fault);
}

/* One at a time, so that the lock is never held over a write. */
int member_send_acks(struct receiver *r, struct fault *fault)
{
    struct exchange *x = r->exchange;
    for (;;) {
        struct membership *m = &x->member;
        exchange_lock(x);
        uint64_t lease = m->n_acks > 0 ? m->acks[0] : 0;
        if (lease != 0)
            memmove(m->acks, m->acks + 1, --m->n_acks * sizeof *m->acks);
        exchange_unlock(x);
        if (lease == 0)
            return 0;
        int rc =
            session_send_ack(&r->session, lease, receiver_stall_ns(r), fault);
        if (rc != 0)
            return rc;
    }
}

int member_lease(struct receiver *r, struct fault *fault)
{
    const struct frame *f = &r->session.frame;
    if (!r->exchange->member.joined || r->lease.lease != 0 ||
        f->header.request != r->stream_request)
        return fault_set(fault, ERROR_BAD_FRAME,
                         "a LEASE came that no BATCH followed or no group "
                         "asked for");
    r->lease = f->u.lease;
    return 0;
}

int member_take_lease(struct receiver *r, struct pasted_batch *b,
                      struct fault *fault)
{
    if (r->lease.lease == 0)
        return fault_set(fault, ERROR_BAD_FRAME, "a BATCH came without LEASE");
    b->lease = r->lease;
    b->cursor = r->lease.position;
    r->lease.lease = 0;
    return 0;
}

int member_acked(struct receiver *r, struct fault *fault)
{
    const struct wire_acked *a = &r->session.frame.u.acked;
    struct exchange *x = r->exchange;
    struct membership *m = &x->member;
    if (!m->joined)
        return fault_set(fault, ERROR_BAD_FRAME, "an ACKED came unasked");
    exchange_lock(x);
    struct pasted_batch *b = a->code != 0 ? withdraw(x, a->lease) : NULL;
    if (a->lease == m->awaited) {
        m->answered = true;
        m->answer = -(int)a->code;
    }
    m->paused = m->paused || (a->code != 0 && !x->waiting);
    x->stats.acks += a->code == 0;
    x->stats.leases_lost += a->code != 0 && m->held != a->lease;
    pthread_cond_broadcast(&x->changed);
    exchange_unlock(x);
    batch_release(b);
    return 0;
}

void member_ended(struct exchange *x)
{
    exchange_lock(x);
    x->member.ended = true;
    pthread_cond_broadcast(&x->changed);
    exchange_unlock(x);
}

void member_lost(struct receiver *r)
{
    struct exchange *x = r->exchange;
    if (!x->member.joined)
        return;
    if ((r->session.welcome.capabilities & WIRE_CAPABILITY_KEEP) == 0)
        forget(x);
    end_wait(&x->member);
}

static void push_ack(struct exchange *x)
{
    struct membership *m = &x->member;
    assert(m->n_acks < sizeof m->acks / sizeof m->acks[0]);
    m->acks[m->n_acks++] = m->held;
    m->held = 0;
}

bool member_wants_next(struct exchange *x)
{
    bool acks = x->member.held != 0;
    x->member.paused = false;
    if (acks)
        push_ack(x);
    return acks;
}

int member_ask_ack(struct exchange *x, struct fault *fault)
{
    struct membership *m = &x->member;
    if (m->held == 0)
        return fault_set(fault, ERROR_BAD_STATE, "%s",
                         m->joined ? "no batch waits for an acknowledgement"
                                   : "the client is of no group");
    m->awaited = m->held;
    m->answered = false;
    push_ack(x);
    return 0;
}

int member_answer(struct exchange *x, struct fault *fault)
{
    struct membership *m = &x->member;
    if (m->answer == 0)
        return 0;
    return fault_set(fault, (enum error_code)(-m->answer), "%s",
                     m->answer == -ERROR_CLOSED
                         ? "the connection ended before the answer came"
                         : error_sentence(m->answer));
}
