/* Rows of a background that is seen turned or padded, pixel by pixel. Neither
 * knows which plan asks nor changes a colour. */
#ifndef PASTED_COMPOSE_TURN_ROWS_H
#define PASTED_COMPOSE_TURN_ROWS_H

#include "server/pixel/kernels.h"
#include "server/pixel/turn.h"

/* n_rows rows of width pixels from frame row y on, RGB24. */
struct turn_frame {
    int32_t y, n_rows, width;
    uint8_t *rgb;
    ptrdiff_t stride_bytes;
};

void turn_rows(const struct pixel_kernels *kernels, const struct pixel_turn *t,
               const struct image_level *level, const struct turn_frame *frame);

#endif
