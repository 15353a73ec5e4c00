/* Moves batches: from the session's credit to orders at the store, from
 * finished orders to the socket. Does not read messages.
 * Threads: loop thread only.
 *
 *   credit, PULL -> WAITING -> COMPOSING -> READY -> send -> the socket has it
 *                   (PULLs)    (store_request) (batch, one reference)
 */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "server/base/host.h"
#include "server/base/log.h"
#include "server/base/metrics.h"
#include "server/tcp/session.h"

static bool is_retryable(int status)
{
    return status == -ERROR_OVERLOADED || status == -ERROR_NO_MEMORY;
}

/* Accounts. */

/* Batches that the session holds or asks for. */
static uint32_t n_held(const struct session *s)
{
    uint32_t n = s->n_ahead + s->n_sends;
    for (uint32_t i = 0; i < SESSION_MAX_PULLS; i++)
        n += s->pulls[i].state > ORDER_WAITING;
    return n;
}

/* All but one count against what the sessions may hold ahead of time. */
static void account(struct session *s)
{
    uint32_t n = n_held(s);
    uint64_t bytes = n > 1 ? (n - 1) * s->batch_bytes : 0;
    s->server->ahead_bytes += bytes - s->ahead_bytes;
    s->ahead_bytes = bytes;
    s->server->n_holders += (uint32_t)(n > 0) - (uint32_t)s->holds;
    s->holds = n > 0;
}

static bool may_hold_more(const struct session *s)
{
    const struct tcp_server *server = s->server;
    if (s->stalled)
        return false;
    if (n_held(s) == 0)
        return true;
    return server->ahead_bytes + s->batch_bytes <= server->max_ahead_bytes &&
           s->ahead_bytes + s->batch_bytes <=
               server->max_ahead_bytes / server->n_holders;
}

bool flow_is_idle(const struct session *s)
{
    return s->n_ahead == 0 && s->n_pulls == 0 && s->n_sends == 0;
}

/* Orders. */

static struct order *ahead_at(struct session *s, uint32_t i)
{
    return &s->ahead[(s->first_ahead + i) % SESSION_MAX_AHEAD];
}

/* Of an order that is answered, refused or given up. */
static void forget_contexts(struct order *o)
{
    if (o->contexts)
        contexts_disown(o->contexts); /* a rendering may still read them */
    contexts_unref(o->contexts);
    o->contexts = NULL;
}

static void drop(struct session *s, struct order *o)
{
    if (o->state == ORDER_COMPOSING)
        store_cancel(s->server->store, &o->request);
    if (o->state == ORDER_READY)
        batch_unref(o->batch);
    member_release(s, o);
    o->batch = NULL;
    o->state = ORDER_FREE;
}

/* From the ith on. */
static void drop_ahead_from(struct session *s, uint32_t first)
{
    /* A slot beyond n_ahead may hold a lease that could not be begun. */
    for (uint32_t i = first; i < SESSION_MAX_AHEAD; i++)
        drop(s, ahead_at(s, i));
    s->n_ahead = first;
}

/* The stream cannot go on from this order: it ends when all before is sent. */
static void note_gap(struct session *s, const struct order *o, int status,
                     const struct fault *fault)
{
    uint32_t i = 0;
    while (ahead_at(s, i) != o)
        i++;
    drop_ahead_from(s, i);
    fault_set(&s->failure, (enum error_code)(-status), "%s", fault->text);
}

/* How long the socket had nothing to send for want of this batch; of batches
 * behind the first it will be known when their turn comes, and is less. */
static void note_missed(const struct session *s, struct order *o)
{
    uint64_t since_ns =
        s->emptied_ns > o->begun_ns ? s->emptied_ns : o->begun_ns;
    if (s->n_sends == 0 && o == &s->ahead[s->first_ahead])
        o->stall_ns = host_now_ns() - since_ns;
}

static void on_composed(struct store_request *request, int status,
                        struct batch *batch, const struct fault *fault)
{
    struct order *o = request->context;
    struct session *s = o->session;
    assert(s->magic == SESSION_MAGIC && o->state == ORDER_COMPOSING);
    bool is_pull = o >= s->pulls && o < s->pulls + SESSION_MAX_PULLS;
    o->batch = batch;
    o->state = status == 0 ? ORDER_READY : ORDER_FREE;
    if (status != 0 && is_pull) {
        s->n_pulls--;
        forget_contexts(o);
        session_refuse(s, o->id, status, fault->text);
    } else if (status != 0) {
        note_gap(s, o, status, fault);
    } else if (!is_pull) {
        note_missed(s, o);
    }
    account(s);
    flow_pump(s);
}

/* A small batch that its client waits for, and has no other of, overtakes the
 * large ones: who asks for one at a time is not made to wait for all that
 * others have composed ahead. */
static enum worker_class class_of(const struct session *s)
{
    return s->batch_bytes <= SESSION_SMALL_BYTES && n_held(s) == 0
               ? WORKER_SMALL
               : WORKER_BULK;
}

/* Asks the store for the slice of the step at o's cursor. */
static int begin(struct session *s, struct order *o, uint64_t cursor,
                 struct fault *fault)
{
    struct stream_slice slice;
    int status =
        stream_slice(cursor, s->global_batch, s->rank, s->world, &slice, fault);
    if (status != 0)
        return status;
    o->session = s;
    o->cursor = cursor;
    o->batch = NULL;
    o->begun_ns = host_now_ns();
    o->stall_ns = 0;
    o->request = (struct store_request){
        .stream = s->stream,
        .first_position = slice.first_position,
        .n_samples = slice.n_samples,
        .n_candidates = s->n_candidates,
        .contexts = o->contexts,
        .dtype = s->dtype,
        .layout = s->layout,
        .feedback = s->feedback,
        .checksum = s->checksum,
        .class = class_of(s),
        .shared = s->capabilities & WIRE_CAPABILITY_RING,
        .done = on_composed,
        .context = o,
    };
    status = store_get(s->server->store, &o->request, &o->batch, fault);
    if (status < 0)
        return status;
    o->state = status == 1 ? ORDER_READY : ORDER_COMPOSING;
    return 0;
}

void flow_drop_ahead(struct session *s)
{
    drop_ahead_from(s, 0);
    s->failure.code = 0;
    account(s);
}

void flow_drop_pulls(struct session *s)
{
    for (uint32_t i = 0; i < SESSION_MAX_PULLS; i++) {
        drop(s, &s->pulls[i]);
        forget_contexts(&s->pulls[i]);
    }
    s->n_pulls = 0;
    account(s);
}

/* Nobody else shall wait for memory that waits for this client to read. What is
 * promised since DRAIN stays: that has its own end. */
void flow_stall(struct session *s, bool stalled)
{
    if (stalled == s->stalled || s->state == SESSION_DRAINING)
        return;
    s->stalled = stalled;
    if (!stalled)
        return;
    if (s->n_ahead > 0)
        s->cursor = ahead_at(s, 0)->cursor;
    flow_drop_ahead(s);
    for (uint32_t i = 0; i < SESSION_MAX_PULLS; i++) {
        struct order *o = &s->pulls[i];
        if (o->state == ORDER_FREE)
            continue;
        drop(s, o);
        o->state = ORDER_WAITING;
    }
    account(s);
}

int flow_pull(struct session *s, uint32_t id, uint64_t cursor,
              struct contexts *contexts, struct fault *fault)
{
    struct stream_slice slice;
    struct order *free_order = NULL;
    for (uint32_t i = 0; i < SESSION_MAX_PULLS; i++) {
        struct order *o = &s->pulls[i];
        if (o->state == ORDER_FREE)
            free_order = o;
        else if (o->id == id)
            return fault_set(fault, ERROR_BAD_ARGUMENT,
                             "request %" PRIu32 " is not answered yet", id);
    }
    if (!free_order)
        return fault_set(fault, ERROR_OVERLOADED,
                         "%d PULLs are not answered yet", SESSION_MAX_PULLS);
    int status =
        stream_slice(cursor, s->global_batch, s->rank, s->world, &slice, fault);
    if (status != 0)
        return status;
    free_order->state = ORDER_WAITING;
    free_order->session = s;
    free_order->id = id;
    free_order->number = s->next_pull++;
    free_order->cursor = cursor;
    free_order->contexts = contexts;
    s->n_pulls++;
    return 0;
}

/* The PULL in that state that came first, or NULL. */
static struct order *oldest_pull(struct session *s, int state)
{
    struct order *oldest = NULL;
    for (uint32_t i = 0; s->n_pulls > 0 && i < SESSION_MAX_PULLS; i++) {
        struct order *o = &s->pulls[i];
        if ((int)o->state == state && (!oldest || o->number < oldest->number))
            oldest = o;
    }
    return oldest;
}

static bool begin_pull(struct session *s)
{
    struct fault fault = {0};
    struct order *o = oldest_pull(s, ORDER_WAITING);
    if (!o || !may_hold_more(s))
        return false;
    int status = begin(s, o, o->cursor, &fault);
    if (status < 0) {
        o->state = ORDER_FREE;
        s->n_pulls--;
        forget_contexts(o);
        session_refuse(s, o->id, status, fault.text);
    }
    account(s);
    return true;
}

static bool begin_ahead(struct session *s)
{
    struct fault fault = {0};
    uint64_t n = s->n_ahead;
    if (s->state != SESSION_STREAMING || s->failure.code ||
        n >= SESSION_MAX_AHEAD || n >= s->credit_batches || !may_hold_more(s) ||
        (n + 1) * s->batch_bytes > s->credit_bytes)
        return false;
    struct order *o = ahead_at(s, s->n_ahead);
    if (s->member && !member_lease(s, o))
        return false;
    int status = begin(s, o, s->member ? o->cursor : s->cursor, &fault);
    if (is_retryable(status))
        return false; /* the next tick tries again, with the same lease */
    if (status < 0) {
        s->failure = fault;
        return false;
    }
    s->n_ahead++;
    s->cursor += s->global_batch;
    if (s->replay &&
        s->cursor - s->replay_from == (uint64_t)s->replay * s->global_batch)
        s->cursor = s->replay_from;
    account(s);
    return true;
}

/* Sending. */

static void on_sent(struct transport_write *write, int uv_status)
{
    struct send *send = (struct send *)write;
    struct session *s = send->session;
    batch_unref(send->batch);
    send->batch = NULL;
    s->n_sends--;
    account(s);
    s->emptied_ns = host_now_ns();
    if (uv_status == 0) {
        s->active_ns = s->emptied_ns;
        s->stalled = false;
        s->sent_batches++;
        metric_add(METRIC_TCP_BATCHES_SENT, 1);
    }
    flow_pump(s);
}

/* The frame header and the batch's head, this session's own: the payload is
 * shared by sessions with other kinds of checksum. */
static void write_front(struct send *send, uint32_t request,
                        enum checksum_kind checksum, uint64_t table_bytes)
{
    const struct batch *b = send->batch;
    const struct wire_header h = {
        .version = WIRE_VERSION,
        .type = WIRE_BATCH,
        .request = request,
        .payload_bytes = b->layout.tensors_bytes + table_bytes,
    };
    uint8_t *front = send->front + SESSION_LEASE_BYTES;
    wire_encode_header(front, &h);
    memcpy(front + WIRE_HEADER_BYTES, b->payload, WIRE_BATCH_HEAD_BYTES);
    front[WIRE_HEADER_BYTES + WIRE_BATCH_CHECKSUM_OFFSET] = (uint8_t)checksum;
}

/* The pieces of a BATCH behind what its front begins with. */
static void fill_batch(const struct session *s, struct send *send,
                       uint32_t request, size_t n_skipped)
{
    const struct batch *b = send->batch;
    uint64_t table_bytes =
        s->checksum ? 8 * ((uint64_t)b->layout.n_samples + 1) : 0;
    write_front(send, request, s->checksum, table_bytes);
    uv_buf_t *piece = send->write.pieces;
    piece[0].base = (char *)send->front + n_skipped;
    piece[0].len = sizeof send->front - n_skipped;
    piece[1].base = (char *)(uintptr_t)b->payload + WIRE_BATCH_HEAD_BYTES;
    piece[1].len = (size_t)b->layout.tensors_bytes - WIRE_BATCH_HEAD_BYTES;
    /* Little-endian in memory as on the wire: see the assertion below. */
    piece[2].base = (char *)(uintptr_t)b->checksums[s->checksum];
    piece[2].len = (size_t)table_bytes;
    send->write.n_pieces = table_bytes ? 3 : 2;
}

/* The one piece of a SLOT: as long as the fronts of a BATCH. */
static void fill_slot(struct send *send, uint32_t request, size_t n_skipped,
                      const struct wire_slot *m)
{
    struct bytes_writer w;
    wire_frame_begin(&w, send->front + SESSION_LEASE_BYTES,
                     sizeof send->front - SESSION_LEASE_BYTES);
    wire_encode_slot(&w, m);
    size_t n_bytes = wire_frame_finish(&w, WIRE_SLOT, request);
    assert(n_bytes == sizeof send->front - SESSION_LEASE_BYTES);
    send->write.pieces[0].base = (char *)send->front + n_skipped;
    send->write.pieces[0].len = sizeof send->front - n_skipped;
    send->write.n_pieces = 1;
}

/* Takes over o's reference. */
static void send_order(struct session *s, struct order *o, uint32_t request)
{
    struct send *send = s->sends;
    while (send->batch)
        send++; /* n_sends < SESSION_MAX_SENDS: one is free */
    struct batch *b = o->batch;
    struct wire_slot slot;
    const size_t n_skipped = o->lease.id ? 0 : SESSION_LEASE_BYTES;
    send->session = s;
    send->batch = b;
    o->batch = NULL;
    o->state = ORDER_FREE;
    forget_contexts(o);
    if (o->lease.id)
        member_write_lease(s, o, send->front);
    if (slots_take(s, b, &slot))
        fill_slot(send, request, n_skipped, &slot);
    else
        fill_batch(s, send, request, n_skipped);
    send->write.done = on_sent;
    s->n_sends++;
    if (transport_send(&s->transport, &send->write) != 0) {
        send->batch = NULL;
        s->n_sends--;
        batch_unref(b);
        session_break(s, SESSION_END_ERROR, "the socket takes no batch");
    } else if (o->lease.id) {
        member_delivered(s, o);
    }
    account(s);
}
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "checksum tables and tensors travel as they lie in memory");

static bool send_one(struct session *s)
{
    if (s->n_sends >= SESSION_MAX_SENDS)
        return false;
    struct order *pull = oldest_pull(s, ORDER_READY);
    if (pull) {
        s->n_pulls--;
        send_order(s, pull, pull->id);
        return true;
    }
    struct order *first = ahead_at(s, 0);
    if (s->n_ahead == 0 || first->state != ORDER_READY)
        return false;
    s->first_ahead = (s->first_ahead + 1) % SESSION_MAX_AHEAD;
    s->n_ahead--;
    s->credit_batches--;
    s->credit_bytes -= s->batch_bytes;
    consumer_sent(&s->consumer, first->stall_ns == 0, first->stall_ns,
                  host_now_ns());
    send_order(s, first, s->serial);
    return true;
}

void flow_pump(struct session *s)
{
    bool moved = true;
    while (moved && s->state != SESSION_CLOSING) {
        moved = send_one(s);
        moved = begin_pull(s) || moved;
        moved = begin_ahead(s) || moved;
    }
    if (s->failure.code && s->n_ahead == 0)
        session_fail(s, SESSION_END_ERROR, s->serial, s->failure.code,
                     s->failure.text);
    if (s->state == SESSION_DRAINING && flow_is_idle(s))
        session_goodbye(s, SESSION_END_DRAIN, ERROR_DRAINING,
                        "everything promised is sent, the server stops");
}
