/* The body of a PUT: as long as its headers say, bounded, gathered before the
 * route sees it. Reads no JSON. Threads: loop thread only. */
#include <stdio.h>
#include <string.h>

#include "server/base/mem.h"
#include "server/http/route.h"

static void refuse_body(struct http_request *r, const char *detail)
{
    struct http_problem p = {413, error_word(ERROR_TOO_LARGE),
                             error_sentence(ERROR_TOO_LARGE), NULL, NULL};

    http_refuse(r, &p, detail);
}

/* The length, as far as it is one that may be read; else r is answered. */
static bool read_length(struct http_request *r, uint64_t *out)
{
    const char *text = MHD_lookup_connection_value(
        r->mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    char detail[80];

    if (!text) {
        struct http_problem p = {411, "length_required",
                                 MHD_get_reason_phrase_for(411), NULL, NULL};
        http_refuse(r, &p, "a Content-Length is wanted");
        return false;
    }
    if (http_parse_number(text, HTTP_MAX_UPLOAD_BYTES, out) == 0)
        return true;
    snprintf(detail, sizeof(detail),
             "more than %u bytes; larger tables go over TCP",
             HTTP_MAX_UPLOAD_BYTES);
    refuse_body(r, detail);
    return false;
}

/* What a body may have been meant for: on a stream's paths contexts. */
static const char *why_no_body(const char *path)
{
    static const char streams[] = "/v1/streams/";

    if (strncmp(path, streams, strlen(streams)) == 0)
        return "no request here takes a body: batches pasted on contexts that "
               "are sent (refined chains) go over the binary protocol only";
    return "no request here takes a body, but PUT /v1/feedback";
}

bool http_upload_begin(struct http_request *r, const char *path,
                       const char *method)
{
    uint64_t n_bytes;

    r->route =
        r->bad_uri || r->long_uri ? NULL : http_route_find(path, &r->captures);
    if (!r->route || !http_route_put(r->route) ||
        strcmp(method, MHD_HTTP_METHOD_PUT)) {
        refuse_body(r, why_no_body(path));
        return false;
    }
    if (!http_request_authorised(r) || !read_length(r, &n_bytes))
        return false;
    if (!http_request_reserve(r, n_bytes)) {
        http_fail(r, ERROR_OVERLOADED, "too many large requests are under way");
        return false;
    }
    r->upload = mem_calloc(1, n_bytes + 1);
    r->upload_bytes = n_bytes;
    if (r->upload)
        return true;
    http_fail(r, ERROR_NO_MEMORY, "no memory for this request");
    return false;
}

void http_upload_take(struct http_request *r, const char *data, size_t n_bytes)
{
    const size_t left = r->upload_bytes - r->upload_have;

    if (n_bytes > left) /* MHD stops at Content-Length */
        n_bytes = left;
    memcpy(r->upload + r->upload_have, data, n_bytes);
    r->upload_have += n_bytes;
}
