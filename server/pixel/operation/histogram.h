/* Tables that the frame's own histogram makes, byte for byte as Pillow's
 * ImageOps do. Source: NUMERICS.md "autocontrast", "equalize". */
#ifndef PASTED_PIXEL_OPERATION_HISTOGRAM_H
#define PASTED_PIXEL_OPERATION_HISTOGRAM_H

#include "server/pixel/operation/tone.h"

struct histogram {
    uint32_t of[3][256];
    uint32_t n_pixels;
};

static void count_covered(const struct operation_frame *f, struct histogram *h)
{
    const size_t n = frame_bytes_of(f) / 3;
    for (size_t i = 0; i < n; i++) {
        const uint32_t one = f->covered[i * 4 + 3] >> 7;
        h->n_pixels += one;
        for (int c = 0; c < 3; c++)
            h->of[c][f->rgb[i * 3 + (size_t)c]] += one;
    }
}

static void count(const struct operation_frame *f, struct histogram *h)
{
    const size_t n = frame_bytes_of(f);
    const uint8_t *v = f->rgb;
    memset(h, 0, sizeof *h);
    if (f->covered) {
        count_covered(f, h);
        return;
    }
    h->n_pixels = (uint32_t)(n / 3);
    for (size_t i = 0; i < n; i += 3) {
        h->of[0][v[i]]++;
        h->of[1][v[i + 1]]++;
        h->of[2][v[i + 2]]++;
    }
}

/* The lowest and the highest level that is left when the n pixels at that end
 * are taken away: 255 and 0 when none is. */
static int32_t lowest_after(const uint32_t h[256], uint64_t n)
{
    int32_t v = 0;
    while (v < 255 && h[v] <= n)
        n -= h[v++];
    return v;
}

static int32_t highest_after(const uint32_t h[256], uint64_t n)
{
    int32_t v = 255;
    while (v > 0 && h[v] <= n)
        n -= h[v--];
    return v;
}

/* Where the two ends meet or cross there is nothing to stretch. */
static void stretch(const uint32_t h[256], uint64_t n_cut, uint8_t table[256])
{
    const int32_t lo = lowest_after(h, n_cut), hi = highest_after(h, n_cut);
    for (int32_t v = 0; v < 256; v++)
        table[v] = (uint8_t)v;
    if (hi <= lo)
        return;
    const double scale = 255.0 / (hi - lo), offset = -lo * scale;
    for (int32_t v = 0; v < 256; v++)
        table[v] = clamp_byte((int32_t)(v * scale + offset));
}

static void autocontrast(const struct operation_frame *f, const int32_t *p)
{
    struct histogram h;
    struct tables t;
    count(f, &h);
    const uint64_t n_pixels = h.n_pixels;
    for (int c = 0; c < 3; c++)
        stretch(h.of[c], n_pixels * (uint32_t)p[0] / 25600, t.of[c]);
    apply_tables(f, &t);
}

static void flatten(const uint32_t h[256], uint32_t n_pixels,
                    uint8_t table[256])
{
    int32_t last = 255;
    while (last > 0 && h[last] == 0)
        last--;
    const uint32_t step = (n_pixels - h[last]) / 255;
    uint32_t n = step / 2;
    for (int32_t v = 0; v < 256; v++) {
        table[v] = (uint8_t)v;
        if (step > 0)
            table[v] = (uint8_t)(n / step > 255 ? 255 : n / step);
        n += h[v];
    }
}

static void equalize(const struct operation_frame *f, const int32_t *p)
{
    struct histogram h;
    struct tables t;
    (void)p;
    count(f, &h);
    for (int c = 0; c < 3; c++)
        flatten(h.of[c], h.n_pixels, t.of[c]);
    apply_tables(f, &t);
}

#endif
