/* The parts of the table for AVX-512 with VBMI and VNNI (Ice Lake, Zen 4 and
 * later). The contracts are those of kernels.h. Include it only in files that
 * are compiled for that CPU. */
#ifndef PASTED_PIXEL_X86_V4_H
#define PASTED_PIXEL_X86_V4_H

#include <immintrin.h>

#include "server/pixel/kernels.h"

void v4_resample_prepare(struct pixel_resample *r);
void v4_resample_rows(const struct pixel_resample *r,
                      const struct pixel_pair *pairs, int32_t n_rows,
                      uint8_t *stage, uint8_t *rgb, ptrdiff_t stride_bytes);
void v4_object_lines(const struct image_level *level,
                     const struct pixel_line *lines, int32_t n_lines,
                     uint8_t *rgba);
void v4_warp_row(const struct image_level *level, const int32_t *u,
                 const int32_t *v, int32_t n, uint8_t *rgba);
uint8_t v4_over_row(uint8_t *rgb, const uint8_t *rgba, int32_t n,
                    uint8_t *peak);
void v4_colour_row(const uint8_t *in, const int32_t m[3][4], int32_t n,
                   uint8_t *out);
void v4_colour_stream(const uint8_t *in, const int32_t m[3][4], int32_t n,
                      uint8_t *out);
void v4_stream_bytes(const uint8_t *in, size_t n_bytes, uint8_t *out);
void v4_stream_end(void);
void v4_planes_f32(const uint8_t *rgb, const float table[3][256], int32_t n,
                   ptrdiff_t plane_stride, float *out);

/* The first n of 64 bytes, 0 <= n; all from 64 on. */
static inline __mmask64 v4_first(int32_t n)
{
    return _bzhi_u64(~0ull, n < 64 ? (unsigned)n : 64);
}

/* (sum + 64) >> 7 of 16-bit lanes: what ends every lerp7. */
static inline __m512i v4_round7(__m512i sum)
{
    return _mm512_mulhrs_epi16(sum, _mm512_set1_epi16(256));
}

#endif
