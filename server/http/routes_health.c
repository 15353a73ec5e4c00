/* /livez, /readyz, /healthz, /metrics. They need neither pools nor workers. */
#include "server/base/mem.h"
#include "server/base/metrics.h"
#include "server/http/route.h"

void http_get_livez(struct http_request *r)
{
    r->cache_control = HTTP_CACHE_NEVER;
    http_answer_text(r, MHD_HTTP_OK, r->route->media, "ok\n");
}

void http_get_readyz(struct http_request *r)
{
    const struct http_server *s = r->server;

    r->cache_control = HTTP_CACHE_NEVER;
    if (s->ready)
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

    r->cache_control = HTTP_CACHE_NEVER;
    if (text)
        http_answer(r, MHD_HTTP_OK, r->route->media,
                    (struct http_body){text, n_bytes, mem_free});
    else
        http_fail(r, ERROR_NO_MEMORY, "no memory for the metrics");
}
