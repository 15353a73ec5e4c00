/* One table of row kernels: everything that touches the pixels of a sample.
 * Knows no recipe, no pool and no frame; NUMERICS.md fixes the arithmetic and
 * reference.c is its portable form, to which every other table is byte-equal.
 *
 * Row formats: RGB24 (3 bytes a pixel) for contexts and frames, RGBA (4 bytes,
 * premultiplied: no colour above its alpha) for objects. No alignment is asked
 * of any pointer. Rows in and out do not overlap unless said, n >= 1, and no
 * byte beyond what is named is read or written.
 * Threads: the kernels are pure; choose a table before threads start. */
#ifndef PASTED_PIXEL_KERNELS_H
#define PASTED_PIXEL_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "server/pixel/image.h"

#define PIXEL_EROSIONS        3  /* of erode_row, a pixel each */
#define PIXEL_MAX_BLUR_RADIUS 16 /* taps to each side */

/* What some kernels read or write beyond their rows, where they say so; what
 * these bytes hold does not matter. */
#define PIXEL_SLACK_BYTES 128

/* Lerped rows of a background: at least one of the widest, with a texel that
 * has no weight and what reading it across may read after it. */
#define PIXEL_STAGE_BYTES (1 << 16)

/* Texel coordinates along an output row, 16.16: pixel i of n >= 0 samples
 * (u + i * du, v + i * dv). Neither leaves int32 for any i < n. */
struct pixel_line {
    int32_t u, v, du, dv;
    int32_t n;
};

/* How n pixels read a row of texels: pixel i lerps horizontally at u + i * du,
 * clamped to 0..max_u. All rows of a sample read alike, so what can be worked
 * out beforehand is, by resample_prepare, into table. */
struct pixel_resample {
    int32_t u, du, max_u, n;
    int32_t n_texels; /* of a row, 0 .. n_texels - 1 have weight */
    void *table;      /* 64-byte aligned, pixel_resample_bytes(n) */
    int32_t n_groups, group_bytes; /* the table's, for its maker alone */
};

/* A linear gradient: pixel (x, y) is at + x * dx + y * dy of the way, clamped
 * to 0 .. 1 (Q24). */
struct pixel_gradient {
    int32_t at, dx, dy;
    uint8_t from[3], to[3];
};

enum pixel_texture_kind {
    TEXTURE_NOISE,
    TEXTURE_STRIPES,
    TEXTURE_CHECKER,
    TEXTURE_N,
};

/* A texture of two colours. Cells are counted in Q16 modulo 2^32: pixel (x, y)
 * is at[0] + x * dx + y * dy of the one axis and at[1] - x * dy + y * dx of the
 * other; dy is 0 of noise. */
struct pixel_texture {
    uint8_t kind;      /* enum pixel_texture_kind */
    uint8_t n_octaves; /* of noise, 1..6 */
    uint8_t from[3], to[3];
    uint64_t key; /* of noise */
    uint32_t at[2];
    int32_t dx, dy; /* -2^16..2^16 */
    int32_t sharp;  /* of stripes: pixels a cell, Q8, 2^8..2^18 */
};

/* A row of texels between two, f/128 of the way down, 0 <= f <= 127. */
struct pixel_pair {
    const uint8_t *top, *low;
    uint32_t f;
};

struct pixel_kernels {
    const char *name; /* as in PASTED_CPU */

    void (*resample_prepare)(struct pixel_resample *r);
    /* n_rows rows, stride_bytes apart: the bytes of a pair's n_texels RGB24
     * texels are lerped first, down, then two neighbours of these, across.
     * stage: PIXEL_STAGE_BYTES to work in, 64-byte aligned. */
    void (*resample_rows)(const struct pixel_resample *r,
                          const struct pixel_pair *pairs, int32_t n_rows,
                          uint8_t *stage, uint8_t *rgb, ptrdiff_t stride_bytes);
    /* Bytes uniform in lo..hi, from Philox keyed by key, for frame row y. */
    void (*noise_row)(uint64_t key, uint32_t y, uint8_t lo, uint8_t hi,
                      int32_t n, uint8_t *rgb);
    /* Normal bytes of deviation amplitude * NORMAL_DEVIATION / 65536 about 0,
     * modulo 256. 0 <= amplitude < 2^19. */
    void (*normal_row)(uint64_t key, uint32_t y, int32_t amplitude, int32_t n,
                       uint8_t *rgb);
    /* Frame row y of the gradient, 0 <= y < 2^15. */
    void (*gradient_row)(const struct pixel_gradient *g, int32_t y, int32_t n,
                         uint8_t *rgb);
    /* Frame row y of the texture, 0 <= y < 2^15. */
    void (*texture_row)(const struct pixel_texture *t, int32_t y, int32_t n,
                        uint8_t *rgb);
    void (*solid_row)(const uint8_t colour[3], int32_t n, uint8_t *rgb);
    /* Bilinear RGB24 of n pixels, each at (u, v) of the RGB24 level:
     * 0 <= u <= (width - 1) << 16, v alike. */
    void (*photo_row)(const struct image_level *level, const int32_t *u,
                      const int32_t *v, int32_t n, uint8_t *rgb);

    /* Bilinear RGBA of the pixels of all lines, one line after the other
     * without a gap; taps outside the level are transparent. May also write
     * PIXEL_SLACK_BYTES after the last. */
    void (*object_lines)(const struct image_level *level,
                         const struct pixel_line *lines, int32_t n_lines,
                         uint8_t *rgba);
    /* The same of n pixels that each have coordinates of their own. */
    void (*warp_row)(const struct image_level *level, const int32_t *u,
                     const int32_t *v, int32_t n, uint8_t *rgba);

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
    /* Erosions of an alpha plane: out[i] is the mean, to nearest, of the least
     * of the 3 x 3, 5 x 5 and 7 x 7 bytes centred on rows[3][i + 3]; reads
     * n + 6 bytes of 7 rows. */
    void (*erode_row)(const uint8_t *const *rows, int32_t n, uint8_t *out);
    /* In place: every channel times factor[i] / 255, rounded to nearest. */
    void (*fade_row)(uint8_t *rgba, const uint8_t *factor, int32_t n);

    /* In place on rgb: rgba over it. Raises each byte of peak (n pixels, RGBA)
     * to that of rgba. Returns 128 where some alpha is at least that, else 1
     * where some is not 0, else 0. */
    uint8_t (*over_row)(uint8_t *rgb, const uint8_t *rgba, int32_t n,
                        uint8_t *peak);
    /* In place: every byte divided by three, to nearest. */
    void (*third_row)(uint8_t *rgb, int32_t n);
    /* As over_row, but rgb only grows by rgba; no sum exceeds 255. */
    uint8_t (*add_row)(uint8_t *rgb, const uint8_t *rgba, int32_t n,
                       uint8_t *peak);
    /* Each of n bytes three times. */
    void (*grey_row)(const uint8_t *in, int32_t n, uint8_t *rgb);
    /* RGB24 -> RGB24 through the matrix (Q12, last column the offset), clamped.
     * |m[i][0..2]| < 2^15 and |m[i][3]| < 2^30. */
    void (*colour_row)(const uint8_t *in, const int32_t m[3][4], int32_t n,
                       uint8_t *out);
    /* The same for an out that will have left the caches before it is read:
     * may store around them. Other threads see it after stream_end. */
    void (*colour_stream)(const uint8_t *in, const int32_t m[3][4], int32_t n,
                          uint8_t *out);
    /* out[i] = in[i], n_bytes, stored likewise. */
    void (*stream_bytes)(const uint8_t *in, size_t n_bytes, uint8_t *out);
    void (*stream_end)(void);
    /* In place on premultiplied rgba: the same matrix, its offset times alpha
     * (alpha + (alpha >> 7) of 256), clamped to 0..alpha. |m[i][3]| < 2^30. */
    void (*tint_row)(uint8_t *rgba, const int32_t m[3][4], int32_t n);

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

/* Bytes of struct pixel_resample's table. */
size_t pixel_resample_bytes(int32_t n);

extern const struct pixel_kernels pixel_kernels_reference;
/* On x86-64 alone. */
extern const struct pixel_kernels pixel_kernels_x86_v3;
extern const struct pixel_kernels pixel_kernels_x86_v4;

#endif
