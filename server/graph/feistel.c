/* The keyed permutation: rounds of modular additions of a hash. Chooses no key.
 * Threads: pure functions, any thread. */
#include "server/graph/feistel.h"

#include <assert.h>

/* Two rounds of multiply and fold; the constants are odd with about 32 bits
 * set (splitmix64's increment and two of its relatives). */
static uint64_t mix(uint64_t z)
{
    z ^= z >> 32;
    z *= 0xD6E8FEB86659FD93ull;
    z ^= z >> 29;
    z *= 0x9E3779B97F4A7C15ull;
    return z ^ (z >> 32);
}

/* The least a with a * a >= n, n <= 2^32, by bisection. */
static uint32_t root_above(uint64_t n)
{
    uint64_t low = 0, high = 1ull << 16; /* low^2 < n <= high^2 */
    while (high - low > 1) {
        uint64_t middle = (low + high) / 2;
        if (middle * middle >= n)
            high = middle;
        else
            low = middle;
    }
    return (uint32_t)high;
}

void feistel_init(struct feistel *f, uint64_t n, struct philox_block key)
{
    assert(n >= 1 && n <= 1ull << 32);
    f->n = n;
    f->a = root_above(n);
    f->b = (uint32_t)((n + f->a - 1) / f->a);
    uint64_t low = (uint64_t)key.word[1] << 32 | key.word[0];
    uint64_t high = (uint64_t)key.word[3] << 32 | key.word[2];
    for (uint32_t i = 0; i < FEISTEL_ROUNDS; i++) {
        low += 0x9E3779B97F4A7C15ull;
        f->round_key[i] = mix(mix(low) ^ high);
    }
}

/* Uniform in [0, range) from the other half; the high bits are the best. */
static uint32_t round_value(uint64_t key, uint32_t half, uint32_t range)
{
    uint64_t hash = mix(key + (half + 1ull) * 0xA0761D6478BD642Full);
    return (uint32_t)(((hash >> 32) * range) >> 32);
}

static uint64_t permute_once(const struct feistel *f, uint64_t x)
{
    uint32_t left = (uint32_t)(x % f->a), right = (uint32_t)(x / f->a);
    for (unsigned i = 0; i < FEISTEL_ROUNDS; i += 2) {
        left += round_value(f->round_key[i], right, f->a);
        left -= left >= f->a ? f->a : 0;
        right += round_value(f->round_key[i + 1], left, f->b);
        right -= right >= f->b ? f->b : 0;
    }
    return (uint64_t)right * f->a + left;
}

uint64_t feistel_permute(const struct feistel *f, uint64_t x)
{
    assert(x < f->n);
    do
        x = permute_once(f, x);
    while (x >= f->n);
    return x;
}
