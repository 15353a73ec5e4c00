/* Feeds the kernel photo_row with a turned crop's coordinates. Computes no
 * pixel itself. Source: NUMERICS.md "The context row". */
#include "server/compose/turn_rows.h"

enum { CHUNK = 128 }; /* px whose coordinates lie on the stack */

static void turn_row(const struct pixel_kernels *kernels,
                     const struct pixel_turn *t,
                     const struct image_level *level, int32_t y, int32_t width,
                     uint8_t *rgb)
{
    for (int32_t x = 0; x < width; x += CHUNK, rgb += CHUNK * 3) {
        int32_t u[CHUNK], v[CHUNK];
        const int32_t n = width - x < CHUNK ? width - x : CHUNK;
        turn_coordinates(t, level, x, y, n, u, v);
        kernels->photo_row(level, u, v, n, rgb);
        if (t->padding == PADDING_COLOUR)
            turn_fill(t, level, x, y, n, rgb);
    }
}

void turn_rows(const struct pixel_kernels *kernels, const struct pixel_turn *t,
               const struct image_level *level, const struct turn_frame *frame)
{
    for (int32_t i = 0; i < frame->n_rows; i++)
        turn_row(kernels, t, level, frame->y + i, frame->width,
                 frame->rgb + i * frame->stride_bytes);
}
