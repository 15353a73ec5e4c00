/* /v1/streams/S/groups and /v1/streams/S/groups/G: what became of the steps of
 * a group. Leases nothing. */
#include <string.h>

#include "server/base/mem.h"
#include "server/groups/lease.h"
#include "server/http/route.h"

static void answer_report(struct http_request *r, const char *name)
{
    struct lease_store *leases = r->server->config.leases;
    struct stream *stream = http_request_stream(r);
    struct fault fault = {0};
    char *text;

    if (!stream)
        return;
    r->cache_control = HTTP_CACHE_NEVER;
    if (!leases) {
        http_fail(r, ERROR_NOT_FOUND, "this server has no groups");
        return;
    }
    uint64_t from = http_params_number(&r->params, HTTP_PARAM_FROM, 0);
    if (group_report_text(leases, stream->name, name, from, &text, &fault) != 0)
        http_fail_fault(r, &fault);
    else
        http_answer(r, MHD_HTTP_OK, r->route->media,
                    (struct http_body){text, strlen(text), mem_free});
}

void http_get_groups(struct http_request *r)
{
    answer_report(r, NULL);
}

void http_get_group(struct http_request *r)
{
    answer_report(r, r->captures.text[1]);
}
