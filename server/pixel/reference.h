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
void reference_noise_row(uint64_t key, uint32_t y, uint8_t lo, uint8_t hi,
                         int32_t n, uint8_t *rgb);
void reference_normal_row(uint64_t key, uint32_t y, int32_t amplitude,
                          int32_t n, uint8_t *rgb);
void reference_gradient_row(const struct pixel_gradient *g, int32_t y,
                            int32_t n, uint8_t *rgb);
void reference_texture_row(const struct pixel_texture *t, int32_t y, int32_t n,
                           uint8_t *rgb);
void reference_solid_row(const uint8_t colour[3], int32_t n, uint8_t *rgb);
void reference_photo_row(const struct image_level *level, const int32_t *u,
                         const int32_t *v, int32_t n, uint8_t *rgb);
void reference_object_lines(const struct image_level *level,
                            const struct pixel_line *lines, int32_t n_lines,
                            uint8_t *rgba);
void reference_warp_row(const struct image_level *level, const int32_t *u,
                        const int32_t *v, int32_t n, uint8_t *rgba);
void reference_harden_row(uint8_t *rgba, int32_t n);
void reference_alpha_row(const uint8_t *rgba, int32_t n, uint8_t *out);
void reference_blur_columns(const uint8_t *const *rows, const uint32_t *weight,
                            uint32_t radius, int32_t n, uint8_t *out);
void reference_blur_row(const uint8_t *in, const uint32_t *weight,
                        uint32_t radius, int32_t n, uint8_t *out);
void reference_erode_row(const uint8_t *const *rows, int32_t n, uint8_t *out);
void reference_fade_row(uint8_t *rgba, const uint8_t *factor, int32_t n);
uint8_t reference_over_row(uint8_t *rgb, const uint8_t *rgba, int32_t n,
                           uint8_t *peak);
void reference_third_row(uint8_t *rgb, int32_t n);
uint8_t reference_add_row(uint8_t *rgb, const uint8_t *rgba, int32_t n,
                          uint8_t *peak);
void reference_grey_row(const uint8_t *in, int32_t n, uint8_t *rgb);
void reference_colour_row(const uint8_t *in, const int32_t m[3][4], int32_t n,
                          uint8_t *out);
void reference_stream_end(void);

/* Pixels of RGB24 from p on until a cache line begins, at most n: 3 * 43 is 1
 * modulo 64. */
static inline int32_t reference_pixels_to_line(const uint8_t *p, int32_t n)
{
    const int32_t head = (int32_t)((64 - (uintptr_t)p % 64) * 43 % 64);
    return head < n ? head : n;
}

void reference_tint_row(uint8_t *rgba, const int32_t m[3][4], int32_t n);
void reference_planes_u8(const uint8_t *rgb, int32_t n, ptrdiff_t plane_stride,
                         uint8_t *out);
void reference_row_f32(const uint8_t *rgb, const float table[3][256], int32_t n,
                       float *out);
void reference_planes_f32(const uint8_t *rgb, const float table[3][256],
                          int32_t n, ptrdiff_t plane_stride, float *out);

#endif
