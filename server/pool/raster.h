/* A decoded image on its way into the pool: straight RGBA8 or RGB8, tight rows,
 * owned. Knows no file format. Threads: one at a time per raster. */
#ifndef PASTED_POOL_RASTER_H
#define PASTED_POOL_RASTER_H

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

struct pool_raster {
    uint8_t *pixels; /* [height][width][n_channels] u8, mem_free */
    int32_t width, height;
    int32_t n_channels; /* 3 or 4 */
};

/* Sides 1..IMAGE_MAX_SIDE. Errors: -ERROR_TOO_LARGE, -ERROR_NO_MEMORY; the
 * raster is then empty. */
int pool_raster_init(struct pool_raster *r, int32_t width, int32_t height,
                     int32_t n_channels, struct fault *fault);
void pool_raster_fini(struct pool_raster *r); /* an empty one is fine */

/* Turns the image as an EXIF orientation asks (1..8; other values and 1 leave
 * it): 2 mirror, 3 half turn, 4 flip, 5 transpose, 6 quarter turn clockwise,
 * 7 transverse, 8 quarter turn counter-clockwise. -ERROR_NO_MEMORY leaves it
 * as it was. */
int pool_raster_orient(struct pool_raster *r, int orientation,
                       struct fault *fault);

#endif
