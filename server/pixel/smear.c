/* Sums and means of rows. Knows nothing of where the rows come from. */
#include "server/pixel/smear.h"

void smear_add(uint16_t *sums, const uint8_t *rgba, int32_t n_px)
{
    for (int32_t i = 0; i < 4 * n_px; i++)
        sums[i] = (uint16_t)(sums[i] + rgba[i]);
}

/* A product in the place of the division: sums stay below 2^13 and the
 * reciprocal is at most n - 1 too large in 2^24, so no quotient changes and no
 * product reaches 2^32. */
void smear_mean(const uint16_t *sums, int32_t n, int32_t n_px, uint8_t *out)
{
    const uint32_t divisor = (uint32_t)n;
    const uint32_t reciprocal = ((1u << 24) + divisor - 1) / divisor;
    for (int32_t i = 0; i < 4 * n_px; i++)
        out[i] = (uint8_t)((sums[i] + divisor / 2) * reciprocal >> 24);
}
