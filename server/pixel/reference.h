/* The functions of the portable reference by name, so that a table for one
 * instruction set can keep those it does no better. The contracts are those of
 * kernels.h. */
#ifndef PASTED_PIXEL_REFERENCE_H
#define PASTED_PIXEL_REFERENCE_H

#include "server/pixel/kernels.h"

void reference_lerp_rows(const uint8_t *a, const uint8_t *b, uint32_t f,
                         int32_t n_bytes, uint8_t *out);
void reference_resample_row(const struct pixel_resample *r,
                            const uint8_t *texels, uint8_t *rgb);
void reference_resample_rows(const struct pixel_resample *r,
                             const struct pixel_pair *pairs, int32_t n_rows,
                             uint8_t *stage, uint8_t *rgb,
                             ptrdiff_t stride_bytes);
void reference_photo_row(const struct image_level *level, const int32_t *u,
                         const int32_t *v, int32_t n, uint8_t *rgb);
void reference_object_lines(const struct image_level *level,
                            const struct pixel_line *lines, int32_t n_lines,
                            uint8_t *rgba);
void reference_warp_row(const struct image_level *level, const int32_t *u,
                        const int32_t *v, int32_t n, uint8_t *rgba);
uint8_t reference_over_row(uint8_t *rgb, const uint8_t *rgba, int32_t n,
                           uint8_t *peak);
void reference_colour_row(const uint8_t *in, const int32_t m[3][4], int32_t n,
                          uint8_t *out);
void reference_stream_bytes(const uint8_t *in, size_t n_bytes, uint8_t *out);
void reference_stream_end(void);
void reference_planes_f32(const uint8_t *rgb, const float table[3][256],
                          int32_t n, ptrdiff_t plane_stride, float *out);

/* Pixels of RGB24 from p on until a cache line begins, at most n: 3 * 43 is 1
 * modulo 64. */
static inline int32_t reference_pixels_to_line(const uint8_t *p, int32_t n)
{
    const int32_t head = (int32_t)((64 - (uintptr_t)p % 64) * 43 % 64);
    return head < n ? head : n;
}

#endif
