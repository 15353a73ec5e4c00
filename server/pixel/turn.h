/* Where along an output row a turned crop reads a background, and what lies
 * beyond the background's border. Reads no pixel: what it computes goes to the
 * kernel photo_row. Exact: integers alone. Source: NUMERICS.md "The context
 * row". */
#ifndef PASTED_PIXEL_TURN_H
#define PASTED_PIXEL_TURN_H

#include <stdint.h>

#include "server/pixel/image.h"

enum pixel_padding {
    PADDING_FIT,     /* nothing: crops are fitted in; as PADDING_EDGE */
    PADDING_EDGE,    /* the last texel again */
    PADDING_REFLECT, /* mirrored about the border: dcba|abcd|dcba */
    PADDING_WRAP,    /* abcd|abcd|abcd */
    PADDING_COLOUR,
    PADDING_N,
};

/* Output pixel (x, y) reads u = m[0] * x + m[1] * y + m[2] and v alike from
 * m[3..5] (16.16, texel centres at integers). */
struct pixel_turn {
    int64_t m[6]; /* magnitudes < 2^48 */
    enum pixel_padding padding;
    uint8_t colour[3]; /* PADDING_COLOUR */
};

/* Coordinates of pixels x .. x + n - 1 of frame row y, on the level: in
 * 0 .. (width - 1) << 16 and 0 .. (height - 1) << 16. */
void turn_coordinates(const struct pixel_turn *t,
                      const struct image_level *level, int32_t x, int32_t y,
                      int32_t n, int32_t *out_u, int32_t *out_v);

/* PADDING_COLOUR: in place on the n pixels that were read there, the colour
 * where they lie beyond the level's border, over the width of a texel. */
void turn_fill(const struct pixel_turn *t, const struct image_level *level,
               int32_t x, int32_t y, int32_t n, uint8_t *rgb);

#endif
