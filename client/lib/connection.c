/* A non-blocking TCP or Unix socket behind poll(). Knows no frames and never
 * retries. Threads: one at a time. */
#include "client/lib/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "client/lib/clock.h"

/* One recv() at most: small enough that what it brought is still in the
 * second-level cache when its checksum is computed. */
#define READ_CHUNK_BYTES (256u << 10)
/* Who waits for more than this is woken when so much is there: once, where
 * each segment would wake it. A link that takes longer than that to bring it
 * wakes for each, as ever. */
#define WAKE_BYTES (1u << 20)
#define WAKE_MS    10

void connection_init(struct connection *c, int wake_fd,
                     bool (*stopping)(void *context), void *context)
{
    *c = (struct connection){.fd = -1,
                             .wake_fd = wake_fd,
                             .passed_fd = -1,
                             .stopping = stopping,
                             .context = context};
}

void connection_close(struct connection *c)
{
    if (c->fd >= 0)
        close(c->fd);
    if (c->passed_fd >= 0)
        close(c->passed_fd);
    c->fd = c->passed_fd = -1;
    c->takes_fd = false;
    c->wake_bytes = 0;
}

/* Empties the eventfd; true when the owner stops. */
static bool drain_wakes(struct connection *c)
{
    uint64_t count;
    (void)!read(c->wake_fd, &count, sizeof count); /* all of them at once */
    return c->stopping != NULL && c->stopping(c->context);
}

/* Waits for events on the socket; *out_ready false after a wake. */
static int wait_for(struct connection *c, short events, int64_t deadline_ns,
                    bool *out_ready)
{
    struct pollfd fds[2] = {{.fd = c->fd, .events = events},
                            {.fd = c->wake_fd, .events = POLLIN}};
    for (;;) {
        int n = poll(fds, 2, clock_left_ms(deadline_ns));
        if (n < 0 && errno != EINTR)
            return -ERROR_IO;
        if (n > 0 && fds[1].revents != 0 && drain_wakes(c))
            return -ERROR_CANCELLED;
        if (n > 0) {
            *out_ready = fds[0].revents != 0;
            return 0;
        }
        if (n == 0 && clock_now_ns() >= deadline_ns)
            return -ERROR_TIMEOUT;
    }
}

/* Sets how much must be there before a poll() for it ends. */
static void wake_at(struct connection *c, size_t n_bytes)
{
    const int wanted = (int)(n_bytes < WAKE_BYTES ? n_bytes : WAKE_BYTES);
    if (c->is_unix || wanted == c->wake_bytes)
        return;
    if (setsockopt(c->fd, SOL_SOCKET, SO_RCVLOWAT, &wanted, sizeof wanted) == 0)
        c->wake_bytes = wanted;
}

/* Until some of n_bytes can be read. */
static int wait_for_bytes(struct connection *c, size_t n_bytes,
                          int64_t deadline_ns, bool *out_ready)
{
    wake_at(c, n_bytes);
    if (c->wake_bytes > 1) {
        const int64_t soon_ns = clock_after_ms(WAKE_MS);
        int rc =
            wait_for(c, POLLIN, soon_ns < deadline_ns ? soon_ns : deadline_ns,
                     out_ready);
        if (rc != -ERROR_TIMEOUT)
            return rc;
        wake_at(c, 1);
    }
    return wait_for(c, POLLIN, deadline_ns, out_ready);
}

int connection_wait(struct connection *c, int64_t deadline_ns,
                    bool *out_readable)
{
    wake_at(c, 1);
    return wait_for(c, POLLIN, deadline_ns, out_readable);
}

static int lost(int error, struct fault *fault)
{
    return fault_set(fault, ERROR_CLOSED, "connection lost: %s",
                     strerror(error));
}

static int late(int rc, struct fault *fault)
{
    if (rc == -ERROR_TIMEOUT)
        return fault_set(fault, ERROR_TIMEOUT, "no answer in time");
    return rc;
}

static void keep_fd(struct connection *c, const struct cmsghdr *header)
{
    if (c->passed_fd >= 0)
        close(c->passed_fd);
    memcpy(&c->passed_fd, CMSG_DATA(header), sizeof c->passed_fd);
}

/* recv(), and one descriptor; the kernel closes those that find no room. */
static ssize_t receive_fd(struct connection *c, void *data, size_t n_bytes)
{
    union {
        struct cmsghdr header; /* for its alignment */
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec piece = {.iov_base = data, .iov_len = n_bytes};
    struct msghdr m = {.msg_iov = &piece,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = sizeof control.bytes};
    ssize_t n = recvmsg(c->fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    const struct cmsghdr *header = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;
    if (header != NULL && header->cmsg_level == SOL_SOCKET &&
        header->cmsg_type == SCM_RIGHTS &&
        header->cmsg_len == CMSG_LEN(sizeof(int)))
        keep_fd(c, header);
    return n;
}

int connection_read_some(struct connection *c, void *data, size_t n_bytes,
                         int64_t deadline_ns, size_t *out_bytes,
                         struct fault *fault)
{
    const size_t most = n_bytes < READ_CHUNK_BYTES ? n_bytes : READ_CHUNK_BYTES;
    bool ready = true;
    for (;;) {
        ssize_t n = c->takes_fd ? receive_fd(c, data, most)
                                : recv(c->fd, data, most, MSG_DONTWAIT);
        if (n > 0) {
            *out_bytes = (size_t)n;
            return 0;
        }
        if (n == 0)
            return fault_set(fault, ERROR_CLOSED,
                             "the server closed the connection");
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK)
            return lost(errno, fault);
        int rc = wait_for_bytes(c, n_bytes, deadline_ns, &ready);
        if (rc != 0)
            return late(rc, fault);
        if (!ready) {
            *out_bytes = 0;
            return 0;
        }
    }
}

int connection_read(struct connection *c, void *data, size_t n_bytes,
                    int64_t deadline_ns, struct fault *fault)
{
    uint8_t *at = data;
    while (n_bytes > 0) {
        size_t n;
        int rc = connection_read_some(c, at, n_bytes, deadline_ns, &n, fault);
        if (rc != 0)
            return rc;
        at += n;
        n_bytes -= n;
    }
    return 0;
}

int connection_write(struct connection *c, const void *data, size_t n_bytes,
                     int64_t deadline_ns, struct fault *fault)
{
    const uint8_t *at = data;
    while (n_bytes > 0) {
        ssize_t n = send(c->fd, at, n_bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n >= 0) {
            at += n;
            n_bytes -= (size_t)n;
            continue;
        }
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK)
            return lost(errno, fault);
        bool ready;
        int rc = wait_for(c, POLLOUT, deadline_ns, &ready);
        if (rc != 0)
            return late(rc, fault);
    }
    return 0;
}

int connection_adopt(struct connection *c, int fd)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
        return -ERROR_IO;
    c->fd = fd;
    return 0;
}

/* Waits for a connect() under way; across wakes. */
static int finish_connect(struct connection *c, int64_t deadline_ns,
                          struct fault *fault)
{
    bool ready = false;
    while (!ready) {
        int rc = wait_for(c, POLLOUT, deadline_ns, &ready);
        if (rc != 0)
            return late(rc, fault);
    }
    int error = 0;
    socklen_t n = sizeof error;
    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &n) != 0)
        error = errno;
    if (error != 0)
        return fault_set(fault, ERROR_CLOSED, "%s", strerror(error));
    return 0;
}

static bool is_unix(const struct connection_address *a)
{
    return a->at.ss_family == AF_UNIX;
}

int connection_open(struct connection *c, const struct connection_address *a,
                    int64_t deadline_ns, struct fault *fault)
{
    int one = 1;
    c->is_unix = is_unix(a);
    c->fd =
        socket(a->at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        return fault_set(fault, ERROR_IO, "socket: %s", strerror(errno));
    /* Credits are small and must not wait for one another. */
    if (!c->is_unix)
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    int rc = 0;
    if (connect(c->fd, (const struct sockaddr *)&a->at, a->at_bytes) != 0) {
        /* A Unix socket connects at once; its EAGAIN says that the server's
         * queue of waiting clients is full. */
        if (errno == EINPROGRESS || errno == EINTR)
            rc = finish_connect(c, deadline_ns, fault);
        else
            rc = fault_set(fault, ERROR_CLOSED, "%s", strerror(errno));
    }
    if (rc != 0)
        connection_close(c);
    return rc;
}

static void resolve_unix(const char *path, struct addresses *out)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    memcpy(a.sun_path, path, strlen(path)); /* servers.c has measured it */
    out->n = 1;
    memcpy(&out->address[0].at, &a, sizeof a);
    out->address[0].at_bytes = sizeof a;
}

int connection_resolve(const struct server_address *server,
                       struct addresses *out, struct fault *fault)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    *out = (struct addresses){0};
    if (server->is_unix) {
        resolve_unix(server->host, out);
        return 0;
    }
    int failed = getaddrinfo(server->host, server->port, &hints, &list);
    if (failed != 0)
        return fault_set(fault, ERROR_CLOSED, "%s", gai_strerror(failed));
    for (const struct addrinfo *a = list;
         a != NULL && out->n < CONNECTION_MAX_ADDRESSES; a = a->ai_next) {
        struct connection_address *to = &out->address[out->n];
        if (a->ai_addrlen > sizeof to->at)
            continue;
        memcpy(&to->at, a->ai_addr, a->ai_addrlen);
        to->at_bytes = a->ai_addrlen;
        out->n++;
    }
    freeaddrinfo(list);
    return out->n > 0 ? 0 : fault_set(fault, ERROR_CLOSED, "no address");
}

int64_t connection_share_ns(const struct addresses *a, uint32_t i,
                            int64_t deadline_ns)
{
    const int64_t now = clock_now_ns(), left = deadline_ns - now;
    return left > 0 ? now + left / (int64_t)(a->n - i) : deadline_ns;
}
