/* The way from rendered blocks of rows to the image tensor. Computes no pixel:
 * server/pixel does. Source: NUMERICS.md. */
#include "server/compose/output.h"

#include "server/compose/operations.h"

static size_t aligned(size_t n_bytes)
{
    return (n_bytes + 63) / 64 * 64;
}

static size_t frame_bytes(int32_t width, int32_t n_rows)
{
    return aligned((size_t)width * 3 * (size_t)n_rows);
}

/* Operations and statistics read the frame, not blocks of it. */
size_t output_scratch_bytes(const struct recipe *recipe)
{
    const int32_t w = recipe->width, h = recipe->height;
    if (recipe->image.operations.n_entries == 0 &&
        recipe->output.normalize == NORMALIZE_NONE)
        return frame_bytes(w, render_block_rows(w));
    return frame_bytes(w, h) + aligned(operation_scratch_bytes(w, h));
}

static void convert_rows(const struct convert_target *target, int32_t y,
                         int32_t n_rows, uint8_t *rgb)
{
    for (int32_t i = 0; i < n_rows; i++, rgb += (ptrdiff_t)target->width * 3) {
        convert_channels(target->format.channels, rgb, target->width);
        convert_row(target, y + i, rgb);
    }
}

/* Straight into the image where it is as rendered, else through a conversion
 * while the block is in the cache. */
static void by_blocks(const struct convert_target *target,
                      struct render *render, uint8_t *scratch)
{
    const bool is_plain = convert_is_plain(&target->format);
    const int32_t most = render_block_rows(target->width);
    const ptrdiff_t row_bytes = (ptrdiff_t)target->width * 3;
    for (int32_t y = 0; y < target->height; y += most) {
        const int32_t left = target->height - y, n = left < most ? left : most;
        uint8_t *rows =
            is_plain ? (uint8_t *)target->image + y * row_bytes : scratch;
        render_rows(render, y, n, rows, row_bytes);
        if (!is_plain)
            convert_rows(target, y, n, rows);
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

/* The whole frame first, since what comes after reads all of it. */
static void by_frame(const struct batch_layout *l,
                     const struct convert_target *target, struct render *render,
                     uint8_t *scratch)
{
    const bool is_plain = convert_is_plain(&target->format);
    const int32_t most = render_block_rows(target->width);
    const ptrdiff_t row_bytes = (ptrdiff_t)target->width * 3;
    uint8_t *frame = is_plain ? target->image : scratch;
    render->is_streamed = false; /* the frame is read again */
    for (int32_t y = 0; y < target->height; y += most) {
        const int32_t left = target->height - y;
        render_rows(render, y, left < most ? left : most, frame + y * row_bytes,
                    row_bytes);
    }
    const struct operation_frame f = {
        .rgb = frame,
        .width = target->width,
        .height = target->height,
        .scratch = scratch + frame_bytes(target->width, target->height),
    };
    operations_run(&render->plan->operations, &f);
    normalize(l, &f);
    if (!is_plain)
        convert_rows(target, 0, target->height, frame);
}

void output_image(const struct batch_layout *l, struct render *render,
                  uint8_t *scratch, uint8_t *image)
{
    const struct convert_target target = {
        .format = l->format,
        .width = l->width,
        .height = l->height,
        .table = &l->table,
        .image = image,
    };
    if (render->plan->operations.n > 0 || l->normalize != NORMALIZE_NONE)
        by_frame(l, &target, render, scratch);
    else
        by_blocks(&target, render, scratch);
}
