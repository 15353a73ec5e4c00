/* Philox4x32-10 and the few ways in which its bits are read. Keeps no state.
 * Source: Salmon, Moraes, Dror, Shaw: "Parallel Random Numbers: As Easy as
 * 1, 2, 3", SC'11, section 5.2; its known answers are in test_philox.c. */
#include "server/base/philox.h"

#include <assert.h>

#define N_ROUNDS 10
/* The multipliers, and the Weyl steps of the key (golden ratio, sqrt(3) - 1)
 * of the paper. */
#define MULTIPLIER_0 0xD2511F53u
#define MULTIPLIER_1 0xCD9E8D57u
#define WEYL_0       0x9E3779B9u
#define WEYL_1       0xBB67AE85u

struct philox_block philox4x32_10(const uint32_t key[2],
                                  const uint32_t counter[4])
{
    uint32_t k0 = key[0], k1 = key[1];
    struct philox_block x = {{counter[0], counter[1], counter[2], counter[3]}};

    for (int round = 0; round < N_ROUNDS; round++) {
        uint64_t p0 = (uint64_t)MULTIPLIER_0 * x.word[0];
        uint64_t p1 = (uint64_t)MULTIPLIER_1 * x.word[2];

        x.word[0] = (uint32_t)(p1 >> 32) ^ x.word[1] ^ k0;
        x.word[1] = (uint32_t)p1;
        x.word[2] = (uint32_t)(p0 >> 32) ^ x.word[3] ^ k1;
        x.word[3] = (uint32_t)p0;
        k0 += WEYL_0;
        k1 += WEYL_1;
    }
    return x;
}

struct philox_block philox_draw(uint64_t seed, uint64_t position,
                                uint32_t purpose_slot_candidate, uint32_t draw)
{
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    const uint32_t counter[4] = {(uint32_t)position, (uint32_t)(position >> 32),
                                 purpose_slot_candidate, draw};

    return philox4x32_10(key, counter);
}

uint64_t philox_below(uint64_t bits, uint64_t n)
{
    assert(n > 0);
    return (uint64_t)(((unsigned __int128)bits * n) >> 64);
}
