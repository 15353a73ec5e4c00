/* /livez, /readyz, /healthz, /metrics, /v1/sessions. They need neither pools
 * nor workers. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "server/base/host.h"
#include "server/base/mem.h"
#include "server/base/metrics.h"
#include "server/http/route.h"

void http_get_livez(struct http_request *r)
{
    r->cache_control = HTTP_CACHE_NEVER;
    http_answer_text(r, MHD_HTTP_OK, r->route->media, "ok\n");
}

/* What readiness rests on, and how much room is left. */
static void answer_verbose(struct http_request *r)
{
    const struct http_server *s = r->server;
    const size_t room = 512;
    const uint64_t mib = 1 << 20;
    char *text = mem_calloc(1, room);

    if (!text) {
        http_fail(r, ERROR_NO_MEMORY, "no memory to say more");
        return;
    }
    snprintf(text, room,
             "loop ok\npools ok: %" PRIu32 " streams\nworkers ok: %" PRId64
             " with %" PRId64 " jobs\nbatches ok: %" PRIu64 " of %" PRIu64
             " MiB used\nconsumers ok: %" PRId64 " sessions\nready\n",
             s->streams->n_streams, metric_get(METRIC_WORKERS),
             metric_get(METRIC_QUEUE_JOBS),
             (uint64_t)metric_get(METRIC_BUDGET_USED_BYTES) / mib,
             (uint64_t)metric_get(METRIC_BUDGET_BYTES) / mib,
             metric_get(METRIC_TCP_SESSIONS));
    http_answer(r, MHD_HTTP_OK, r->route->media,
                (struct http_body){text, strlen(text), mem_free});
}

void http_get_readyz(struct http_request *r)
{
    const struct http_server *s = r->server;

    r->cache_control = HTTP_CACHE_NEVER;
    if (s->ready && http_params_number(&r->params, HTTP_PARAM_VERBOSE, 0))
        answer_verbose(r);
    else if (s->ready)
        http_answer_text(r, MHD_HTTP_OK, r->route->media, "ready\n");
    else if (s->was_ready)
        http_fail(r, ERROR_DRAINING, "stopping");
    else
        http_fail(r, ERROR_OVERLOADED, "loading");
}

void http_get_metrics(struct http_request *r)
{
    size_t n_bytes;
    char *text = metrics_print(&n_bytes);
    char *streams = demand_metrics_text(r->server->store, r->server->streams,
                                        host_now_ns());
    size_t n_streams = streams ? strlen(streams) : 0;
    char *all = text ? mem_realloc(text, n_bytes + n_streams + 1) : NULL;

    r->cache_control = HTTP_CACHE_NEVER;
    if (all && streams) {
        memcpy(all + n_bytes, streams, n_streams + 1);
        http_answer(r, MHD_HTTP_OK, r->route->media,
                    (struct http_body){all, n_bytes + n_streams, mem_free});
    } else {
        mem_free(all ? all : text);
        http_fail(r, ERROR_NO_MEMORY, "no memory for the metrics");
    }
    mem_free(streams);
}

void http_get_sessions(struct http_request *r)
{
    char *text =
        demand_json_text(r->server->store, r->server->streams, host_now_ns());

    r->cache_control = HTTP_CACHE_NEVER;
    if (text)
        http_answer(r, MHD_HTTP_OK, r->route->media,
                    (struct http_body){text, strlen(text), mem_free});
    else
        http_fail(r, ERROR_NO_MEMORY, "no memory for the sessions");
}
