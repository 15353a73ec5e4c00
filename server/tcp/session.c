/* The life of a session: accepted, its states, its clocks, its end. Does not
 * read messages (gateway.c) and moves no batches (flow.c).
 * Threads: loop thread only. */
#include "server/tcp/session.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "server/base/host.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/base/metrics.h"

#define MS_NS     1000000ull
#define LINGER_NS (1000 * MS_NS)
/* And while it holds slots, whose batches must not change under its eyes. */
#define SLOTS_LINGER_NS (60000 * MS_NS)
/* What a client that finds us full, or full of work, should wait. */
#define RETRY_MS 1000
/* Beyond max_sessions so many are told so; more are closed without a word. */
#define MAX_REFUSED 64

static const uint8_t moves[SESSION_N_STATES] = {
    [SESSION_FRESH] = 1 << SESSION_READY | 1 << SESSION_CLOSING,
    [SESSION_READY] =
        1 << SESSION_STREAMING | 1 << SESSION_DRAINING | 1 << SESSION_CLOSING,
    [SESSION_STREAMING] =
        1 << SESSION_READY | 1 << SESSION_DRAINING | 1 << SESSION_CLOSING,
    [SESSION_DRAINING] = 1 << SESSION_CLOSING,
    [SESSION_CLOSING] = 0,
};

static const enum metric end_metrics[SESSION_N_ENDS] = {
    [SESSION_END_PEER] = METRIC_TCP_CLOSED_PEER,
    [SESSION_END_ERROR] = METRIC_TCP_CLOSED_ERROR,
    [SESSION_END_TIMEOUT] = METRIC_TCP_CLOSED_TIMEOUT,
    [SESSION_END_DRAIN] = METRIC_TCP_CLOSED_DRAIN,
};

static struct session *session_of(void *owner)
{
    struct session *s = owner;
    assert(s->magic == SESSION_MAGIC);
    return s;
}

void session_move(struct session *s, enum session_state to)
{
    assert(s->state == to || moves[s->state] >> to & 1);
    s->state = to;
}

/* Sending. */

void session_send_frame(struct session *s, const void *frame, size_t n_bytes)
{
    if (s->state == SESSION_CLOSING)
        return;
    assert(n_bytes > 0);
    if (transport_send_control(&s->transport, frame, n_bytes) != 0)
        session_break(s, SESSION_END_ERROR, "no memory for a frame");
}

static void send_error(struct session *s, uint32_t request, int code,
                       bool fatal, const char *text)
{
    uint8_t frame[WIRE_HEADER_BYTES + 16 + WIRE_MAX_TEXT_BYTES];
    struct bytes_writer w;
    struct wire_error m = {.code = (uint16_t)(code < 0 ? -code : code),
                           .fatal = fatal};
    m.retry_after_ms = m.code == ERROR_OVERLOADED ? RETRY_MS : 0;
    snprintf(m.text, sizeof m.text, "%s", text);
    wire_frame_begin(&w, frame, sizeof frame);
    wire_encode_error(&w, &m);
    session_send_frame(s, frame, wire_frame_finish(&w, WIRE_ERROR, request));
}

void session_refuse(struct session *s, uint32_t request, int code,
                    const char *text)
{
    send_error(s, request, code, false, text);
}

/* The end. */

void session_drop_orders(struct session *s)
{
    flow_drop_ahead(s);
    flow_drop_pulls(s);
    member_leave(s);
    consumer_close(&s->consumer);
    s->credit_batches = 0;
    s->credit_bytes = 0;
    feedback_unref(s->feedback);
    s->feedback = NULL;
    s->stream = NULL;
}

/* What came, or has come so far, of a long frame. */
static void drop_long(struct session *s)
{
    refine_drop(s);
    feedback_drop(s);
}

/* From here on the session only waits for its socket. */
static void end(struct session *s, enum session_end why, const char *text)
{
    if (!s->said_close)
        member_detach(s);
    session_drop_orders(s);
    drop_long(s);
    session_move(s, SESSION_CLOSING);
    s->closing_ns = host_now_ns();
    metric_add(end_metrics[why], 1);
    log_info("tcp: session %" PRIu64 " (%s) ends after %" PRIu64 " batches: %s",
             s->number, s->peer, s->sent_batches, text);
}

/* After the last word, which may have ended the session itself. */
static void finish(struct session *s, enum session_end why, const char *text)
{
    if (s->state == SESSION_CLOSING)
        return;
    end(s, why, text);
    transport_finish(&s->transport);
}

void session_fail(struct session *s, enum session_end why, uint32_t request,
                  int code, const char *text)
{
    if (s->state == SESSION_CLOSING)
        return;
    send_error(s, request, code, true, text);
    finish(s, why, text);
}

void session_goodbye(struct session *s, enum session_end why, int code,
                     const char *text)
{
    if (s->state == SESSION_CLOSING)
        return;
    uint8_t frame[WIRE_HEADER_BYTES + 16 + WIRE_MAX_TEXT_BYTES];
    struct bytes_writer w;
    struct wire_close m = {.code = (uint16_t)code};
    snprintf(m.text, sizeof m.text, "%s", text);
    wire_frame_begin(&w, frame, sizeof frame);
    wire_encode_close(&w, &m);
    session_send_frame(s, frame, wire_frame_finish(&w, WIRE_CLOSE, 0));
    finish(s, why, text);
}

void session_bye(struct session *s)
{
    s->said_close = true;
    if (s->n_slots > 0)
        finish(s, SESSION_END_PEER, "the client said CLOSE");
    else
        session_break(s, SESSION_END_PEER, "the client said CLOSE");
}

void session_break(struct session *s, enum session_end why, const char *text)
{
    if (s->state != SESSION_CLOSING)
        end(s, why, text);
    transport_close(&s->transport);
}

/* Events of the transport. */

static void on_frame(void *owner, const struct wire_header *h,
                     const uint8_t *payload)
{
    struct session *s = session_of(owner);
    s->active_ns = host_now_ns();
    s->pinged = false;
    gateway_frame(s, h, payload);
    drop_long(s); /* it was this one, if there is any */
}

static int on_begin(void *owner, const struct wire_header *h,
                    const uint8_t first[TRANSPORT_FIRST_BYTES],
                    uint8_t **out_payload)
{
    struct session *s = session_of(owner);
    s->active_ns = host_now_ns();
    if (!gateway_may_begin(s, h))
        return 0; /* its end is said */
    if (h->type == WIRE_FEEDBACK)
        return feedback_begin(s, h, out_payload);
    *out_payload = refine_begin(s, h, first);
    return 0;
}

static void on_refused(void *owner, int code)
{
    struct session *s = session_of(owner);
    session_fail(s, SESSION_END_ERROR, 0, code, error_sentence(code));
}

static void on_rests(void *owner)
{
    struct session *s = session_of(owner);
    tcp_server_soon(s->server);
}

static void on_ended(void *owner, int uv_status)
{
    struct session *s = session_of(owner);
    session_break(s, SESSION_END_PEER,
                  uv_status == UV_EOF ? "the client closed the connection"
                                      : uv_strerror(uv_status));
}

static void on_closed(void *owner)
{
    struct session *s = session_of(owner);
    struct tcp_server *server = s->server;
    assert(s->n_sends == 0 && s->n_ahead == 0 && s->n_pulls == 0);
    slots_drop(s);
    if (s->previous)
        s->previous->next = s->next;
    else
        server->first_session = s->next;
    if (s->next)
        s->next->previous = s->previous;
    server->n_sessions--;
    metric_add(METRIC_TCP_SESSIONS, -1);
    contexts_budget_trim(&server->contexts);
    s->magic = 0;
    mem_free(s);
}

static const struct transport_events events = {
    .frame = on_frame,
    .begin = on_begin,
    .refused = on_refused,
    .rests = on_rests,
    .ended = on_ended,
    .closed = on_closed,
};

/* The beginning. */

static void link_session(struct tcp_server *server, struct session *s)
{
    s->next = server->first_session;
    if (s->next)
        s->next->previous = s;
    server->first_session = s;
    server->n_sessions++;
    metric_add(METRIC_TCP_SESSIONS, 1);
    metric_add(METRIC_TCP_ACCEPTED, 1);
}

bool session_accept(struct listener *listener)
{
    struct tcp_server *server = listener->server;
    struct session *s = mem_calloc(1, sizeof *s);
    if (!s)
        return false;
    s->magic = SESSION_MAGIC;
    s->server = server;
    s->number = ++server->next_session;
    s->accepted_ns = s->active_ns = host_now_ns();
    if (transport_init(&s->transport, server->loop, listener->is_unix, &events,
                       s) != 0) {
        mem_free(s);
        return false;
    }
    link_session(server, s);
    const uint32_t max = server->config.max_sessions;
    if (uv_accept(&listener->socket.stream, &s->transport.socket.stream) != 0 ||
        transport_start(&s->transport) != 0) {
        session_break(s, SESSION_END_PEER, "it was gone when accepted");
        return true;
    }
    transport_peer(&s->transport, s->peer, sizeof s->peer);
    log_debug("tcp: session %" PRIu64 " from %s", s->number, s->peer);
    if (server->n_sessions > max + MAX_REFUSED)
        session_break(s, SESSION_END_ERROR, "far too many sessions");
    else if (server->n_sessions > max)
        session_fail(s, SESSION_END_ERROR, 0, ERROR_OVERLOADED,
                     "this server has as many sessions as it takes");
    return true;
}

bool session_only_reads(const struct session *s)
{
    const uv_stream_t *stream = &s->transport.socket.stream;
    return s->state == SESSION_CLOSING && s->n_slots > 0 &&
           uv_stream_get_write_queue_size(stream) == 0;
}

/* Draining. */

void session_drain(struct session *s)
{
    if (s->state == SESSION_FRESH)
        session_fail(s, SESSION_END_DRAIN, 0, ERROR_DRAINING,
                     error_sentence(ERROR_DRAINING));
    if (s->state == SESSION_CLOSING)
        return;
    uint8_t frame[WIRE_HEADER_BYTES + 16];
    struct bytes_writer w;
    bool has_cursor = s->stream && !s->member && !s->replay;
    struct wire_drain m = {.position = has_cursor ? s->cursor : 0,
                           .grace_ms = s->server->grace_ms};
    wire_frame_begin(&w, frame, sizeof frame);
    wire_encode_drain(&w, &m);
    session_send_frame(s, frame, wire_frame_finish(&w, WIRE_DRAIN, 0));
    session_move(s, SESSION_DRAINING);
    s->drain_until_ns = host_now_ns() + s->server->grace_ms * MS_NS;
    flow_pump(s);
}

/* Clocks. */

static void send_ping(struct session *s)
{
    uint8_t frame[WIRE_HEADER_BYTES + 8];
    struct bytes_writer w;
    struct wire_ping m = {.token = s->number};
    wire_frame_begin(&w, frame, sizeof frame);
    wire_encode_ping(&w, &m);
    session_send_frame(s, frame, wire_frame_finish(&w, WIRE_PING, 0));
    s->pinged = true;
}

static void tick_closing(struct session *s, uint64_t now_ns)
{
    uint64_t taken = s->transport.taken_bytes;
    transport_stalled_ns(&s->transport, now_ns);
    if (s->transport.taken_bytes != taken)
        s->closing_ns = now_ns;
    if (s->n_slots > 0 && s->said_close)
        return;
    if (now_ns - s->closing_ns > (s->n_slots > 0 ? SLOTS_LINGER_NS : LINGER_NS))
        transport_close(&s->transport);
}

void session_tick(struct session *s, uint64_t now_ns)
{
    const struct tcp_config *c = &s->server->config;
    uint64_t idle_ns = now_ns - s->active_ns;
    uint64_t stalled_ns = s->state == SESSION_CLOSING
                              ? 0 /* it looks itself */
                              : transport_stalled_ns(&s->transport, now_ns);
    if (s->state == SESSION_CLOSING) {
        tick_closing(s, now_ns);
    } else if (stalled_ns > c->write_stall_ms * MS_NS) {
        session_fail(s, SESSION_END_TIMEOUT, 0, ERROR_TIMEOUT,
                     "the client takes no bytes (write stall)");
    } else if (transport_frame_ns(&s->transport, now_ns) >
               c->write_stall_ms * MS_NS) {
        session_fail(s, SESSION_END_TIMEOUT, 0, ERROR_TIMEOUT,
                     "a long frame is not whole in time");
    } else if (!s->opened_once &&
               now_ns - s->accepted_ns > c->hello_timeout_ms * MS_NS) {
        session_fail(s, SESSION_END_TIMEOUT, 0, ERROR_TIMEOUT,
                     "no HELLO and OPEN in time");
    } else if (s->state == SESSION_DRAINING && now_ns > s->drain_until_ns) {
        session_goodbye(s, SESSION_END_DRAIN, ERROR_DRAINING,
                        "the server stops and its grace is over");
    } else if (flow_is_idle(s) && idle_ns > c->idle_timeout_ms * MS_NS) {
        session_fail(s, SESSION_END_TIMEOUT, 0, ERROR_TIMEOUT,
                     "the client is silent (idle)");
    } else {
        if (flow_is_idle(s) && !s->pinged &&
            idle_ns > c->idle_timeout_ms * MS_NS / 2)
            send_ping(s);
        flow_stall(s, stalled_ns > SESSION_STALL_NS);
        flow_pump(s);
    }
}
