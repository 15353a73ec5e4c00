/* Rows of an object's edge and colour in plain C (rows.h). Samples none.
 * Source: NUMERICS.md "The edge". */
#ifndef PASTED_PIXEL_ROWS_OBJECT_H
#define PASTED_PIXEL_ROWS_OBJECT_H

#include <string.h>

#include "server/pixel/kernels.h"

enum { CHUNK = 128, MARGIN = 2 * PIXEL_EROSIONS };

/* 255 / alpha in Q16, to nearest, for alpha 128..255: 65536 for 255, so that
 * opaque pixels keep their bytes. */
#define R1(a)  ((255u * 65536u + (a) / 2u) / (a))
#define R4(a)  R1(a), R1((a) + 1u), R1((a) + 2u), R1((a) + 3u)
#define R16(a) R4(a), R4((a) + 4u), R4((a) + 8u), R4((a) + 12u)
static const uint32_t unpremultiply_q16[128] = {
    R16(128u), R16(144u), R16(160u), R16(176u),
    R16(192u), R16(208u), R16(224u), R16(240u),
};

static inline uint32_t hardened(uint32_t colour, uint32_t q)
{
    const uint32_t v = (colour * q + 32768) >> 16;
    return v > 255 ? 255 : v;
}

/* Pixels as words, red lowest: no branch, so that compilers vectorise. */
static void harden_row(uint8_t *rgba, int32_t n)
{
    for (int32_t x = 0; x < n; x += CHUNK) {
        const int32_t n_now = n - x < CHUNK ? n - x : CHUNK;
        uint32_t pixel[CHUNK] = {0};
        memcpy(pixel, rgba + (ptrdiff_t)x * 4, (size_t)n_now * 4);
        for (int32_t i = 0; i < CHUNK; i++) {
            const uint32_t p = pixel[i], a = p >> 24;
            const uint32_t q = unpremultiply_q16[a & 127];
            const uint32_t out = hardened(p & 255, q) |
                                 hardened(p >> 8 & 255, q) << 8 |
                                 hardened(p >> 16 & 255, q) << 16 | 255u << 24;
            pixel[i] = a & 128 ? out : 0;
        }
        memcpy(rgba + (ptrdiff_t)x * 4, pixel, (size_t)n_now * 4);
    }
}

static void alpha_row(const uint8_t *rgba, int32_t n, uint8_t *out)
{
    for (int32_t i = 0; i < n; i++)
        out[i] = rgba[i * 4 + 3];
}

static void blur_columns(const uint8_t *const *rows, const uint32_t *weight,
                         uint32_t radius, int32_t n, uint8_t *out)
{
    for (int32_t x = 0; x < n; x += CHUNK) {
        uint32_t sum[CHUNK];
        int32_t n_now = n - x < CHUNK ? n - x : CHUNK;
        for (int32_t i = 0; i < n_now; i++)
            sum[i] = rows[radius][x + i] * weight[0] + 32768;
        for (uint32_t k = 1; k <= radius; k++) {
            const uint8_t *above = rows[radius - k] + x;
            const uint8_t *below = rows[radius + k] + x;
            uint32_t w = weight[k];
            for (int32_t i = 0; i < n_now; i++)
                sum[i] += ((uint32_t)above[i] + below[i]) * w;
        }
        for (int32_t i = 0; i < n_now; i++)
            out[x + i] = (uint8_t)(sum[i] >> 16);
    }
}

static void blur_row(const uint8_t *in, const uint32_t *weight, uint32_t radius,
                     int32_t n, uint8_t *out)
{
    /* A row is the sum of its own shifted copies. */
    const uint8_t *shifted[2 * PIXEL_MAX_BLUR_RADIUS + 1];
    for (uint32_t k = 0; k <= 2 * radius; k++)
        shifted[k] = in + k;
    blur_columns(shifted, weight, radius, n, out);
}

static void fade_row(uint8_t *rgba, const uint8_t *factor, int32_t n)
{
    for (int32_t i = 0; i < n; i++)
        for (int c = 0; c < 4; c++) {
            uint32_t t = (uint32_t)rgba[i * 4 + c] * factor[i] + 128;
            rgba[i * 4 + c] = (uint8_t)((t + (t >> 8)) >> 8);
        }
}

static inline uint8_t lesser(uint8_t a, uint8_t b)
{
    return a < b ? a : b;
}

/* least[k][x]: of the 2 k + 3 rows around the middle one. */
static void erode_columns(const uint8_t *const *rows, int32_t x, int32_t n,
                          uint8_t least[PIXEL_EROSIONS][CHUNK + MARGIN])
{
    const uint8_t *middle = rows[PIXEL_EROSIONS] + x;
    for (int k = 0; k < PIXEL_EROSIONS; k++) {
        const uint8_t *above = rows[PIXEL_EROSIONS - 1 - k] + x;
        const uint8_t *below = rows[PIXEL_EROSIONS + 1 + k] + x;
        const uint8_t *inner = k > 0 ? least[k - 1] : middle;
        for (int32_t i = 0; i < n; i++)
            least[k][i] = lesser(inner[i], lesser(above[i], below[i]));
    }
}

static void erode_row(const uint8_t *const *rows, int32_t n, uint8_t *out)
{
    for (int32_t x = 0; x < n; x += CHUNK) {
        uint8_t least[PIXEL_EROSIONS][CHUNK + MARGIN];
        uint16_t sum[CHUNK];
        const int32_t n_now = n - x < CHUNK ? n - x : CHUNK;
        erode_columns(rows, x, n_now + MARGIN, least);
        for (int32_t i = 0; i < n_now; i++)
            sum[i] = 1; /* to nearest of three */
        for (int k = 0; k < PIXEL_EROSIONS; k++)
            for (int32_t i = 0; i < n_now; i++) {
                const uint8_t *first = least[k] + i + PIXEL_EROSIONS - 1 - k;
                uint8_t low = first[0];
                for (int j = 1; j < 2 * k + 3; j++)
                    low = lesser(low, first[j]);
                sum[i] = (uint16_t)(sum[i] + low);
            }
        for (int32_t i = 0; i < n_now; i++)
            out[x + i] = (uint8_t)(sum[i] / 3);
    }
}

/* (offset * share) >> 8 in 32 bits: the offset's high part times the share is
 * whole, so only its low byte has to be shifted. */
static void tint_row(uint8_t *rgba, const int32_t m[3][4], int32_t n)
{
    int32_t k[3][4], high[3], low[3];
    memcpy(k, m, sizeof k);
    for (int c = 0; c < 3; c++) {
        high[c] = k[c][3] >> 8;
        low[c] = k[c][3] & 255;
    }
    for (int32_t i = 0; i < n; i++) {
        uint8_t *p = rgba + i * 4;
        const int32_t r = p[0], g = p[1], b = p[2], a = p[3];
        const int32_t share = a + (a >> 7);
        for (int c = 0; c < 3; c++) {
            int32_t offset = high[c] * share + (low[c] * share >> 8);
            int32_t v =
                (k[c][0] * r + k[c][1] * g + k[c][2] * b + offset + 2048) >> 12;
            v = v < 0 ? 0 : v;
            p[c] = (uint8_t)(v > a ? a : v);
        }
    }
}

#endif
