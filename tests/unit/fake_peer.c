/* One connection of the fake server: handshake, credit, batches, and the
 * plan's faults. Its batches are fake_batch.c's. */
#include "tests/unit/fake_peer.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/unit/fake_batch.h"

#define ASKED_MS 5000 /* then it was not asked */

/* Waits for the socket, or for fake_stop: false. timeout_ms -1: for ever. */
static bool ready(struct peer *p, short events, int timeout_ms)
{
    struct pollfd fds[2] = {{.fd = p->fd, .events = events},
                            {.fd = p->server->stop_fd, .events = POLLIN}};
    int n = poll(fds, 2, timeout_ms);
    return n > 0 && fds[1].revents == 0;
}

static bool receive(struct peer *p, void *out, size_t n_bytes)
{
    uint8_t *at = out;
    while (n_bytes > 0) {
        if (!ready(p, POLLIN, -1))
            return false;
        ssize_t n = recv(p->fd, at, n_bytes, 0);
        if (n <= 0)
            return false;
        at += n;
        n_bytes -= (size_t)n;
    }
    return true;
}

static bool send_all(struct peer *p, const void *data, size_t n_bytes)
{
    const uint8_t *at = data;
    while (n_bytes > 0) {
        if (!ready(p, POLLOUT, -1))
            return false;
        ssize_t n = send(p->fd, at, n_bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN)
            return false;
        at += n > 0 ? n : 0;
        n_bytes -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

static bool send_frame(struct peer *p, struct bytes_writer *w,
                       enum wire_type type, uint32_t request)
{
    size_t n = wire_frame_finish(w, type, request);
    return n > 0 && send_all(p, w->start, n);
}

static bool send_error(struct peer *p, uint32_t request, bool fatal)
{
    uint8_t bytes[1024];
    struct bytes_writer w;
    struct wire_error e = {.code = (uint16_t)p->plan->code,
                           .fatal = fatal,
                           .text = "told to fail"};
    wire_frame_begin(&w, bytes, sizeof bytes);
    wire_encode_error(&w, &e);
    return send_frame(p, &w, WIRE_ERROR, request);
}

static bool send_welcome(struct peer *p)
{
    static struct wire_welcome m;
    uint8_t bytes[2048];
    struct bytes_writer w;
    m = (struct wire_welcome){.version = WIRE_VERSION,
                              .checksum = CHECKSUM_XXH3,
                              .engine = 7,
                              .max_batch_samples = 1024,
                              .max_batch_bytes = 1u << 30,
                              .max_credit_batches = 64,
                              .max_pulls = 4,
                              .idle_timeout_ms = 60000,
                              .server = "fake 1",
                              .n_streams = 2,
                              .streams = {"first", "second"}};
    wire_frame_begin(&w, bytes, sizeof bytes);
    wire_encode_welcome(&w, &m);
    return send_frame(p, &w, WIRE_WELCOME, p->header.request);
}

static bool send_opened(struct peer *p)
{
    static const char *const names[FAKE_CLASSES] = {"stop", "yield",
                                                    "go \"1\""};
    uint8_t bytes[1024];
    struct bytes_writer w;
    struct wire_opened m = {.seed = 11,
                            .edges_per_epoch = FAKE_EPOCH,
                            .position = p->open.position,
                            .global_batch = p->open.global_batch,
                            .rank = p->open.rank,
                            .world = p->open.world,
                            .n_samples = p->open.global_batch / p->open.world,
                            .n_objects = 5,
                            .n_backgrounds = 6,
                            .objects_per_background = 2,
                            .height = FAKE_SIDE,
                            .width = FAKE_SIDE,
                            .dtype = TENSOR_U8,
                            .layout = TENSOR_NHWC,
                            .channels = TENSOR_RGB,
                            .n_classes = FAKE_CLASSES};
    memset(m.fingerprint, p->plan->fingerprint ? p->plan->fingerprint : 0x5a,
           sizeof m.fingerprint);
    m.batch_bytes = fake_batch_bytes(m.n_samples);
    if (p->plan->greeting == FAKE_OTHER_POSITION)
        m.position++;
    if (p->plan->greeting == FAKE_OTHER_SHAPE) {
        m.height = 2 * FAKE_SIDE;
        m.width = FAKE_SIDE / 2;
    }
    wire_frame_begin(&w, bytes, sizeof bytes);
    wire_encode_opened(&w, &m);
    uint32_t n_names = FAKE_CLASSES - (p->plan->greeting == FAKE_CLASS_LIE);
    for (uint32_t i = 0; i < n_names; i++)
        bytes_write_string(&w, names[i]);
    return send_frame(p, &w, WIRE_OPENED, p->serial);
}

/* Sends a batch, or half of it and the rest later, or only the half. */
static bool send_batch(struct peer *p, uint32_t request, uint64_t cursor,
                       bool damage, enum fake_then how)
{
    uint32_t n = p->open.global_batch / p->open.world;
    size_t n_bytes;
    uint8_t *frame = fake_batch_make(
        request, cursor + (uint64_t)p->open.rank * n, n, &n_bytes);
    if (damage)
        fake_batch_damage(frame, n_bytes, p->plan->corrupt_label);
    size_t first = how == FAKE_GO_ON ? n_bytes : n_bytes / 2;
    bool good = send_all(p, frame, first);
    if (good && how == FAKE_HALF_THEN_WAIT) {
        sem_wait(&p->server->release);
        good = send_all(p, frame + first, n_bytes - first);
    }
    if (good && how == FAKE_HALF_UNTIL_ASKED)
        good = ready(p, POLLIN, ASKED_MS) &&
               send_all(p, frame + first, n_bytes - first);
    free(frame);
    return good && how != FAKE_DROP_MID_BATCH;
}

static bool send_next(struct peer *p, enum fake_then how)
{
    bool damage = p->n_damaged < p->plan->n_corrupt;
    p->n_damaged += damage;
    if (p->credit > 0)
        p->credit--;
    pthread_mutex_lock(&p->server->mutex);
    p->server->counts.batches++;
    pthread_mutex_unlock(&p->server->mutex);
    bool good = send_batch(p, p->serial, p->cursor, damage, how);
    p->cursor += p->open.global_batch;
    p->sent++;
    return good;
}

static bool send_raw_header(struct peer *p)
{
    uint8_t bytes[WIRE_HEADER_BYTES];
    struct wire_header h = {.version = WIRE_VERSION,
                            .type = WIRE_BATCH,
                            .request = p->serial,
                            .payload_bytes = WIRE_MAX_BATCH_BYTES - 64};
    wire_encode_header(bytes, &h);
    return send_all(p, bytes, sizeof bytes);
}

static bool send_small(struct peer *p, enum wire_type type)
{
    uint8_t bytes[256];
    struct bytes_writer w;
    wire_frame_begin(&w, bytes, sizeof bytes);
    if (type == WIRE_DRAIN)
        wire_encode_drain(
            &w, &(struct wire_drain){.position = p->cursor, .grace_ms = 1000});
    else if (type == WIRE_CLOSE)
        wire_encode_close(&w, &(struct wire_close){.code = ERROR_DRAINING});
    else
        wire_encode_ping(&w, &(struct wire_ping){.token = 77});
    return send_frame(p, &w, type, 0);
}

/* All that was sent arrives: a close() with CREDIT unread would reset the
 * connection and take what waits to be sent along. */
static bool drop(struct peer *p)
{
    uint8_t rest[256];
    shutdown(p->fd, SHUT_WR);
    while (ready(p, POLLIN, ASKED_MS) && recv(p->fd, rest, sizeof rest, 0) > 0)
        ;
    return false;
}

/* The plan's fault; false ends the connection. */
static bool misbehave(struct peer *p)
{
    static const uint8_t garbage[64] = "these bytes are not a frame";
    p->then_done = true;
    switch (p->plan->then) {
    case FAKE_GO_ON:
        return true;
    case FAKE_DROP:
        return drop(p);
    case FAKE_DROP_MID_BATCH:
    case FAKE_HALF_THEN_WAIT:
    case FAKE_HALF_UNTIL_ASKED:
        return send_next(p, p->plan->then);
    case FAKE_STOP_ANSWERING:
        p->silent = true;
        return true;
    case FAKE_ERROR:
        send_error(p, p->serial, true);
        return false;
    case FAKE_SOFT_ERROR:
        return send_error(p, p->serial, false);
    case FAKE_OVERSIZED:
        return send_raw_header(p);
    case FAKE_GARBAGE:
        return send_all(p, garbage, sizeof garbage);
    case FAKE_DRAIN:
        return send_small(p, WIRE_DRAIN) && send_small(p, WIRE_CLOSE);
    case FAKE_PING:
        return send_small(p, WIRE_PING);
    case FAKE_UNASKED: /* whatever credit is on its way, this is more */
        while (send_next(p, FAKE_GO_ON))
            ;
        return false;
    case FAKE_WRONG_POSITION:
        p->cursor++;
        return send_next(p, FAKE_GO_ON);
    }
    return false;
}

static bool answer_open(struct peer *p, struct bytes_reader *r)
{
    struct fake_counts *c = &p->server->counts;
    if (wire_decode_open(r, &p->open) != 0)
        return false;
    if (p->open.global_batch == 0)
        p->open.global_batch = FAKE_G;
    p->serial = p->header.request;
    p->cursor = p->open.position;
    pthread_mutex_lock(&p->server->mutex);
    c->opened_at = p->open.position;
    c->rank = p->open.rank;
    c->world = p->open.world;
    pthread_mutex_unlock(&p->server->mutex);
    if (p->plan->greeting == FAKE_REFUSE_OPEN)
        return send_error(p, p->serial, false);
    return send_opened(p);
}

static bool answer_hello(struct peer *p, struct bytes_reader *r)
{
    struct wire_hello hello;
    if (wire_decode_hello(r, &hello) != 0)
        return false;
    pthread_mutex_lock(&p->server->mutex);
    memcpy(p->server->counts.token, hello.token,
           sizeof p->server->counts.token - 1);
    pthread_mutex_unlock(&p->server->mutex);
    if (p->plan->greeting == FAKE_NO_WELCOME)
        p->silent = true;
    if (p->silent)
        return true;
    if (p->plan->greeting == FAKE_REFUSE_HELLO) {
        send_error(p, p->header.request, true);
        return false;
    }
    return send_welcome(p);
}

static bool answer_credit(struct peer *p, struct bytes_reader *r)
{
    struct fake_counts *c = &p->server->counts;
    struct wire_credit m;
    if (wire_decode_credit(r, &m) != 0)
        return false;
    p->credit += m.batches;
    pthread_mutex_lock(&p->server->mutex);
    c->credit += m.batches;
    if (p->credit > c->max_outstanding)
        c->max_outstanding = p->credit;
    pthread_mutex_unlock(&p->server->mutex);
    return true;
}

static bool answer_seek(struct peer *p, struct bytes_reader *r)
{
    struct wire_seek m;
    if (wire_decode_seek(r, &m) != 0)
        return false;
    if (p->plan->stale_after_seek && p->credit > 0 && !send_next(p, FAKE_GO_ON))
        return false;
    p->serial = p->header.request;
    p->cursor = m.position;
    pthread_mutex_lock(&p->server->mutex);
    p->server->counts.seeks++;
    p->server->counts.sought = m.position;
    pthread_mutex_unlock(&p->server->mutex);
    return true;
}

static bool answer_pull(struct peer *p, struct bytes_reader *r)
{
    struct wire_pull m;
    if (wire_decode_pull(r, &m) != 0)
        return false;
    pthread_mutex_lock(&p->server->mutex);
    p->server->counts.pulls++;
    pthread_mutex_unlock(&p->server->mutex);
    if (p->plan->refuse_pulls)
        return send_error(p, p->header.request, false);
    return send_batch(p, p->header.request, m.position,
                      p->plan->corrupt_pulls && p->n_damaged++ == 0,
                      FAKE_GO_ON);
}

static bool answer_ping(struct peer *p, struct bytes_reader *r)
{
    uint8_t bytes[64];
    struct bytes_writer w;
    struct wire_ping m;
    if (wire_decode_ping(r, &m) != 0)
        return false;
    wire_frame_begin(&w, bytes, sizeof bytes);
    wire_encode_ping(&w, &m);
    return send_frame(p, &w, WIRE_PONG, p->header.request);
}

static bool take_pong(struct peer *p, struct bytes_reader *r)
{
    struct wire_ping m;
    pthread_mutex_lock(&p->server->mutex);
    p->server->counts.pongs += wire_decode_ping(r, &m) == 0 && m.token == 77;
    pthread_mutex_unlock(&p->server->mutex);
    return true;
}

static bool answer(struct peer *p)
{
    uint8_t head[WIRE_HEADER_BYTES];
    struct bytes_reader r;
    if (!receive(p, head, sizeof head) ||
        wire_decode_header(head, &p->header) != 0 ||
        p->header.payload_bytes > sizeof p->payload ||
        !receive(p, p->payload, (size_t)p->header.payload_bytes) ||
        wire_check_payload(&p->header, p->payload) != 0)
        return false;
    if (p->silent)
        return true;
    bytes_reader_init(&r, p->payload, (size_t)p->header.payload_bytes);
    switch (p->header.type) {
    case WIRE_HELLO:
        return answer_hello(p, &r);
    case WIRE_OPEN:
        return answer_open(p, &r);
    case WIRE_CREDIT:
        return answer_credit(p, &r);
    case WIRE_SEEK:
        return answer_seek(p, &r);
    case WIRE_PULL:
        return answer_pull(p, &r);
    case WIRE_PING:
        return answer_ping(p, &r);
    case WIRE_PONG:
        return take_pong(p, &r);
    default:
        return false;
    }
}

/* Frames that wait are answered before the next batch goes out, so that a SEEK
 * meets as few stale batches as the plan says. */
void fake_peer_converse(struct peer *p)
{
    bool alive = true;
    while (alive) {
        bool fault_due = p->serial != 0 && p->sent >= p->plan->after &&
                         !p->then_done && p->plan->then != FAKE_GO_ON &&
                         p->credit > 0;
        bool can_send = p->credit > 0 && !p->silent;
        if (ready(p, POLLIN, can_send ? 0 : -1))
            alive = answer(p);
        else if (!can_send)
            return; /* fake_stop */
        else if (fault_due)
            alive = misbehave(p);
        else
            alive = send_next(p, FAKE_GO_ON);
    }
}
