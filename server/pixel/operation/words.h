/* Philox4x32-10, many blocks at once so that compilers vectorise the rounds.
 * Byte-equal to base/philox.h. Source: Salmon et al., SC 2011. */
#ifndef PASTED_PIXEL_OPERATION_WORDS_H
#define PASTED_PIXEL_OPERATION_WORDS_H
#include "server/pixel/operation/parts.h"

#define RANDOM_WORDS 256 /* in one set */
#define LANES        (RANDOM_WORDS / 4)

/* Multipliers and key steps of Philox4x32. */
#define PHILOX_M0 0xD2511F53u
#define PHILOX_M1 0xCD9E8D57u
#define PHILOX_W0 0x9E3779B9u
#define PHILOX_W1 0xBB67AE85u

struct lanes {
    uint32_t x0[LANES], x1[LANES], x2[LANES], x3[LANES];
};

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

/* Words 256 * set .. 256 * set + 255 of a frame under this key: of a set, word
 * j is word j / 64 of the block of counter (64 * set + j mod 64, 0, 0, 0), so
 * that blocks side by side need no shuffling. */
static void random_words(uint64_t key, uint32_t set, uint32_t out[RANDOM_WORDS])
{
    struct lanes s = {0};
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    for (uint32_t i = 0; i < LANES; i++)
        s.x0[i] = set * LANES + i;
    for (int round = 0; round < 10; round++) {
        philox_round(&s, k0, k1);
        k0 += PHILOX_W0;
        k1 += PHILOX_W1;
    }
    memcpy(out, &s, sizeof s);
}

#endif
