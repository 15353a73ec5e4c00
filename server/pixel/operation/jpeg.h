/* What JPEG loses: 8 x 8 DCT, quantisation and back, in integers. Entropy
 * coding loses nothing and is left out. Source: ITU-T T.81 annex A and K;
 * NUMERICS.md "jpeg". */
#ifndef PASTED_PIXEL_OPERATION_JPEG_H
#define PASTED_PIXEL_OPERATION_JPEG_H

#include "server/pixel/operation/parts.h"

/* 2^12 c(k) cos((2 n + 1) k pi / 16), c(0) = sqrt(1 / 2), else 1; the columns
 * 4 .. 7 mirror these, with the sign of an odd k turned. */
static const int16_t dct_basis[8][4] = {
    {2896, 2896, 2896, 2896},   {4017, 3406, 2276, 799},
    {3784, 1567, -1567, -3784}, {3406, -799, -4017, -2276},
    {2896, -2896, -2896, 2896}, {2276, -4017, 799, 3406},
    {1567, -3784, 3784, -1567}, {799, -2276, 3406, -4017}};

/* T.81 tables K.1 and K.2, row by row. */
static const uint8_t quantiser_base[2][64] = {
    {16, 11, 10, 16, 24,  40,  51,  61,  12, 12, 14, 19, 26,  58,  60,  55,
     14, 13, 16, 24, 40,  57,  69,  56,  14, 17, 22, 29, 51,  87,  80,  62,
     18, 22, 37, 56, 68,  109, 103, 77,  24, 35, 55, 64, 81,  104, 113, 92,
     49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99},
    {17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99,
     24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99,
     99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
     99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99}};

/* The usual scale of quality 1 .. 100: 50 is the table itself. */
static void make_quantiser(int32_t quality, const uint8_t base[64],
                           uint8_t out[64])
{
    const int32_t scale = quality < 50 ? 5000 / quality : 200 - 2 * quality;
    for (int i = 0; i < 64; i++) {
        const int32_t q = (base[i] * scale + 50) / 100;
        out[i] = (uint8_t)(q < 1 ? 1 : q > 255 ? 255 : q);
    }
}

/* Eight rows of n values each, so that every loop runs along the rows. */
#define LINE 8
struct strip {
    int16_t *row[8];
    int32_t n;
};

/* One dimension, down the columns: out[k] = sum over i of basis[k][i] in[i],
 * shifted. Rows i and 7 - i are folded first. */
static void forward(const struct strip *in, int shift, struct strip *out)
{
    const int32_t half = 1 << (shift - 1), n = in->n;
    for (int k = 0; k < 8; k++) {
        const int32_t c0 = dct_basis[k][0], c1 = dct_basis[k][1];
        const int32_t c2 = dct_basis[k][2], c3 = dct_basis[k][3];
        const int32_t sign = k & 1 ? -1 : 1;
        const int16_t *const *r = (const int16_t *const *)in->row;
        const int16_t *r0 = r[0], *r1 = r[1], *r2 = r[2], *r3 = r[3];
        const int16_t *r4 = r[4], *r5 = r[5], *r6 = r[6], *r7 = r[7];
        int16_t *restrict to = out->row[k];
        for (int32_t x = 0; x < n; x++) {
            const int32_t a = (int16_t)(r0[x] + sign * r7[x]);
            const int32_t b = (int16_t)(r1[x] + sign * r6[x]);
            const int32_t c = (int16_t)(r2[x] + sign * r5[x]);
            const int32_t d = (int16_t)(r3[x] + sign * r4[x]);
            to[x] =
                (int16_t)((c0 * a + c1 * b + c2 * c + c3 * d + half) >> shift);
        }
    }
}

/* Its transpose: out[i] = sum over k of basis[k][i] in[k], shifted. Rows i and
 * 7 - i could share their products, but then compilers find no vectors. */
static void backward(const struct strip *in, int shift, struct strip *out)
{
    const int32_t half = 1 << (shift - 1), n = in->n;
    for (int i = 0; i < 8; i++) {
        const int at = i < 4 ? i : 7 - i, sign = i < 4 ? 1 : -1;
        const int32_t c0 = dct_basis[0][at], c1 = sign * dct_basis[1][at];
        const int32_t c2 = dct_basis[2][at], c3 = sign * dct_basis[3][at];
        const int32_t c4 = dct_basis[4][at], c5 = sign * dct_basis[5][at];
        const int32_t c6 = dct_basis[6][at], c7 = sign * dct_basis[7][at];
        const int16_t *const *r = (const int16_t *const *)in->row;
        const int16_t *r0 = r[0], *r1 = r[1], *r2 = r[2], *r3 = r[3];
        const int16_t *r4 = r[4], *r5 = r[5], *r6 = r[6], *r7 = r[7];
        int16_t *restrict to = out->row[i];
        for (int32_t x = 0; x < n; x++)
            to[x] = (int16_t)((c0 * r0[x] + c1 * r1[x] + c2 * r2[x] +
                               c3 * r3[x] + c4 * r4[x] + c5 * r5[x] +
                               c6 * r6[x] + c7 * r7[x] + half) >>
                              shift);
    }
}

/* Every block of 8 columns. */
static void transpose(const struct strip *in, struct strip *out)
{
    for (int32_t x = 0; x < in->n; x += 8)
        for (int i = 0; i < 8; i++)
            for (int k = 0; k < 8; k++)
                out->row[i][x + k] = in->row[k][x + i];
}

/* Q3 -> the nearest multiple, halves away from 0. Row i, column x mod 8 = k
 * holds the coefficient of horizontal frequency i and vertical k. The
 * reciprocal is exact: what it multiplies is below 2^11 and q below 2^8. */
static void quantise(struct strip *s, const uint8_t q[64])
{
    const int32_t n = s->n;
    for (int i = 0; i < 8; i++) {
        int16_t *restrict row = s->row[i];
        int32_t step[LINE], reciprocal[LINE];
        for (int k = 0; k < LINE; k++) {
            step[k] = q[k % 8 * 8 + i];
            reciprocal[k] = ((1 << 20) + step[k] - 1) / step[k];
        }
        for (int32_t x = 0; x < n; x += LINE)
            for (int k = 0; k < LINE; k++) {
                const int32_t v = row[x + k], size = v < 0 ? -v : v;
                const int32_t level =
                    ((size + 4 * step[k]) >> 3) * reciprocal[k] >> 20;
                row[x + k] = (int16_t)((v < 0 ? -level : level) * step[k]);
            }
    }
}

/* A plane of width and height divisible by 8. */
struct plane {
    uint8_t *pixels;
    int32_t width, height;
};

static void centre_row(const uint8_t *in, int32_t n, int16_t *restrict out)
{
    for (int32_t x = 0; x < n; x++)
        out[x] = (int16_t)(in[x] - 128);
}

static void clamp_row(const int16_t *in, int32_t n, uint8_t *restrict out)
{
    for (int32_t x = 0; x < n; x++)
        out[x] = clamp_byte(in[x] + 128);
}

/* Three fractional bits on the way there, two on the way back, where 1151 in
 * every place would need 16 bits of them. */
static void spoil_strip(uint8_t *pixels, const uint8_t q[64], struct strip *a,
                        struct strip *b)
{
    const int32_t n = a->n;
    for (int i = 0; i < 8; i++)
        centre_row(pixels + (ptrdiff_t)i * n, n, a->row[i]);
    forward(a, 10, b);
    transpose(b, a);
    forward(a, 13, b);
    quantise(b, q);
    backward(b, 11, a);
    transpose(a, b);
    backward(b, 15, a);
    for (int i = 0; i < 8; i++)
        clamp_row(a->row[i], n, pixels + (ptrdiff_t)i * n);
}

static void spoil_plane(const struct plane *p, const uint8_t q[64],
                        int16_t *scratch)
{
    struct strip a = {.n = p->width}, b = {.n = p->width};
    for (int i = 0; i < 8; i++) {
        a.row[i] = scratch + (ptrdiff_t)i * p->width;
        b.row[i] = scratch + (ptrdiff_t)(i + 8) * p->width;
    }
    for (int32_t y = 0; y < p->height; y += 8)
        spoil_strip(p->pixels + (ptrdiff_t)y * p->width, q, &a, &b);
}

/* Row y of the frame, its last pixel repeated to the planes' width. */
static void to_planes(const uint8_t *rgb, int32_t w, int32_t y,
                      const struct plane *planes)
{
    const int32_t wide = planes[0].width;
    uint8_t *luma = planes[0].pixels + (ptrdiff_t)y * wide;
    uint8_t *cb = planes[1].pixels + (ptrdiff_t)y * wide;
    uint8_t *cr = planes[2].pixels + (ptrdiff_t)y * wide;
    for (int32_t x = 0; x < w; x++) {
        const int32_t r = rgb[3 * x], g = rgb[3 * x + 1], b = rgb[3 * x + 2];
        luma[x] = (uint8_t)((19595 * r + 38470 * g + 7471 * b + 32768) >> 16);
        cb[x] = (uint8_t)(128 +
                          ((32768 * b - 11059 * r - 21709 * g + 32767) >> 16));
        cr[x] =
            (uint8_t)(128 + ((32768 * r - 27439 * g - 5329 * b + 32767) >> 16));
    }
    for (int i = 0; i < 3; i++) {
        uint8_t *row = planes[i].pixels + (ptrdiff_t)y * wide;
        memset(row + w, row[w - 1], (size_t)(wide - w));
    }
}

/* In place, 2 x 2 pixels to one. */
static void halve(struct plane *p)
{
    const int32_t w = p->width / 2, h = p->height / 2;
    for (int32_t y = 0; y < h; y++) {
        const uint8_t *a = p->pixels + (ptrdiff_t)2 * y * p->width;
        const uint8_t *b = a + p->width;
        uint8_t *out = p->pixels + (ptrdiff_t)y * w;
        for (int32_t x = 0; x < w; x++)
            out[x] = (uint8_t)((a[2 * x] + a[2 * x + 1] + b[2 * x] +
                                b[2 * x + 1] + 2) >>
                               2);
    }
    p->width = w;
    p->height = h;
}

#define COLOURS 64 /* pixels at once */

struct colours {
    int32_t v[COLOURS], b[COLOURS], r[COLOURS];
};

static void to_rgb(const struct colours *in, int32_t n, uint8_t *rgb)
{
    uint8_t r[COLOURS], g[COLOURS], b[COLOURS];
    for (int32_t i = 0; i < COLOURS; i++) {
        r[i] = clamp_byte(in->v[i] + ((91881 * in->r[i] + 32768) >> 16));
        b[i] = clamp_byte(in->v[i] + ((116130 * in->b[i] + 32768) >> 16));
        g[i] = clamp_byte(
            in->v[i] + ((32768 - 22554 * in->b[i] - 46802 * in->r[i]) >> 16));
    }
    for (int32_t i = 0; i < n; i++) {
        rgb[3 * i] = r[i];
        rgb[3 * i + 1] = g[i];
        rgb[3 * i + 2] = b[i];
    }
}

static void from_planes(const struct plane *planes, int32_t w, int32_t y,
                        int32_t step, uint8_t *rgb)
{
    const ptrdiff_t chroma = (ptrdiff_t)(y / step) * planes[1].width;
    const uint8_t *luma = planes[0].pixels + (ptrdiff_t)y * planes[0].width;
    const uint8_t *cb = planes[1].pixels + chroma;
    const uint8_t *cr = planes[2].pixels + chroma;
    struct colours c = {0};
    for (int32_t x = 0; x < w; x += COLOURS) {
        const int32_t n = w - x < COLOURS ? w - x : COLOURS;
        for (int32_t i = 0; i < n; i++)
            c.v[i] = luma[x + i];
        for (int32_t i = 0; i < n; i++) {
            c.b[i] = cb[(x + i) >> (step - 1)] - 128;
            c.r[i] = cr[(x + i) >> (step - 1)] - 128;
        }
        to_rgb(&c, n, rgb + 3 * x);
    }
}

static void jpeg(const struct operation_frame *f, const int32_t *p)
{
    const int32_t step = p[1], block = 8 * step;
    const int32_t wide = (f->width + block - 1) / block * block;
    const int32_t high = (f->height + block - 1) / block * block;
    const size_t plane_bytes = (size_t)wide * (size_t)high;
    struct plane planes[3];
    for (int i = 0; i < 3; i++)
        planes[i] =
            (struct plane){f->scratch + (size_t)i * plane_bytes, wide, high};
    for (int32_t y = 0; y < f->height; y++)
        to_planes(f->rgb + (size_t)y * row_bytes_of(f), f->width, y, planes);
    for (int i = 0; i < 3; i++) {
        uint8_t *last = planes[i].pixels + (ptrdiff_t)(f->height - 1) * wide;
        for (int32_t y = f->height; y < high; y++)
            memcpy(planes[i].pixels + (ptrdiff_t)y * wide, last, (size_t)wide);
        uint8_t q[64];
        make_quantiser(p[0], quantiser_base[i > 0], q);
        if (i > 0 && step == 2)
            halve(&planes[i]);
        spoil_plane(&planes[i], q,
                    (int16_t *)(void *)(f->scratch + aligned(3 * plane_bytes)));
    }
    for (int32_t y = 0; y < f->height; y++)
        from_planes(planes, f->width, y, step,
                    f->rgb + (size_t)y * row_bytes_of(f));
}

#endif
