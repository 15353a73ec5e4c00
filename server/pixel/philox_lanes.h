/* A round of Philox4x32 on LANES blocks at once, so that compilers vectorise
 * it. Knows no order of the words: who includes it lays them out.
 * Source: Salmon et al., SC 2011; byte-equal to base/philox.h. */
#ifndef PASTED_PIXEL_PHILOX_LANES_H
#define PASTED_PIXEL_PHILOX_LANES_H

#include <stdint.h>

#define LANES 64

/* Multipliers and key steps. */
#define PHILOX_M0 0xD2511F53u
#define PHILOX_M1 0xCD9E8D57u
#define PHILOX_W0 0x9E3779B9u
#define PHILOX_W1 0xBB67AE85u

struct lanes {
    uint32_t x0[LANES], x1[LANES], x2[LANES], x3[LANES];
};

/* High halves first: loops of one kind of product each vectorise. */
static void philox_round(struct lanes *s, uint32_t k0, uint32_t k1)
{
    uint32_t hi0[LANES], hi1[LANES];
    for (uint32_t i = 0; i < LANES; i++) {
        hi0[i] = (uint32_t)((uint64_t)PHILOX_M0 * s->x0[i] >> 32) ^ k1;
        hi1[i] = (uint32_t)((uint64_t)PHILOX_M1 * s->x2[i] >> 32) ^ k0;
    }
    for (uint32_t i = 0; i < LANES; i++) {
        const uint32_t x0 = s->x0[i];
        s->x0[i] = hi1[i] ^ s->x1[i];
        s->x1[i] = PHILOX_M1 * s->x2[i];
        s->x2[i] = hi0[i] ^ s->x3[i];
        s->x3[i] = PHILOX_M0 * x0;
    }
}

#endif
