/* One connection's socket on libuv: reassembly of frames in a bounded buffer,
 * of long ones in memory that the owner gives; writes from pieces, an orderly
 * end. Does not know what a frame means. Threads: loop thread only. */
#define _GNU_SOURCE /* struct ucred */
#include "server/tcp/transport.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/checksum.h"
#include "common/error.h"
#include "server/base/host.h"
#include "server/base/mem.h"
#include "server/base/metrics.h"

#define KEEPALIVE_S 60
/* Of a long frame at once: small enough that it still lies in the second-level
 * cache when its checksum is computed, and that this takes the loop no longer
 * than some 0.1 ms where it goes by table. A client in the middle of one wakes
 * us when so much is there, not for each segment. */
#define LONG_CHUNK_BYTES (256u << 10)
/* What one connection may send before the others have their turn: 64 that sent
 * without end kept HTTP waiting for seconds, since libuv reads up to 32 chunks
 * of one before it looks at the next. A frame's own work counts like so many
 * bytes of it. */
#define TURN_BYTES  LONG_CHUNK_BYTES
#define FRAME_BYTES 8192

/* A control frame under way, freed when it is written. */
struct control {
    struct transport_write write;
    uint8_t frame[];
};

static void read_on(struct transport *t);

int transport_init(struct transport *t, uv_loop_t *loop, bool is_unix,
                   const struct transport_events *events, void *owner)
{
    int status = is_unix ? uv_pipe_init(loop, &t->socket.pipe, 0)
                         : uv_tcp_init(loop, &t->socket.tcp);
    if (status != 0)
        return status;
    t->is_unix = is_unix;
    t->socket.handle.data = t;
    t->events = events;
    t->owner = owner;
    return 0;
}

int transport_start(struct transport *t)
{
    t->taken_ns = host_now_ns();
    /* Options are a courtesy: a socket without them still works. */
    if (!t->is_unix) {
        uv_tcp_nodelay(&t->socket.tcp, 1);
        uv_tcp_keepalive(&t->socket.tcp, 1, KEEPALIVE_S);
    }
    read_on(t);
    return t->reading ? 0 : -ERROR_IO;
}

/* Reading. */

static bool is_under_way(const struct transport *t)
{
    return t->incoming.header.payload_bytes > 0;
}

/* Where the next bytes of a long frame go at once; 0: nowhere. */
static size_t direct(const struct transport *t, uint8_t **out)
{
    const struct transport_long *l = &t->incoming;
    if (!l->payload || t->n_in > 0)
        return 0;
    uint64_t n_left = l->header.payload_bytes - l->n_got;
    *out = l->payload + l->n_got;
    return n_left < LONG_CHUNK_BYTES ? (size_t)n_left : LONG_CHUNK_BYTES;
}

/* Sets how much must be there before the socket wakes us. */
static void settle_wake(struct transport *t)
{
    uint8_t *at;
    const size_t n_bytes = t->dropping ? 0 : direct(t, &at);
    const int wanted = n_bytes > 0 ? (int)n_bytes : 1;
    int fd;
    if (t->is_unix || t->closing || wanted == t->wake_bytes ||
        (wanted == 1 && t->wake_bytes == 0) ||
        uv_fileno(&t->socket.handle, &fd) != 0)
        return;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &wanted, sizeof wanted) == 0)
        t->wake_bytes = wanted;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct transport *t = handle->data;
    uint8_t *at;
    size_t n_bytes = t->dropping ? 0 : direct(t, &at);
    if (n_bytes > 0)
        *out = uv_buf_init((char *)at, (unsigned)n_bytes);
    else
        *out = uv_buf_init((char *)t->in + t->n_in,
                           (unsigned)(sizeof t->in - t->n_in));
}

static void drop_input(struct transport *t)
{
    t->dropping = true;
    t->n_in = 0;
    t->incoming = (struct transport_long){0};
    settle_wake(t);
    read_on(t);
}

static void refuse(struct transport *t, int code)
{
    drop_input(t);
    t->events->refused(t->owner, code);
}

static bool is_long(const struct wire_header *h)
{
    return h->payload_bytes > WIRE_MAX_CLIENT_BYTES - WIRE_HEADER_BYTES ||
           (h->type == WIRE_REFINE &&
            h->payload_bytes >= TRANSPORT_FIRST_BYTES);
}

static void begin_long(struct transport *t, const struct wire_header *h)
{
    t->incoming =
        (struct transport_long){.header = *h, .begun_ns = host_now_ns()};
}

/* The first bytes are there. */
static void place_long(struct transport *t)
{
    struct transport_long *l = &t->incoming;
    uint8_t *payload = NULL;
    int status = t->events->begin(t->owner, &l->header, l->first, &payload);
    if (status != 0)
        refuse(t, status);
    if (t->dropping || !payload)
        return;
    l->payload = payload;
    memcpy(payload, l->first, sizeof l->first);
}

/* Rests when its turn is over. */
static void spend(struct transport *t, size_t n_bytes)
{
    t->turn_bytes += n_bytes;
    if (t->turn_bytes < TURN_BYTES || t->resting || t->dropping || t->closing)
        return;
    t->resting = true;
    read_on(t);
    t->events->rests(t->owner);
}

/* The payload is whole. */
static void end_long(struct transport *t)
{
    struct transport_long l = t->incoming;
    t->incoming = (struct transport_long){0};
    if (l.crc != l.header.payload_crc32)
        refuse(t, -ERROR_CORRUPT);
    else
        t->events->frame(t->owner, &l.header, l.payload ? l.payload : l.first);
    spend(t, FRAME_BYTES);
}

/* Takes what of data belongs to the long frame under way, 1 byte at least; data
 * may lie where it goes already. Returns how much that was. */
static size_t take_long(struct transport *t, const uint8_t *data,
                        size_t n_bytes)
{
    struct transport_long *l = &t->incoming;
    const bool is_first = l->n_got < sizeof l->first;
    uint64_t end = is_first ? sizeof l->first : l->header.payload_bytes;
    size_t n = n_bytes < end - l->n_got ? n_bytes : (size_t)(end - l->n_got);
    uint8_t *to = is_first ? l->first : l->payload;
    l->crc = checksum_crc32(l->crc, data, n);
    if (to && to + l->n_got != data)
        memcpy(to + l->n_got, data, n);
    l->n_got += n;
    if (is_first && l->n_got == sizeof l->first)
        place_long(t);
    if (is_under_way(t) && l->n_got == l->header.payload_bytes)
        end_long(t);
    return n;
}

uint64_t transport_frame_ns(const struct transport *t, uint64_t now_ns)
{
    return is_under_way(t) ? now_ns - t->incoming.begun_ns : 0;
}

/* Bytes of the frame at the start of `data` when it is whole, of a long one
 * those of its header; 0 when more must come; a negative code when no client
 * sends such a frame. */
static int whole_frame(const uint8_t *data, size_t n_bytes,
                       struct wire_header *out)
{
    if (n_bytes < WIRE_HEADER_BYTES)
        return 0;
    int status = wire_decode_header(data, out);
    if (status != 0)
        return status;
    if (!wire_client_sends(out->type))
        return -ERROR_BAD_FRAME;
    if (is_long(out))
        return WIRE_HEADER_BYTES;
    if (out->payload_bytes > n_bytes - WIRE_HEADER_BYTES)
        return 0;
    status = wire_check_payload(out, data + WIRE_HEADER_BYTES);
    return status ? status : (int)(WIRE_HEADER_BYTES + out->payload_bytes);
}

static void give_frames(struct transport *t)
{
    size_t at = 0;
    while (t->reading && !t->dropping) {
        struct wire_header h;
        if (is_under_way(t) && at < t->n_in) {
            at += take_long(t, t->in + at, t->n_in - at);
            continue;
        }
        int n = whole_frame(t->in + at, t->n_in - at, &h);
        if (n < 0) {
            refuse(t, n);
            return;
        }
        if (n == 0)
            break;
        if (is_long(&h))
            begin_long(t, &h);
        else
            t->events->frame(t->owner, &h, t->in + at + WIRE_HEADER_BYTES);
        at += (size_t)n;
        spend(t, FRAME_BYTES);
    }
    if (t->dropping)
        return;
    t->n_in -= at;
    memmove(t->in, t->in + at, t->n_in);
    settle_wake(t);
}

static void on_read(uv_stream_t *stream, ssize_t n_read, const uv_buf_t *buf)
{
    struct transport *t = stream->data;
    if (n_read < 0) {
        uv_read_stop(stream);
        t->reading = false;
        t->events->ended(t->owner, (int)n_read);
        return;
    }
    if (t->dropping)
        return;
    if ((const uint8_t *)buf->base != t->in + t->n_in) {
        take_long(t, (const uint8_t *)buf->base, (size_t)n_read);
        settle_wake(t);
    } else {
        t->n_in += (size_t)n_read;
        assert(t->n_in <= sizeof t->in);
        give_frames(t);
    }
    spend(t, (size_t)n_read);
}

void transport_resume(struct transport *t)
{
    if (!t->resting || t->closing)
        return;
    t->resting = false;
    t->turn_bytes = 0;
    read_on(t);
    give_frames(t);
}

/* Stops while the peer does not take our answers to what it sends, and while
 * others have their turn. */
static void read_on(struct transport *t)
{
    bool wanted =
        t->dropping || (t->n_controls < TRANSPORT_MAX_CONTROLS && !t->resting);
    if (t->closing || wanted == t->reading)
        return;
    if (!wanted) {
        uv_read_stop(&t->socket.stream);
        t->reading = false;
    } else {
        t->reading = uv_read_start(&t->socket.stream, on_alloc, on_read) == 0;
    }
}

/* Writing. */

static void on_written(uv_write_t *request, int status)
{
    struct transport_write *write = request->data;
    struct transport *t = write->transport;
    if (status == 0)
        metric_add(METRIC_TCP_SENT_BYTES, (int64_t)write->n_bytes);
    write->done(write, status);
    if (status != 0 && !t->closing)
        t->events->ended(t->owner, status);
}

int transport_send(struct transport *t, struct transport_write *write)
{
    if (t->closing || t->finishing)
        return -ERROR_IO;
    write->transport = t;
    write->request.data = write;
    write->n_bytes = 0;
    for (unsigned i = 0; i < write->n_pieces; i++)
        write->n_bytes += write->pieces[i].len;
    if (uv_stream_get_write_queue_size(&t->socket.stream) == 0)
        t->taken_ns = host_now_ns();
    if (uv_write(&write->request, &t->socket.stream, write->pieces,
                 write->n_pieces, on_written) != 0)
        return -ERROR_IO;
    t->queued_bytes += write->n_bytes;
    return 0;
}

static void on_control_written(struct transport_write *write, int status)
{
    struct transport *t = write->transport;
    mem_free(write); /* the control begins with it */
    t->n_controls--;
    if (status == 0 && !t->closing) {
        read_on(t);
        give_frames(t);
    }
}

int transport_send_control(struct transport *t, const void *frame,
                           size_t n_bytes)
{
    struct control *c = mem_calloc(1, sizeof *c + n_bytes);
    if (!c)
        return -ERROR_NO_MEMORY;
    memcpy(c->frame, frame, n_bytes);
    c->write.pieces[0] = uv_buf_init((char *)c->frame, (unsigned)n_bytes);
    c->write.n_pieces = 1;
    c->write.done = on_control_written;
    int status = transport_send(t, &c->write);
    if (status != 0) {
        mem_free(c);
        return status;
    }
    t->n_controls++;
    read_on(t);
    return 0;
}

/* libuv passes only sockets: past it, while it has nothing to write. */
static ssize_t send_fd(int socket, const void *data, size_t n_bytes, int fd)
{
    union {
        struct cmsghdr header; /* for its alignment */
        char bytes[CMSG_SPACE(sizeof fd)];
    } control = {0};
    struct iovec piece = {.iov_base = (void *)(uintptr_t)data,
                          .iov_len = n_bytes};
    struct msghdr m = {.msg_iov = &piece,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = sizeof control.bytes};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
    return sendmsg(socket, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
}

int transport_send_fd(struct transport *t, const void *frame, size_t n_bytes,
                      int fd)
{
    int socket;
    if (!t->is_unix || t->closing || t->finishing ||
        uv_stream_get_write_queue_size(&t->socket.stream) != 0 ||
        uv_fileno(&t->socket.handle, &socket) != 0)
        return -ERROR_IO;
    ssize_t n = send_fd(socket, frame, n_bytes, fd);
    if (n <= 0)
        return -ERROR_IO;
    metric_add(METRIC_TCP_SENT_BYTES, n);
    if ((size_t)n < n_bytes &&
        transport_send_control(t, (const uint8_t *)frame + n,
                               n_bytes - (size_t)n) != 0)
        transport_close(t); /* half a frame is the end */
    return 0;
}

uint64_t transport_stalled_ns(struct transport *t, uint64_t now_ns)
{
    size_t waiting = uv_stream_get_write_queue_size(&t->socket.stream);
    uint64_t taken = t->queued_bytes - waiting;
    if (taken != t->taken_bytes || waiting == 0) {
        t->taken_bytes = taken;
        t->taken_ns = now_ns;
    }
    return now_ns - t->taken_ns;
}

/* The end. */

static void on_shutdown(uv_shutdown_t *request, int status)
{
    struct transport *t = request->data;
    if (status != 0)
        transport_close(t);
}

void transport_finish(struct transport *t)
{
    if (t->closing || t->finishing)
        return;
    t->finishing = true;
    t->shutdown.data = t;
    t->taken_ns = host_now_ns();
    drop_input(t);
    if (!t->reading ||
        uv_shutdown(&t->shutdown, &t->socket.stream, on_shutdown) != 0)
        transport_close(t);
}

static void on_closed(uv_handle_t *handle)
{
    struct transport *t = handle->data;
    t->events->closed(t->owner);
}

void transport_close(struct transport *t)
{
    if (t->closing)
        return;
    t->closing = true;
    t->reading = false;
    uv_close(&t->socket.handle, on_closed);
}

static void unix_peer(const struct transport *t, char *out, size_t out_bytes)
{
    struct ucred who;
    socklen_t n = sizeof who;
    int fd;
    if (uv_fileno(&t->socket.handle, &fd) == 0 &&
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0)
        snprintf(out, out_bytes, "unix, process %ld", (long)who.pid);
    else
        snprintf(out, out_bytes, "unix");
}

void transport_peer(const struct transport *t, char *out, size_t out_bytes)
{
    if (t->is_unix) {
        unix_peer(t, out, out_bytes);
        return;
    }
    struct sockaddr_storage address;
    int n = sizeof address;
    char name[INET6_ADDRSTRLEN] = "?";
    uint16_t port = 0;
    const struct sockaddr *any = (const struct sockaddr *)&address;
    if (uv_tcp_getpeername(&t->socket.tcp, (struct sockaddr *)&address, &n) ==
        0) {
        uv_ip_name(any, name, sizeof name);
        port = any->sa_family == AF_INET6
                   ? ((const struct sockaddr_in6 *)&address)->sin6_port
                   : ((const struct sockaddr_in *)&address)->sin_port;
    }
    bool v6 = strchr(name, ':') != NULL;
    snprintf(out, out_bytes, v6 ? "[%s]:%u" : "%s:%u", name,
             (unsigned)ntohs(port));
}
