/* One table of row kernels: everything that touches the pixels of a sample.
 * Knows no recipe, no pool and no frame; NUMERICS.md fixes the arithmetic and
 * reference.c is its portable form, to which every other table is byte-equal.
 *
 * Row formats: RGB24 (3 bytes a pixel), RGBX (4 bytes, the last always 255)
 * and RGBA (4 bytes, premultiplied: no colour above its alpha). No alignment is
 * asked of any pointer. Rows in and out do not overlap unless said, n >= 1, and
 * no byte beyond what is named is read or written.
 * Threads: the kernels are pure; choose a table before threads start. */
#ifndef PASTED_PIXEL_KERNELS_H
#define PASTED_PIXEL_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "server/pixel/image.h"

#define PIXEL_MAX_BLUR_RADIUS 16 /* taps to each side */

/* Texel coordinates along an output row, 16.16: pixel i of n samples
 * (u + i * du, v + i * dv). Neither leaves int32 for any i < n. */
struct pixel_line {
    int32_t u, v, du, dv;
};

struct pixel_kernels {
    const char *name; /* as in PASTED_CPU */

    /* out[i] = lerp7(a[i], b[i], f), n bytes, 0 <= f <= 127. */
    void (*lerp_rows)(const uint8_t *a, const uint8_t *b, uint32_t f,
                      int32_t n_bytes, uint8_t *out);
    /* RGB24 -> RGBX: pixel i is the horizontal lerp at u + i * du, which is
     * clamped to 0..max_u first. Reads texels 0..(max_u >> 16) + 1 and one
     * byte after the last of them. */
    void (*resample_row)(const uint8_t *rgb, int32_t u, int32_t du,
                         int32_t max_u, int32_t n, uint8_t *rgbx);
    /* Bytes uniform in lo..hi, from Philox keyed by key, for frame row y. */
    void (*noise_row)(uint64_t key, uint32_t y, uint8_t lo, uint8_t hi,
                      int32_t n, uint8_t *rgbx);
    void (*solid_row)(const uint8_t rgb[3], int32_t n, uint8_t *rgbx);

    /* Bilinear RGBA -> RGBA. object_inside: all four taps of every pixel lie
     * in the level. object_border: any may lie outside, and is transparent. */
    void (*object_inside)(const struct image_level *level,
                          struct pixel_line line, int32_t n, uint8_t *rgba);
    void (*object_border)(const struct image_level *level,
                          struct pixel_line line, int32_t n, uint8_t *rgba);

    /* In place: alpha >= 128 becomes opaque with its colour un-premultiplied,
     * the rest transparent black. */
    void (*harden_row)(uint8_t *rgba, int32_t n);
    /* out[i] = alpha of pixel i. */
    void (*alpha_row)(const uint8_t *rgba, int32_t n, uint8_t *out);
    /* Weighted sum of 2 * radius + 1 rows of bytes; weight[0] is the centre's,
     * Q16, and the whole sums to 65536. rows[radius] is the centre. */
    void (*blur_columns)(const uint8_t *const *rows, const uint32_t *weight,
                         uint32_t radius, int32_t n, uint8_t *out);
    /* The same along a row: out[i] is centred on in[i + radius]; reads
     * n + 2 * radius bytes. */
    void (*blur_row)(const uint8_t *in, const uint32_t *weight, uint32_t radius,
                     int32_t n, uint8_t *out);
    /* In place: every channel times factor[i] / 255, rounded to nearest. */
    void (*fade_row)(uint8_t *rgba, const uint8_t *factor, int32_t n);

    /* In place on rgbx: rgba over it. */
    void (*over_row)(uint8_t *rgbx, const uint8_t *rgba, int32_t n);
    /* RGBX -> RGB24 through the matrix (Q12, last column the offset), clamped.
     * |m[i][0..2]| < 2^15 and |m[i][3]| < 2^30. */
    void (*colour_row)(const uint8_t *rgbx, const int32_t m[3][4], int32_t n,
                       uint8_t *rgb);
    /* RGBX -> RGB24 as it is. */
    void (*pack_row)(const uint8_t *rgbx, int32_t n, uint8_t *rgb);

    /* RGB24 -> three planes, plane_stride bytes (floats) apart. */
    void (*planes_u8)(const uint8_t *rgb, int32_t n, ptrdiff_t plane_stride,
                      uint8_t *out);
    /* RGB24 -> f32 through table[channel][byte], interleaved or as planes. */
    void (*row_f32)(const uint8_t *rgb, const float table[3][256], int32_t n,
                    float *out);
    void (*planes_f32)(const uint8_t *rgb, const float table[3][256], int32_t n,
                       ptrdiff_t plane_stride, float *out);
};

/* The table in use: what pixel_kernels_select chose, else what the environment
 * variable PASTED_CPU names, else the best that this CPU can run. */
const struct pixel_kernels *pixel_kernels(void);

/* Chooses by name before the first use; NULL or "" chooses the best.
 * -ERROR_BAD_CONFIG, with the names this CPU can run, for any other. */
int pixel_kernels_select(const char *name, struct fault *fault);

/* Tables that this CPU can run, the reference first; NULL from the end on. */
const struct pixel_kernels *pixel_kernels_at(uint32_t i);

extern const struct pixel_kernels pixel_kernels_reference;

/* Part of the reference, in a file of its own (reference_noise.c). */
void reference_noise_row(uint64_t key, uint32_t y, uint8_t lo, uint8_t hi,
                         int32_t n, uint8_t *rgbx);

#endif
