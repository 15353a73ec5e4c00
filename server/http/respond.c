/* Makes the one answer of a request: bodies, JSON, problems (RFC 9457), tags
 * and caching. Decides nothing about what is served.
 * Errors: memory that is short closes the connection without an answer. */
#include "server/http/request.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fingerprint.h"
#include "server/base/metrics.h"
#include "server/encode/encode.h"

static void count_status(unsigned status)
{
    static const enum metric by_class[] = {METRIC_HTTP_2XX, METRIC_HTTP_3XX,
                                           METRIC_HTTP_4XX, METRIC_HTTP_5XX};

    assert(status >= 200 && status < 600);
    metric_add(by_class[status / 100 - 2], 1);
}

static bool set_header(struct MHD_Response *response, const char *name,
                       const char *value)
{
    return !value || MHD_add_response_header(response, name, value) == MHD_YES;
}

static bool set_headers(const struct http_request *r,
                        struct MHD_Response *response, const char *media)
{
    bool cacheable = r->etag[0] && r->status < 400;

    return set_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, media) &&
           set_header(response, "X-Content-Type-Options", "nosniff") &&
           set_header(response, "Content-Security-Policy",
                      r->policy[0] ? r->policy : NULL) &&
           set_header(response, MHD_HTTP_HEADER_ETAG,
                      cacheable ? r->etag : NULL) &&
           set_header(response, MHD_HTTP_HEADER_CACHE_CONTROL,
                      r->status >= 400   ? HTTP_CACHE_NEVER
                      : r->cache_control ? r->cache_control
                                         : HTTP_CACHE_ASK);
}

/* Takes response over (NULL: memory was short) and wakes who waits. */
static void finish(struct http_request *r, unsigned status, const char *media,
                   struct MHD_Response *response)
{
    assert(!r->answered);
    r->answered = true;
    r->status = status;
    count_status(status);
    if (response && !set_headers(r, response, media)) {
        MHD_destroy_response(response);
        response = NULL;
    }
    r->response = response;
    if (r->suspended) {
        r->suspended = false;
        MHD_resume_connection(r->mhd);
        http_server_wake(r->server);
    }
}

static struct MHD_Response *response_of_body(struct http_body body)
{
    if (!body.release)
        return MHD_create_response_from_buffer(body.n_bytes, body.data,
                                               MHD_RESPMEM_PERSISTENT);
    struct MHD_Response *response =
        MHD_create_response_from_buffer_with_free_callback_cls(
            body.n_bytes, body.data, body.release, body.data);
    if (!response)
        body.release(body.data);
    return response;
}

void http_answer(struct http_request *r, unsigned status, const char *media,
                 struct http_body body)
{
    r->body_bytes = r->head ? 0 : body.n_bytes;
    finish(r, status, media, response_of_body(body));
}

void http_answer_text(struct http_request *r, unsigned status,
                      const char *media, const char *text)
{
    /* MHD only reads it: the cast drops const for its signature's sake. */
    struct http_body body = {(void *)(uintptr_t)text, strlen(text), NULL};

    http_answer(r, status, media, body);
}

static void answer_unchanged(struct http_request *r)
{
    finish(r, MHD_HTTP_NOT_MODIFIED, NULL,
           MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT));
}

static bool client_has_tag(const struct http_request *r)
{
    return http_etag_matches(
        MHD_lookup_connection_value(r->mhd, MHD_HEADER_KIND,
                                    MHD_HTTP_HEADER_IF_NONE_MATCH),
        r->etag);
}

void http_answer_json_text(struct http_request *r, struct http_body body)
{
    http_etag_of_bytes(body.data, body.n_bytes, r->etag);
    if (client_has_tag(r)) {
        body.release(body.data);
        answer_unchanged(r);
        return;
    }
    http_answer(r, MHD_HTTP_OK, "application/json", body);
}

void http_answer_json(struct http_request *r, json_t *json)
{
    char *text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;

    json_decref(json);
    if (!text) {
        http_fail(r, ERROR_NO_MEMORY, "the answer does not fit in memory");
        return;
    }
    http_answer_json_text(r, (struct http_body){text, strlen(text), free});
}

static ssize_t read_nothing(void *context, uint64_t offset, char *out, size_t n)
{
    (void)context, (void)offset, (void)out, (void)n;
    return MHD_CONTENT_READER_END_OF_STREAM;
}

void http_answer_head(struct http_request *r, const char *media,
                      uint64_t n_bytes)
{
    struct MHD_Response *response = MHD_create_response_from_callback(
        n_bytes, 1024, read_nothing, NULL, NULL);

    assert(r->head);
    /* A length that only rendering would tell is left out (RFC 9110 section
     * 9.3.2); MHD would claim chunks that GET does not send. */
    if (response && n_bytes == MHD_SIZE_UNKNOWN)
        MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT,
                                 MHD_RO_END);
    finish(r, MHD_HTTP_OK, media, response);
}

static json_t *problem_json(const struct http_request *r,
                            const struct http_problem *p, const char *detail)
{
    char type[96];

    snprintf(type, sizeof(type), "urn:pasted:problem:%s", p->word);
    json_t *json =
        json_pack("{s:s, s:s, s:i, s:s, s:s, s:s}", "type", type, "title",
                  p->title, "status", (int)p->status, "code", p->word, "detail",
                  detail, "instance", r->uri);
    if (!json) /* text that is no UTF-8: the client's own */
        json = json_pack("{s:s, s:s, s:i, s:s}", "type", type, "title",
                         p->title, "status", (int)p->status, "code", p->word);
    if (json && (p->status == 429 || p->status == 503))
        json_object_set_new(json, "retry_after_seconds",
                            json_integer(HTTP_RETRY_AFTER_S));
    if (json && p->extra)
        json_object_update_missing(json, p->extra);
    json_decref(p->extra);
    return json;
}

static bool set_problem_headers(struct MHD_Response *response,
                                const struct http_problem *p)
{
    char seconds[16];

    snprintf(seconds, sizeof(seconds), "%d", HTTP_RETRY_AFTER_S);
    return set_header(response, MHD_HTTP_HEADER_ALLOW, p->allow) &&
           set_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
                      p->status == 401 ? "Bearer realm=\"pasted\"" : NULL) &&
           set_header(response, MHD_HTTP_HEADER_RETRY_AFTER,
                      p->status == 429 || p->status == 503 ? seconds : NULL);
}

void http_refuse(struct http_request *r, const struct http_problem *p,
                 const char *detail)
{
    json_t *json = problem_json(r, p, detail);
    char *text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;
    struct MHD_Response *response = NULL;

    json_decref(json);
    if (text) {
        size_t n = strlen(text);
        r->body_bytes = r->head ? 0 : n;
        response = response_of_body((struct http_body){text, n, free});
    }
    if (response && !set_problem_headers(response, p)) {
        MHD_destroy_response(response);
        response = NULL;
    }
    finish(r, p->status, "application/problem+json", response);
}

static void fail_code(struct http_request *r, int code, const char *detail)
{
    struct http_problem p = {
        .status = (unsigned)error_http_status(code),
        .word = error_word(code),
        .title = error_sentence(code),
    };

    http_refuse(r, &p, detail);
}

void http_fail(struct http_request *r, enum error_code code, const char *format,
               ...)
{
    char detail[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(detail, sizeof(detail), format, arguments);
    va_end(arguments);
    fail_code(r, code, detail);
}

void http_fail_fault(struct http_request *r, const struct fault *fault)
{
    int code = fault->code ? fault->code : ERROR_INTERNAL;

    fail_code(r, code, fault->text[0] ? fault->text : error_sentence(code));
}

static json_t *stream_names(const struct stream_set *set)
{
    json_t *names = json_array();

    for (uint32_t i = 0; i < set->n_streams; i++)
        json_array_append_new(names, json_string(set->stream[i]->name));
    return json_pack("{s:o}", "streams", names);
}

static bool take_feedback(struct http_request *r, const struct stream *stream)
{
    struct fault fault = {0};

    if (!(r->params.given & HTTP_PARAM_BIT(FEEDBACK)) ||
        feedback_store_find(r->server->config.feedback, stream,
                            &r->params.feedback, &r->feedback, &fault) == 0)
        return true;
    http_fail_fault(r, &fault);
    return false;
}

struct stream *http_request_stream(struct http_request *r)
{
    const struct stream_set *set = r->server->streams;
    const char *name = r->captures.text[0];
    struct stream *stream = stream_find(set, name);
    struct http_problem p = {404, error_word(ERROR_NOT_FOUND),
                             error_sentence(ERROR_NOT_FOUND), NULL, NULL};
    char detail[256];

    if (stream)
        return take_feedback(r, stream) ? stream : NULL;
    if (set->n_streams == 0) {
        http_fail(r, ERROR_OVERLOADED, "the pools are being loaded");
        return NULL;
    }
    snprintf(detail, sizeof(detail), "there is no stream \"%s\"", name);
    p.extra = stream_names(set);
    http_refuse(r, &p, detail);
    return NULL;
}

bool http_request_pinned(struct http_request *r, const struct stream *stream)
{
    if (!(r->params.given & HTTP_PARAM_BIT(FINGERPRINT))) {
        r->cache_control = HTTP_CACHE_ASK;
        return true;
    }
    if (memcmp(&r->params.fingerprint, &stream->fingerprint,
               sizeof(stream->fingerprint)) == 0) {
        r->cache_control = HTTP_CACHE_FOREVER;
        return true;
    }
    char why[FINGERPRINT_TEXT_BYTES];
    fingerprint_explain(stream->fingerprint.bytes, r->params.fingerprint.bytes,
                        why);
    http_fail(r, ERROR_FINGERPRINT, "stream \"%s\" has fingerprint %s: %s",
              stream->name, stream->fingerprint_hex, why);
    return false;
}

bool http_request_unheld(struct http_request *r)
{
    if (!client_has_tag(r))
        return true;
    answer_unchanged(r);
    return false;
}

/* Up to 32 characters; none for a sample as it is. */
static void name_candidates(const struct http_request *r, char *out)
{
    const struct http_params *p = &r->params;
    unsigned k = http_params_candidates(p);
    unsigned j = (unsigned)http_params_number(p, HTTP_PARAM_CANDIDATE, 0);

    if (k > 1 || j > 0)
        snprintf(out, 32, " candidates %u %u", k, j);
}

bool http_request_stale(struct http_request *r, const struct stream *stream,
                        uint64_t first_position, uint32_t n_samples,
                        const char *form)
{
    char whole[HTTP_FORM_BYTES + 1 + DIGEST_HEX_BYTES + 32];
    char hex[DIGEST_HEX_BYTES];

    snprintf(whole, sizeof(whole), "%s", form);
    if (r->feedback) {
        digest_hex(&r->feedback->digest, hex);
        snprintf(whole, sizeof(whole), "%.255s %s", form, hex);
    }
    name_candidates(r, whole + strlen(whole));
    http_etag_make(&stream->fingerprint, stream->output, first_position,
                   n_samples, whole, r->etag);
    return http_request_unheld(r);
}

void http_form_output(const char *what, const struct recipe *recipe,
                      uint8_t dtype, uint8_t layout, char out[HTTP_FORM_BYTES])
{
    const float *mean = recipe->output.mean, *std = recipe->output.std;
    int n = snprintf(out, HTTP_FORM_BYTES, "%s %d %d %d %d %a", what, dtype,
                     layout, recipe->output.channels, recipe->output.normalize,
                     recipe->output.region);

    if (dtype != TENSOR_U8)
        snprintf(out + n, (size_t)(HTTP_FORM_BYTES - n), " %a %a %a %a %a %a",
                 (double)mean[0], (double)mean[1], (double)mean[2],
                 (double)std[0], (double)std[1], (double)std[2]);
}

void http_form_png(const char *what, const struct recipe *recipe,
                   char out[HTTP_FORM_BYTES])
{
    char image[HTTP_FORM_BYTES];

    http_form_output("1", recipe, TENSOR_U8, TENSOR_NHWC, image);
    snprintf(out, HTTP_FORM_BYTES, "%s/%.128s %.64s", what, image,
             encode_png_encoder());
}

bool http_request_number(struct http_request *r, uint32_t i, const char *what,
                         uint64_t *out)
{
    const char *text = r->captures.text[i];

    if (http_parse_number(text, HTTP_MAX_POSITION, out) == 0)
        return true;
    http_fail(r, ERROR_BAD_ARGUMENT,
              "\"%s\" is no %s: a decimal number from 0 to 2^63 - 1 is wanted",
              text, what);
    return false;
}
