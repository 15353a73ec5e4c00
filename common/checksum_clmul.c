/* crc32 by carry-less multiplication: 64 bytes a step are folded into 64, those
 * into 16, and the table takes these and what is left. Does not ask whether the
 * CPU can. Threads: pure function.
 * Source: V. Gopal et al., "Fast CRC Computation for Generic Polynomials Using
 * PCLMULQDQ Instruction" (Intel, 2009), for bits in reflected order. */
#include <assert.h>
#include <emmintrin.h>
#include <wmmintrin.h>

#include "common/checksum_crc32.h"

#define BLOCK_BYTES ((size_t)16)
#define N_LANES     4

/* What n bits ahead of a block's two halves are worth, modulo the polynomial:
 * x^(n + 32) for the first half and x^(n - 32) for the second, each reflected
 * and shifted by one, since the product of two reflected numbers is that of the
 * numbers, reflected, one bit too low. */
#define AHEAD_512_FIRST  0x154442bd4ll
#define AHEAD_512_SECOND 0x1c6e41596ll
#define AHEAD_128_FIRST  0x1751997d0ll
#define AHEAD_128_SECOND 0x0ccaa009ell

static __m128i load(const uint8_t *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* Bytes that leave the same remainder as `block` with `next` behind it, which
 * lies as far ahead as `ahead` says. */
static __m128i fold(__m128i block, __m128i ahead, __m128i next)
{
    const __m128i first = _mm_clmulepi64_si128(block, ahead, 0x00);
    const __m128i second = _mm_clmulepi64_si128(block, ahead, 0x11);
    return _mm_xor_si128(_mm_xor_si128(first, second), next);
}

uint32_t checksum_crc32_clmul(uint32_t previous, const void *data,
                              size_t n_bytes)
{
    const __m128i far = _mm_set_epi64x(AHEAD_512_SECOND, AHEAD_512_FIRST);
    const __m128i near = _mm_set_epi64x(AHEAD_128_SECOND, AHEAD_128_FIRST);
    const uint8_t *p = data;
    __m128i lane[N_LANES];
    uint8_t rest[BLOCK_BYTES];

    assert(n_bytes >= CHECKSUM_CLMUL_BYTES);
    for (size_t i = 0; i < N_LANES; i++)
        lane[i] = load(p + i * BLOCK_BYTES);
    lane[0] = _mm_xor_si128(lane[0], _mm_cvtsi32_si128((int)~previous));
    p += CHECKSUM_CLMUL_BYTES;
    n_bytes -= CHECKSUM_CLMUL_BYTES;
    for (; n_bytes >= CHECKSUM_CLMUL_BYTES; n_bytes -= CHECKSUM_CLMUL_BYTES) {
        for (size_t i = 0; i < N_LANES; i++)
            lane[i] = fold(lane[i], far, load(p + i * BLOCK_BYTES));
        p += CHECKSUM_CLMUL_BYTES;
    }
    for (size_t i = 1; i < N_LANES; i++)
        lane[0] = fold(lane[0], near, lane[i]);
    for (; n_bytes >= BLOCK_BYTES; n_bytes -= BLOCK_BYTES, p += BLOCK_BYTES)
        lane[0] = fold(lane[0], near, load(p));
    _mm_storeu_si128((__m128i *)(void *)rest, lane[0]);
    /* The register is 0 before them: what was in it is in them. */
    const uint32_t crc = checksum_crc32_plain(~0u, rest, sizeof rest);
    return checksum_crc32_plain(crc, p, n_bytes);
}
