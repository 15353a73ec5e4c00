/* The routes: one table from which matching, 404 and /openapi.json are made.
 * All are GET (and HEAD); one takes PUT too. */
#ifndef PASTED_HTTP_ROUTE_H
#define PASTED_HTTP_ROUTE_H

#include "server/http/request.h"

struct http_route {
    const char *pattern;
    void (*handle)(struct http_request *r);
    const char *operation; /* operationId */
    const char *media;     /* of 200 */
    const char *summary;
    uint32_t params; /* HTTP_PARAM_BITs it takes */
    bool open;       /* no token wanted */
};

/* PUT of one of them, with what was sent in r->upload. */
struct http_put {
    const char *pattern;
    void (*handle)(struct http_request *r);
    const char *summary;
};

extern const struct http_route http_routes[];
extern const uint32_t http_n_routes;

/* NULL: this route takes no PUT. */
const struct http_put *http_route_put(const struct http_route *route);

/* NULL when no pattern matches the path. */
const struct http_route *http_route_find(const char *path,
                                         struct http_captures *captures);

void http_get_page(struct http_request *r);
void http_get_livez(struct http_request *r);
void http_get_readyz(struct http_request *r);
void http_get_metrics(struct http_request *r);
void http_get_openapi(struct http_request *r);
void http_get_streams(struct http_request *r);
void http_get_stream(struct http_request *r);
void http_get_graph(struct http_request *r);
void http_get_sample_png(struct http_request *r);
void http_get_sample_mask(struct http_request *r);
void http_get_sample_json(struct http_request *r);
void http_get_batch_png(struct http_request *r);
void http_get_batch_npz(struct http_request *r);
void http_get_batch_safetensors(struct http_request *r);
void http_get_batch_json(struct http_request *r);
void http_get_pools(struct http_request *r);
void http_get_sessions(struct http_request *r);
void http_get_groups(struct http_request *r);
void http_get_group(struct http_request *r);
void http_get_operations(struct http_request *r);
void http_get_presets(struct http_request *r);
void http_get_preset(struct http_request *r);
void http_get_feedbacks(struct http_request *r);
void http_put_feedback(struct http_request *r);
void http_get_feedback(struct http_request *r);

/* /openapi.json as text (OpenAPI 3.1), for the tests too. */
json_t *http_openapi(void);

#endif
