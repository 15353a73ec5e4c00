/* Builds the daemon's parts in order and takes them down in reverse. Decides
 * neither when to start nor when to stop (run.c). */
#include "server/daemon/parts.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/base/log.h"
#include "server/base/metrics.h"
#include "server/http/listen.h"
#include "server/serve/composites.h"
#include "server/serve/epochs.h"

/* Built graphs of all streams: at least what four epochs of 10^7 edges take. */
#define MIN_EPOCH_BUDGET_BYTES (256ull << 20)
#define MAX_QUEUED             1024
#define MIN_SAMPLE_BYTES       256 /* hardly any is smaller */

static int check_socket(const struct parts *p, const char *name, int fd,
                        struct fault *fault)
{
    if (p->tokens || p->config->allow_anonymous || listen_fd_is_loopback(fd))
        return 0;
    return fault_set(fault, ERROR_BAD_CONFIG,
                     "the inherited %s socket can be reached from other "
                     "machines: name a token file, or allow anonymous clients",
                     name);
}

/* HTTP listens at once. The TCP port is only bound: it is ours, and clients
 * are refused (and try elsewhere) until there is something to serve. */
static int open_sockets(struct parts *p, struct fault *fault)
{
    const struct config *c = p->config;
    int rc = notify_take_sockets(&p->sockets, fault);

    if (rc)
        return rc;
    if (p->sockets.http >= 0)
        rc = check_socket(p, "HTTP", p->sockets.http, fault);
    else
        rc = listen_open(c->http.address, c->http.port, 511, &p->sockets.http,
                         fault);
    if (rc)
        return rc;
    if (p->sockets.tcp >= 0)
        rc = check_socket(p, "TCP", p->sockets.tcp, fault);
    else
        rc =
            listen_open(c->tcp.address, c->tcp.port, 0, &p->sockets.tcp, fault);
    if (rc == 0)
        p->tcp_port = listen_port(p->sockets.tcp);
    if (rc == 0 && p->sockets.local < 0 && c->unix_path)
        rc = unix_path_open(&p->unix_path, c->unix_path, &p->sockets.local,
                            fault);
    p->has_local = p->sockets.local >= 0;
    return rc;
}

static uint64_t epoch_budget_bytes(const struct config *c)
{
    uint64_t quarter = c->batch_budget_bytes / 4;

    return quarter > MIN_EPOCH_BUDGET_BYTES ? quarter : MIN_EPOCH_BUDGET_BYTES;
}

/* What chains keep is out of the batch budget, and most of that stays. */
static int take_chains(const struct config *c, struct store_config *store,
                       struct fault *fault)
{
    uint64_t needed = 0, most = c->batch_budget_bytes / 4;

    for (uint32_t i = 0; i < c->n_streams; i++)
        needed += composites_bytes(&c->streams[i].recipe);
    if (needed > most)
        return fault_set(fault, ERROR_BAD_CONFIG,
                         "the streams' chains keep %llu MiB of composites: "
                         "batch_budget must be at least four times that, or "
                         "/chain/slots of their recipes lower",
                         (unsigned long long)((needed >> 20) + 1));
    store->budget_bytes -= needed;
    return 0;
}

static int create_store(struct parts *p, struct fault *fault)
{
    struct store_config config = {
        .budget_bytes = p->config->batch_budget_bytes,
        .epoch_budget_bytes = epoch_budget_bytes(p->config),
        .shared_bytes =
            p->sockets.local >= 0 ? p->config->shared_budget_bytes : 0,
        .max_queued = MAX_QUEUED,
        .max_samples = RECIPE_MAX_BATCH,
    };

    int rc = take_chains(p->config, &config, fault);
    if (rc)
        return rc;
    /* So that the tables of the largest batch fit in the smallest budget. */
    uint64_t own_bytes = config.budget_bytes - config.shared_bytes;
    if (own_bytes / MIN_SAMPLE_BYTES < config.max_samples)
        config.max_samples = (uint32_t)(own_bytes / MIN_SAMPLE_BYTES);

    rc = store_create(p->workers, &config, &p->store, fault);
    if (rc == -ERROR_IO && config.shared_bytes > 0) {
        log_warn("%s: batches go through the Unix socket", fault->text);
        config.shared_bytes = 0;
        rc = store_create(p->workers, &config, &p->store, fault);
    }
    return rc;
}

/* Numbers of leases begin with the time: none is that of a server before. */
static int create_leases(struct parts *p, struct fault *fault)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    p->leases =
        lease_memory_create((uint64_t)now.tv_sec << 30 | (uint64_t)now.tv_nsec);
    return p->leases
               ? 0
               : fault_set(fault, ERROR_NO_MEMORY, "no memory for groups");
}

static int create_feedback(struct parts *p, struct fault *fault)
{
    const struct config *c = p->config;
    const struct feedback_limits limits = {
        .max_bytes = c->feedback_budget_bytes,
        .max_tables = (uint32_t)c->feedback_tables,
        .max_classes = (uint32_t)c->feedback_classes,
        .lifetime_ns = c->feedback_lifetime_s * 1000000000,
    };

    return feedback_store_create(&limits, &p->feedback, fault);
}

static int create_http(struct parts *p, struct fault *fault)
{
    struct http_config config = http_config_default();

    config.inherited_fd = p->sockets.http;
    config.tokens = p->tokens;
    config.max_body_bytes = p->config->batch_budget_bytes;
    config.pools = &p->pools;
    config.leases = p->leases;
    config.feedback = p->feedback;
    int rc = http_server_create(&p->loop, p->workers, p->store, &p->streams,
                                &config, &p->http, fault);
    if (rc == 0)
        p->sockets.http = -1; /* the server's now */
    return rc;
}

static bool write_ports(const struct parts *p, const char *path)
{
    FILE *file = fopen(path, "we");

    if (!file)
        return false;
    fprintf(file, "{\"http\":%u,\"tcp\":%u}\n", http_server_port(p->http),
            p->tcp_port);
    bool failed = ferror(file) != 0;
    return fclose(file) == 0 && !failed;
}

/* Whole or not at all: readers never see half a file. What is no file, such as
 * /dev/stdout, is written to and not replaced. */
static int write_port_file(const struct parts *p, struct fault *fault)
{
    const char *path = p->config->port_file;
    char temporary[PATH_MAX];
    struct stat st;
    bool written;

    if (!path)
        return 0;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
        written = write_ports(p, path);
    } else if (snprintf(temporary, sizeof(temporary), "%s.new", path) >=
               (int)sizeof(temporary)) {
        written = false;
    } else {
        written = write_ports(p, temporary) && rename(temporary, path) == 0;
        if (!written)
            unlink(temporary);
    }
    return written ? 0
                   : fault_set(fault, ERROR_BAD_CONFIG, "cannot write %.200s",
                               path);
}

int parts_open(struct parts *p, const struct config *config,
               struct fault *fault)
{
    int rc = 0;

    p->config = config;
    p->sockets = (struct notify_sockets){-1, -1, -1};
    if (uv_loop_init(&p->loop))
        return fault_set(fault, ERROR_NO_MEMORY, "no event loop");
    if (config->token_file)
        rc = tokens_load(config->token_file, &p->tokens, fault);
    if (rc == -ERROR_IO) /* of a file: not for want of a port */
        fault->code = ERROR_BAD_CONFIG, rc = -ERROR_BAD_CONFIG;
    if (rc == 0)
        rc = open_sockets(p, fault);
    if (rc == 0)
        rc = workers_create(&p->loop, (uint32_t)config->workers, &p->workers,
                            fault);
    if (rc == 0)
        rc = create_store(p, fault);
    if (rc == 0)
        rc = create_leases(p, fault);
    if (rc == 0)
        rc = create_feedback(p, fault);
    if (rc == 0)
        rc = create_http(p, fault);
    if (rc == 0)
        rc = write_port_file(p, fault);
    return rc;
}

static void add_pool_metrics(const struct catalog *c)
{
    metric_add(METRIC_POOL_OBJECTS, c->n_objects);
    metric_add(METRIC_POOL_BACKGROUNDS, c->n_backgrounds);
    metric_add(METRIC_POOL_OBJECTS_SKIPPED, c->n_objects_skipped);
    metric_add(METRIC_POOL_BACKGROUNDS_SKIPPED, c->n_backgrounds_skipped);
    metric_add(METRIC_POOL_BYTES, (int64_t)c->image_bytes);
}

/* A graph that can never be held would refuse every request later. */
static int check_graph(const struct parts *p, const struct stream *stream,
                       struct fault *fault)
{
    uint64_t n_bytes = graph_epoch_bytes(&stream->graph);
    uint64_t budget = epoch_budget_bytes(p->config);
    const struct chain *chain = &stream->chain;
    /* A chain reaches back from a position, over the starts of epochs. */
    uint64_t back = chain->slots * (uint64_t)chain->max_length;
    uint64_t n = back / stream->edges_per_epoch + (back > 0 ? 2 : 1);

    if (n > EPOCHS_MAX_HELD / 2)
        return fault_set(fault, ERROR_BAD_CONFIG,
                         "/chain: slots * max_length reach back over %llu "
                         "epochs of %llu edges; at most %d are possible",
                         (unsigned long long)n,
                         (unsigned long long)stream->edges_per_epoch,
                         EPOCHS_MAX_HELD / 2);
    if (n <= budget / n_bytes)
        return 0;
    return fault_set(fault, ERROR_BAD_CONFIG,
                     "the graphs of %llu epoch%s held at once take %llu MiB: "
                     "batch_budget must be at least four times that",
                     (unsigned long long)n, n > 1 ? "s" : "",
                     (unsigned long long)(n * n_bytes >> 20));
}

static int create_streams(struct parts *p, struct fault *fault)
{
    const struct config *c = p->config;

    for (uint32_t i = 0; i < c->n_streams; i++) {
        const struct config_stream *s = &c->streams[i];
        struct stream *stream;
        int rc = stream_create(s->name, p->loader.catalog[s->pool], &s->recipe,
                               &stream, fault);
        if (rc == 0) {
            p->streams.stream[p->streams.n_streams++] = stream;
            rc = check_graph(p, stream, fault);
        }
        if (rc)
            return fault_prefix(fault, "stream \"%s\"", s->name);
    }
    return 0;
}

int parts_serve(struct parts *p, struct fault *fault)
{
    const struct config *c = p->config;
    struct tcp_config config = tcp_config_default();

    for (uint32_t i = 0; i < c->n_pools; i++) {
        p->pools.pool[i].name = c->pools[i].name;
        p->pools.pool[i].catalog = p->loader.catalog[i];
        add_pool_metrics(p->loader.catalog[i]);
    }
    p->pools.n_pools = c->n_pools;
    int rc = create_streams(p, fault);
    if (rc)
        return rc;
    config.inherited_fd = p->sockets.tcp;
    config.tokens = p->tokens;
    config.unix_fd = p->sockets.local;
    /* The server's, also when it fails. */
    p->sockets.tcp = p->sockets.local = -1;
    config.leases = p->leases;
    config.feedback = p->feedback;
    return tcp_server_create(&p->loop, p->store, &p->streams, &config, &p->tcp,
                             fault);
}

void parts_hide(struct parts *p)
{
    unix_path_remove(&p->unix_path);
}

/* Handles close in the loop; workers are joined between, so that what they
 * were at is given back before its owner goes. */
void parts_close(struct parts *p)
{
    parts_hide(p);
    if (p->http)
        http_server_close(p->http);
    if (p->tcp)
        tcp_server_close(p->tcp);
    workers_destroy(p->workers);
    uv_run(&p->loop, UV_RUN_DEFAULT);
    http_server_destroy(p->http);
    tcp_server_destroy(p->tcp);
    if (p->leases)
        p->leases->calls->destroy(p->leases);
    store_destroy(p->store);
    feedback_store_destroy(p->feedback);
    for (uint32_t i = 0; i < p->streams.n_streams; i++)
        stream_destroy(p->streams.stream[i]);
    for (uint32_t i = 0; i < CONFIG_MAX_POOLS; i++)
        catalog_unref(p->loader.catalog[i]);
    if (p->sockets.http >= 0)
        close(p->sockets.http);
    if (p->sockets.tcp >= 0)
        close(p->sockets.tcp);
    if (p->sockets.local >= 0)
        close(p->sockets.local);
    tokens_destroy(p->tokens);
    int rc = uv_loop_close(&p->loop);
    assert(rc == 0);
    (void)rc;
}
