/* The life of a connection and of a request: begun, routed, suspended while
 * work is under way, answered, completed. Serves nothing itself.
 * Threads: loop thread only. */
#include "server/http/request.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "server/base/host.h"
#include "server/base/mem.h"
#include "server/base/metrics.h"
#include "server/http/route.h"
#include "server/http/work.h"

/* An answer that leaves slower than this is given up: a reader may hold the
 * memory of a batch only for so long. */
#define MIN_SEND_BYTES_PER_S 65536

/* Of which no route takes more than five. */
#define MAX_QUERY_KEYS 64

#define NS_PER_S  1000000000ull
#define NS_PER_MS 1000000ull

static struct http_connection *connection_of(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info ? info->socket_context : NULL;
}

static void set_connection_deadline(struct http_request *r, uint64_t ns)
{
    struct http_connection *c = connection_of(r->mhd);

    if (c)
        c->deadline_ns = ns;
}

static uint64_t arrival_deadline(const struct http_server *s)
{
    return host_now_ns() + s->config.idle_timeout_s * NS_PER_S;
}

static void connection_started(struct http_server *s,
                               struct MHD_Connection *mhd, void **context)
{
    struct http_connection *c = mem_calloc(1, sizeof(*c));

    metric_add(METRIC_HTTP_CONNECTIONS, 1);
    *context = c;
    if (!c) /* served all the same, only without a deadline of ours */
        return;
    c->mhd = mhd;
    c->deadline_ns = arrival_deadline(s);
    c->next = s->connections;
    if (c->next)
        c->next->prev = c;
    s->connections = c;
}

static void request_destroy(struct http_request *r)
{
    struct http_server *s = r->server;
    struct http_connection *c = connection_of(r->mhd);

    if (r->work)
        http_work_detach(r);
    if (r->response)
        MHD_destroy_response(r->response);
    if (c && c->request == r)
        c->request = NULL;
    feedback_unref(r->feedback);
    mem_free(r->upload);
    s->reserved_bytes -= r->reserved_bytes;
    s->n_requests--;
    if (r->next)
        r->next->prev = r->prev;
    if (r->prev)
        r->prev->next = r->next;
    else
        s->requests = r->next;
    mem_free(r);
}

/* MHD completes what it has shown us, but not a request that it itself refuses
 * between its URI and its headers. */
static void connection_closed(struct http_server *s, struct http_connection *c)
{
    metric_add(METRIC_HTTP_CONNECTIONS, -1);
    if (!c)
        return;
    if (c->request)
        request_destroy(c->request);
    if (c->next)
        c->next->prev = c->prev;
    if (c->prev)
        c->prev->next = c->next;
    else
        s->connections = c->next;
    mem_free(c);
}

void http_connection_notify(void *server, struct MHD_Connection *mhd,
                            void **context,
                            enum MHD_ConnectionNotificationCode what)
{
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        connection_started(server, mhd, context);
    else
        connection_closed(server, *context);
}

/* "%00" would cut the path that MHD decodes; controls have no place in it. */
static bool uri_is_plain(const char *uri)
{
    if (strstr(uri, "%00"))
        return false;
    for (; *uri; uri++)
        if ((unsigned char)*uri <= ' ' || (unsigned char)*uri >= 0x7f)
            return false;
    return true;
}

static bool has_many_keys(const char *uri)
{
    uint32_t n = 0;

    while ((uri = strchr(uri, '&'))) {
        uri++;
        n++;
    }
    return n > MAX_QUERY_KEYS;
}

void *http_request_begin(void *server, const char *uri,
                         struct MHD_Connection *mhd)
{
    struct http_server *s = server;
    struct http_request *r = mem_calloc(1, sizeof(*r));
    struct http_connection *c;

    if (!r)
        return NULL;
    c = connection_of(mhd);
    if (c && c->request)
        request_destroy(c->request);
    r->server = s;
    r->mhd = mhd;
    r->bad_uri = !uri_is_plain(uri);
    int n = snprintf(r->uri, sizeof(r->uri), "%s", r->bad_uri ? "/" : uri);
    r->long_uri = n >= (int)sizeof(r->uri);
    r->next = s->requests;
    if (r->next)
        r->next->prev = r;
    s->requests = r;
    s->n_requests++;
    if (c)
        c->request = r;
    /* MHD goes mute over a query that its memory of a connection does not
     * hold: without headers by the next sweep this one is cut. */
    if (c && has_many_keys(uri))
        c->deadline_ns = host_now_ns();
    return r;
}

void http_request_completed(void *server, struct MHD_Connection *mhd,
                            void **request, enum MHD_RequestTerminationCode why)
{
    struct http_server *s = server;
    struct http_request *r = *request;

    *request = NULL;
    if (!r)
        return;
    if (why == MHD_REQUEST_TERMINATED_COMPLETED_OK) {
        metric_add(METRIC_HTTP_SENT_BYTES, (int64_t)r->body_bytes);
        if (r->is_batch && r->status == MHD_HTTP_OK && !r->head)
            metric_add(METRIC_HTTP_BATCHES_SENT, 1);
    }
    set_connection_deadline(r, arrival_deadline(s));
    request_destroy(r);
    (void)mhd;
}

static bool has_body(struct MHD_Connection *mhd)
{
    const char *length = MHD_lookup_connection_value(
        mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);

    return (length && strcmp(length, "0") != 0) ||
           MHD_lookup_connection_value(mhd, MHD_HEADER_KIND,
                                       MHD_HTTP_HEADER_TRANSFER_ENCODING);
}

bool http_request_reserve(struct http_request *r, uint64_t n_bytes)
{
    struct http_server *s = r->server;

    if (s->reserved_bytes > 0 &&
        (n_bytes > s->config.max_body_bytes ||
         s->reserved_bytes > s->config.max_body_bytes - n_bytes))
        return false;
    s->reserved_bytes += n_bytes;
    r->reserved_bytes += n_bytes;
    return true;
}

bool http_request_authorised(struct http_request *r)
{
    const struct tokens *tokens = r->server->config.tokens;
    const char *header = MHD_lookup_connection_value(
        r->mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);

    if (!tokens || r->route->open ||
        (header && strncasecmp(header, "Bearer ", 7) == 0 &&
         tokens_accept(tokens, header + 7)))
        return true;
    http_fail(r, ERROR_UNAUTHORIZED,
              "an Authorization header with a valid bearer token is wanted");
    return false;
}

static void refuse_path(struct http_request *r)
{
    struct http_problem p = {404, error_word(ERROR_NOT_FOUND),
                             error_sentence(ERROR_NOT_FOUND), NULL, NULL};
    json_t *paths = json_array();

    for (uint32_t i = 0; i < http_n_routes; i++)
        json_array_append_new(paths, json_string(http_routes[i].pattern));
    p.extra = json_pack("{s:o}", "paths", paths);
    http_refuse(r, &p, "there is nothing at this path; \"paths\" says what is");
}

static void refuse_status(struct http_request *r, unsigned status,
                          const char *word, const char *detail)
{
    struct http_problem p = {status, word, MHD_get_reason_phrase_for(status),
                             NULL, NULL};

    if (status == 405)
        p.allow = http_route_put(r->route) ? "GET, HEAD, PUT" : "GET, HEAD";
    http_refuse(r, &p, detail);
}

struct query_reader {
    struct http_request *request;
    struct fault fault;
};

static enum MHD_Result read_query_key(void *context, enum MHD_ValueKind kind,
                                      const char *key, const char *value)
{
    struct query_reader *q = context;
    struct http_request *r = q->request;

    (void)kind;
    return http_params_add(&r->params, r->route->params, key, value,
                           &q->fault) == 0
               ? MHD_YES
               : MHD_NO;
}

static bool is_put(const char *method)
{
    return strcmp(method, MHD_HTTP_METHOD_PUT) == 0;
}

static bool may_use(const struct http_request *r, const char *method)
{
    return r->head || strcmp(method, MHD_HTTP_METHOD_GET) == 0 ||
           (is_put(method) && http_route_put(r->route));
}

/* What every route has in common, then the route's own handler. */
static void dispatch(struct http_request *r, const char *path,
                     const char *method)
{
    struct query_reader q = {.request = r};

    r->head = strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
    r->route = r->bad_uri ? NULL : http_route_find(path, &r->captures);
    if (r->long_uri)
        refuse_status(r, 414, "uri_too_long", "the URI is too long");
    else if (r->bad_uri)
        http_fail(r, ERROR_BAD_ARGUMENT,
                  "the URI holds characters that have no place in it");
    else if (!r->route)
        refuse_path(r);
    else if (!may_use(r, method))
        refuse_status(r, 405, "method_not_allowed",
                      http_route_put(r->route)
                          ? "GET, HEAD and PUT are served here"
                          : "only GET and HEAD are served here");
    else if (!http_request_authorised(r))
        return;
    else if (r->server->closing)
        http_fail(r, ERROR_DRAINING, "the server is stopping");
    else if (MHD_get_connection_values(r->mhd, MHD_GET_ARGUMENT_KIND,
                                       read_query_key, &q) >= 0 &&
             q.fault.code)
        http_fail_fault(r, &q.fault);
    else if (is_put(method))
        http_route_put(r->route)->handle(r);
    else
        r->route->handle(r);
}

static enum MHD_Result queue_answer(struct http_request *r)
{
    if (!r->response) /* no memory: the connection ends here */
        return MHD_NO;
    set_connection_deadline(r, arrival_deadline(r->server) +
                                   r->body_bytes * NS_PER_S /
                                       MIN_SEND_BYTES_PER_S);
    return MHD_queue_response(r->mhd, r->status, r->response);
}

enum MHD_Result http_request_handle(void *server, struct MHD_Connection *mhd,
                                    const char *path, const char *method,
                                    const char *version, const char *upload,
                                    size_t *upload_bytes, void **request)
{
    struct http_request *r = *request;

    (void)version;
    if (!r)
        return MHD_NO;
    if (r->answered)
        return queue_answer(r);
    if (!r->seen) {
        r->seen = true;
        set_connection_deadline(r, 0);
        if (!has_body(mhd))
            return MHD_YES; /* MHD calls once more when all has arrived */
        r->head = strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
        if (!http_upload_begin(r, path, method))
            return queue_answer(r);
        set_connection_deadline(r, arrival_deadline(r->server));
        return MHD_YES;
    }
    if (*upload_bytes > 0) {
        http_upload_take(r, upload, *upload_bytes);
        *upload_bytes = 0;
        return MHD_YES;
    }
    set_connection_deadline(r, 0);
    dispatch(r, path, method);
    if (r->answered)
        return queue_answer(r);
    assert(r->work);
    r->deadline_ns =
        host_now_ns() +
        ((struct http_server *)server)->config.request_timeout_ms * NS_PER_MS;
    r->suspended = true;
    MHD_suspend_connection(mhd);
    return MHD_YES;
}

void http_sweep(struct http_server *s, uint64_t now_ns)
{
    for (struct http_request *r = s->requests, *next; r; r = next) {
        next = r->next;
        if (!r->suspended || now_ns < r->deadline_ns)
            continue;
        http_work_detach(r);
        http_fail(r, ERROR_TIMEOUT, "no answer within %u ms",
                  (unsigned)s->config.request_timeout_ms);
    }
    for (struct http_connection *c = s->connections; c; c = c->next) {
        if (c->deadline_ns == 0 || now_ns < c->deadline_ns)
            continue;
        c->deadline_ns = 0;
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
        if (info)
            shutdown(info->connect_fd, SHUT_RDWR);
    }
}

void http_request_cancel_all(struct http_server *s)
{
    for (struct http_request *r = s->requests; r; r = r->next) {
        if (!r->suspended)
            continue;
        http_work_detach(r);
        http_fail(r, ERROR_DRAINING, "the server is stopping");
    }
}
