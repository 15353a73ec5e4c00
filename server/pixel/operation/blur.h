/* Blurs by separable sums. Source: NUMERICS.md "box_blur", "gaussian_blur". */
#ifndef PASTED_PIXEL_OPERATION_BLUR_H
#define PASTED_PIXEL_OPERATION_BLUR_H

#include "server/pixel/operation/parts.h"

#define STRIP 64 /* values that weigh keeps in registers */

/* Rows of horizontal sums in slots by y modulo their number: the rows that a
 * window covers, and the one that enters next. */
struct box {
    int32_t kx, ky, n_values, n_slots;
    uint16_t *sums; /* [n_slots][slot_values] */
    size_t slot_values;
    uint8_t *row;      /* a mirrored row; its first pixel */
    uint32_t *columns; /* [n_values]: sums over the window */
};

static uint16_t *slot(const struct box *b, int32_t y)
{
    return b->sums + (size_t)(y % b->n_slots) * b->slot_values;
}

/* out[i] = sum of kx values, 3 apart, centred on row[i]. */
static void sum_row(const struct box *b, const uint8_t *row, uint16_t *out)
{
    const uint8_t *in = row - 3 * (b->kx / 2);
    const int32_t n = b->n_values;
    for (int32_t i = 0; i < n; i++)
        out[i] = in[i];
    for (int32_t t = 1; t < b->kx; t++) {
        const uint8_t *tap = in + 3 * t;
        for (int32_t i = 0; i < n; i++)
            out[i] = (uint16_t)(out[i] + tap[i]);
    }
}

static void take_row(const struct box *b, const struct operation_frame *f,
                     int32_t y)
{
    memcpy(b->row, f->rgb + (size_t)y * row_bytes_of(f), row_bytes_of(f));
    extend_row(b->row, f->width, b->kx / 2);
    sum_row(b, b->row, slot(b, y));
}

/* sum / area, rounded to nearest: exact, since sum + area / 2 < 2^18 and the
 * reciprocal is less than area < 2^10 parts in 2^32 too large. */
static void divide(const uint32_t *sums, int32_t n, uint32_t area, uint8_t *out)
{
    const uint32_t half = area / 2;
    const uint64_t reciprocal = ((1ull << 32) + area - 1) / area;
    for (int32_t i = 0; i < n; i++)
        out[i] = (uint8_t)((uint64_t)(sums[i] + half) * reciprocal >> 32);
}

static struct box box_init(const struct operation_frame *f, const int32_t *p)
{
    struct box b = {.kx = p[0], .ky = p[1]};
    assert(b.kx >= 1 && b.kx <= OPERATION_MAX_BOX && (b.kx & 1));
    assert(b.ky >= 1 && b.ky <= OPERATION_MAX_BOX && (b.ky & 1));
    b.n_values = f->width * 3;
    b.n_slots = b.ky + 1;
    b.slot_values = aligned((size_t)b.n_values * 2) / 2;
    b.sums = (uint16_t *)(void *)f->scratch;
    b.columns =
        (uint32_t *)(void *)(b.sums + (size_t)b.n_slots * b.slot_values);
    b.row = (uint8_t *)b.columns + aligned((size_t)b.n_values * 4) +
            64; /* 15 pixels before it */
    return b;
}

static void box_blur(const struct operation_frame *f, const int32_t *p)
{
    const struct box b = box_init(f, p);
    const int32_t h = f->height, r = b.ky / 2, n = b.n_values;
    for (int32_t y = 0; y < h && y <= r; y++)
        take_row(&b, f, y);
    memset(b.columns, 0, (size_t)n * 4);
    for (int32_t k = -r; k <= r; k++) {
        const uint16_t *sums = slot(&b, mirrored(k, h));
        for (int32_t i = 0; i < n; i++)
            b.columns[i] += sums[i];
    }
    for (int32_t y = 0; y < h; y++) {
        divide(b.columns, n, (uint32_t)(b.kx * b.ky),
               f->rgb + (size_t)y * row_bytes_of(f));
        if (y + 1 == h)
            return;
        if (y + r + 1 < h)
            take_row(&b, f, y + r + 1);
        const uint16_t *enters = slot(&b, mirrored(y + r + 1, h));
        const uint16_t *leaves = slot(&b, mirrored(y - r, h));
        for (int32_t i = 0; i < n; i++)
            b.columns[i] += (uint32_t)enters[i] - leaves[i];
    }
}

/* sums[i] = weighted sum over rows[0 .. 2 r], of which rows[r] is the centre;
 * every value is a byte times 128. Q7 in 16 bits: pairs are below 2^16, so is
 * each weight, and all halves of the products together are at most 255 * 128.
 * Works on whole strips: reads and writes up to 63 values beyond n. */
static void weigh(const uint16_t *const *rows, const uint16_t *weight,
                  int32_t r, int32_t n, uint16_t *out)
{
    for (int32_t x = 0; x < n; x += STRIP) {
        const uint16_t *centre = rows[r] + x, w0 = weight[0];
        uint16_t sums[STRIP];
        for (int32_t i = 0; i < STRIP; i++)
            sums[i] = (uint16_t)((uint32_t)centre[i] * w0 >> 16);
        for (int32_t k = 1; k <= r; k++) {
            const uint16_t *a = rows[r - k] + x, *b = rows[r + k] + x;
            const uint16_t w = weight[k];
            for (int32_t i = 0; i < STRIP; i++) {
                const uint16_t pair = (uint16_t)(a[i] + b[i]);
                sums[i] = (uint16_t)(sums[i] + ((uint32_t)pair * w >> 16));
            }
        }
        memcpy(out + x, sums, sizeof sums);
    }
}

static void widen(const uint8_t *bytes, size_t n, uint16_t *restrict out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (uint16_t)(bytes[i] << 7);
}

/* The same with 16-bit values, 3 of a pixel side by side. */
static void extend_wide(uint16_t *row, int32_t n, int32_t r)
{
    for (int32_t k = 1; k <= r; k++) {
        memcpy(row - 3 * k, row + 3 * mirrored(-k, n), 6);
        memcpy(row + 3 * (n - 1 + k), row + 3 * mirrored(n - 1 + k, n), 6);
    }
}

static void read_weights(const int32_t *p, uint16_t *weight)
{
    assert(p[0] >= 1 && p[0] <= OPERATION_MAX_RADIUS);
    for (int32_t i = 0; i <= p[0]; i++) {
        assert(p[1 + i] >= 0 && p[1 + i] <= UINT16_MAX);
        weight[i] = (uint16_t)p[1 + i];
    }
}

/* Both directions are sums of rows: along a row, the "rows" are the row itself
 * from pixel -radius on, one pixel apart. Rounding adds r / 2 for what the
 * products' halves lose. */
static void gaussian_blur(const struct operation_frame *f, const int32_t *p)
{
    const int32_t r = p[0], n = f->width * 3, round = 64 + r / 2;
    const uint16_t *taps[2 * OPERATION_MAX_RADIUS + 1];
    uint16_t weight[OPERATION_MAX_RADIUS + 1];
    if (r == 0)
        return;
    read_weights(p, weight);
    uint16_t *copy = (uint16_t *)(void *)f->scratch;
    uint16_t *sums = copy + aligned(frame_bytes_of(f));
    uint16_t *row = sums + aligned(row_bytes_of(f)) + 64;
    widen(f->rgb, frame_bytes_of(f), copy);
    for (int32_t y = 0; y < f->height; y++) {
        for (int32_t t = -r; t <= r; t++)
            taps[t + r] = copy + (size_t)mirrored(y + t, f->height) * (size_t)n;
        weigh(taps, weight, r, n, sums);
        for (int32_t i = 0; i < n; i++)
            row[i] = (uint16_t)((sums[i] + round) & ~127);
        extend_wide(row, f->width, r);
        for (int32_t t = -r; t <= r; t++)
            taps[t + r] = row + 3 * t;
        weigh(taps, weight, r, n, sums);
        uint8_t *out = f->rgb + (size_t)y * (size_t)n;
        for (int32_t i = 0; i < n; i++)
            out[i] = (uint8_t)((sums[i] + round) >> 7);
    }
}

#endif
