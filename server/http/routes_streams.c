/* /v1/streams, /v1/streams/S, /v1/streams/S/graph: what a stream is and how
 * balanced its graph came out. Composes nothing. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/tensor.h"
#include "server/base/mem.h"
#include "server/base/version.h"
#include "server/http/route.h"
#include "server/http/work.h"

/* A u64 as JSON: beyond what JSON readers hold exactly only its text helps,
 * which stands beside it. */
static json_t *json_u64(uint64_t v)
{
    return v <= INT64_MAX ? json_integer((json_int_t)v) : json_real((double)v);
}

static void set_u64_text(json_t *object, const char *key, uint64_t v)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRIu64, v);
    json_object_set_new(object, key, json_string(text));
}

/* What a list of streams says of each. */
static json_t *stream_brief(const struct stream *s)
{
    char href[WIRE_MAX_NAME_BYTES + 16];
    json_t *json = json_object();

    snprintf(href, sizeof(href), "/v1/streams/%s", s->name);
    json_object_set_new(json, "name", json_string(s->name));
    json_object_set_new(json, "fingerprint", json_string(s->fingerprint_hex));
    json_object_set_new(json, "edges_per_epoch", json_u64(s->edges_per_epoch));
    json_object_set_new(json, "batch", json_integer(s->recipe.batch));
    json_object_set_new(
        json, "size",
        json_pack("[i, i]", (int)s->recipe.height, (int)s->recipe.width));
    json_object_set_new(json, "n_classes", json_integer(s->catalog->n_classes));
    json_object_set_new(json, "objects", json_integer(s->catalog->n_objects));
    json_object_set_new(json, "backgrounds",
                        json_integer(s->catalog->n_backgrounds));
    json_object_set_new(json, "objects_per_background",
                        json_integer(s->recipe.graph.objects_per_background));
    json_object_set_new(json, "href", json_string(href));
    return json;
}

static json_t *class_names(const struct catalog *catalog)
{
    json_t *names = json_array();

    for (uint32_t i = 0; i < catalog->n_classes; i++)
        if (json_array_append_new(names, json_string(catalog->classes[i])))
            json_array_append_new(names, json_string("?")); /* no UTF-8 */
    return names;
}

static json_t *recipe_json(const struct recipe *recipe)
{
    char *text = recipe_canonical(recipe, true);
    json_t *json = text ? json_loads(text, 0, NULL) : NULL;

    mem_free(text);
    return json;
}

static json_t *stream_full(const struct stream *s)
{
    json_t *json = stream_brief(s);
    json_t *recipe = recipe_json(&s->recipe);
    char digest[DIGEST_HEX_BYTES];

    digest_hex(&s->catalog->digest, digest);
    json_object_set_new(json, "seed", json_u64(s->recipe.seed));
    set_u64_text(json, "seed_text", s->recipe.seed);
    json_object_set_new(json, "engine", json_integer(ENGINE_VERSION));
    json_object_set_new(json, "version", json_string(PASTED_VERSION_TEXT));
    json_object_set_new(json, "dtype",
                        json_string(tensor_dtype_word(s->recipe.output.dtype)));
    json_object_set_new(
        json, "layout",
        json_string(s->recipe.output.layout == TENSOR_NCHW ? "nchw" : "nhwc"));
    json_object_set_new(
        json, "channels",
        json_string(tensor_channels_word(s->recipe.output.channels)));
    json_object_set_new(json, "catalog", json_string(digest));
    json_object_set_new(json, "classes", class_names(s->catalog));
    if (!recipe || json_object_set_new(json, "recipe", recipe)) {
        json_decref(json);
        return NULL;
    }
    return json;
}

void http_get_streams(struct http_request *r)
{
    const struct stream_set *set = r->server->streams;
    json_t *list = json_array();

    if (set->n_streams == 0) {
        json_decref(list);
        http_fail(r, ERROR_OVERLOADED, "the pools are being loaded");
        return;
    }
    for (uint32_t i = 0; i < set->n_streams; i++)
        json_array_append_new(list, stream_brief(set->stream[i]));
    http_answer_json(r, json_pack("{s:o}", "streams", list));
}

void http_get_stream(struct http_request *r)
{
    struct stream *stream = http_request_stream(r);

    if (stream)
        http_answer_json(r, stream_full(stream));
}

static json_t *report_json(const struct http_work *w,
                           const struct graph_report *g)
{
    return json_pack(
        "{s:s, s:s, s:I, s:I, s:s, s:[i,i], s:[i,i], s:[i,i], s:[i,i], s:f, "
        "s:I, s:f, s:f, s:I}",
        "stream", w->stream->name, "fingerprint", w->stream->fingerprint_hex,
        "epoch", (json_int_t)w->position, "edges", (json_int_t)g->n_edges,
        "counted",
        "from every edge of this epoch as it is served; pairs are [min, max]; "
        "dispersion is variance / mean of how often a pair shares a background",
        "object_degree", (int)g->object_degree_min, (int)g->object_degree_max,
        "background_degree", (int)g->background_degree_min,
        (int)g->background_degree_max, "class_degree", (int)g->class_degree_min,
        (int)g->class_degree_max, "classes_per_background",
        (int)g->classes_per_background_min, (int)g->classes_per_background_max,
        "classes_per_background_mean", g->classes_per_background_mean,
        "duplicate_edges", (json_int_t)g->n_duplicate_edges,
        "class_pair_dispersion", g->class_pair_dispersion,
        "object_pair_dispersion", g->object_pair_dispersion,
        "class_pairs_never_met", (json_int_t)g->n_class_pairs_never_met);
}

/* On a worker. */
static int make_graph_json(struct http_work *w)
{
    struct graph_report report;
    int rc = graph_epoch_report(w->graph, &report, &w->fault);

    if (rc)
        return rc;
    return http_work_set_json(w, report_json(w, &report));
}

void http_get_graph(struct http_request *r)
{
    struct stream *stream = http_request_stream(r);

    if (!stream || !http_request_pinned(r, stream))
        return;
    uint64_t epoch = http_params_number(&r->params, HTTP_PARAM_EPOCH, 0);
    if (epoch > HTTP_MAX_POSITION / stream->edges_per_epoch) {
        http_fail(r, ERROR_BAD_ARGUMENT,
                  "epoch: its positions lie beyond 2^63 - 1");
        return;
    }
    if (!http_request_stale(r, stream, epoch, 0, "graph/1"))
        return;
    if (r->head) {
        http_answer_head(r, r->route->media, MHD_SIZE_UNKNOWN);
        return;
    }
    struct http_work *w = http_work_create(r, stream);
    if (!w)
        return;
    w->position = epoch;
    w->wants_graph = true;
    w->media = r->route->media;
    w->make = make_graph_json;
    http_work_on_epoch(w);
}
