/* The portable C reference of every row kernel: the specification in code that
 * other tables are byte-equal to. Uses no instruction set by name; loops are
 * written so that compilers vectorise them, and four channels travel in one
 * 64-bit word as 16-bit lanes (SWAR) where addresses are arbitrary.
 * Source: NUMERICS.md. */
#include <string.h>

#include "server/pixel/reference.h"
#include "server/pixel/rows.h"

/* Four channels, one in each 16-bit lane. No sum of a lane passes
 * 255 * 128 + 64 < 2^16, so lanes never carry into each other. */
#define LANE_MASK 0x00ff00ff00ff00ffull
#define LANE_HALF 0x0040004000400040ull

static inline uint32_t load32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline void store32(uint8_t *p, uint32_t v)
{
    memcpy(p, &v, sizeof v);
}

/* Bytes 0, 2, 1, 3 of a pixel in ascending lanes; any byte order of the host
 * works, because spread and gather are inverse. */
static inline uint64_t spread(uint32_t pixel)
{
    return (pixel & 0x00ff00ffu) | (uint64_t)((pixel >> 8) & 0x00ff00ffu) << 32;
}

static inline uint32_t gather(uint64_t lanes)
{
    return (uint32_t)lanes | (uint32_t)(lanes >> 32) << 8;
}

/* lerp7 of every lane, 0 <= f <= 127. */
static inline uint64_t lerp_lanes(uint64_t a, uint64_t b, uint32_t f)
{
    return ((a * (128 - f) + b * f + LANE_HALF) >> 7) & LANE_MASK;
}

static inline uint32_t fraction(int32_t coordinate)
{
    return ((uint32_t)coordinate >> 9) & 127;
}

void reference_lerp_rows(const uint8_t *a, const uint8_t *b, uint32_t f,
                         int32_t n_bytes, uint8_t *out)
{
    const uint16_t to_b = (uint16_t)f, to_a = (uint16_t)(128 - f);
    for (int32_t i = 0; i < n_bytes; i++) {
        uint16_t sum = (uint16_t)(a[i] * to_a + b[i] * to_b + 64);
        out[i] = (uint8_t)(sum >> 7);
    }
}

/* Nothing to prepare: the reference computes each pixel from u and du. */
static void resample_prepare(struct pixel_resample *r)
{
    r->n_groups = 0;
}

void reference_resample_row(const struct pixel_resample *r,
                            const uint8_t *texels, uint8_t *rgb)
{
    for (int32_t i = 0; i < r->n; i++) {
        int64_t wide = r->u + (int64_t)i * r->du;
        wide = wide < 0 ? 0 : wide;
        int32_t at = wide > r->max_u ? r->max_u : (int32_t)wide;
        const uint8_t *texel = texels + (at >> 16) * 3;
        const uint32_t f = fraction(at);
        for (int c = 0; c < 3; c++)
            rgb[i * 3 + c] =
                (uint8_t)((texel[c] * (128 - f) + texel[c + 3] * f + 64) >> 7);
    }
}

void reference_resample_rows(const struct pixel_resample *r,
                             const struct pixel_pair *pairs, int32_t n_rows,
                             uint8_t *stage, uint8_t *rgb,
                             ptrdiff_t stride_bytes)
{
    for (int32_t i = 0; i < n_rows; i++) {
        reference_lerp_rows(pairs[i].top, pairs[i].low, pairs[i].f,
                            r->n_texels * 3, stage);
        reference_resample_row(r, stage, rgb + i * stride_bytes);
    }
}

/* Vertical lerp of both columns at once, then horizontal. */
static inline uint32_t bilinear(uint32_t top0, uint32_t top1, uint32_t low0,
                                uint32_t low1, uint32_t fu, uint32_t fv)
{
    uint64_t left = lerp_lanes(spread(top0), spread(low0), fv);
    uint64_t right = lerp_lanes(spread(top1), spread(low1), fv);
    return gather(lerp_lanes(left, right, fu));
}

static uint32_t load24(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
}

/* Texels whose fourth byte is a neighbour's, or 0 where the row may end. */
void reference_photo_row(const struct image_level *level, const int32_t *u,
                         const int32_t *v, int32_t n, uint8_t *rgb)
{
    const int32_t last_x = level->width - 1, last_y = level->height - 1;
    for (int32_t i = 0; i < n; i++, rgb += 3) {
        const int32_t x = u[i] >> 16, y = v[i] >> 16;
        const uint8_t *top =
            level->pixels + y * level->stride_bytes + (ptrdiff_t)x * 3;
        const uint8_t *low = y < last_y ? top + level->stride_bytes : top;
        const uint32_t fu = fraction(u[i]), fv = fraction(v[i]);
        const int next = x < last_x ? 3 : 0;
        const uint32_t pixel =
            x + 1 < last_x ? bilinear(load32(top), load32(top + 3), load32(low),
                                      load32(low + 3), fu, fv)
                           : bilinear(load24(top), load24(top + next),
                                      load24(low), load24(low + next), fu, fv);
        rgb[0] = (uint8_t)pixel;
        rgb[1] = (uint8_t)(pixel >> 8);
        rgb[2] = (uint8_t)(pixel >> 16);
    }
}

static uint32_t tap(const struct image_level *level, int32_t x, int32_t y)
{
    if (x < 0 || y < 0 || x >= level->width || y >= level->height)
        return 0;
    return load32(level->pixels + (ptrdiff_t)y * level->stride_bytes +
                  (ptrdiff_t)x * 4);
}

static void object_line(const struct image_level *level, struct pixel_line line,
                        uint8_t *rgba)
{
    const ptrdiff_t stride_bytes = level->stride_bytes;
    const uint32_t inner_w = (uint32_t)level->width - 1;
    const uint32_t inner_h = (uint32_t)level->height - 1;
    for (int32_t i = 0; i < line.n; i++) {
        int32_t u = line.u + i * line.du, v = line.v + i * line.dv;
        int32_t x = u >> 16, y = v >> 16;
        uint32_t pixel;
        if ((uint32_t)x < inner_w && (uint32_t)y < inner_h) {
            const uint8_t *top =
                level->pixels + y * stride_bytes + (ptrdiff_t)x * 4;
            const uint8_t *low = top + stride_bytes;
            pixel = bilinear(load32(top), load32(top + 4), load32(low),
                             load32(low + 4), fraction(u), fraction(v));
        } else {
            pixel = bilinear(tap(level, x, y), tap(level, x + 1, y),
                             tap(level, x, y + 1), tap(level, x + 1, y + 1),
                             fraction(u), fraction(v));
        }
        store32(rgba + i * 4, pixel);
    }
}

void reference_object_lines(const struct image_level *level,
                            const struct pixel_line *lines, int32_t n_lines,
                            uint8_t *rgba)
{
    for (int32_t i = 0; i < n_lines; i++) {
        object_line(level, lines[i], rgba);
        rgba += (ptrdiff_t)lines[i].n * 4;
    }
}

void reference_warp_row(const struct image_level *level, const int32_t *u,
                        const int32_t *v, int32_t n, uint8_t *rgba)
{
    for (int32_t i = 0; i < n; i++) {
        const struct pixel_line at = {u[i], v[i], 0, 0, 1};
        object_line(level, at, rgba + i * 4);
    }
}

uint8_t reference_over_row(uint8_t *rgb, const uint8_t *rgba, int32_t n,
                           uint8_t *peak)
{
    uint32_t all = 0; /* any bit of any alpha */
    for (int32_t i = 0; i < n; i++) {
        uint32_t alpha = rgba[i * 4 + 3];
        uint32_t keep = 256 - (alpha + (alpha >> 7));
        /* No byte overflows: what is kept <= 255 - alpha, colour <= alpha. */
        for (int c = 0; c < 3; c++)
            rgb[i * 3 + c] = (uint8_t)(rgba[i * 4 + c] +
                                       ((rgb[i * 3 + c] * keep + 128) >> 8));
        all |= alpha;
    }
    for (int32_t i = 0; i < n * 4; i++)
        peak[i] = rgba[i] > peak[i] ? rgba[i] : peak[i];
    return (uint8_t)(all & 128 ? 128 : all > 0);
}

static inline uint8_t clamp_byte(int32_t v)
{
    v = v < 0 ? 0 : v;
    return (uint8_t)(v > 255 ? 255 : v);
}

void reference_colour_row(const uint8_t *in, const int32_t m[3][4], int32_t n,
                          uint8_t *out)
{
    /* A copy: stores of bytes could alias m. */
    int32_t k[3][4];
    memcpy(k, m, sizeof k);
    for (int32_t i = 0; i < n; i++) {
        const int32_t r = in[i * 3], g = in[i * 3 + 1], b = in[i * 3 + 2];
        for (int c = 0; c < 3; c++) {
            int32_t sum =
                k[c][0] * r + k[c][1] * g + k[c][2] * b + k[c][3] + 2048;
            out[i * 3 + c] = clamp_byte(sum >> 12);
        }
    }
}

void reference_stream_bytes(const uint8_t *in, size_t n_bytes, uint8_t *out)
{
    memcpy(out, in, n_bytes);
}

void reference_stream_end(void)
{
    /* Its stores are ordinary ones. */
}

void reference_planes_f32(const uint8_t *rgb, const float table[3][256],
                          int32_t n, ptrdiff_t plane_stride, float *out)
{
    for (int c = 0; c < 3; c++, out += plane_stride)
        for (int32_t i = 0; i < n; i++)
            out[i] = table[c][rgb[i * 3 + c]];
}

const struct pixel_kernels pixel_kernels_reference = {
    .name = "reference",
    ROWS_IN_PLAIN_C,
    .resample_prepare = resample_prepare,
    .resample_rows = reference_resample_rows,
    .photo_row = reference_photo_row,
    .object_lines = reference_object_lines,
    .warp_row = reference_warp_row,
    .over_row = reference_over_row,
    .colour_row = reference_colour_row,
    .colour_stream = reference_colour_row,
    .stream_bytes = reference_stream_bytes,
    .planes_f32 = reference_planes_f32,
    .stream_end = reference_stream_end,
};
