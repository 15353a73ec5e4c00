/* The parts of the table for AVX2 and BMI2 (Haswell, Zen and later). The
 * contracts are those of kernels.h. Include it only in files that are compiled
 * for that CPU. */
#ifndef PASTED_PIXEL_X86_V3_H
#define PASTED_PIXEL_X86_V3_H

#include <immintrin.h>

#include "server/pixel/kernels.h"

void v3_resample_prepare(struct pixel_resample *r);
void v3_resample_rows(const struct pixel_resample *r,
                      const struct pixel_pair *pairs, int32_t n_rows,
                      uint8_t *stage, uint8_t *rgb, ptrdiff_t stride_bytes);
void v3_object_lines(const struct image_level *level,
                     const struct pixel_line *lines, int32_t n_lines,
                     uint8_t *rgba);
void v3_warp_row(const struct image_level *level, const int32_t *u,
                 const int32_t *v, int32_t n, uint8_t *rgba);
void v3_photo_row(const struct image_level *level, const int32_t *u,
                  const int32_t *v, int32_t n, uint8_t *rgb);
uint8_t v3_over_row(uint8_t *rgb, const uint8_t *rgba, int32_t n,
                    uint8_t *peak);
void v3_colour_row(const uint8_t *in, const int32_t m[3][4], int32_t n,
                   uint8_t *out);
void v3_colour_stream(const uint8_t *in, const int32_t m[3][4], int32_t n,
                      uint8_t *out);
void v3_stream_bytes(const uint8_t *in, size_t n_bytes, uint8_t *out);
void v3_stream_end(void);

/* (sum + 64) >> 7 of 16-bit lanes: what ends every lerp7. */
static inline __m256i v3_round7(__m256i sum)
{
    return _mm256_mulhrs_epi16(sum, _mm256_set1_epi16(256));
}

/* 16 bytes from each of two places. */
static inline __m256i v3_load_two(const uint8_t *low, const uint8_t *high)
{
    __m256i v = _mm256_castsi128_si256(
        _mm_loadu_si128((const __m128i *)(const void *)low));
    return _mm256_inserti128_si256(
        v, _mm_loadu_si128((const __m128i *)(const void *)high), 1);
}

/* The first 12 bytes of each lane, side by side; up to 4 bytes more. */
static inline void v3_store_24_and_4(uint8_t *p, __m256i v)
{
    _mm_storeu_si128((__m128i *)(void *)p, _mm256_castsi256_si128(v));
    _mm_storeu_si128((__m128i *)(void *)(p + 12),
                     _mm256_extracti128_si256(v, 1));
}

/* The same without a byte more. */
static inline void v3_store_24(uint8_t *p, __m256i v)
{
    __m128i high = _mm256_extracti128_si256(v, 1);
    _mm_storeu_si128((__m128i *)(void *)p, _mm256_castsi256_si128(v));
    _mm_storel_epi64((__m128i *)(void *)(p + 12), high);
    _mm_storeu_si32(p + 20, _mm_srli_si128(high, 8));
}

#endif
