/* The listeners of the binary protocol and the one clock of its sessions. Does
 * not know messages. Threads: loop thread only. */
#include "server/tcp/tcp.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "server/base/host.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/tcp/session.h"
#include "server/tcp/share.h"

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
        .unix_fd = -1,
        .max_sessions = 4096,
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

static void accept_one(struct listener *listener);

static bool accept_waits(const struct tcp_server *server)
{
    bool waits = false;
    for (uint32_t i = 0; i < server->n_listeners; i++)
        waits = waits || server->listeners[i].waits;
    return waits;
}

static void on_tick(uv_timer_t *timer)
{
    struct tcp_server *server = timer->data;
    uint64_t now_ns = host_now_ns();
    for (uint32_t i = 0; i < server->n_listeners; i++)
        if (server->listeners[i].waits)
            accept_one(&server->listeners[i]);
    if (server->config.leases)
        server->config.leases->calls->tick(server->config.leases, now_ns);
    for (struct session *s = server->first_session, *next; s; s = next) {
        next = s->next; /* sessions are freed from the loop only */
        session_tick(s, now_ns);
    }
    if (!server->first_session && !accept_waits(server))
        uv_timer_stop(timer);
}

/* A step of some group is free: its members with credit may have it. Or some
 * session has sent its share of a turn. */
static void on_soon(uv_idle_t *idle)
{
    struct tcp_server *server = idle->data;
    uv_idle_stop(idle); /* who rests again starts it for the turn after */
    for (struct session *s = server->first_session, *next; s; s = next) {
        next = s->next;
        transport_resume(&s->transport);
        if (s->member)
            flow_pump(s);
    }
}

void tcp_server_soon(struct tcp_server *server)
{
    if (!server->closing)
        uv_idle_start(&server->soon, on_soon);
}

/* The listeners. */

static void accept_one(struct listener *listener)
{
    struct tcp_server *server = listener->server;
    uint64_t ms = tick_ms(&server->config);
    listener->waits = !session_accept(listener);
    if (!uv_is_active((uv_handle_t *)&server->tick))
        uv_timer_start(&server->tick, on_tick, ms, ms);
}

static void on_connection(uv_stream_t *stream, int uv_status)
{
    struct listener *listener = stream->data;
    if (uv_status != 0)
        log_warn("tcp: cannot accept: %s", uv_strerror(uv_status));
    else if (!listener->server->closing)
        accept_one(listener);
}

static int bind_tcp(struct listener *l, const struct tcp_config *c)
{
    struct sockaddr_storage address;
    struct sockaddr *any = (struct sockaddr *)&address;
    if (c->inherited_fd >= 0)
        return uv_tcp_open(&l->socket.tcp, c->inherited_fd);
    int status =
        strchr(c->address, ':')
            ? uv_ip6_addr(c->address, c->port, (struct sockaddr_in6 *)&address)
            : uv_ip4_addr(c->address, c->port, (struct sockaddr_in *)&address);
    return status ? status : uv_tcp_bind(&l->socket.tcp, any, 0);
}

/* Adds a listener to the server, whose it is from here on, and listens. */
static int listen_on(struct tcp_server *s, bool is_unix)
{
    struct listener *l = &s->listeners[s->n_listeners];
    *l = (struct listener){.server = s, .is_unix = is_unix};
    int status = is_unix ? uv_pipe_init(s->loop, &l->socket.pipe, 0)
                         : uv_tcp_init(s->loop, &l->socket.tcp);
    if (status != 0)
        return status;
    l->socket.handle.data = l;
    s->n_listeners++;
    s->n_handles++;
    status = is_unix ? uv_pipe_open(&l->socket.pipe, s->config.unix_fd)
                     : bind_tcp(l, &s->config);
    if (is_unix && status == 0)
        s->config.unix_fd = -1;
    return status ? status
                  : uv_listen(&l->socket.stream, BACKLOG, on_connection);
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

static void free_server(struct tcp_server *s)
{
    contexts_budget_fini(&s->contexts);
    mem_free(s);
}

static void handle_is_gone(struct tcp_server *s)
{
    if (--s->n_handles == 0 && s->stillborn)
        free_server(s);
}

static void on_listener_closed(uv_handle_t *handle)
{
    struct listener *l = handle->data;
    handle_is_gone(l->server);
}

static void on_timer_closed(uv_handle_t *handle)
{
    handle_is_gone(handle->data);
}

static void close_listeners(struct tcp_server *s)
{
    for (uint32_t i = 0; i < s->n_listeners; i++) {
        s->listeners[i].waits = false;
        if (!uv_is_closing(&s->listeners[i].socket.handle))
            uv_close(&s->listeners[i].socket.handle, on_listener_closed);
    }
}

static void start_timers(struct tcp_server *s)
{
    uv_timer_init(s->loop, &s->tick);
    uv_idle_init(s->loop, &s->soon);
    s->tick.data = s->soon.data = s;
    s->n_handles += 2;
}

static void close_timers(struct tcp_server *s)
{
    uv_close((uv_handle_t *)&s->tick, on_timer_closed);
    uv_close((uv_handle_t *)&s->soon, on_timer_closed);
}

/* Without handles; NULL: memory was short. */
static struct tcp_server *create_server(struct store *store,
                                        struct fault *fault)
{
    const uint64_t batch_bytes = store_max_batch_bytes(store);
    struct tcp_server *s = mem_calloc(1, sizeof *s);
    if (!s) {
        fault_set(fault, ERROR_NO_MEMORY, "no memory for a listener");
        return NULL;
    }
    s->store = store;
    s->max_ahead_bytes = batch_bytes;
    if (contexts_budget_init(&s->contexts,
                             share_total(batch_bytes + ARENA_PAGE_BYTES),
                             fault) == 0)
        return s;
    mem_free(s);
    return NULL;
}

int tcp_server_create(uv_loop_t *loop, struct store *store,
                      const struct stream_set *streams,
                      const struct tcp_config *config,
                      struct tcp_server **out_server, struct fault *fault)
{
    struct tcp_server *s = create_server(store, fault);
    if (!s) {
        if (config->unix_fd >= 0)
            close(config->unix_fd);
        return -ERROR_NO_MEMORY;
    }
    s->config = *config;
    s->loop = loop;
    s->streams = streams;
    start_timers(s);
    int status = listen_on(s, false);
    if (status == 0 && config->unix_fd >= 0)
        status = listen_on(s, true);
    if (status != 0) {
        if (s->config.unix_fd >= 0)
            close(s->config.unix_fd);
        s->stillborn = true; /* goes with its handles */
        close_listeners(s);
        close_timers(s);
        return fault_set(fault, ERROR_IO, "cannot listen on %s port %u%s: %s",
                         config->address, config->port,
                         s->n_listeners > 1 ? " or the Unix socket" : "",
                         uv_strerror(status));
    }
    s->port = bound_port(&s->listeners[0].socket.tcp);
    if (s->config.leases) {
        s->config.leases->events = &member_events;
        s->config.leases->events_context = s;
    }
    *out_server = s;
    return 0;
}

uint16_t tcp_server_port(const struct tcp_server *s)
{
    return s->port;
}

uint32_t tcp_server_sessions(const struct tcp_server *s)
{
    uint32_t n = s->n_sessions;
    for (const struct session *session = s->first_session; session;
         session = session->next)
        n -= session_only_reads(session);
    return n;
}

void tcp_server_drain(struct tcp_server *s, uint32_t grace_ms)
{
    if (s->draining || s->closing)
        return;
    s->draining = true;
    s->grace_ms = grace_ms;
    close_listeners(s);
    for (struct session *session = s->first_session, *next; session;
         session = next) {
        next = session->next;
        session_drain(session);
    }
}

void tcp_server_close(struct tcp_server *s)
{
    s->closing = true;
    close_listeners(s);
    close_timers(s);
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
    free_server(s);
}
