/* Noise that a counter draws: a pure function of key, row and byte. Source:
 * NUMERICS.md "gaussian_noise". */
#ifndef PASTED_PIXEL_OPERATION_NOISE_H
#define PASTED_PIXEL_OPERATION_NOISE_H
#include "server/pixel/operation/parts.h"
#include "server/pixel/operation/words.h"

/* About normal, mean 0, deviation sqrt(4 * 2^16 + (2^16 - 1) / 6) = 522.558,
 * within +-2303: 256 times the sum of 16 bits, whose density two uniform bytes
 * make piecewise linear. (Excess kurtosis -0.12; of four bytes -0.30.) */
static inline int32_t normal_of(uint32_t word)
{
    uint32_t x = word >> 16;
    x = x - ((x >> 1) & 0x5555);
    x = (x & 0x3333) + ((x >> 2) & 0x3333);
    x = (x + (x >> 4)) & 0x0f0f;
    x = (x + (x >> 8)) & 0x1f;
    return (int32_t)(x * 256 + (word & 255) + (word >> 8 & 255)) - 2303;
}

static void add_normal(const uint32_t *words, int32_t amplitude, int32_t n,
                       uint8_t *bytes)
{
    for (int32_t i = 0; i < n; i++)
        bytes[i] = clamp_byte(
            bytes[i] + ((normal_of(words[i]) * amplitude + 32768) >> 16));
}

static void gaussian_noise(const struct operation_frame *f, const int32_t *p)
{
    const uint64_t key = key_of(p + 1);
    const size_t n = frame_bytes_of(f);
    uint32_t words[RANDOM_WORDS];
    for (size_t i = 0; i < n; i += RANDOM_WORDS) {
        random_words(key, (uint32_t)(i / RANDOM_WORDS), words);
        add_normal(words, p[0],
                   n - i < RANDOM_WORDS ? (int32_t)(n - i) : RANDOM_WORDS,
                   f->rgb + i);
    }
}

#endif
