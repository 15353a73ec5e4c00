/* Philox4x32-10, many blocks at once so that compilers vectorise the rounds.
 * Byte-equal to base/philox.h. Source: Salmon et al., SC 2011. */
#ifndef PASTED_PIXEL_OPERATION_WORDS_H
#define PASTED_PIXEL_OPERATION_WORDS_H
#include "server/pixel/operation/parts.h"
#include "server/pixel/philox_lanes.h"

#define RANDOM_WORDS (4 * LANES) /* in one set: 256 */

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
