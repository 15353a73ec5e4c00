/* The colour of an object brought towards that of its surroundings: sums over
 * rows, and the matrix that follows from them. Knows no frame and no plan.
 * Portable C in every table. Source: NUMERICS.md "The edge"; Reinhard et al.
 * 2001, "Color Transfer between Images", of bounded gain and in RGB. */
#ifndef PASTED_PIXEL_MATCH_H
#define PASTED_PIXEL_MATCH_H

#include <stdint.h>

enum match_mode {
    MATCH_MEAN,     /* the means meet */
    MATCH_MEAN_STD, /* deviations too, as far as a gain of 1/2 .. 2 goes */
    MATCH_LUMA,     /* all channels grow by the surroundings' luma less 170 */
};

/* Weighted sums of bytes; 2048 x 2048 px of weight 255 fit. */
struct match_sums {
    uint64_t weight, sum[3], squares[3];
};

/* n pixels, premultiplied RGBA, un-premultiplied and weighted by alpha. */
void match_add_object(struct match_sums *s, const uint8_t *rgba, int32_t n);
/* n pixels RGB24, each of weight 1. */
void match_add_context(struct match_sums *s, const uint8_t *rgb, int32_t n);

/* Q12 for tint_row; strength 0..65536. Both sums have weight. */
void match_matrix(const struct match_sums *object,
                  const struct match_sums *context, enum match_mode mode,
                  uint32_t strength_q16, int32_t out[3][4]);

#endif
