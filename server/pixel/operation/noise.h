/* Noise that a counter draws: a pure function of key, row and byte. Source:
 * NUMERICS.md, by the names of the functions. */
#ifndef PASTED_PIXEL_OPERATION_NOISE_H
#define PASTED_PIXEL_OPERATION_NOISE_H
#include "server/base/fixmath.h"
#include "server/pixel/normal.h"
#include "server/pixel/operation/parts.h"
#include "server/pixel/operation/words.h"

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

/* The same with an amplitude for each level: looked up in one loop, so that the
 * others vectorise. */
static void add_normal_by_level(const uint32_t *words,
                                const int32_t amplitude[256], int32_t n,
                                uint8_t *bytes)
{
    int32_t a[RANDOM_WORDS], d[RANDOM_WORDS];
    for (int32_t i = 0; i < RANDOM_WORDS; i++)
        d[i] = normal_of(words[i]);
    for (int32_t i = 0; i < n; i++)
        a[i] = amplitude[bytes[i]];
    for (int32_t i = 0; i < n; i++)
        bytes[i] = clamp_byte(bytes[i] + ((d[i] * a[i] + 32768) >> 16));
}

/* Deviations that grow as the root of the level. */
static void shot_noise(const struct operation_frame *f, const int32_t *p)
{
    const uint64_t key = key_of(p + 1),
                   square = (uint64_t)p[0] * (uint32_t)p[0];
    const size_t n = frame_bytes_of(f);
    uint32_t words[RANDOM_WORDS];
    int32_t amplitude[256];
    for (uint32_t v = 0; v < 256; v++) /* the root of less than 2^28: exact */
        amplitude[v] = (int32_t)fixmath_sqrt((double)(square * v / 255));
    for (size_t i = 0; i < n; i += RANDOM_WORDS) {
        random_words(key, (uint32_t)(i / RANDOM_WORDS), words);
        add_normal_by_level(
            words, amplitude,
            n - i < RANDOM_WORDS ? (int32_t)(n - i) : RANDOM_WORDS, f->rgb + i);
    }
}

/* Two bytes of each word: 16 bits scaled to -a .. a. */
static void add_uniform(const uint32_t *words, int32_t a, int32_t n,
                        uint8_t *bytes)
{
    const uint32_t range = 2 * (uint32_t)a + 1;
    uint8_t offset[2 * RANDOM_WORDS];
    for (int32_t k = 0; k < RANDOM_WORDS; k++) {
        offset[2 * k] = (uint8_t)((words[k] & 0xffff) * range >> 16);
        offset[2 * k + 1] = (uint8_t)((words[k] >> 16) * range >> 16);
    }
    for (int32_t i = 0; i < n; i++)
        bytes[i] = clamp_byte(bytes[i] + offset[i] - a);
}

static void uniform_noise(const struct operation_frame *f, const int32_t *p)
{
    const uint64_t key = key_of(p + 1);
    const size_t n = frame_bytes_of(f), most = 2 * RANDOM_WORDS;
    uint32_t words[RANDOM_WORDS];
    for (size_t i = 0; i < n; i += most) {
        random_words(key, (uint32_t)(i / most), words);
        add_uniform(words, p[0], (int32_t)(n - i < most ? n - i : most),
                    f->rgb + i);
    }
}

/* One word for each pixel. */
static void salt_pepper(const struct operation_frame *f, const int32_t *p)
{
    const uint64_t key = key_of(p + 1);
    const size_t n = frame_bytes_of(f) / 3;
    const uint32_t threshold = (uint32_t)p[0];
    uint32_t words[RANDOM_WORDS];
    for (size_t i = 0; i < n; i += RANDOM_WORDS) {
        uint8_t *pixel = f->rgb + 3 * i;
        random_words(key, (uint32_t)(i / RANDOM_WORDS), words);
        for (size_t k = 0; k < RANDOM_WORDS && i + k < n; k++)
            if (words[k] >> 16 < threshold)
                memset(pixel + 3 * k, words[k] & 1 ? 255 : 0, 3);
    }
}

#endif
