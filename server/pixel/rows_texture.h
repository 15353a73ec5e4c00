/* Rows of textures and of other drawn contexts in plain C (rows.h): value
 * noise, stripes and checks, gradients, one colour. Draws no decision; the
 * plan's key makes the lattice. Source: NUMERICS.md "Textures". */
#ifndef PASTED_PIXEL_ROWS_TEXTURE_H
#define PASTED_PIXEL_ROWS_TEXTURE_H

#include "server/pixel/kernels.h"

#define PIXELS_AT_ONCE 128
#define ONE            65536u

/* A byte for each point of the lattice of octave k. */
static uint32_t lattice(const struct pixel_texture *t, uint32_t i, uint32_t j,
                        uint32_t k)
{
    uint32_t h = (i & 0xffff) * 0x9E3779B9u + (j & 0xffff) * 0xBB67AE85u +
                 k * 0xC2B2AE3Du + (uint32_t)t->key;
    h = (h ^ h >> 15 ^ (uint32_t)(t->key >> 32)) * 0xD2511F53u;
    h = (h ^ h >> 13) * 0xCD9E8D57u;
    return h >> 24;
}

/* 3 f^2 - 2 f^3 of the fraction, Q8, 0..255. */
static uint32_t smooth(uint32_t coordinate)
{
    const uint32_t f = coordinate >> 8 & 255;
    return f * f * (768 - 2 * f) >> 16;
}

/* The lattice's column i between its rows j and j + 1. */
static uint32_t column(const struct pixel_texture *t, uint32_t i, uint32_t v,
                       uint32_t k)
{
    const uint32_t j = v >> 16, down = smooth(v);
    return lattice(t, i, j, k) * (256 - down) + lattice(t, i, j + 1, k) * down;
}

/* Adds octave k of the row at v from u on, 24 bits times weight. The columns
 * around every pixel first, so that the sums have no branch. */
static void add_octave(const struct pixel_texture *t, uint32_t k, uint32_t u,
                       uint32_t v, int32_t n, uint32_t *sum)
{
    const uint32_t step = (uint32_t)t->dx << k;
    const uint32_t weight = t->n_octaves - 1u - k;
    uint32_t left[PIXELS_AT_ONCE], right[PIXELS_AT_ONCE];
    uint32_t here = 0, next = 0, last = 1u << 17; /* no cell */
    for (int32_t x = 0; x < n; x++) {
        const uint32_t cell = (u + (uint32_t)x * step) >> 16;
        if (cell != last) {
            here = cell == last + 1 ? next : column(t, cell, v, k);
            next = column(t, cell + 1, v, k);
            last = cell;
        }
        left[x] = here;
        right[x] = next;
    }
    for (int32_t x = 0; x < n; x++) {
        const uint32_t part = smooth(u + (uint32_t)x * step);
        sum[x] += (left[x] * (256 - part) + right[x] * part) << weight;
    }
}

/* Divides sums below 2^31 by d < 2^bits: the reciprocal, rounded up, is too
 * high by less than d / 2^(31 + bits), which no quotient feels. */
static void divide_all(uint32_t *sum, int32_t n, uint32_t d)
{
    uint32_t bits = 0;
    while (1u << bits < d)
        bits++;
    const uint64_t one = 1ull << (31 + bits);
    const uint32_t reciprocal = (uint32_t)((one + d - 1) / d);
    for (int32_t i = 0; i < n; i++)
        sum[i] = (uint32_t)((uint64_t)sum[i] * reciprocal >> (31 + bits));
}

/* 255 * 2^16 * 63 is below 2^30. */
static void noise_ways(const struct pixel_texture *t, uint32_t x, int32_t y,
                       int32_t n, uint32_t *way)
{
    const uint32_t u = t->at[0] + x * (uint32_t)t->dx;
    const uint32_t v = t->at[1] + (uint32_t)y * (uint32_t)t->dx;
    for (int32_t i = 0; i < n; i++)
        way[i] = 0;
    for (uint32_t k = 0; k < t->n_octaves; k++)
        add_octave(t, k, u << k, v << k, n, way);
    divide_all(way, n, 255 * ((1u << t->n_octaves) - 1));
}

/* 0 on even cells, 1 on odd ones, a pixel wide in between. */
static uint32_t stripe(const struct pixel_texture *t, uint32_t s)
{
    const int32_t q = (int32_t)(s & 131071), half = ONE / 2;
    const int32_t triangle = q < (int32_t)ONE ? q : 131072 - q;
    const int64_t way = ((triangle - half) * (int64_t)t->sharp >> 8) + half;
    return way < 0 ? 0 : way > ONE ? ONE : (uint32_t)way;
}

static void stripe_ways(const struct pixel_texture *t, uint32_t x, int32_t y,
                        int32_t n, uint32_t *way)
{
    const uint32_t dx = (uint32_t)t->dx, dy = (uint32_t)t->dy;
    uint32_t u = t->at[0] + x * dx + (uint32_t)y * dy;
    uint32_t v = t->at[1] - x * dy + (uint32_t)y * dx;
    for (int32_t i = 0; i < n; i++, u += dx, v -= dy) {
        const uint64_t a = stripe(t, u);
        const uint64_t b = t->kind == TEXTURE_CHECKER ? stripe(t, v) : 0;
        way[i] = (uint32_t)((a * (ONE - b) + (ONE - a) * b) >> 16);
    }
}

static void texture_row(const struct pixel_texture *t, int32_t y, int32_t n,
                        uint8_t *rgb)
{
    uint32_t way[PIXELS_AT_ONCE];
    for (int32_t x = 0; x < n; x += PIXELS_AT_ONCE) {
        const int32_t m = n - x < PIXELS_AT_ONCE ? n - x : PIXELS_AT_ONCE;
        (t->kind == TEXTURE_NOISE ? noise_ways : stripe_ways)(t, (uint32_t)x, y,
                                                              m, way);
        for (int32_t i = 0; i < m; i++)
            for (int c = 0; c < 3; c++)
                rgb[(x + i) * 3 + c] =
                    (uint8_t)((t->from[c] * (ONE - way[i]) + t->to[c] * way[i] +
                               ONE / 2) >>
                              16);
    }
}

/* 255 * 2^24 + 2^23 is below 2^32. */
static void gradient_row(const struct pixel_gradient *g, int32_t y, int32_t n,
                         uint8_t *rgb)
{
    const uint32_t one = 1u << 24;
    int64_t way = (int64_t)y * g->dy + g->at;
    for (int32_t x = 0; x < n; x++, way += g->dx) {
        const uint32_t t = way < 0 ? 0 : way > one ? one : (uint32_t)way;
        for (int c = 0; c < 3; c++)
            rgb[x * 3 + c] =
                (uint8_t)((g->from[c] * (one - t) + g->to[c] * t + one / 2) >>
                          24);
    }
}

static void solid_row(const uint8_t colour[3], int32_t n, uint8_t *rgb)
{
    for (int32_t i = 0; i < n; i++)
        for (int c = 0; c < 3; c++)
            rgb[i * 3 + c] = colour[c];
}

#endif
