/* The noise kernels of the portable reference: Philox4x32-10, eight bytes of
 * noise a block, or four of the normal one, LANES blocks at once so that
 * compilers vectorise the rounds. Draws no decision; base/philox.h does that.
 * Source: NUMERICS.md "Noise"; byte-equal to philox4x32_10. */
#include <string.h>

#include "server/pixel/normal.h"
#include "server/pixel/reference.h"

#define LANES          16
#define BYTES_A_BLOCK  8
#define BYTES_AT_ONCE  (LANES * BYTES_A_BLOCK)
#define PIXELS_AT_ONCE 128 /* 3 * 128 bytes of noise = 3 full sets of lanes */

/* Multipliers and key steps of Philox4x32 (Salmon et al., 2011). */
#define PHILOX_M0 0xD2511F53u
#define PHILOX_M1 0xCD9E8D57u
#define PHILOX_W0 0x9E3779B9u
#define PHILOX_W1 0xBB67AE85u

struct lanes {
    uint32_t x[4][LANES];
};

static void philox_lanes(uint64_t key, uint32_t first_block, uint32_t y,
                         struct lanes *s)
{
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    for (uint32_t i = 0; i < LANES; i++) {
        s->x[0][i] = first_block + i;
        s->x[1][i] = y;
        s->x[2][i] = 0;
        s->x[3][i] = 0;
    }
    for (int round = 0; round < 10; round++) {
        for (uint32_t i = 0; i < LANES; i++) {
            uint64_t p0 = (uint64_t)PHILOX_M0 * s->x[0][i];
            uint64_t p1 = (uint64_t)PHILOX_M1 * s->x[2][i];
            uint32_t x1 = s->x[1][i], x3 = s->x[3][i];
            s->x[0][i] = (uint32_t)(p1 >> 32) ^ x1 ^ k0;
            s->x[1][i] = (uint32_t)p1;
            s->x[2][i] = (uint32_t)(p0 >> 32) ^ x3 ^ k1;
            s->x[3][i] = (uint32_t)p0;
        }
        k0 += PHILOX_W0;
        k1 += PHILOX_W1;
    }
}

/* Writes BYTES_AT_ONCE bytes, each of 16 random bits scaled to lo..hi. */
static void noise_bytes(const struct lanes *s, uint32_t lo, uint32_t range,
                        uint8_t *out)
{
    for (uint32_t i = 0; i < LANES; i++)
        for (uint32_t w = 0; w < 4; w++) {
            uint32_t bits = s->x[w][i];
            uint8_t *pair = out + i * BYTES_A_BLOCK + w * 2;
            pair[0] = (uint8_t)(lo + (((bits & 0xffff) * range) >> 16));
            pair[1] = (uint8_t)(lo + (((bits >> 16) * range) >> 16));
        }
}

void reference_noise_row(uint64_t key, uint32_t y, uint8_t lo, uint8_t hi,
                         int32_t n, uint8_t *rgb)
{
    uint8_t bytes[PIXELS_AT_ONCE * 3];
    uint32_t range = (uint32_t)hi - lo + 1, block = 0;
    for (int32_t x = 0; x < n; x += PIXELS_AT_ONCE) {
        int32_t n_now = n - x < PIXELS_AT_ONCE ? n - x : PIXELS_AT_ONCE;
        for (int32_t at = 0; at < n_now * 3; at += BYTES_AT_ONCE) {
            struct lanes s;
            philox_lanes(key, block, y, &s);
            noise_bytes(&s, lo, range, bytes + at);
            block += LANES;
        }
        memcpy(rgb + (ptrdiff_t)x * 3, bytes, (size_t)n_now * 3);
    }
}

/* A word a byte; its low byte is the fraction that rounds: without it the steps
 * of normal_of would favour some bytes over others by a fifth. */
static void normal_bytes(const struct lanes *s, int32_t amplitude, uint8_t *out)
{
    for (uint32_t w = 0; w < 4; w++)
        for (uint32_t i = 0; i < LANES; i++) {
            const uint32_t word = s->x[w][i];
            const int32_t part = (int32_t)(word & 255) * 256 + 128;
            out[i * 4 + w] =
                (uint8_t)((normal_of(word) * amplitude + part) >> 16);
        }
}

void reference_normal_row(uint64_t key, uint32_t y, int32_t amplitude,
                          int32_t n, uint8_t *rgb)
{
    uint8_t bytes[PIXELS_AT_ONCE * 3];
    uint32_t block = 0;
    for (int32_t x = 0; x < n; x += PIXELS_AT_ONCE) {
        int32_t n_now = n - x < PIXELS_AT_ONCE ? n - x : PIXELS_AT_ONCE;
        for (int32_t at = 0; at < n_now * 3; at += LANES * 4) {
            struct lanes s;
            philox_lanes(key, block, y, &s);
            normal_bytes(&s, amplitude, bytes + at);
            block += LANES;
        }
        memcpy(rgb + (ptrdiff_t)x * 3, bytes, (size_t)n_now * 3);
    }
}
