/* libmicrohttpd on the loop: its epoll descriptor in a uv_poll_t, its timeout
 * in a uv_timer_t, MHD_run() after each wake-up. Routes nothing.
 * Threads: loop thread only; MHD has no thread of its own.
 * Source: measured 42000 requests a second this way. */
#include "server/http/http.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/base/host.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/base/metrics.h"
#include "server/http/listen.h"
#include "server/http/request.h"

/* Request line and headers of one connection, and MHD's own state. */
#define CONNECTION_MEMORY_BYTES 16384
#define LISTEN_BACKLOG          511
#define SWEEP_MS                100

struct http_config http_config_default(void)
{
    return (struct http_config){
        .address = "127.0.0.1",
        .port = 7780,
        .inherited_fd = -1,
        .max_connections = 1024,
        .max_connections_per_ip = 0,
        .idle_timeout_s = 30,
        .request_timeout_ms = 30000,
        .max_body_bytes = 1ull << 30,
    };
}

static void on_timer(uv_timer_t *timer);

/* Lets MHD work and asks when it wants to be called without an event. At a
 * limit, of connections or descriptors, it takes its listening socket out of
 * its epoll set, and looks only at the start of a run whether it may be put
 * back: connections end at the end of one. */
static void run(struct http_server *s)
{
    MHD_UNSIGNED_LONG_LONG timeout_ms;

    s->has_ended = false;
    MHD_run(s->mhd);
    if (s->has_ended)
        uv_timer_start(&s->timer, on_timer, 0, 0);
    else if (MHD_get_timeout(s->mhd, &timeout_ms) == MHD_YES)
        uv_timer_start(&s->timer, on_timer, timeout_ms, 0);
    else
        uv_timer_stop(&s->timer);
}

static void on_timer(uv_timer_t *timer)
{
    run(timer->data);
}

/* Without a thread of its own MHD is not woken by MHD_resume_connection. */
void http_server_wake(struct http_server *s)
{
    if (!s->closing)
        uv_timer_start(&s->timer, on_timer, 0, 0);
}

static void on_sweep(uv_timer_t *timer)
{
    http_sweep(timer->data, host_now_ns());
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    (void)status, (void)events;
    run(poll->data);
}

static void on_notify_connection(void *server, struct MHD_Connection *mhd,
                                 void **context,
                                 enum MHD_ConnectionNotificationCode what)
{
    struct http_server *s = server;

    http_connection_notify(s, mhd, context, what);
    if (s->closing)
        return;
    s->has_ended |= what == MHD_CONNECTION_NOTIFY_CLOSED;
    if (!s->connections)
        uv_timer_stop(&s->sweep);
    else if (!uv_is_active((uv_handle_t *)&s->sweep))
        uv_timer_start(&s->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
}

static void on_mhd_log(void *context, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
static void on_mhd_log(void *context, const char *format, va_list arguments)
{
    char text[256];

    (void)context;
    vsnprintf(text, sizeof(text), format, arguments);
    text[strcspn(text, "\n")] = '\0';
    log_debug("http: %s", text);
}

static struct MHD_Daemon *start_mhd(struct http_server *s, int fd)
{
    unsigned flags =
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;

    return MHD_start_daemon(
        flags, 0, NULL, NULL, http_request_handle, s, /* */
        MHD_OPTION_EXTERNAL_LOGGER, on_mhd_log, s,    /* first: catches all */
        MHD_OPTION_LISTEN_SOCKET, fd,                 /* */
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY_BYTES,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)s->config.max_connections,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        (unsigned)s->config.max_connections_per_ip,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)s->config.idle_timeout_s,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
        MHD_OPTION_URI_LOG_CALLBACK, http_request_begin, s,
        MHD_OPTION_NOTIFY_COMPLETED, http_request_completed, s,
        MHD_OPTION_NOTIFY_CONNECTION, on_notify_connection, s, MHD_OPTION_END);
}

/* The listening socket: inherited or opened here. */
static int open_socket(const struct http_config *config, int *out_fd,
                       struct fault *fault)
{
    if (config->inherited_fd < 0)
        return listen_open(config->address, config->port, LISTEN_BACKLOG,
                           out_fd, fault);
    int flags = fcntl(config->inherited_fd, F_GETFL);
    if (flags < 0 ||
        fcntl(config->inherited_fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
        listen(config->inherited_fd, LISTEN_BACKLOG) < 0)
        return fault_set(fault, ERROR_IO, "the inherited HTTP socket: %s",
                         strerror(errno));
    *out_fd = config->inherited_fd;
    return 0;
}

/* Cannot fail but for libuv's own epoll. */
static int watch_mhd(struct http_server *s, struct fault *fault)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(s->mhd, MHD_DAEMON_INFO_EPOLL_FD);
    int rc = info ? uv_poll_init(s->loop, &s->poll, info->epoll_fd) : UV_EINVAL;

    if (rc)
        return fault_set(fault, ERROR_IO, "cannot watch the HTTP socket: %s",
                         uv_strerror(rc));
    s->poll.data = s->timer.data = s->sweep.data = s;
    uv_timer_init(s->loop, &s->timer);
    uv_timer_init(s->loop, &s->sweep);
    uv_poll_start(&s->poll, UV_READABLE, on_poll);
    return 0;
}

int http_server_create(uv_loop_t *loop, struct workers *workers,
                       struct store *store, const struct stream_set *streams,
                       const struct http_config *config,
                       struct http_server **out_server, struct fault *fault)
{
    struct http_server *s = mem_calloc(1, sizeof(*s));
    int fd = -1, rc;

    if (!s)
        return fault_set(fault, ERROR_NO_MEMORY, "no memory for HTTP");
    s->loop = loop;
    s->workers = workers;
    s->store = store;
    s->streams = streams;
    s->config = *config;
    rc = open_socket(config, &fd, fault);
    if (rc)
        goto free_server;
    s->port = listen_port(fd);
    s->mhd = start_mhd(s, fd);
    if (!s->mhd) {
        rc = fault_set(fault, ERROR_IO, "HTTP does not start on port %u",
                       s->port);
        goto close_fd;
    }
    rc = watch_mhd(s, fault);
    if (rc)
        goto stop_mhd;
    *out_server = s;
    return 0;

stop_mhd:
    if (config->inherited_fd >= 0)
        MHD_quiesce_daemon(s->mhd); /* leaves the socket open */
    MHD_stop_daemon(s->mhd);
    fd = -1;
close_fd:
    if (fd >= 0 && config->inherited_fd < 0)
        close(fd);
free_server:
    mem_free(s);
    return rc;
}

uint16_t http_server_port(const struct http_server *s)
{
    return s->port;
}

void http_server_set_ready(struct http_server *s, bool ready)
{
    s->ready = ready;
    s->was_ready |= ready;
    metric_set(METRIC_READY, ready);
}

uint32_t http_server_busy(const struct http_server *s)
{
    return s->n_requests;
}

void http_server_close(struct http_server *s)
{
    if (s->closing)
        return;
    s->closing = true;
    http_request_cancel_all(s);
    MHD_run(s->mhd); /* resumes them and sends what fits */
    uv_poll_stop(&s->poll);
    uv_close((uv_handle_t *)&s->poll, NULL);
    uv_close((uv_handle_t *)&s->timer, NULL);
    uv_close((uv_handle_t *)&s->sweep, NULL);
    MHD_stop_daemon(s->mhd);
    s->mhd = NULL;
    assert(s->n_requests == 0 && !s->connections);
}

void http_server_destroy(struct http_server *s)
{
    if (!s)
        return;
    assert(s->closing && s->n_works == 0);
    mem_free(s);
}
