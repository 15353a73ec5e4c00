/* The mean of rows of RGBA along a line: edge motion. Knows no object and no
 * ring of rows. Portable C in every table. Source: NUMERICS.md "The edge". */
#ifndef PASTED_PIXEL_SMEAR_H
#define PASTED_PIXEL_SMEAR_H

#include <stdint.h>

#define SMEAR_MAX 31 /* pixels: the sums then fit 16 bits */

/* The mean of n pixels on a line through each, 1 <= n <= SMEAR_MAX. */
struct pixel_smear {
    int32_t n, cosine, sine; /* Q16, counter-clockwise as seen */
};

/* Where pixel 0 <= i < s->n of the line lies, n / 2 away at most. */
static inline void smear_offset(const struct pixel_smear *s, int32_t i,
                                int32_t *out_dx, int32_t *out_dy)
{
    const int32_t t = 2 * i - (s->n - 1);
    *out_dx = (t * s->cosine + 65536) >> 17;
    *out_dy = (65536 - t * s->sine) >> 17;
}

/* sums[4 n_px] += rgba[4 n_px] */
void smear_add(uint16_t *sums, const uint8_t *rgba, int32_t n_px);
/* out[4 n_px] = sums / n to nearest. */
void smear_mean(const uint16_t *sums, int32_t n, int32_t n_px, uint8_t *out);

#endif
