/* /v1/streams/S/samples/N.png, N.mask.png and N.json: one sample to look at,
 * its object's mask, and the plan that answers why it looks so. Composing and
 * encoding run on workers. */
#include <stdint.h>

#include "server/base/mem.h"
#include "server/base/metrics.h"
#include "server/http/route.h"
#include "server/http/work.h"
#include "server/plan/distractor.h"

/* On a worker. */
static int make_png(struct http_work *w)
{
    metric_add(METRIC_ENCODE_JOBS, 1);
    return encode_grid_png(&w->batch->layout, w->batch->payload, &w->body,
                           &w->fault);
}

/* Whether all conditions hold for the position that the path names; else the
 * request is answered. */
static bool may_begin(struct http_request *r, const struct stream *stream,
                      const char *form, uint64_t *out_position)
{
    if (!http_request_number(r, 1, "position", out_position) ||
        !http_request_pinned(r, stream) ||
        !http_request_stale(r, stream, *out_position, 1, form))
        return false;
    if (!r->head)
        return true;
    http_answer_head(r, r->route->media, MHD_SIZE_UNKNOWN);
    return false;
}

static void work_on_sample(struct http_request *r, struct stream *stream,
                           uint64_t position, int (*make)(struct http_work *w),
                           uint64_t body_bytes)
{
    struct http_work *w = http_work_create(r, stream);
    if (!w)
        return;
    w->position = position;
    w->n_samples = 1;
    w->n_candidates = http_params_candidates(&r->params);
    w->dtype = TENSOR_U8;
    w->layout = TENSOR_NHWC;
    w->media = r->route->media;
    w->make = make;
    http_work_on_batch(w, body_bytes);
}

void http_get_sample_png(struct http_request *r)
{
    struct stream *stream = http_request_stream(r);
    uint64_t position;
    char form[HTTP_FORM_BYTES];

    if (!stream)
        return;
    http_form_png("sample", &stream->recipe, form);
    if (!may_begin(r, stream, form, &position))
        return;
    uint64_t n_images = http_params_candidates(&r->params);
    work_on_sample(r, stream, position, make_png,
                   n_images * (uint64_t)stream->recipe.height *
                           (uint64_t)stream->recipe.width * 3 +
                       4096);
}

/* On a worker: the mask as grey values. */
static int make_mask(struct http_work *w)
{
    const struct batch_layout *l = &w->batch->layout;
    const uint8_t *mask =
        w->batch->payload + l->tensor[l->index[TENSOR_MASK]].offset_bytes;
    size_t n_px = (size_t)l->width * (size_t)l->height;
    uint8_t *rgb = mem_calloc(n_px, 3);

    metric_add(METRIC_ENCODE_JOBS, 1);
    if (!rgb)
        return fault_set(&w->fault, ERROR_NO_MEMORY, "no memory for a mask");
    for (size_t i = 0; i < 3 * n_px; i++)
        rgb[i] = mask[i / 3];
    int rc = encode_png(rgb, l->width, l->height, 3 * (ptrdiff_t)l->width,
                        &w->body, &w->fault);
    mem_free(rgb);
    return rc;
}

void http_get_sample_mask(struct http_request *r)
{
    struct stream *stream = http_request_stream(r);
    struct batch_layout layout;
    uint64_t position;
    char form[HTTP_FORM_BYTES];

    if (!stream)
        return;
    if (batch_layout_init(&layout, &stream->recipe, stream->catalog, 1,
                          TENSOR_U8, TENSOR_NHWC) != 0 ||
        layout.index[TENSOR_MASK] < 0) {
        http_fail(r, ERROR_NOT_FOUND,
                  "the recipe of this stream names no mask: add it to "
                  "labels.tensors");
        return;
    }
    http_form_png("mask", &stream->recipe, form);
    if (!may_begin(r, stream, form, &position))
        return;
    work_on_sample(r, stream, position, make_mask,
                   2 * layout.tensors_bytes + 4096);
}

/* Composes the sample for its facts; the pixels are thrown away. */
static int measure_box(const struct http_work *w, const struct plan *plan,
                       struct compose_facts *out)
{
    size_t row = (size_t)plan->width * 3;
    size_t scratch = compose_scratch_bytes(plan->width, plan->height);
    uint8_t *memory = mem_calloc(1, scratch + 64 + row * (size_t)plan->height);

    if (!memory)
        return -ERROR_NO_MEMORY;
    uint8_t *aligned = (uint8_t *)(((uintptr_t)memory + 63) & ~(uintptr_t)63);
    compose_sample(w->stream->catalog, plan, aligned, aligned + scratch,
                   (ptrdiff_t)row, out);
    metric_add(METRIC_SAMPLES_COMPOSED, 1);
    mem_free(memory);
    return 0;
}

/* After measure_box, which has no pixels to give: no box depends on them. */
static void tell_chain(const struct http_work *w, struct plan *plan)
{
    const struct chain *chain = &w->stream->chain;
    const struct catalog *catalog = w->stream->catalog;

    if (chain->slots > 0)
        chain_to_plan(chain,
                      chain_link(chain, w->position, plan->class_id,
                                 catalog->objects[w->earlier.object].class_id),
                      plan);
}

static json_t *plan_json(const struct http_work *w, const struct plan *plan)
{
    struct plan other;
    const bool has_other = distractor_make(
        &w->stream->recipe, w->stream->catalog, w->feedback, plan, &other);
    char *text =
        plan_to_json(plan, has_other ? &other : NULL, w->stream->catalog);
    json_t *json = text ? json_loads(text, 0, NULL) : NULL;

    mem_free(text);
    return json;
}

/* On a worker. */
static int make_json(struct http_work *w)
{
    struct plan plan;
    struct compose_facts facts;

    plan_make_candidate(&w->stream->recipe, w->stream->catalog, w->position,
                        w->edge, w->candidate, &plan);
    int rc = measure_box(w, &plan, &facts);
    if (rc)
        return rc;
    tell_chain(w, &plan);
    json_t *json = plan_json(w, &plan);
    if (!json)
        return -ERROR_NO_MEMORY;
    json_object_set_new(json, "stream", json_string(w->stream->name));
    json_object_set_new(json, "fingerprint",
                        json_string(w->stream->fingerprint_hex));
    json_object_set_new(json, "label", json_integer(plan.class_id));
    json_object_set_new(json, "box",
                        json_pack("[i, i, i, i]", (int)facts.box.x0,
                                  (int)facts.box.y0, (int)facts.box.x1,
                                  (int)facts.box.y1));
    return http_work_set_json(w, json);
}

void http_get_sample_json(struct http_request *r)
{
    struct stream *stream = http_request_stream(r);
    uint64_t position;

    if (!stream || !may_begin(r, stream, "sample.json/2", &position))
        return;
    struct http_work *w = http_work_create(r, stream);
    if (!w)
        return;
    w->position = position;
    w->candidate =
        (uint32_t)http_params_number(&r->params, HTTP_PARAM_CANDIDATE, 0);
    w->media = r->route->media;
    w->make = make_json;
    http_work_on_epoch(w);
}
