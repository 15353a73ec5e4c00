/* What depends on the place in the frame: a coarser grid, holes, light from one
 * side. Source: NUMERICS.md "downscale", "coarse_dropout", "light". */
#ifndef PASTED_PIXEL_OPERATION_PLACE_H
#define PASTED_PIXEL_OPERATION_PLACE_H

#include "server/pixel/operation/words.h"

/* Mean of pixels x0 .. x1 - 1 of rows y0 .. y1 - 1. */
static void mean_box(const struct operation_frame *f, const int32_t x[2],
                     const int32_t y[2], uint8_t out[3])
{
    const uint32_t area = (uint32_t)((x[1] - x[0]) * (y[1] - y[0]));
    uint32_t sum[3] = {area / 2, area / 2, area / 2};
    for (int32_t j = y[0]; j < y[1]; j++) {
        const uint8_t *row = f->rgb + (size_t)j * row_bytes_of(f);
        for (int32_t i = x[0]; i < x[1]; i++)
            for (int c = 0; c < 3; c++)
                sum[c] += row[3 * i + c];
    }
    for (int c = 0; c < 3; c++)
        out[c] = (uint8_t)(sum[c] / area);
}

/* Pixel x of n on a line of m, 16.16, texel centres at integers. */
static int32_t coarse_at(int32_t x, int32_t n, int32_t m)
{
    const int64_t u = (2 * (int64_t)x + 1) * m * 32768 / n - 32768;
    const int64_t last = (int64_t)(m - 1) << 16;
    return (int32_t)(u < 0 ? 0 : u > last ? last : u);
}

static inline int32_t lerp7(int32_t a, int32_t b, int32_t f)
{
    return (a * (128 - f) + b * f + 64) >> 7;
}

/* The coarse frame, one row of it (with the last pixel twice), and where each
 * column lies in that row. */
struct coarse {
    int32_t width, height;
    uint8_t *pixels, *row;
    int32_t *at;
};

/* Bilinear, vertically first. */
static void enlarge_row(const struct operation_frame *f, const struct coarse *s,
                        int32_t y)
{
    const int32_t n = s->width * 3, w = f->width, *at = s->at;
    const int32_t v = coarse_at(y, f->height, s->height), fv = v >> 9 & 127;
    const uint8_t *a = s->pixels + (ptrdiff_t)(v >> 16) * n;
    const uint8_t *b = (v >> 16) + 1 < s->height ? a + n : a;
    uint8_t *out = f->rgb + (size_t)y * row_bytes_of(f), *restrict row = s->row;
    for (int32_t i = 0; i < n; i++)
        row[i] = (uint8_t)lerp7(a[i], b[i], fv);
    memcpy(row + n, row + n - 3, 3);
    for (int32_t x = 0; x < w; x++) {
        const uint8_t *left = row + 3 * (at[x] >> 16);
        const int32_t fu = at[x] >> 9 & 127;
        for (int c = 0; c < 3; c++)
            out[3 * x + c] = (uint8_t)lerp7(left[c], left[c + 3], fu);
    }
}

static void downscale(const struct operation_frame *f, const int32_t *p)
{
    const int32_t w = f->width, h = f->height, m = p[0], k = p[1];
    struct coarse s = {.width = m, .height = k, .pixels = f->scratch};
    assert(m >= 1 && m <= w && k >= 1 && k <= h);
    s.row = s.pixels + aligned((size_t)m * (size_t)k * 3);
    s.at = (int32_t *)(void *)(s.row + aligned(((size_t)m + 1) * 3));
    for (int32_t x = 0; x < w; x++)
        s.at[x] = coarse_at(x, w, m);
    for (int32_t j = 0; j < k; j++) {
        const int32_t y[2] = {j * h / k, (j + 1) * h / k};
        for (int32_t i = 0; i < m; i++) {
            const int32_t x[2] = {i * w / m, (i + 1) * w / m};
            mean_box(f, x, y, s.pixels + 3 * ((ptrdiff_t)j * m + i));
        }
    }
    for (int32_t y = 0; y < h; y++)
        enlarge_row(f, &s, y);
}

static void coarse_dropout(const struct operation_frame *f, const int32_t *p)
{
    uint32_t words[RANDOM_WORDS];
    assert(2 * p[0] <= RANDOM_WORDS);
    random_words(key_of(p + 4), 0, words);
    for (int32_t k = 0; k < p[0]; k++) {
        const uint64_t free_x = (uint64_t)(f->width - p[2] + 1);
        const uint64_t free_y = (uint64_t)(f->height - p[1] + 1);
        const size_t x = (size_t)(words[2 * k] * free_x >> 32);
        const size_t y = (size_t)(words[2 * k + 1] * free_y >> 32);
        for (int32_t j = 0; j < p[1]; j++)
            memset(f->rgb + (y + (size_t)j) * row_bytes_of(f) + 3 * x, p[3],
                   (size_t)p[2] * 3);
    }
}

static void light(const struct operation_frame *f, const int32_t *p)
{
    int32_t *along = (int32_t *)(void *)f->scratch;
    const int32_t n = f->width * 3;
    for (int32_t i = 0; i < n; i++)
        along[i] = p[0] + p[1] * (i / 3);
    for (int32_t y = 0; y < f->height; y++) {
        uint8_t *row = f->rgb + (size_t)y * (size_t)n;
        const int32_t down = p[2] * y;
        for (int32_t i = 0; i < n; i++)
            row[i] =
                clamp_byte((row[i] * ((along[i] + down) >> 8) + 2048) >> 12);
    }
}

#endif
