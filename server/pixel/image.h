/* A rectangle of pixels in memory, and the limits every image obeys. */
#ifndef PASTED_PIXEL_IMAGE_H
#define PASTED_PIXEL_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#define IMAGE_MAX_SIDE   16384 /* decoded image, px: 16.16 steps stay exact */
#define IMAGE_MAX_LEVELS 15    /* mip levels of a side of IMAGE_MAX_SIDE */
#define FRAME_MAX_SIDE   2048  /* output image, px */

/* How many lines of texels are wholly transparent, counted inward from each
 * side (columns, rows) and from each corner (diagonals). All 0 says nothing. */
struct image_trim {
    int32_t left, right, top, bottom;
    int32_t upper_left, lower_right, lower_left, upper_right;
};

/* RGBA8 premultiplied (objects) or RGB24 (backgrounds); row y begins at
 * pixels + y * stride_bytes. Does not own its memory. */
struct image_level {
    const uint8_t *pixels;
    int32_t width, height; /* px, >= 1 */
    ptrdiff_t stride_bytes;
    struct image_trim trim; /* of objects */
};

/* Half-open: x0 <= x < x1. Empty when x0 >= x1. Pixels of level 0. */
struct image_box {
    int32_t x0, y0, x1, y1;
};

#endif
