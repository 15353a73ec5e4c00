/* Starts, watches and stops the daemon. Builds nothing itself (parts.c).
 *
 *   LOADING --pools loaded--> SERVING --SIGTERM--> DRAINING --empty--> stop
 *      |                         |                    +--grace over--> stop
 *      +--SIGTERM: exit at once  +--failure: stop     +--signal: exit at once
 */
#include "server/daemon/run.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/base/host.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/base/version.h"
#include "server/daemon/parts.h"
#include "server/pixel/kernels.h"

#define DRAIN_LOOK_MS 20
#define SKIPS_LOGGED  20

enum run_state { RUN_LOADING, RUN_SERVING, RUN_DRAINING };

struct daemon {
    struct parts parts;
    const struct config *config;
    enum run_state state;
    int exit_code;
    uv_signal_t term, interrupt;
    uv_timer_t drain, watchdog, expiry;
    uint64_t drain_end_ns;
};

int daemon_exit_code(int code)
{
    switch (code < 0 ? -code : code) {
    case ERROR_BAD_ARGUMENT:
        return EXIT_USAGE;
    case ERROR_INTERNAL:
    case ERROR_NO_MEMORY:
        return EXIT_SOFTWARE;
    default:
        return EXIT_CONFIG;
    }
}

static void stop(struct daemon *d)
{
    uv_close((uv_handle_t *)&d->term, NULL);
    uv_close((uv_handle_t *)&d->interrupt, NULL);
    uv_close((uv_handle_t *)&d->drain, NULL);
    uv_close((uv_handle_t *)&d->watchdog, NULL);
    uv_close((uv_handle_t *)&d->expiry, NULL);
    uv_stop(&d->parts.loop);
}

static bool is_empty(const struct daemon *d)
{
    return tcp_server_sessions(d->parts.tcp) == 0 &&
           http_server_busy(d->parts.http) == 0;
}

static void on_drain(uv_timer_t *timer)
{
    struct daemon *d = timer->data;

    if (is_empty(d) || host_now_ns() >= d->drain_end_ns)
        stop(d);
}

static void start_drain(struct daemon *d)
{
    uint64_t grace_ms = d->config->grace_s * 1000;

    d->state = RUN_DRAINING;
    d->drain_end_ns = host_now_ns() + grace_ms * 1000000;
    log_info("stopping: %u TCP sessions, %u HTTP requests, %llu s of grace",
             (unsigned)tcp_server_sessions(d->parts.tcp),
             (unsigned)http_server_busy(d->parts.http),
             (unsigned long long)d->config->grace_s);
    notify_send("STOPPING=1\nSTATUS=stopping");
    http_server_set_ready(d->parts.http, false);
    parts_hide(&d->parts);
    tcp_server_drain(d->parts.tcp, (uint32_t)grace_ms);
    if (is_empty(d))
        stop(d);
    else
        uv_timer_start(&d->drain, on_drain, DRAIN_LOOK_MS, DRAIN_LOOK_MS);
}

static void on_signal(uv_signal_t *signal, int number)
{
    struct daemon *d = signal->data;

    if (d->state == RUN_SERVING) {
        start_drain(d);
        return;
    }
    /* Decoders cannot be interrupted, and nothing they do outlives us. */
    parts_hide(&d->parts);
    log_info(d->state == RUN_LOADING ? "stopped while loading"
                                     : "stopped by a second signal");
    notify_send("STOPPING=1");
    _exit(d->state == RUN_LOADING ? EXIT_SUCCESS : 128 + number);
}

static void on_watchdog(uv_timer_t *timer)
{
    (void)timer;
    notify_send("WATCHDOG=1");
}

static void on_expiry(uv_timer_t *timer)
{
    const struct daemon *d = timer->data;

    feedback_store_expire(d->parts.feedback);
}

/* So that a table lives at most an eighth longer than it may, or a minute. */
static uint64_t expiry_look_ms(const struct config *c)
{
    uint64_t eighth_ms = c->feedback_lifetime_s * 1000 / 8;

    return eighth_ms < 60000 ? eighth_ms : 60000;
}

static void watch(struct daemon *d)
{
    uv_loop_t *loop = &d->parts.loop;
    uint64_t half_ms = notify_watchdog_us() / 2000;
    uint64_t expiry_ms = expiry_look_ms(d->config);

    d->term.data = d->interrupt.data = d->drain.data = d;
    d->watchdog.data = d->expiry.data = d;
    uv_signal_init(loop, &d->term);
    uv_signal_init(loop, &d->interrupt);
    uv_timer_init(loop, &d->drain);
    uv_timer_init(loop, &d->watchdog);
    uv_timer_init(loop, &d->expiry);
    uv_signal_start(&d->term, on_signal, SIGTERM);
    uv_signal_start(&d->interrupt, on_signal, SIGINT);
    if (half_ms)
        uv_timer_start(&d->watchdog, on_watchdog, 0, half_ms);
    uv_timer_start(&d->expiry, on_expiry, expiry_ms, expiry_ms);
}

static void log_pool(const char *name, const struct catalog *c)
{
    log_info("pool %s: %u objects of %u classes, %u backgrounds, %.1f MiB; "
             "skipped %u objects, %u backgrounds",
             name, (unsigned)c->n_objects, (unsigned)c->n_classes,
             (unsigned)c->n_backgrounds, (double)c->image_bytes / 1048576,
             (unsigned)c->n_objects_skipped,
             (unsigned)c->n_backgrounds_skipped);
    for (uint32_t i = 0; i < c->n_skips && i < SKIPS_LOGGED; i++)
        log_warn("pool %s: skipped %s: %s", name, c->skips[i].path,
                 c->skips[i].reason);
    if (c->n_skips > SKIPS_LOGGED)
        log_warn("pool %s: and more; /v1/pools names them", name);
}

static void log_start(const struct daemon *d)
{
    const struct parts *p = &d->parts;
    const struct config *c = d->config;

    for (uint32_t i = 0; i < p->pools.n_pools; i++)
        log_pool(p->pools.pool[i].name, p->pools.pool[i].catalog);
    for (uint32_t i = 0; i < p->streams.n_streams; i++) {
        const struct stream *s = p->streams.stream[i];
        log_info("stream %s: fingerprint %s, %d x %d px, batch %u, %llu "
                 "samples an epoch",
                 s->name, s->fingerprint_hex, (int)s->recipe.width,
                 (int)s->recipe.height, (unsigned)s->recipe.batch,
                 (unsigned long long)s->edges_per_epoch);
    }
    log_info("%u workers, %s kernels, batch budget %.0f MiB, resident %.1f MiB",
             (unsigned)workers_count(p->workers), pixel_kernels()->name,
             (double)c->batch_budget_bytes / 1048576,
             (double)host_resident_bytes() / 1048576);
    bool v6 = strchr(c->http.address, ':') != NULL;
    log_info("ready: open http://%s%s%s:%u/ and connect to %s port %u",
             v6 ? "[" : "", c->http.address, v6 ? "]" : "",
             (unsigned)http_server_port(p->http), c->tcp.address,
             (unsigned)p->tcp_port);
    if (p->has_local)
        log_info("clients of this host: %s, %.0f MiB of the budget are theirs "
                 "to map",
                 p->unix_path.text[0] ? p->unix_path.text : "inherited socket",
                 (double)store_shared_bytes(p->store) / 1048576);
    log_info("largest batch: %.1f MiB%s",
             (double)store_max_batch_bytes(p->store) / 1048576,
             store_shared_bytes(p->store) > 0
                 ? ", more with a smaller shared_budget"
                 : "");
}

static void on_loaded(struct loader *loader)
{
    struct daemon *d = loader->context;
    struct fault fault = loader->fault;
    int rc = loader->status ? loader->status : parts_serve(&d->parts, &fault);

    if (rc) {
        log_error("%s", fault.text);
        d->exit_code = rc == -ERROR_IO && !loader->status ? EXIT_UNAVAILABLE
                       : rc == -ERROR_NO_MEMORY || rc == -ERROR_INTERNAL
                           ? EXIT_SOFTWARE
                           : EXIT_CONFIG;
        stop(d);
        return;
    }
    d->state = RUN_SERVING;
    http_server_set_ready(d->parts.http, true);
    log_start(d);
    notify_send("READY=1\nSTATUS=serving %u streams",
                (unsigned)d->parts.streams.n_streams);
}

static int start(struct daemon *d)
{
    struct fault fault = {0};
    int rc = parts_open(&d->parts, d->config, &fault);

    if (rc) {
        log_error("%s", fault.text);
        return rc == -ERROR_IO ? EXIT_UNAVAILABLE : daemon_exit_code(rc);
    }
    watch(d);
    d->parts.loader.config = d->config;
    d->parts.loader.done = on_loaded;
    d->parts.loader.context = d;
    rc = loader_start(&d->parts.loader, &d->parts.loop, &fault);
    if (rc) {
        log_error("%s", fault.text);
        stop(d);
        return EXIT_SOFTWARE;
    }
    log_info("pasted %s: http port %u, tcp port %u, loading the pools",
             PASTED_VERSION_TEXT, (unsigned)http_server_port(d->parts.http),
             (unsigned)d->parts.tcp_port);
    return EXIT_SUCCESS;
}

int daemon_run(const struct config *config)
{
    struct daemon *d = mem_calloc(1, sizeof(*d));

    if (!d)
        return EXIT_SOFTWARE;
    signal(SIGPIPE, SIG_IGN);
    log_set_level((enum log_level)config->log_level);
    d->config = config;
    d->exit_code = start(d);
    if (d->exit_code == EXIT_SUCCESS)
        uv_run(&d->parts.loop, UV_RUN_DEFAULT);
    parts_close(&d->parts);
    int exit_code = d->exit_code;
    mem_free(d);
    if (exit_code == EXIT_SUCCESS)
        log_info("stopped");
    return exit_code;
}
