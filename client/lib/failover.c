/* Which server next, when, and when to give up. Handles no frames beyond the
 * handshake.
 *
 * A lost connection is tried again at once, at the same server first. A name is
 * resolved anew each time and stands for all its addresses, begun at random so
 * that clients spread over them. After each round of all servers comes a pause
 * of 50 ms, doubled up to 2 s, with jitter, and no shorter than a server asked
 * for. A round that every server answered with a final refusal (another
 * fingerprint, no such stream, a bad token) ends it early. */
#include <string.h>

#include "client/lib/clock.h"
#include "client/lib/member.h"
#include "client/lib/receiver.h"

#define BACKOFF_FIRST_MS 50
#define BACKOFF_MAX_MS   2000
/* No server may make a client sleep longer. */
#define RETRY_AFTER_MAX_MS 30000
/* A connection that lived this long counts as a good one. */
#define GOOD_AFTER_NS 1000000000ll
/* Malformed frames without one good batch between them. */
#define MAX_STRIKES 3

/* One is what every server sends unasked. */
static uint32_t asked_candidates(const struct options *o)
{
    return o->candidates > 1 ? o->candidates : 0;
}

static void fill_open(const struct receiver *r, struct wire_open *open)
{
    const struct options *o = r->options;
    const struct wire_opened *first = &r->facts->opened;
    *open = (struct wire_open){
        .rank = o->rank,
        .world = o->world,
        .position = r->cursor,
        .global_batch = o->batch,
        .dtype = (uint8_t)o->dtype,
        .layout = (uint8_t)o->layout,
        .extras = {.replay = o->replay, .candidates = asked_candidates(o)},
        .has_fingerprint = o->has_fingerprint};
    memcpy(open->fingerprint, o->fingerprint, sizeof open->fingerprint);
    memcpy(open->stream, o->stream, sizeof open->stream);
    open->extras.has_feedback = o->has_feedback;
    memcpy(open->extras.feedback, o->feedback, sizeof o->feedback);
    if (r->opened_once) {
        /* The stream's defaults may change; what was opened may not. */
        open->global_batch = first->global_batch;
        open->dtype = first->dtype;
        open->layout = first->layout;
        open->has_fingerprint = true;
        memcpy(open->fingerprint, first->fingerprint, sizeof open->fingerprint);
        memcpy(open->stream, r->facts->stream, sizeof open->stream);
        open->extras.has_feedback = r->facts->has_feedback;
        memcpy(open->extras.feedback, r->facts->feedback,
               sizeof open->extras.feedback);
    }
}

/* The first OPENED becomes what the stream is. */
static int keep_facts(struct receiver *r, const struct wire_open *open,
                      struct fault *fault)
{
    struct stream_facts *f = r->facts;
    int rc = frame_class_names(r->session.control,
                               (size_t)r->session.frame.header.payload_bytes,
                               &f->classes, fault);
    if (rc != 0)
        return rc;
    f->welcome = r->session.welcome;
    f->opened = r->session.opened;
    memcpy(f->stream, open->stream, sizeof f->stream);
    f->has_feedback = open->extras.has_feedback;
    memcpy(f->feedback, open->extras.feedback, sizeof f->feedback);
    r->opened_once = true;
    return 0;
}

static int same_shape(const struct receiver *r, struct fault *fault)
{
    const struct wire_opened *a = &r->facts->opened, *b = &r->session.opened;
    if (a->n_samples != b->n_samples || a->height != b->height ||
        a->width != b->width || a->dtype != b->dtype ||
        a->layout != b->layout || a->channels != b->channels ||
        a->global_batch != b->global_batch)
        return fault_set(fault, ERROR_FINGERPRINT,
                         "the server's batches have another shape");
    if (a->output != b->output)
        return fault_set(fault, ERROR_FINGERPRINT,
                         "the server's batches have other tensors or another "
                         "normalisation: labels/tensors and output of the "
                         "recipe differ between the servers");
    return 0;
}

/* A server's round begins where it opens: the one that broke off begins anew.
 * With the lock held. */
static void begin_round(struct receiver *r)
{
    struct exchange *x = r->exchange;
    for (struct pasted_batch *b; (b = exchange_pop(x)) != NULL;)
        batch_release(b);
    r->cursor = x->cursor = r->replay_from;
}

/* This server has not been asked yet. */
static void want_again(struct pull *pull)
{
    if (pull->state == PULL_SENT || pull->state == PULL_WANTED)
        *pull = (struct pull){.state = PULL_WANTED, .position = pull->position};
}

/* Where to open: a seek that waits is served by it. */
static void settle_cursor(struct receiver *r)
{
    struct exchange *x = r->exchange;
    exchange_lock(x);
    if (x->seek_wanted)
        r->cursor = r->replay_from = x->cursor;
    x->seek_wanted = false;
    if (r->options->replay > 0)
        begin_round(r);
    want_again(&x->pull);
    for (uint32_t i = 0; i < x->n_refines; i++)
        want_again(&exchange_refine(x, i)->pull);
    exchange_unlock(x);
}

/* Under another name it would be another table than was used, or saved. */
static int upload(struct receiver *r, struct wire_open *open,
                  int64_t deadline_ns, struct fault *fault)
{
    const struct options *o = r->options;
    struct wire_extras *e = &open->extras;
    uint8_t digest[FEEDBACK_DIGEST_BYTES];
    struct wire_feedback table = {.n_classes = o->table_classes,
                                  .weights = o->table};
    memcpy(table.stream, open->stream, sizeof table.stream);
    int rc = session_upload(&r->session, &table, digest, deadline_ns, fault);
    if (rc != 0)
        return rc;
    if (e->has_feedback && memcmp(e->feedback, digest, sizeof digest) != 0)
        return fault_set(fault, ERROR_UNKNOWN_FEEDBACK,
                         "the feedback table given is not the one that was "
                         "named, and the server has not that");
    e->has_feedback = true;
    memcpy(e->feedback, digest, sizeof digest);
    return 0;
}

static int open_stream(struct receiver *r, const struct wire_open *open,
                       int64_t deadline_ns, struct fault *fault)
{
    r->stream_request += 2;
    return r->exchange->member.joined
               ? member_join(r, open, deadline_ns, fault)
               : session_open(&r->session, open, r->stream_request, deadline_ns,
                              fault);
}

/* A table without a name is uploaded first, one that the server does not know
 * then. */
static int open_with_feedback(struct receiver *r, struct wire_open *open,
                              int64_t deadline_ns, struct fault *fault)
{
    const bool has_table = r->options->table != NULL;
    int rc = 0;
    if (has_table && !open->extras.has_feedback)
        rc = upload(r, open, deadline_ns, fault);
    if (rc == 0)
        rc = open_stream(r, open, deadline_ns, fault);
    if (rc == -ERROR_UNKNOWN_FEEDBACK && has_table) {
        rc = upload(r, open, deadline_ns, fault);
        if (rc == 0)
            rc = open_stream(r, open, deadline_ns, fault);
    }
    return rc;
}

int receiver_handshake(struct receiver *r, int64_t deadline_ns,
                       struct fault *fault)
{
    struct session *s = &r->session;
    struct wire_open open;
    s->retry_after_ms = 0;
    int rc = session_hello(s, deadline_ns, fault);
    if (rc != 0)
        return rc;
    settle_cursor(r);
    fill_open(r, &open);
    if (open.stream[0] == '\0') {
        if (s->welcome.n_streams == 0)
            return fault_set(fault, ERROR_NOT_FOUND,
                             "the server has no streams");
        memcpy(open.stream, s->welcome.streams[0], sizeof open.stream);
    }
    rc = open_with_feedback(r, &open, deadline_ns, fault);
    if (rc == 0)
        rc =
            r->opened_once ? same_shape(r, fault) : keep_facts(r, &open, fault);
    if (rc != 0)
        return rc;
    r->outstanding = 0;
    r->lease.lease = 0;
    r->draining = false;
    r->progress = false;
    r->connected_ns = clock_now_ns();
    return 0;
}

static int attempt_address(struct receiver *r,
                           const struct connection_address *a,
                           int64_t deadline_ns, struct fault *fault)
{
    int rc = connection_open(&r->session.connection, a, deadline_ns, fault);
    if (rc == 0)
        rc = receiver_handshake(r, deadline_ns, fault);
    if (rc != 0)
        session_close(&r->session);
    return rc;
}

/* One attempt at the current server: each address of its name, the one in use
 * first. *out_final: each refused for good. */
static int attempt(struct receiver *r, bool *out_final, struct fault *fault)
{
    const struct server_address *server =
        &r->options->servers.address[r->server];
    const int64_t deadline_ns = clock_after_ms(r->options->connect_timeout_ms);
    const uint32_t first = r->address;
    struct addresses list;
    int rc = connection_resolve(server, &list, fault);
    *out_final = rc == 0;
    for (uint32_t i = 0; i < list.n; i++) {
        *fault = (struct fault){0};
        r->address = (first + i) % list.n;
        rc = attempt_address(r, &list.address[r->address],
                             connection_share_ns(&list, i, deadline_ns), fault);
        if (rc == 0 || rc == -ERROR_CANCELLED)
            return rc;
        if (error_is_retryable(rc))
            *out_final = false;
    }
    if (fault->code == 0)
        fault_set(fault, (enum error_code) - rc, "%s", error_sentence(rc));
    servers_prefix(server, fault);
    return rc;
}

int64_t failover_again_ns(uint32_t retry_after_ms)
{
    uint32_t ms =
        retry_after_ms > BACKOFF_FIRST_MS ? retry_after_ms : BACKOFF_FIRST_MS;
    return clock_after_ms(ms < RETRY_AFTER_MAX_MS ? ms : RETRY_AFTER_MAX_MS);
}

static void next_server(struct receiver *r)
{
    r->server = (r->server + 1) % r->options->servers.n;
}

/* Its name may stand for others, which are tried before it. */
static void leave_server(struct receiver *r)
{
    r->address++;
    next_server(r);
}

int failover_open(struct receiver *r, struct fault *fault)
{
    int rc = 0;
    bool final;
    for (uint32_t i = 0; i < r->options->servers.n; i++) {
        *fault = (struct fault){0};
        rc = attempt(r, &final, fault);
        if (rc == 0 || rc == -ERROR_CANCELLED)
            return rc;
        next_server(r);
    }
    return rc;
}

void failover_lost(struct receiver *r, bool final, const struct fault *why)
{
    struct exchange *x = r->exchange;
    struct fault told = *why;
    const struct server_address *a = &r->options->servers.address[r->server];
    servers_prefix(a, &told);
    session_close(&r->session);
    int64_t now = clock_now_ns();
    if (r->progress || now - r->connected_ns > GOOD_AFTER_NS ||
        r->lost_ns == 0) {
        r->lost_ns = now;
        r->backoff_ms = 0;
    }
    if (!error_is_retryable(why->code) && ++r->n_strikes >= MAX_STRIKES)
        final = true;
    if (why->code == ERROR_DRAINING)
        leave_server(r); /* this one has said that it goes */
    exchange_lock(x);
    member_lost(r);
    if (final) {
        exchange_give_up(x, &told);
    } else {
        x->fault = told;
        exchange_move(x, EXCHANGE_LOST);
    }
    exchange_unlock(x);
}

static uint64_t next_random(struct receiver *r)
{
    r->random ^= r->random << 13;
    r->random ^= r->random >> 7;
    r->random ^= r->random << 17;
    return r->random;
}

/* Sleeps before the next round; a wake that is no stop does not end it. */
static int pause_between_rounds(struct receiver *r, int64_t give_up_ns)
{
    uint32_t ms = r->backoff_ms / 2;
    ms += (uint32_t)(next_random(r) % (r->backoff_ms / 2 + 1));
    uint32_t asked = r->session.retry_after_ms;
    if (asked > RETRY_AFTER_MAX_MS)
        asked = RETRY_AFTER_MAX_MS;
    if (ms < asked)
        ms = asked;
    int64_t until = clock_after_ms(ms);
    if (until > give_up_ns)
        until = give_up_ns;
    r->backoff_ms = r->backoff_ms > 0 ? r->backoff_ms * 2 : BACKOFF_FIRST_MS;
    if (r->backoff_ms > BACKOFF_MAX_MS)
        r->backoff_ms = BACKOFF_MAX_MS;
    int rc = 0;
    bool readable;
    while (rc == 0)
        rc = connection_wait(&r->session.connection, until, &readable);
    return rc;
}

/* Every server once. *out_final: each of them refused for good. */
static int try_round(struct receiver *r, bool *out_final, struct fault *fault)
{
    int rc = 0;
    bool final;
    *out_final = true;
    for (uint32_t i = 0; i < r->options->servers.n; i++) {
        *fault = (struct fault){0};
        rc = attempt(r, &final, fault);
        if (rc == 0 || rc == -ERROR_CANCELLED)
            return rc;
        if (!final)
            *out_final = false;
        next_server(r);
    }
    return rc;
}

void failover_step(struct receiver *r)
{
    struct exchange *x = r->exchange;
    struct fault why = {0};
    bool final;
    int64_t give_up_ns =
        r->lost_ns +
        (int64_t)r->options->reconnect_timeout_ms * CLOCK_NS_PER_MS;
    int rc = pause_between_rounds(r, give_up_ns);
    if (rc == -ERROR_CANCELLED)
        return;
    rc = try_round(r, &final, &why);
    if (rc == -ERROR_CANCELLED)
        return;
    exchange_lock(x);
    if (rc == 0) {
        x->stats.reconnects++;
        exchange_move(x, EXCHANGE_STREAMING);
    } else if (final) {
        exchange_give_up(x, &why);
    } else if (clock_now_ns() >= give_up_ns) {
        why.code = ERROR_CLOSED;
        fault_prefix(&why, "gave up reconnecting after %u ms",
                     r->options->reconnect_timeout_ms);
        exchange_give_up(x, &why);
    } else {
        x->fault = why;
    }
    exchange_unlock(x);
}
