/* /v1/feedback and /v1/feedback/DIGEST: tables that say which class lies under
 * or beside an object. Draws nothing from them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "server/base/mem.h"
#include "server/base/metrics.h"
#include "server/http/route.h"
#include "server/serve/feedback_text.h"

static json_t *brief(const struct feedback *table)
{
    char hex[DIGEST_HEX_BYTES], href[DIGEST_HEX_BYTES + 16];

    digest_hex(&table->digest, hex);
    snprintf(href, sizeof(href), "/v1/feedback/%s", hex);
    return json_pack("{s:s, s:I, s:s}", "feedback", hex, "n_classes",
                     (json_int_t)table->n_classes, "href", href);
}

void http_get_feedbacks(struct http_request *r)
{
    char *text = feedback_list_text(r->server->config.feedback);

    r->cache_control = HTTP_CACHE_NEVER;
    if (!text)
        http_fail(r, ERROR_NO_MEMORY, "the answer does not fit in memory");
    else
        http_answer_json_text(r,
                              (struct http_body){text, strlen(text), mem_free});
}

void http_get_feedback(struct http_request *r)
{
    const struct feedback *table = NULL;
    struct digest digest;

    if (digest_from_hex(r->captures.text[0], &digest) != 0) {
        http_fail(r, ERROR_BAD_ARGUMENT,
                  "feedback: 64 hexadecimal digits are wanted");
        return;
    }
    table = feedback_store_look(r->server->config.feedback, &digest);
    if (!table) {
        http_fail(r, ERROR_UNKNOWN_FEEDBACK,
                  "feedback %s: not here, or no longer; upload the table again",
                  r->captures.text[0]);
        return;
    }
    r->cache_control = HTTP_CACHE_FOREVER;
    http_etag_of_bytes(&digest, sizeof(digest), r->etag);
    if (!http_request_unheld(r))
        return;
    char *text = feedback_table_text(table);
    if (!text)
        http_fail(r, ERROR_NO_MEMORY, "the answer does not fit in memory");
    else
        http_answer(r, MHD_HTTP_OK, r->route->media,
                    (struct http_body){text, strlen(text), mem_free});
}

/* One row of JSON numbers -> weights, little-endian. numbers: room for them. */
static int read_row(const json_t *row, const struct catalog *c, uint32_t i,
                    double *numbers, uint8_t *out, struct fault *fault)
{
    const uint32_t n = c->n_classes;

    if (!json_is_array(row) || json_array_size(row) != n)
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "/weights/%" PRIu32 " (class %.64s): a list of "
                         "%" PRIu32 " numbers is wanted, one for each class",
                         i, c->classes[i], n);
    for (uint32_t k = 0; k < n; k++) {
        const json_t *number = json_array_get(row, k);
        if (!json_is_number(number))
            return fault_set(fault, ERROR_BAD_ARGUMENT,
                             "/weights/%" PRIu32 "/%" PRIu32
                             " (class %.64s, class %.64s): a number is wanted",
                             i, k, c->classes[i], c->classes[k]);
        numbers[k] = json_number_value(number);
    }
    return feedback_scale_row(numbers, n, i, c->classes, out, fault);
}

static int read_weights(const json_t *rows, const struct catalog *c,
                        uint8_t *out, struct fault *fault)
{
    const uint32_t n = c->n_classes;
    double *numbers = mem_calloc(n, sizeof(double));
    int rc = 0;

    if (!numbers)
        return fault_set(fault, ERROR_NO_MEMORY, "no memory for feedback");
    for (uint32_t i = 0; rc == 0 && i < n; i++)
        rc = read_row(json_array_get(rows, i), c, i, numbers,
                      out + 2 * (size_t)i * n, fault);
    mem_free(numbers);
    return rc;
}

/* As long as the stream has classes, before any of it is read. */
static int check_rows(const json_t *rows, const struct catalog *c,
                      struct fault *fault)
{
    if (!json_is_array(rows))
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "/weights: a list of lists of numbers is wanted");
    return feedback_check_classes((uint32_t)json_array_size(rows), c->n_classes,
                                  fault);
}

static int put_rows(struct feedback_store *s, const struct stream *stream,
                    const json_t *rows, struct feedback **out_table,
                    struct fault *fault)
{
    const uint32_t n = stream->catalog->n_classes;
    uint8_t *weights = NULL;
    int rc = check_rows(rows, stream->catalog, fault);

    if (rc == 0 && !(weights = mem_calloc((size_t)n * n, 2)))
        rc = fault_set(fault, ERROR_NO_MEMORY, "no memory for feedback");
    if (rc == 0)
        rc = read_weights(rows, stream->catalog, weights, fault);
    if (rc == 0)
        rc = feedback_store_put(s, stream, n, weights, out_table, fault);
    else
        metric_add(METRIC_FEEDBACK_REFUSED, 1); /* else the store counts */
    mem_free(weights);
    return rc;
}

static int put_document(struct http_request *r, const json_t *root,
                        struct feedback **out_table, struct fault *fault)
{
    const json_t *name = json_object_get(root, "stream");
    const json_t *weights = json_object_get(root, "weights");

    if (!name || !weights || json_object_size(root) != 2)
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "/: an object with stream and weights, and nothing "
                         "else, is wanted");
    if (!json_is_string(name))
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "/stream: the name of a stream is wanted");
    struct stream *stream =
        stream_find(r->server->streams, json_string_value(name));
    if (!stream)
        return fault_set(fault,
                         r->server->streams->n_streams > 0 ? ERROR_NOT_FOUND
                                                           : ERROR_OVERLOADED,
                         "/stream: there is no stream \"%.64s\"",
                         json_string_value(name));
    return put_rows(r->server->config.feedback, stream, weights, out_table,
                    fault);
}

void http_put_feedback(struct http_request *r)
{
    struct feedback *table;
    struct fault fault = {0};
    json_error_t error;

    if (!r->upload) {
        http_fail(r, ERROR_BAD_ARGUMENT, "a body of JSON is wanted");
        return;
    }
    json_t *root = json_loadb((const char *)r->upload, r->upload_have,
                              JSON_REJECT_DUPLICATES, &error);

    if (!root) {
        http_fail(r, ERROR_BAD_ARGUMENT, "line %d, column %d: %s", error.line,
                  error.column, error.text);
        return;
    }
    int rc = put_document(r, root, &table, &fault);
    json_decref(root);
    if (rc < 0) {
        http_fail_fault(r, &fault);
        return;
    }
    json_t *json = brief(table);
    feedback_unref(table);
    r->cache_control = HTTP_CACHE_NEVER;
    http_answer_json(r, json);
}
