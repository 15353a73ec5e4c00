/* The listener of the binary protocol and the one clock of its sessions. Does
 * not know messages. Threads: loop thread only. */
#include "server/tcp/tcp.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "server/base/host.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/tcp/session.h"

#define BACKLOG 512
/* How often the clocks are looked at, within these, while there are sessions:
 * an eighth of the shortest timeout. */
#define MIN_TICK_MS 5
#define MAX_TICK_MS 100

struct tcp_config tcp_config_default(void)
{
    return (struct tcp_config){
        .address = "127.0.0.1",
        .port = 7700,
        .inherited_fd = -1,
        .max_sessions = 1024,
        .idle_timeout_ms = 120000,
        .write_stall_ms = 60000,
        .hello_timeout_ms = 10000,
        .max_credit_batches = 1024,
        .max_credit_bytes = 64ull << 30,
    };
}

/* The clock. */

static uint64_t tick_ms(const struct tcp_config *c)
{
    uint32_t shortest = c->idle_timeout_ms;
    if (c->write_stall_ms < shortest)
        shortest = c->write_stall_ms;
    if (c->hello_timeout_ms < shortest)
        shortest = c->hello_timeout_ms;
    uint32_t tick = shortest / 8;
    return tick < MIN_TICK_MS   ? MIN_TICK_MS
           : tick > MAX_TICK_MS ? MAX_TICK_MS
                                : tick;
}

static void accept_one(struct tcp_server *server);

static void on_tick(uv_timer_t *timer)
{
    struct tcp_server *server = timer->data;
    uint64_t now_ns = host_now_ns();
    if (server->accept_waits)
        accept_one(server);
    for (struct session *s = server->first_session, *next; s; s = next) {
        next = s->next; /* sessions are freed from the loop only */
        session_tick(s, now_ns);
    }
    if (!server->first_session && !server->accept_waits)
        uv_timer_stop(timer);
}

/* The listener. */

static void accept_one(struct tcp_server *server)
{
    uint64_t ms = tick_ms(&server->config);
    server->accept_waits = !session_accept(server);
    if (!uv_is_active((uv_handle_t *)&server->tick))
        uv_timer_start(&server->tick, on_tick, ms, ms);
}

static void on_connection(uv_stream_t *listener, int uv_status)
{
    struct tcp_server *server = listener->data;
    if (uv_status != 0)
        log_warn("tcp: cannot accept: %s", uv_strerror(uv_status));
    else if (!server->closing)
        accept_one(server);
}

static int bind_listener(struct tcp_server *s)
{
    struct sockaddr_storage address;
    struct sockaddr *any = (struct sockaddr *)&address;
    const struct tcp_config *c = &s->config;
    if (c->inherited_fd >= 0)
        return uv_tcp_open(&s->listener, c->inherited_fd);
    int status =
        strchr(c->address, ':')
            ? uv_ip6_addr(c->address, c->port, (struct sockaddr_in6 *)&address)
            : uv_ip4_addr(c->address, c->port, (struct sockaddr_in *)&address);
    return status ? status : uv_tcp_bind(&s->listener, any, 0);
}

static uint16_t bound_port(const uv_tcp_t *listener)
{
    struct sockaddr_storage address;
    int n = sizeof address;
    memset(&address, 0, sizeof address);
    uv_tcp_getsockname(listener, (struct sockaddr *)&address, &n);
    return ntohs(address.ss_family == AF_INET6
                     ? ((struct sockaddr_in6 *)&address)->sin6_port
                     : ((struct sockaddr_in *)&address)->sin_port);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct tcp_server *s = handle->data;
    s->n_handles--;
}

/* A server that never was: its memory goes with its listener's handle. */
static void on_stillborn_closed(uv_handle_t *handle)
{
    mem_free(handle->data);
}

int tcp_server_create(uv_loop_t *loop, struct store *store,
                      const struct stream_set *streams,
                      const struct tcp_config *config,
                      struct tcp_server **out_server, struct fault *fault)
{
    struct tcp_server *s = mem_calloc(1, sizeof *s);
    if (!s)
        return fault_set(fault, ERROR_NO_MEMORY, "no memory for a listener");
    s->config = *config;
    s->loop = loop;
    s->store = store;
    s->streams = streams;
    s->max_ahead_bytes = store_max_batch_bytes(store);
    int status = uv_tcp_init(loop, &s->listener);
    if (status != 0) {
        mem_free(s);
        return fault_set(fault, ERROR_IO, "%s", uv_strerror(status));
    }
    s->listener.data = s;
    status = bind_listener(s);
    if (status == 0)
        status = uv_listen((uv_stream_t *)&s->listener, BACKLOG, on_connection);
    if (status != 0) {
        uv_close((uv_handle_t *)&s->listener, on_stillborn_closed);
        return fault_set(fault, ERROR_IO, "cannot listen on %s port %u: %s",
                         config->address, config->port, uv_strerror(status));
    }
    uv_timer_init(loop, &s->tick);
    s->tick.data = s;
    s->n_handles = 2;
    s->port = bound_port(&s->listener);
    *out_server = s;
    return 0;
}

uint16_t tcp_server_port(const struct tcp_server *s)
{
    return s->port;
}

uint32_t tcp_server_sessions(const struct tcp_server *s)
{
    return s->n_sessions;
}

static void close_handle(uv_handle_t *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, on_handle_closed);
}

void tcp_server_drain(struct tcp_server *s, uint32_t grace_ms)
{
    if (s->draining || s->closing)
        return;
    s->draining = true;
    s->grace_ms = grace_ms;
    close_handle((uv_handle_t *)&s->listener);
    s->accept_waits = false;
    for (struct session *session = s->first_session, *next; session;
         session = next) {
        next = session->next;
        session_drain(session);
    }
}

void tcp_server_close(struct tcp_server *s)
{
    s->closing = true;
    s->accept_waits = false;
    close_handle((uv_handle_t *)&s->listener);
    close_handle((uv_handle_t *)&s->tick);
    for (struct session *session = s->first_session, *next; session;
         session = next) {
        next = session->next;
        session_break(session, SESSION_END_DRAIN, "the server stops");
    }
}

void tcp_server_destroy(struct tcp_server *s)
{
    if (!s)
        return;
    assert(s->closing && s->n_handles == 0 && s->n_sessions == 0);
    mem_free(s);
}
