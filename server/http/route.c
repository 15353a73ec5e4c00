/* The route table and its look-up. Answers nothing. */
#include "server/http/route.h"

#include <string.h>

#define P(id)  HTTP_PARAM_BIT(id)
#define SAMPLE (P(FEEDBACK) | P(FINGERPRINT))
#define SLICE  (P(RANK) | P(WORLD) | P(BATCH) | P(CANDIDATES) | SAMPLE)

#define STREAM "/v1/streams/{stream}"

const struct http_route http_routes[] = {
    {"/", http_get_page, "page", "text/html; charset=utf-8",
     "A page for people: streams, previews, curl lines.", 0, false},
    {"/livez", http_get_livez, "livez", "text/plain; charset=utf-8",
     "200 while the loop turns.", 0, true},
    {"/readyz", http_get_readyz, "readyz", "text/plain; charset=utf-8",
     "200 when batches can be asked for, 503 while loading or stopping.",
     P(VERBOSE), true},
    {"/healthz", http_get_livez, "healthz", "text/plain; charset=utf-8",
     "Another name of /livez.", 0, true},
    {"/metrics", http_get_metrics, "metrics",
     "text/plain; version=0.0.4; charset=utf-8",
     "Counters and gauges in Prometheus' text format.", 0, false},
    {"/openapi.json", http_get_openapi, "openapi", "application/json",
     "This description.", 0, false},
    {"/v1/streams", http_get_streams, "streams", "application/json",
     "All streams, in short.", 0, false},
    {STREAM, http_get_stream, "stream", "application/json",
     "One stream: fingerprint, sizes, classes, recipe.", 0, false},
    {STREAM "/graph", http_get_graph, "graph", "application/json",
     "The balance of one epoch's graph, counted from its edges.",
     P(EPOCH) | P(FINGERPRINT), false},
    {STREAM "/groups", http_get_groups, "groups", "application/json",
     "Names of the stream's groups.", 0, false},
    {STREAM "/groups/{group}", http_get_group, "group", "application/json",
     "One group: its terms, members, and what became of each step.", P(FROM),
     false},
    {STREAM "/samples/{position}.mask.png", http_get_sample_mask, "sampleMask",
     "image/png",
     "The object's alpha in one sample, where the recipe names a mask.", SAMPLE,
     false},
    {STREAM "/samples/{position}.png", http_get_sample_png, "samplePng",
     "image/png", "The image of one sample, or those of its candidates.",
     P(CANDIDATES) | SAMPLE, false},
    {STREAM "/samples/{position}.json", http_get_sample_json, "sampleJson",
     "application/json", "The plan of one sample: every decision, box, label.",
     P(CANDIDATE) | SAMPLE, false},
    {STREAM "/batches/{step}.png", http_get_batch_png, "batchPng", "image/png",
     "The images of one step, or of a rank's slice of it, as a grid.", SLICE,
     false},
    {STREAM "/batches/{step}.npz", http_get_batch_npz, "batchNpz",
     "application/zip",
     "The tensors of one step, or of a rank's slice of it, for numpy.load.",
     SLICE | P(DTYPE) | P(LAYOUT), false},
    {STREAM "/batches/{step}.safetensors", http_get_batch_safetensors,
     "batchSafetensors", "application/octet-stream",
     "The tensors of one step, or of a rank's slice of it, bf16 too.",
     SLICE | P(DTYPE) | P(LAYOUT), false},
    {STREAM "/batches/{step}.json", http_get_batch_json, "batchJson",
     "application/json", "The labels of one step, or of a rank's slice of it.",
     SLICE, false},
    {"/v1/sessions", http_get_sessions, "sessions", "application/json",
     "Who takes batches, and whether they find them ready.", 0, false},
    {"/v1/pools", http_get_pools, "pools", "application/json",
     "The pools: counts, skipped files with reasons, bytes.", 0, false},
    {"/v1/operations", http_get_operations, "operations", "application/json",
     "The image operations that a recipe may name: values, ranges, costs.", 0,
     false},
    {"/v1/presets", http_get_presets, "presets", "application/json",
     "The presets and their sources.", 0, false},
    {"/v1/presets/{preset}", http_get_preset, "preset", "application/json",
     "One preset as a whole recipe.", 0, false},
    {"/v1/feedback", http_get_feedbacks, "feedbacks", "application/json",
     "The feedback tables that are here.", 0, false},
    {"/v1/feedback/{feedback}", http_get_feedback, "feedback",
     "application/json", "One feedback table: the weights of each class.", 0,
     false},
};

const uint32_t http_n_routes = sizeof(http_routes) / sizeof(http_routes[0]);

static const struct http_put put_table[] = {
    {"/v1/feedback", http_put_feedback,
     "Keeps a feedback table for a stream's classes and says its digest."},
};

const struct http_put *http_route_put(const struct http_route *route)
{
    for (size_t i = 0; i < sizeof(put_table) / sizeof(put_table[0]); i++)
        if (strcmp(put_table[i].pattern, route->pattern) == 0)
            return &put_table[i];
    return NULL;
}

const struct http_route *http_route_find(const char *path,
                                         struct http_captures *captures)
{
    for (uint32_t i = 0; i < http_n_routes; i++)
        if (http_path_match(http_routes[i].pattern, path, captures))
            return &http_routes[i];
    return NULL;
}
