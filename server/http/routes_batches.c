/* /v1/streams/S/batches/STEP.png, .npz, .safetensors, .json: one step, or one
 * rank's slice of it, in four forms. Rendering and encoding run on workers. */
#include <stdio.h>

#include "server/base/metrics.h"
#include "server/http/route.h"
#include "server/http/work.h"

/* On workers. */
static int make_png(struct http_work *w)
{
    metric_add(METRIC_ENCODE_JOBS, 1);
    return encode_grid_png(&w->batch->layout, w->batch->payload, &w->body,
                           &w->fault);
}

static int make_npz(struct http_work *w)
{
    metric_add(METRIC_ENCODE_JOBS, 1);
    return encode_npz(&w->batch->layout, w->batch->payload, &w->body,
                      &w->fault);
}

static int make_safetensors(struct http_work *w)
{
    metric_add(METRIC_ENCODE_JOBS, 1);
    return encode_safetensors(&w->batch->layout, w->batch->payload, &w->body,
                              &w->fault);
}

static int make_json(struct http_work *w)
{
    return encode_batch_json(&w->batch->layout, w->batch->payload, &w->body,
                             &w->fault);
}

/* The rank's slice of the step that path and query name. */
static bool read_slice(struct http_request *r, const struct stream *stream,
                       struct stream_slice *out)
{
    uint64_t step, batch, rank, world;
    struct fault fault = {0};

    if (!http_request_number(r, 1, "step", &step))
        return false;
    batch =
        http_params_number(&r->params, HTTP_PARAM_BATCH, stream->recipe.batch);
    rank = http_params_number(&r->params, HTTP_PARAM_RANK, 0);
    world = http_params_number(&r->params, HTTP_PARAM_WORLD, 1);
    if (step > HTTP_MAX_POSITION / batch) {
        http_fail(r, ERROR_BAD_ARGUMENT,
                  "step: its positions lie beyond 2^63 - 1");
        return false;
    }
    if (stream_slice(step * batch, (uint32_t)batch, (uint32_t)rank,
                     (uint32_t)world, out, &fault) == 0)
        return true;
    http_fail_fault(r, &fault);
    return false;
}

/* Stream and slice once all conditions hold; NULL: the request is answered. */
static struct http_work *begin(struct http_request *r, const char *form,
                               struct stream *stream,
                               const struct stream_slice *slice)
{
    if (!http_request_stale(r, stream, slice->first_position, slice->n_samples,
                            form))
        return NULL;
    struct http_work *w = http_work_create(r, stream);
    if (!w)
        return NULL;
    r->is_batch = true;
    w->position = slice->first_position;
    w->n_samples = slice->n_samples;
    w->n_candidates = http_params_candidates(&r->params);
    w->media = r->route->media;
    w->class = WORKER_BULK;
    return w;
}

static struct stream *find(struct http_request *r, struct stream_slice *slice)
{
    struct stream *stream = http_request_stream(r);

    if (!stream || !read_slice(r, stream, slice) ||
        !http_request_pinned(r, stream))
        return NULL;
    return stream;
}

/* HEAD is answered from the layout alone; true when it was. */
static bool answer_head(struct http_request *r, const struct stream *stream,
                        const struct stream_slice *slice, const char *form,
                        uint64_t n_bytes)
{
    if (!r->head)
        return false;
    if (http_request_stale(r, stream, slice->first_position, slice->n_samples,
                           form))
        http_answer_head(r, r->route->media, n_bytes);
    return true;
}

/* Of the batch in the recipe's own format; false when the request is
 * answered. */
static bool read_layout(struct http_request *r, const struct stream *stream,
                        const struct stream_slice *slice, uint8_t dtype,
                        uint8_t layout, struct batch_layout *out)
{
    int rc = batch_layout_init_candidates(
        out, &stream->recipe, stream->catalog, slice->n_samples,
        http_params_candidates(&r->params), dtype, layout);

    if (rc == 0)
        return true;
    http_fail(r, (enum error_code) - rc,
              "a batch of %u samples of this stream is too large",
              (unsigned)slice->n_samples);
    return false;
}

void http_get_batch_png(struct http_request *r)
{
    struct stream_slice slice;
    struct stream *stream = find(r, &slice);
    struct batch_layout layout;
    char form[HTTP_FORM_BYTES];

    if (!stream)
        return;
    http_form_png("grid", &stream->recipe, form);
    if (!read_layout(r, stream, &slice, TENSOR_U8, TENSOR_NHWC, &layout) ||
        answer_head(r, stream, &slice, form, MHD_SIZE_UNKNOWN))
        return;
    struct http_work *w = begin(r, form, stream, &slice);
    if (!w)
        return;
    w->class = WORKER_SMALL;
    w->dtype = TENSOR_U8;
    w->layout = TENSOR_NHWC;
    w->make = make_png;
    http_work_on_batch(w, 2 * layout.tensors_bytes);
}

/* A file of all tensors. */
struct form {
    const char *name; /* of the form, for entity tags */
    uint64_t (*n_bytes)(const struct batch_layout *layout);
    int (*make)(struct http_work *w);
    bool is_numpy; /* takes only what NumPy has */
};

/* As the request or else the recipe wants it; false when it is answered. */
static bool read_format(struct http_request *r, const struct recipe *recipe,
                        bool is_numpy, uint8_t *out_dtype, uint8_t *out_layout)
{
    *out_dtype = (uint8_t)http_params_number(&r->params, HTTP_PARAM_DTYPE,
                                             recipe->output.dtype);
    *out_layout = (uint8_t)http_params_number(&r->params, HTTP_PARAM_LAYOUT,
                                              recipe->output.layout);
    if (!is_numpy || tensor_numpy_descr(*out_dtype))
        return true;
    http_fail(r, ERROR_BAD_ARGUMENT,
              "dtype: NumPy has no %s; ask for dtype=f32 or dtype=f16 here, or "
              "for %s as .safetensors or over TCP",
              tensor_dtype_word(*out_dtype), tensor_dtype_word(*out_dtype));
    return false;
}

static void answer_file(struct http_request *r, const struct form *file)
{
    struct stream_slice slice;
    struct stream *stream = find(r, &slice);
    struct batch_layout layout;
    char form[HTTP_FORM_BYTES];
    uint8_t dtype, order;

    if (!stream ||
        !read_format(r, &stream->recipe, file->is_numpy, &dtype, &order) ||
        !read_layout(r, stream, &slice, dtype, order, &layout))
        return;
    http_form_output(file->name, &stream->recipe, dtype, order, form);
    uint64_t n_bytes = file->n_bytes(&layout);
    if (answer_head(r, stream, &slice, form, n_bytes))
        return;
    struct http_work *w = begin(r, form, stream, &slice);
    if (!w)
        return;
    w->dtype = dtype;
    w->layout = order;
    w->make = file->make;
    http_work_on_batch(w, n_bytes);
}

void http_get_batch_npz(struct http_request *r)
{
    static const struct form npz = {"npz/1", encode_npz_bytes, make_npz, true};

    answer_file(r, &npz);
}

void http_get_batch_safetensors(struct http_request *r)
{
    static const struct form safetensors = {
        "safetensors/1", encode_safetensors_bytes, make_safetensors, false};

    answer_file(r, &safetensors);
}

void http_get_batch_json(struct http_request *r)
{
    struct stream_slice slice;
    struct stream *stream = find(r, &slice);

    if (!stream ||
        answer_head(r, stream, &slice, "batch.json/1", MHD_SIZE_UNKNOWN))
        return;
    struct http_work *w = begin(r, "batch.json/1", stream, &slice);
    if (!w)
        return;
    w->class = WORKER_SMALL;
    w->dtype = TENSOR_U8;
    w->layout = TENSOR_NHWC;
    w->make = make_json;
    http_work_on_batch(
        w,
        256ull * slice.n_samples * http_params_candidates(&r->params) + 4096);
}
