/* A session's place in a group: JOIN, leases for its orders, ACK. Moves no
 * batches (flow.c) and keeps no steps (server/groups).
 * Threads: loop thread only. */
#include "server/tcp/session.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "server/base/host.h"

static struct lease_store *leases_of(const struct session *s)
{
    return s->server->config.leases;
}

/* JOIN. */

/* Steps until the epochs are whole; a last one may reach beyond them. */
static int count_steps(const struct wire_join *m, const struct stream *stream,
                       uint64_t n_samples, uint64_t *out, struct fault *fault)
{
    if (m->n_steps && m->n_epochs)
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "JOIN names steps and epochs: one of them decides");
    uint64_t n_edges = stream->edges_per_epoch;
    if (m->n_epochs > (WIRE_MAX_POSITION - 1) / n_edges)
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "%" PRIu32 " epochs end beyond the last position",
                         m->n_epochs);
    *out = m->n_epochs ? (m->n_epochs * n_edges + n_samples - 1) / n_samples
                       : m->n_steps;
    if (*out > (WIRE_MAX_POSITION - m->position) / n_samples)
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "%" PRIu64 " steps end beyond the last position",
                         *out);
    return 0;
}

static int make_terms(const struct session *s, const struct wire_join *m,
                      uint32_t global_batch, struct group_terms *out,
                      struct fault *fault)
{
    *out = (struct group_terms){
        .position = m->position,
        .global_batch = global_batch,
        .world = m->world,
        .lease_ms = m->lease_ms,
    };
    memcpy(out->stream, s->stream->name, sizeof out->stream);
    memcpy(out->fingerprint, s->stream->fingerprint.bytes,
           sizeof out->fingerprint);
    if (strlen(m->group) >= sizeof out->name)
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "a group's name has at most %zu bytes",
                         sizeof out->name - 1);
    memcpy(out->name, m->group, strlen(m->group) + 1);
    if (m->lease_ms &&
        (m->lease_ms < GROUP_MIN_LEASE_MS || m->lease_ms > GROUP_MAX_LEASE_MS))
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "lease_ms is %d to %d, or 0", GROUP_MIN_LEASE_MS,
                         GROUP_MAX_LEASE_MS);
    return count_steps(m, s->stream, s->n_samples, &out->n_steps, fault);
}

/* Opens the stream with the group's slice as its step. */
static int open_slices(struct session *s, const struct wire_join *m,
                       uint32_t request, uint32_t *out_batch,
                       struct fault *fault)
{
    struct wire_open open = {
        .has_fingerprint = m->has_fingerprint,
        .world = 1,
        .position = m->position,
        .dtype = m->dtype,
        .layout = m->layout,
        .extras = m->extras, /* no replay */
    };
    const struct stream *stream = stream_find(s->server->streams, m->stream);
    uint32_t batch = m->global_batch;
    if (batch == 0 && stream)
        batch = stream->recipe.batch;
    if (m->world == 0 || batch % m->world != 0)
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "world %" PRIu32 " does not divide batch %" PRIu32,
                         m->world, batch);
    open.global_batch = batch / m->world;
    memcpy(open.stream, m->stream, sizeof open.stream);
    memcpy(open.fingerprint, m->fingerprint, sizeof open.fingerprint);
    *out_batch = batch;
    return gateway_open_stream(s, &open, request, fault);
}

/* What open_slices opened. */
static void drop_stream(struct session *s)
{
    feedback_unref(s->feedback);
    s->feedback = NULL;
    s->stream = NULL;
}

static int join(struct session *s, const struct wire_join *m, uint32_t request,
                struct fault *fault)
{
    struct group_terms terms;
    uint32_t batch = 0;
    char name[WIRE_MAX_NAME_BYTES];
    int rc = open_slices(s, m, request, &batch, fault);
    if (rc != 0)
        return rc;
    snprintf(name, sizeof name, "session-%" PRIu64, s->number);
    if (m->member[0] != '\0')
        memcpy(name, m->member, sizeof name);
    rc = make_terms(s, m, batch, &terms, fault);
    if (rc == 0)
        rc = leases_of(s)->calls->join(leases_of(s), &terms, name, s,
                                       &s->member, fault);
    if (rc != 0)
        drop_stream(s);
    s->told_ended = false;
    s->may_return = s->capabilities & WIRE_CAPABILITY_KEEP && m->member[0];
    return rc;
}

int member_on_join(struct session *s, const struct wire_header *h,
                   struct bytes_reader *r)
{
    struct fault fault = {0};
    struct wire_join m;
    if (wire_decode_join(r, &m) != 0 ||
        (wire_extras_needs(&m.extras) & ~s->capabilities) ||
        (m.n_kept && !(s->capabilities & WIRE_CAPABILITY_KEEP)))
        return -ERROR_BAD_FRAME;
    session_drop_orders(s);
    int status = join(s, &m, h->request, &fault);
    gateway_answer_open(s, h->request, status, &fault);
    if (s->member)
        leases_of(s)->calls->keep(leases_of(s), s->member, m.kept, m.n_kept,
                                  host_now_ns());
    return 0;
}

void member_describe(const struct session *s, struct wire_opened *m)
{
    const struct group_terms *terms = leases_of(s)->calls->terms(s->member);
    m->position = terms->position;
    m->global_batch = terms->global_batch;
    m->rank = 0;
    m->world = terms->world;
}

void member_leave(struct session *s)
{
    struct lease_member *member = s->member;
    s->member = NULL;
    if (member)
        leases_of(s)->calls->leave(leases_of(s), member);
}

void member_detach(struct session *s)
{
    struct lease_member *member = s->member;
    if (!member || !s->may_return) {
        member_leave(s);
        return;
    }
    s->member = NULL;
    leases_of(s)->calls->detach(leases_of(s), member);
}

/* Leases. */

int member_lease(struct session *s, struct order *o)
{
    if (o->lease.id)
        return 1; /* it could not be begun before */
    int rc = leases_of(s)->calls->acquire(leases_of(s), s->member, &o->lease);
    if (rc == -ERROR_ENDED && !s->told_ended) {
        s->told_ended = true;
        session_refuse(s, s->serial, ERROR_ENDED, error_sentence(ERROR_ENDED));
    }
    if (rc != 1)
        return 0;
    o->cursor = leases_of(s)->calls->terms(s->member)->position +
                o->lease.step * s->n_samples;
    return 1;
}

void member_release(struct session *s, struct order *o)
{
    if (o->lease.id && s->member)
        leases_of(s)->calls->release(leases_of(s), s->member, o->lease.id);
    o->lease.id = 0;
}

void member_write_lease(struct session *s, const struct order *o, uint8_t *out)
{
    struct bytes_writer w;
    const struct wire_lease m = {
        .lease = o->lease.id,
        .step = o->lease.step,
        .position = o->cursor,
        .delivery = o->lease.delivery,
        .lease_ms = leases_of(s)->calls->terms(s->member)->lease_ms,
    };
    wire_frame_begin(&w, out, SESSION_LEASE_BYTES);
    wire_encode_lease(&w, &m);
    size_t n_bytes = wire_frame_finish(&w, WIRE_LEASE, s->serial);
    assert(n_bytes == SESSION_LEASE_BYTES);
    (void)n_bytes;
}

void member_delivered(struct session *s, struct order *o)
{
    leases_of(s)->calls->deliver(leases_of(s), s->member, o->lease.id,
                                 host_now_ns());
    o->lease.id = 0;
}

void member_renew(struct session *s)
{
    if (s->member)
        leases_of(s)->calls->renew(leases_of(s), s->member, host_now_ns());
}

int member_on_ack(struct session *s, const struct wire_header *h,
                  struct bytes_reader *r)
{
    struct wire_ack m;
    if (wire_decode_ack(r, &m) != 0)
        return -ERROR_BAD_FRAME;
    if (s->member)
        leases_of(s)->calls->ack(leases_of(s), s->member, m.lease,
                                 host_now_ns());
    else
        session_refuse(s, h->request, ERROR_BAD_STATE, "no group is joined");
    return 0;
}

/* What the group tells. */

static void on_acked(void *owner, uint64_t lease, int code)
{
    struct session *s = owner;
    uint8_t frame[WIRE_HEADER_BYTES + 16];
    struct bytes_writer w;
    assert(s->magic == SESSION_MAGIC);
    if (lease == 0)
        return;
    wire_frame_begin(&w, frame, sizeof frame);
    wire_encode_acked(
        &w, &(struct wire_acked){.lease = lease,
                                 .code = (uint16_t)(code < 0 ? -code : code)});
    session_send_frame(s, frame, wire_frame_finish(&w, WIRE_ACKED, s->serial));
}

static void on_replaced(void *owner)
{
    struct session *s = owner;
    assert(s->magic == SESSION_MAGIC);
    session_fail(s, SESSION_END_ERROR, s->serial, ERROR_BAD_STATE,
                 "another connection joined under this member's name");
}

static void on_changed(void *server)
{
    tcp_server_soon(server);
}

const struct lease_events member_events = {
    .acked = on_acked,
    .replaced = on_replaced,
    .changed = on_changed,
};
