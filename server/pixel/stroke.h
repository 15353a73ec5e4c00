/* The outline of an object as a plane of distances, and the shapes cut from
 * it at any offset. Knows no pool and no plan.
 * Source: NUMERICS.md "Source images", "The object". */
#ifndef PASTED_PIXEL_STROKE_H
#define PASTED_PIXEL_STROKE_H

#include <stddef.h>
#include <stdint.h>

#include "server/pixel/image.h"
#include "server/pixel/kernels.h"

#define STROKE_MAX_REACH 64

/* Texels that the plane goes beyond the image on each side, and that a byte of
 * distance can tell from the outline: an eighth of the longer side. */
static inline int32_t stroke_reach(int32_t width, int32_t height)
{
    const int32_t eighth = ((width > height ? width : height) + 7) / 8;
    return eighth < 4                  ? 4
           : eighth > STROKE_MAX_REACH ? STROKE_MAX_REACH
                                       : eighth;
}

/* Scratch for a plane of an image of this size. */
size_t stroke_scratch_bytes(int32_t width, int32_t height);

/* From straight RGBA of which some alpha is above 0 to [h + 2 reach][w + 2
 * reach][4]: the colour of the nearest covered pixel, and in the fourth byte
 * 128 + 127 * distance / reach, positive within the shape, 1..255. */
void stroke_plane(const struct image_level *straight, uint8_t *out,
                  void *scratch);

/* alpha = (byte * gain + offset) >> 16 in 0..255; 0 for byte 0. Neither the
 * product nor the sum leaves 32 bits for any byte. */
struct pixel_stroke {
    int32_t reach; /* 0: no stroke is asked for */
    int32_t gain, offset;
};

/* In place: n sampled pixels of a plane become premultiplied RGBA. */
void stroke_row(const struct pixel_kernels *kernels, uint8_t *rgba,
                const struct pixel_stroke *s, int32_t n);

#endif
