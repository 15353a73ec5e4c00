/* The way from rendered blocks of rows to the image tensor. Computes no pixel:
 * server/pixel does. Source: NUMERICS.md. */
#include "server/compose/output.h"

#include "server/compose/operations.h"
#include "server/compose/scratch.h"

/* A block of rows as floats of three channels, before it is streamed. */
static size_t stage_bytes(int32_t width)
{
    return scratch_aligned((size_t)width * (size_t)render_block_rows(width) *
                           12);
}

/* Operations and statistics read the frame, not blocks of it. */
size_t output_scratch_bytes(const struct recipe *recipe)
{
    const int32_t w = recipe->width, h = recipe->height;
    if (recipe->image.operations.n_entries == 0 &&
        recipe->output.normalize == NORMALIZE_NONE)
        return stage_bytes(w) + scratch_rgb_bytes(w, render_block_rows(w));
    return stage_bytes(w) + scratch_rgb_bytes(w, h) +
           scratch_aligned(operation_scratch_bytes(w, h));
}

/* Where the image goes, and how. */
struct output {
    struct convert_target target;
    const struct pixel_kernels *kernels;
    uint8_t *stage; /* NULL: rows are converted in place */
};

static void convert_to(const struct convert_target *target, int32_t y,
                       int32_t n_rows, const uint8_t *rgb)
{
    const ptrdiff_t row_bytes = (ptrdiff_t)target->width * 3;
    for (int32_t i = 0; i < n_rows; i++)
        convert_row(target, y + i, rgb + i * row_bytes);
}

/* Converted into the stage, a small image by itself; then each of its planes
 * (of NHWC: the whole) is stored around the caches. */
static void stream_rows(const struct output *o, int32_t y, int32_t n_rows,
                        const uint8_t *rgb)
{
    struct convert_target small = o->target;
    small.height = n_rows;
    small.image = o->stage;
    convert_to(&small, 0, n_rows, rgb);
    const size_t n_channels = tensor_channel_count(small.format.channels);
    const bool planes = small.format.layout == TENSOR_NCHW;
    const size_t row = (size_t)small.width *
                       tensor_item_bytes(small.format.dtype) *
                       (planes ? 1 : n_channels);
    for (size_t c = 0; c < (planes ? n_channels : 1); c++)
        o->kernels->stream_bytes(
            o->stage + c * row * (size_t)n_rows, row * (size_t)n_rows,
            (uint8_t *)o->target.image +
                (c * (size_t)o->target.height + (size_t)y) * row);
}

/* n_rows <= render_block_rows; changes rgb. */
static void convert_rows(const struct output *o, int32_t y, int32_t n_rows,
                         uint8_t *rgb)
{
    const ptrdiff_t row_bytes = (ptrdiff_t)o->target.width * 3;
    for (int32_t i = 0; i < n_rows; i++)
        convert_channels(o->target.format.channels, rgb + i * row_bytes,
                         o->target.width);
    if (o->stage)
        stream_rows(o, y, n_rows, rgb);
    else
        convert_to(&o->target, y, n_rows, rgb);
}

/* Straight into the image where it is as rendered, else through a conversion
 * while the block is in the cache. */
static void by_blocks(const struct output *o, struct render *render,
                      uint8_t *scratch)
{
    const struct convert_target *target = &o->target;
    const bool is_plain = convert_is_plain(&target->format);
    const int32_t most = render_block_rows(target->width);
    const ptrdiff_t row_bytes = (ptrdiff_t)target->width * 3;
    for (int32_t y = 0; y < target->height; y += most) {
        const int32_t left = target->height - y, n = left < most ? left : most;
        uint8_t *rows =
            is_plain ? (uint8_t *)target->image + y * row_bytes : scratch;
        render_rows(render, y, n, rows, row_bytes);
        layers_put_finished(&render->layers, target->width, y, n, rows);
        if (!is_plain)
            convert_rows(o, y, n, rows);
    }
}

/* What is grey is normalised as grey. */
static void normalize(const struct batch_layout *l,
                      const struct operation_frame *f)
{
    static const int32_t none[OPERATION_MAX_PARAMETERS];
    if (l->normalize == NORMALIZE_NONE)
        return;
    if (l->format.channels == TENSOR_GREY)
        operation_apply(f, OPERATION_GREYSCALE, none);
    normalize_frame(f, l->normalize, &l->region);
}

/* All rows, and the operations on them; f->rgb is where they go. */
static void make_frame(struct render *render, const struct operation_frame *f)
{
    render->is_streamed = false; /* the frame is read again */
    render_whole(render, f->rgb, (ptrdiff_t)f->width * 3);
    operations_run(&render->plan->operations, f);
}

void output_frame(struct render *render, uint8_t *scratch, uint8_t *rgb)
{
    const struct plan *p = render->plan;
    const struct operation_frame f = {
        .rgb = rgb,
        .width = p->width,
        .height = p->height,
        .scratch = scratch + stage_bytes(p->width) +
                   scratch_rgb_bytes(p->width, p->height),
    };
    make_frame(render, &f);
}

/* The whole frame first, since what comes after reads all of it. */
static void by_frame(const struct batch_layout *l, const struct output *o,
                     struct render *render, uint8_t *scratch)
{
    const struct convert_target *target = &o->target;
    const bool is_plain = convert_is_plain(&target->format);
    const int32_t most = render_block_rows(target->width);
    const ptrdiff_t row_bytes = (ptrdiff_t)target->width * 3;
    uint8_t *frame = is_plain ? target->image : scratch;
    const struct operation_frame f = {
        .rgb = frame,
        .width = target->width,
        .height = target->height,
        .scratch = scratch + scratch_rgb_bytes(target->width, target->height),
    };
    make_frame(render, &f);
    layers_put_finished(&render->layers, target->width, 0, target->height,
                        frame);
    normalize(l, &f);
    for (int32_t y = 0; !is_plain && y < target->height; y += most) {
        const int32_t left = target->height - y;
        convert_rows(o, y, left < most ? left : most, frame + y * row_bytes);
    }
}

void output_image(const struct batch_layout *l, struct render *render,
                  uint8_t *scratch, uint8_t *image)
{
    const bool is_staged = render->is_streamed && !convert_is_plain(&l->format);
    const struct output o = {
        .target = {.format = l->format,
                   .width = l->width,
                   .height = l->height,
                   .table = &l->table,
                   .image = image},
        .kernels = render->kernels,
        .stage = is_staged ? scratch : NULL,
    };
    scratch += stage_bytes(l->width);
    if (is_staged) /* its rows are read again */
        render->is_streamed = false;
    if (render->plan->operations.n > 0 || l->normalize != NORMALIZE_NONE)
        by_frame(l, &o, render, scratch);
    else
        by_blocks(&o, render, scratch);
}
