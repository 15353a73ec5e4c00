/* Copies rows on their way through a render. Source: NUMERICS.md, "Labels from
 * pixels". */
#include "server/compose/layers.h"

#include <string.h>

static void copy(uint8_t *frame, int32_t width, int32_t y, int32_t n_rows,
                 const uint8_t *rgb, ptrdiff_t stride_bytes)
{
    const ptrdiff_t row_bytes = (ptrdiff_t)width * 3;
    for (int32_t i = 0; frame && i < n_rows; i++)
        memcpy(frame + (y + i) * row_bytes, rgb + i * stride_bytes,
               (size_t)row_bytes);
}

void layers_put_context(const struct layers *l, int32_t width, int32_t y,
                        int32_t n_rows, const uint8_t *rgb,
                        ptrdiff_t stride_bytes)
{
    copy(l->context, width, y, n_rows, rgb, stride_bytes);
}

void layers_put_composite(const struct layers *l, int32_t width, int32_t y,
                          int32_t n_rows, const uint8_t *rgb,
                          ptrdiff_t stride_bytes)
{
    copy(l->composite, width, y, n_rows, rgb, stride_bytes);
}

void layers_put_finished(const struct layers *l, int32_t width, int32_t y,
                         int32_t n_rows, const uint8_t *rgb)
{
    copy(l->finished, width, y, n_rows, rgb, (ptrdiff_t)width * 3);
}

/* Row by row with n_bytes a pixel; of RGBA the last n_bytes. */
static void put(uint8_t *out, size_t n_bytes, int32_t width, int32_t n_rows,
                const struct pixel_span *span, const uint8_t *rgba)
{
    memset(out, 0, (size_t)width * (size_t)n_rows * n_bytes);
    for (int32_t i = 0; span && i < n_rows; i++) {
        uint8_t *row = out + (size_t)width * (size_t)i * n_bytes;
        for (int32_t x = span[i].begin; x < span[i].end; x++, rgba += 4)
            memcpy(row + (size_t)x * n_bytes, rgba + 4 - n_bytes, n_bytes);
    }
}

void layers_put_object(const struct layers *l, int32_t width, int32_t y,
                       int32_t n_rows, const struct pixel_span *span,
                       const uint8_t *rgba)
{
    const size_t before = (size_t)width * (size_t)y;
    if (l->mask)
        put(l->mask + before, 1, width, n_rows, span, rgba);
    if (l->plane)
        put(l->plane + before * 4, 4, width, n_rows, span, rgba);
    keypoints_see(&l->keypoints, y, n_rows, span, rgba);
}
