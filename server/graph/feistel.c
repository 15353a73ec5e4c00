/* The keyed permutation: rounds of modular additions of a hash. Chooses no key.
 * Threads: pure functions, any thread. */
#include "server/graph/feistel.h"

#include <assert.h>

/* Eight rounds serve large domains; networks over a few values need more. */
#define ROUNDS       8
#define SMALL_ROUNDS 12
#define SMALL        4096

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

struct feistel feistel_rekey(const struct feistel *f, struct philox_block key)
{
    struct feistel other = *f;
    other.key[0] = (uint64_t)key.word[1] << 32 | key.word[0];
    other.key[1] = (uint64_t)key.word[3] << 32 | key.word[2];
    return other;
}

void feistel_init(struct feistel *f, uint64_t n, struct philox_block key)
{
    assert(n >= 1 && n <= 1ull << 32);
    uint32_t a = root_above(n);
    *f = (struct feistel){
        .n = n,
        .a = a,
        .b = (uint32_t)((n + a - 1) / a),
        .n_rounds = n < SMALL ? SMALL_ROUNDS : ROUNDS,
    };
    *f = feistel_rekey(f, key);
}

/* Uniform in [0, range) from the other half: multiply and fold twice, with a
 * half of the key before each; the high bits are the best. The constants are
 * splitmix64's increment and two of its relatives. */
static uint32_t round_value(const struct feistel *f, uint32_t round,
                            uint32_t half, uint32_t range)
{
    uint64_t z = f->key[0] + (round + 1ull) * 0x9E3779B97F4A7C15ull;
    z ^= (half + 1ull) * 0xA0761D6478BD642Full;
    z ^= z >> 32;
    z *= 0xD6E8FEB86659FD93ull;
    z ^= (z >> 29) ^ f->key[1];
    z *= 0x9E3779B97F4A7C15ull;
    return (uint32_t)(((z >> 32) * range) >> 32);
}

static uint32_t permute_once(const struct feistel *f, uint32_t x)
{
    uint32_t left = x % f->a, right = x / f->a;
    for (uint32_t i = 0; i < f->n_rounds; i += 2) {
        left += round_value(f, i, right, f->a);
        left -= left >= f->a ? f->a : 0;
        right += round_value(f, i + 1, left, f->b);
        right -= right >= f->b ? f->b : 0;
    }
    return right * f->a + left;
}

uint64_t feistel_permute(const struct feistel *f, uint64_t x)
{
    assert(x < f->n);
    uint32_t y = (uint32_t)x; /* a * b <= 2^32 */
    do
        y = permute_once(f, y);
    while (y >= f->n);
    return y;
}
