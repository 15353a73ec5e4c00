/* Rows of noise in plain C (rows.h): Philox4x32-10, eight bytes of noise a
 * block, or four of the normal one, LANES blocks at once so that compilers
 * vectorise the rounds. Draws no decision; base/philox.h does that.
 * Source: NUMERICS.md "Noise"; byte-equal to philox4x32_10. */
#ifndef PASTED_PIXEL_ROWS_NOISE_H
#define PASTED_PIXEL_ROWS_NOISE_H

#include <string.h>

#include "server/pixel/kernels.h"
#include "server/pixel/normal.h"
#include "server/pixel/philox_lanes.h"

static void philox_lanes(uint64_t key, uint32_t first_block, uint32_t y,
                         struct lanes *s)
{
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    for (uint32_t i = 0; i < LANES; i++) {
        s->x0[i] = first_block + i;
        s->x1[i] = y;
        s->x2[i] = 0;
        s->x3[i] = 0;
    }
    for (int round = 0; round < 10; round++) {
        philox_round(s, k0, k1);
        k0 += PHILOX_W0;
        k1 += PHILOX_W1;
    }
}

/* Two bytes of one word, side by side. */
static inline uint32_t pair_of(uint32_t bits, uint32_t lo, uint32_t range)
{
    const uint32_t first = lo + (((bits & 0xffff) * range) >> 16);
    return first | (lo + (((bits >> 16) * range) >> 16)) << 8;
}

/* Eight bytes a lane, each of 16 random bits scaled to lo..hi: as words, which
 * stand in memory low byte first (convert.c holds hosts to that). */
static void noise_bytes(const struct lanes *s, uint32_t lo, uint32_t range,
                        uint8_t *out)
{
    uint32_t word[2 * LANES];
    for (uint32_t i = 0; i < LANES; i++) {
        word[2 * i] =
            pair_of(s->x0[i], lo, range) | pair_of(s->x1[i], lo, range) << 16;
        word[2 * i + 1] =
            pair_of(s->x2[i], lo, range) | pair_of(s->x3[i], lo, range) << 16;
    }
    memcpy(out, word, sizeof word);
}

static void noise_row(uint64_t key, uint32_t y, uint8_t lo, uint8_t hi,
                      int32_t n, uint8_t *rgb)
{
    const int32_t at_once = LANES * 8;
    const uint32_t range = (uint32_t)hi - lo + 1;
    uint8_t bytes[LANES * 8];
    for (int32_t at = 0; at < n * 3; at += at_once) {
        struct lanes s;
        philox_lanes(key, (uint32_t)at / 8, y, &s);
        noise_bytes(&s, lo, range, bytes);
        memcpy(rgb + at, bytes,
               (size_t)(n * 3 - at < at_once ? n * 3 - at : at_once));
    }
}

/* A word a byte; its low byte is the fraction that rounds: without it the steps
 * of normal_of would favour some bytes over others by a fifth. */
static inline uint32_t normal_byte(uint32_t word, int32_t amplitude)
{
    const int32_t part = (int32_t)(word & 255) * 256 + 128;
    return (uint32_t)((normal_of(word) * amplitude + part) >> 16) & 255;
}

static void normal_bytes(const struct lanes *s, int32_t amplitude, uint8_t *out)
{
    uint32_t word[LANES];
    for (uint32_t i = 0; i < LANES; i++)
        word[i] = normal_byte(s->x0[i], amplitude) |
                  normal_byte(s->x1[i], amplitude) << 8 |
                  normal_byte(s->x2[i], amplitude) << 16 |
                  normal_byte(s->x3[i], amplitude) << 24;
    memcpy(out, word, sizeof word);
}

static void normal_row(uint64_t key, uint32_t y, int32_t amplitude, int32_t n,
                       uint8_t *rgb)
{
    const int32_t at_once = LANES * 4;
    uint8_t bytes[LANES * 4];
    for (int32_t at = 0; at < n * 3; at += at_once) {
        struct lanes s;
        philox_lanes(key, (uint32_t)at / 4, y, &s);
        normal_bytes(&s, amplitude, bytes);
        memcpy(rgb + at, bytes,
               (size_t)(n * 3 - at < at_once ? n * 3 - at : at_once));
    }
}

static void grey_row(const uint8_t *in, int32_t n, uint8_t *rgb)
{
    for (int32_t i = 0; i < n * 3; i++)
        rgb[i] = in[i / 3];
}

#endif
