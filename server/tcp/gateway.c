/* Answers the client's messages: one function each, behind a table of what is
 * allowed when. Does not move batches (flow.c), knows no socket.
 * Threads: loop thread only. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/fingerprint.h"
#include "server/base/host.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/tcp/session.h"

/* HELLO. */

static enum checksum_kind best_kind(uint32_t kinds)
{
    for (int kind = CHECKSUM_N_KINDS - 1; kind > CHECKSUM_NONE; kind--)
        if (kinds >> kind & 1)
            return (enum checksum_kind)kind;
    return CHECKSUM_NONE;
}

static uint32_t grantable(const struct session *s)
{
    bool ring = s->transport.is_unix && store_shared_fd(s->server->store) >= 0;
    uint32_t all = SESSION_CAPABILITIES | (ring ? WIRE_CAPABILITY_RING : 0);
    const uint32_t groups = WIRE_CAPABILITY_GROUPS | WIRE_CAPABILITY_KEEP;
    return s->server->config.leases ? all : all & ~groups;
}

static int on_hello(struct session *s, const struct wire_header *h,
                    struct bytes_reader *r)
{
    struct wire_hello m;
    if (wire_decode_hello(r, &m) != 0)
        return -ERROR_BAD_FRAME;
    char text[WIRE_MAX_TEXT_BYTES];
    if (m.min_version > WIRE_VERSION || m.max_version < WIRE_VERSION) {
        snprintf(text, sizeof text,
                 "this server speaks version %d, the client %d to %d",
                 WIRE_VERSION, m.min_version, m.max_version);
        session_fail(s, SESSION_END_ERROR, h->request, ERROR_UNSUPPORTED, text);
    } else if (!tokens_accept(s->server->config.tokens, m.token)) {
        session_fail(s, SESSION_END_ERROR, h->request, ERROR_UNAUTHORIZED,
                     error_sentence(ERROR_UNAUTHORIZED));
    } else {
        memcpy(s->client, m.client, sizeof s->client);
        s->checksum = best_kind(m.checksum_kinds);
        s->capabilities = m.capabilities & grantable(s);
        session_move(s, SESSION_READY);
        announce_welcome(s, h->request);
    }
    return 0;
}

/* OPEN. */

static int check_fingerprint(const struct stream *stream,
                             const struct wire_open *m, struct fault *fault)
{
    struct digest expected;
    char hex[DIGEST_HEX_BYTES], why[FINGERPRINT_TEXT_BYTES];
    memcpy(expected.bytes, m->fingerprint, sizeof expected.bytes);
    if (!m->has_fingerprint || memcmp(expected.bytes, stream->fingerprint.bytes,
                                      sizeof expected.bytes) == 0)
        return 0;
    digest_hex(&expected, hex);
    fingerprint_explain(stream->fingerprint.bytes, expected.bytes, why);
    return fault_set(fault, ERROR_FINGERPRINT,
                     "stream %s is not the expected one: %s; its fingerprint "
                     "is %s, not %s",
                     stream->name, why, stream->fingerprint_hex, hex);
}

_Static_assert(PLAN_MAX_CANDIDATES == WIRE_MAX_CANDIDATES,
               "what is asked for can be composed");

/* Payload of each batch, into s. The store makes room for a table of checksums
 * whether one is sent or not. */
static int lay_out(struct session *s, const struct stream *stream,
                   const struct wire_open *m, struct fault *fault)
{
    const struct store *store = s->server->store;
    struct batch_layout layout;
    const uint32_t k = s->n_candidates;
    int status = stream_check_candidates(k, fault);
    if (status != 0)
        return status;
    status =
        batch_layout_init_candidates(&layout, &stream->recipe, stream->catalog,
                                     s->n_samples, k, m->dtype, m->layout);
    if (status == -ERROR_BAD_ARGUMENT)
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "image dtype %d or layout %d is not served", m->dtype,
                         m->layout);
    const uint64_t n = (uint64_t)s->n_samples * k;
    uint64_t table_bytes = 8 * (n + 1);
    if (status != 0 || n > store_max_samples(store) ||
        layout.tensors_bytes + table_bytes > store_max_batch_bytes(store))
        return fault_set(fault, ERROR_TOO_LARGE,
                         "a batch of %" PRIu64 " samples is beyond the limit "
                         "of %" PRIu32 " samples or %" PRIu64 " bytes%s",
                         n, store_max_samples(store),
                         store_max_batch_bytes(store), store_limit_hint(store));
    s->dtype = layout.format.dtype;
    s->layout = layout.format.layout;
    s->batch_bytes = layout.tensors_bytes + (s->checksum ? table_bytes : 0);
    return 0;
}

/* The round must fit beside one batch that is composed, or nothing of it would
 * still be there when it is asked for again. */
static int check_replay(const struct session *s, uint32_t replay,
                        uint64_t position, uint32_t global_batch,
                        struct fault *fault)
{
    uint64_t max_bytes = store_max_batch_bytes(s->server->store);
    if (replay > max_bytes / s->batch_bytes)
        return fault_set(fault, ERROR_TOO_LARGE,
                         "a round of %" PRIu32 " batches: the cache keeps at "
                         "most %" PRIu64 " of them",
                         replay, max_bytes / s->batch_bytes);
    if ((uint64_t)replay * global_batch > WIRE_MAX_POSITION - position)
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "the round ends beyond the last position");
    return 0;
}

/* A reference of the session's, until its stream is closed. */
static int take_feedback(struct session *s, const struct stream *stream,
                         const uint8_t wanted[FEEDBACK_DIGEST_BYTES],
                         struct fault *fault)
{
    struct digest digest;
    memcpy(digest.bytes, wanted, sizeof digest.bytes);
    return feedback_store_find(s->server->config.feedback, stream, &digest,
                               &s->feedback, fault);
}

int gateway_open_stream(struct session *s, const struct wire_open *m,
                        uint32_t request, struct fault *fault)
{
    struct stream_slice slice;
    struct stream *stream = stream_find(s->server->streams, m->stream);
    if (request == 0)
        return fault_set(fault, ERROR_BAD_ARGUMENT, "OPEN's request id is 0");
    if (!stream)
        return fault_set(fault, ERROR_NOT_FOUND, "no stream \"%s\"", m->stream);
    int status = check_fingerprint(stream, m, fault);
    if (status != 0)
        return status;
    uint32_t g = m->global_batch ? m->global_batch : stream->recipe.batch;
    status = stream_slice(m->position, g, m->rank, m->world, &slice, fault);
    if (status != 0)
        return status;
    s->n_samples = slice.n_samples;
    s->n_candidates = m->extras.candidates ? m->extras.candidates : 1;
    status = lay_out(s, stream, m, fault);
    if (status == 0 && m->extras.replay)
        status = check_replay(s, m->extras.replay, m->position, g, fault);
    if (status == 0 && m->extras.has_feedback)
        status = take_feedback(s, stream, m->extras.feedback, fault);
    if (status != 0)
        return status;
    s->replay = m->extras.replay;
    s->replay_from = m->position;
    s->stream = stream;
    s->serial = request;
    s->global_batch = g;
    s->rank = m->rank;
    s->world = m->world;
    s->cursor = m->position;
    return 0;
}

static int on_open(struct session *s, const struct wire_header *h,
                   struct bytes_reader *r)
{
    struct fault fault = {0};
    struct wire_open m;
    if (wire_decode_open(r, &m) != 0 ||
        (wire_extras_needs(&m.extras) & ~s->capabilities))
        return -ERROR_BAD_FRAME;
    session_drop_orders(s);
    int status = gateway_open_stream(s, &m, h->request, &fault);
    gateway_answer_open(s, h->request, status, &fault);
    return 0;
}

void gateway_answer_open(struct session *s, uint32_t request, int status,
                         const struct fault *fault)
{
    session_move(s, status == 0 ? SESSION_STREAMING : SESSION_READY);
    if (status != 0) {
        session_refuse(s, request, status, fault->text);
        return;
    }
    s->opened_once = true;
    s->consumer.peer = s->peer;
    s->consumer.client = s->client;
    s->consumer.session = s->number;
    s->consumer.n_samples = s->n_samples;
    s->consumer.batch_bytes = s->batch_bytes;
    consumer_open(&s->consumer, s->server->store, s->stream, host_now_ns());
    log_info("tcp: session %" PRIu64 " (%s, %s) opens %s at %" PRIu64
             ", batch %" PRIu32 ", rank %" PRIu32 " of %" PRIu32,
             s->number, s->peer, s->client, s->stream->name, s->cursor,
             s->global_batch, s->rank, s->world);
    announce_opened(s, request);
}

/* CREDIT, SEEK, PULL. */

static void note_pace(struct session *s, const struct wire_credit *m)
{
    const struct pace pace = {.n_ready = m->found_ready,
                              .n_waited = m->waited,
                              .busy_ns = m->busy_ns,
                              .wait_ns = m->wait_ns};
    consumer_tells(&s->consumer, &pace, host_now_ns());
}

static int on_credit(struct session *s, const struct wire_header *h,
                     struct bytes_reader *r)
{
    const struct tcp_config *c = &s->server->config;
    struct wire_credit m;
    if (wire_decode_credit(r, &m) != 0 ||
        (m.has_pace && !(s->capabilities & WIRE_CAPABILITY_PACE)))
        return -ERROR_BAD_FRAME;
    if (!s->stream)
        return 0; /* draining */
    bool batches_fit = m.batches <= c->max_credit_batches &&
                       s->credit_batches <= c->max_credit_batches - m.batches;
    bool bytes_fit =
        m.bytes == 0 || (m.bytes <= c->max_credit_bytes &&
                         s->credit_bytes <= c->max_credit_bytes - m.bytes);
    if (!batches_fit || !bytes_fit) {
        session_refuse(s, h->request, ERROR_TOO_LARGE,
                       "more credit than WELCOME allows");
        return 0;
    }
    s->credit_batches += m.batches;
    s->credit_bytes += m.bytes ? m.bytes : m.batches * s->batch_bytes;
    member_renew(s);
    if (m.has_pace)
        note_pace(s, &m);
    flow_pump(s);
    return 0;
}

static bool is_pull(const struct session *s, uint32_t request)
{
    for (uint32_t i = 0; i < SESSION_MAX_PULLS; i++)
        if (s->pulls[i].state != ORDER_FREE && s->pulls[i].id == request)
            return true;
    return false;
}

static int on_seek(struct session *s, const struct wire_header *h,
                   struct bytes_reader *r)
{
    struct fault fault = {0};
    struct stream_slice slice;
    struct wire_seek m;
    if (wire_decode_seek(r, &m) != 0)
        return -ERROR_BAD_FRAME;
    int status = stream_slice(m.position, s->global_batch, s->rank, s->world,
                              &slice, &fault);
    if (status == 0 && s->replay)
        status =
            check_replay(s, s->replay, m.position, s->global_batch, &fault);
    if (s->member)
        status = fault_set(&fault, ERROR_BAD_ARGUMENT,
                           "a group gives out its steps in its own order");
    else if (h->request == 0 || is_pull(s, h->request))
        status = fault_set(&fault, ERROR_BAD_ARGUMENT,
                           "SEEK's request id is 0 or a PULL's");
    if (status != 0) {
        session_refuse(s, h->request, status, fault.text);
        return 0;
    }
    flow_drop_ahead(s);
    s->serial = h->request;
    s->cursor = s->replay_from = m.position;
    flow_pump(s);
    return 0;
}

static int on_pull(struct session *s, const struct wire_header *h,
                   struct bytes_reader *r)
{
    struct fault fault = {0};
    struct wire_pull m;
    if (wire_decode_pull(r, &m) != 0)
        return -ERROR_BAD_FRAME;
    int status = h->request == 0 || h->request == s->serial
                     ? fault_set(&fault, ERROR_BAD_ARGUMENT,
                                 "PULL's request id is 0 or the stream's")
                     : flow_pull(s, h->request, m.position, NULL, &fault);
    if (status != 0)
        session_refuse(s, h->request, status, fault.text);
    flow_pump(s);
    return 0;
}

static int on_return(struct session *s, const struct wire_header *h,
                     struct bytes_reader *r)
{
    struct wire_return m;
    if (wire_decode_return(r, &m) != 0)
        return -ERROR_BAD_FRAME;
    if (slots_return(s, m.slot))
        flow_pump(s);
    else
        session_fail(s, SESSION_END_ERROR, h->request, ERROR_BAD_ARGUMENT,
                     "RETURN of a slot that this session does not hold");
    return 0;
}

/* PING, PONG, CLOSE. */

static int on_ping(struct session *s, const struct wire_header *h,
                   struct bytes_reader *r)
{
    uint8_t frame[WIRE_HEADER_BYTES + 8];
    struct bytes_writer w;
    struct wire_ping m;
    if (wire_decode_ping(r, &m) != 0)
        return -ERROR_BAD_FRAME;
    wire_frame_begin(&w, frame, sizeof frame);
    wire_encode_ping(&w, &m);
    session_send_frame(s, frame, wire_frame_finish(&w, WIRE_PONG, h->request));
    return 0;
}

/* That it came is all it says: on_frame noted the time. */
static int on_pong(struct session *s, const struct wire_header *h,
                   struct bytes_reader *r)
{
    struct wire_ping m;
    return wire_decode_ping(r, &m);
}

static int on_close(struct session *s, const struct wire_header *h,
                    struct bytes_reader *r)
{
    struct wire_close m;
    if (wire_decode_close(r, &m) != 0)
        return -ERROR_BAD_FRAME;
    session_bye(s);
    return 0;
}

/* What is allowed when: PROTOCOL.md section 5. */

#define IN(state) (1u << (state))
#define GREETED                                                                \
    (IN(SESSION_READY) | IN(SESSION_STREAMING) | IN(SESSION_DRAINING))

static const struct rule {
    int (*handle)(struct session *s, const struct wire_header *h,
                  struct bytes_reader *r);
    unsigned states;   /* where it is handled */
    unsigned forgiven; /* where it gets an ERROR that is not fatal */
    uint32_t needs;    /* capabilities */
} rules[] = {
    [WIRE_HELLO] = {on_hello, IN(SESSION_FRESH), 0, 0},
    [WIRE_OPEN] = {on_open, IN(SESSION_READY) | IN(SESSION_STREAMING),
                   IN(SESSION_DRAINING), 0},
    [WIRE_JOIN] = {member_on_join, IN(SESSION_READY) | IN(SESSION_STREAMING),
                   IN(SESSION_DRAINING), WIRE_CAPABILITY_GROUPS},
    [WIRE_ACK] = {member_on_ack, IN(SESSION_STREAMING) | IN(SESSION_DRAINING),
                  IN(SESSION_READY), WIRE_CAPABILITY_GROUPS},
    [WIRE_CREDIT] = {on_credit, IN(SESSION_STREAMING) | IN(SESSION_DRAINING),
                     IN(SESSION_READY), 0},
    [WIRE_PULL] = {on_pull, IN(SESSION_STREAMING), GREETED, 0},
    [WIRE_REFINE] = {refine_end, IN(SESSION_STREAMING), GREETED,
                     WIRE_CAPABILITY_HARD},
    [WIRE_SEEK] = {on_seek, IN(SESSION_STREAMING), GREETED, 0},
    [WIRE_RETURN] = {on_return, GREETED, 0, WIRE_CAPABILITY_RING},
    [WIRE_PING] = {on_ping, GREETED, 0, 0},
    [WIRE_PONG] = {on_pong, GREETED, 0, 0},
    [WIRE_ASK] = {ask_answer, GREETED, 0, WIRE_CAPABILITY_ASK},
    [WIRE_FEEDBACK] = {feedback_on_upload,
                       IN(SESSION_READY) | IN(SESSION_STREAMING),
                       IN(SESSION_DRAINING), WIRE_CAPABILITY_HARD},
    [WIRE_CLOSE] = {on_close, GREETED | IN(SESSION_FRESH), 0, 0},
};
#define N_RULES (sizeof rules / sizeof rules[0])

static bool takes(const struct session *s, int type)
{
    if (type >= (int)N_RULES)
        return false;
    const struct rule *rule = &rules[type];
    return rule->handle && (s->capabilities & rule->needs) == rule->needs;
}

static bool is_agreed(struct session *s, const struct wire_header *h)
{
    char text[WIRE_MAX_TEXT_BYTES];
    if (takes(s, h->type))
        return true;
    snprintf(text, sizeof text, "%s is not agreed on in WELCOME",
             wire_type_name(h->type));
    session_fail(s, SESSION_END_ERROR, h->request, ERROR_UNSUPPORTED, text);
    return false;
}

bool gateway_may_begin(struct session *s, const struct wire_header *h)
{
    return s->state != SESSION_CLOSING && is_agreed(s, h);
}

/* Of a REFINE only its head is read here, and where it was dropped only that
 * lies at payload. */
static size_t n_readable(const struct wire_header *h)
{
    return h->type == WIRE_REFINE && h->payload_bytes > WIRE_REFINE_HEAD_BYTES
               ? WIRE_REFINE_HEAD_BYTES
               : (size_t)h->payload_bytes;
}

void gateway_frame(struct session *s, const struct wire_header *h,
                   const uint8_t *payload)
{
    struct bytes_reader r;
    char text[WIRE_MAX_TEXT_BYTES];
    if (!is_agreed(s, h))
        return;
    const struct rule *rule = &rules[h->type];
    bytes_reader_init(&r, payload, n_readable(h));
    if (rule->states & IN(s->state)) {
        if (rule->handle(s, h, &r) != 0) {
            snprintf(text, sizeof text, "the payload of %s is malformed",
                     wire_type_name(h->type));
            session_fail(s, SESSION_END_ERROR, h->request, ERROR_BAD_FRAME,
                         text);
        }
        return;
    }
    int code = s->state == SESSION_DRAINING ? ERROR_DRAINING : ERROR_BAD_STATE;
    snprintf(text, sizeof text, "%s is not allowed now (%s)",
             wire_type_name(h->type), error_sentence(code));
    if (rule->forgiven & IN(s->state))
        session_refuse(s, h->request, code, text);
    else
        session_fail(s, SESSION_END_ERROR, h->request, code, text);
}
