/* The nearest of the marked pixels of a grid, exactly, in integers. Knows no
 * image. Source: Meijster, Roerdink & Hesselink 2000, "A general algorithm for
 * computing distance transforms in linear time"; Felzenszwalb & Huttenlocher
 * 2012 (lower envelopes). Ties go to the lowest column, then the upper row. */
#ifndef PASTED_PIXEL_DISTANCE_H
#define PASTED_PIXEL_DISTANCE_H

#include <stdint.h>

/* Sides to 2^14 + 2^9. */
struct distance_grid {
    int32_t width, height;
    /* [height][width]: the row of a marked pixel itself, else -1; then, after
     * distance_columns, of the nearest marked one in its column, if any. */
    int16_t *row;
};

/* below: [width], for a while. */
void distance_columns(struct distance_grid *g, int16_t *below);

/* out[x]: the column of the pixel nearest to (x, y), which is marked in row
 * row[y * width + out[x]]; -1 where nothing is marked. envelope: 2 * width, for
 * a while. */
void distance_row(const struct distance_grid *g, int32_t y, int32_t *envelope,
                  int32_t *out);

#endif
