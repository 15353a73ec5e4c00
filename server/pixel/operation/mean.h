/* Means over any set of neighbours: motion blur along a line, defocus over a
 * disc. Source: NUMERICS.md "motion_blur", "defocus". */
#ifndef PASTED_PIXEL_OPERATION_MEAN_H
#define PASTED_PIXEL_OPERATION_MEAN_H

#include "server/pixel/operation/parts.h"

#define MEAN_REACH 16  /* px to each side */
#define MEAN_MOST  128 /* neighbours; their sum fits 16 bits */

struct neighbours {
    int32_t n;
    int8_t dx[MEAN_MOST], dy[MEAN_MOST];
};

/* A copy with `reach` mirrored pixels on every side; returns pixel (0, 0). */
static const uint8_t *extend_frame(const struct operation_frame *f,
                                   size_t *out_stride)
{
    const int32_t r = MEAN_REACH, h = f->height;
    const size_t stride = row_bytes_of(f) + 6 * MEAN_REACH;
    uint8_t *first = f->scratch + 3 * MEAN_REACH;
    uint8_t *origin = first + MEAN_REACH * stride;
    for (int32_t y = 0; y < h; y++) {
        uint8_t *row = origin + (size_t)y * stride;
        memcpy(row, f->rgb + (size_t)y * row_bytes_of(f), row_bytes_of(f));
        extend_row(row, f->width, r);
    }
    for (int32_t y = -r; y < h + r; y++)
        if (y < 0 || y >= h)
            memcpy(origin + y * (ptrdiff_t)stride - 3 * r,
                   origin + (size_t)mirrored(y, h) * stride - 3 * r, stride);
    *out_stride = stride;
    return origin;
}

static void add_row(const uint8_t *in, int32_t n, uint16_t *restrict sums)
{
    for (int32_t i = 0; i < n; i++)
        sums[i] = (uint16_t)(sums[i] + in[i]);
}

/* sum / n to nearest: exact, since sum + n / 2 < 2^15 and n < 2^7. */
static void divide_row(const uint16_t *sums, int32_t n_values, uint32_t n,
                       uint8_t *restrict out)
{
    const uint32_t half = n / 2, reciprocal = ((1u << 22) + n - 1) / n;
    for (int32_t i = 0; i < n_values; i++)
        out[i] = (uint8_t)((sums[i] + half) * reciprocal >> 22);
}

static void mean_of(const struct operation_frame *f, const struct neighbours *a)
{
    size_t stride;
    const uint8_t *origin = extend_frame(f, &stride);
    const int32_t n = f->width * 3;
    uint16_t *sums =
        (uint16_t *)(void *)(f->scratch + aligned(stride * ((size_t)f->height +
                                                            2 * MEAN_REACH)));
    assert(a->n >= 1 && a->n <= MEAN_MOST);
    for (int32_t y = 0; y < f->height; y++) {
        memset(sums, 0, (size_t)n * 2);
        for (int32_t k = 0; k < a->n; k++)
            add_row(origin + (y + a->dy[k]) * (ptrdiff_t)stride + 3 * a->dx[k],
                    n, sums);
        divide_row(sums, n, (uint32_t)a->n,
                   f->rgb + (size_t)y * row_bytes_of(f));
    }
}

static void motion_blur(const struct operation_frame *f, const int32_t *p)
{
    struct neighbours a = {.n = p[0]};
    assert(a.n >= 1 && a.n <= OPERATION_MAX_BOX);
    for (int32_t i = 0; i < a.n; i++) {
        const int32_t t = 2 * i - (a.n - 1);
        a.dx[i] = (int8_t)((t * p[1] + 65536) >> 17);
        a.dy[i] = (int8_t)((65536 - t * p[2]) >> 17);
    }
    mean_of(f, &a);
}

static void defocus(const struct operation_frame *f, const int32_t *p)
{
    struct neighbours a = {0};
    const int32_t r = p[0] >> 8, square = p[0] * p[0];
    assert(r <= OPERATION_MAX_DEFOCUS);
    for (int32_t dy = -r; dy <= r; dy++)
        for (int32_t dx = -r; dx <= r; dx++)
            if ((dx * dx + dy * dy) * 65536 <= square) {
                a.dx[a.n] = (int8_t)dx;
                a.dy[a.n++] = (int8_t)dy;
            }
    mean_of(f, &a);
}

#endif
