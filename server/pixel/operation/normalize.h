/* Per-image normalisation: levels spread by what the finished frame itself
 * holds. Knows no dtype and no recipe. Threads: pure. Source: NUMERICS.md,
 * "Normalisation". */
#ifndef PASTED_PIXEL_OPERATION_NORMALIZE_H
#define PASTED_PIXEL_OPERATION_NORMALIZE_H

#include "server/pixel/image.h"
#include "server/pixel/operation/operation.h"

enum normalize_mode {
    NORMALIZE_NONE,
    NORMALIZE_MIN_MAX,
    NORMALIZE_MEAN_STD,
    NORMALIZE_EQUALIZE,
};

/* Pixels about the middle of the frame: `fraction` (0, 1] of each side, to
 * nearest, at least one. */
struct image_box normalize_region(int32_t width, int32_t height,
                                  double fraction);

/* In place. region: of NORMALIZE_MEAN_STD alone, within the frame. */
void normalize_frame(const struct operation_frame *f, enum normalize_mode mode,
                     const struct image_box *region);

#endif
