/* What maps each byte through a table of its channel. Source: NUMERICS.md
 * "exposure" and what follows it. */
#ifndef PASTED_PIXEL_OPERATION_TONE_H
#define PASTED_PIXEL_OPERATION_TONE_H
#include "server/pixel/operation/gamma.h"
#include "server/pixel/operation/parts.h"

struct tables {
    uint8_t of[3][256];
};

static void apply_tables(const struct operation_frame *f,
                         const struct tables *t)
{
    const size_t n = row_bytes_of(f) * (size_t)f->height;
    uint8_t *v = f->rgb;
    for (size_t i = 0; i < n; i += 3) {
        v[i] = t->of[0][v[i]];
        v[i + 1] = t->of[1][v[i + 1]];
        v[i + 2] = t->of[2][v[i + 2]];
    }
}

/* One factor for each channel, Q12. */
static void apply_gains(const struct operation_frame *f, const int32_t gain[3])
{
    struct tables t;
    for (int c = 0; c < 3; c++)
        for (int32_t v = 0; v < 256; v++)
            t.of[c][v] = clamp_byte((v * gain[c] + 2048) >> 12);
    apply_tables(f, &t);
}

static void exposure(const struct operation_frame *f, const int32_t *p)
{
    const int32_t gain[3] = {p[0], p[0], p[0]};
    apply_gains(f, gain);
}

static void channel_gain(const struct operation_frame *f, const int32_t *p)
{
    apply_gains(f, p);
}

/* 255 * (v / 255)^(g / 4096) to nearest, but for the last bits of the powers.
 */
static uint8_t gamma_of(int32_t v, int32_t g)
{
    const uint64_t e = ((uint64_t)gamma_log[v] * (uint32_t)g + 2048) >> 12;
    const uint32_t n = (uint32_t)(e >> 16), i = e >> 8 & 255, t = e & 255;
    const uint64_t a = gamma_exp[i], b = gamma_exp[i + 1];
    if (v == 0 || n > 20)
        return 0;
    const uint64_t power = a - ((a - b) * t >> 8);
    return (uint8_t)((255 * power + (1ull << (29 + n))) >> (30 + n));
}

/* The same table for each channel. */
static void apply_one(const struct operation_frame *f, struct tables *t)
{
    memcpy(t->of[1], t->of[0], 256);
    memcpy(t->of[2], t->of[0], 256);
    apply_tables(f, t);
}

static void gamma_curve(const struct operation_frame *f, const int32_t *p)
{
    struct tables t;
    for (int32_t v = 0; v < 256; v++)
        t.of[0][v] = gamma_of(v, p[0]);
    apply_one(f, &t);
}

static void greyscale(const struct operation_frame *f, const int32_t *p)
{
    const size_t n = frame_bytes_of(f);
    uint8_t *v = f->rgb;
    (void)p;
    for (size_t i = 0; i < n; i += 3) {
        const uint32_t luma =
            19595u * v[i] + 38470u * v[i + 1] + 7471u * v[i + 2] + 32768;
        v[i] = v[i + 1] = v[i + 2] = (uint8_t)(luma >> 16);
    }
}

static void invert(const struct operation_frame *f, const int32_t *p)
{
    const size_t n = frame_bytes_of(f);
    uint8_t *v = f->rgb;
    (void)p;
    for (size_t i = 0; i < n; i++)
        v[i] = (uint8_t)~v[i];
}

static void posterize(const struct operation_frame *f, const int32_t *p)
{
    const size_t n = frame_bytes_of(f);
    const uint8_t mask = (uint8_t)(0xff << (8 - p[0]));
    uint8_t *v = f->rgb;
    for (size_t i = 0; i < n; i++)
        v[i] &= mask;
}

static void solarize(const struct operation_frame *f, const int32_t *p)
{
    const size_t n = frame_bytes_of(f);
    const int32_t threshold = p[0];
    uint8_t *v = f->rgb;
    for (size_t i = 0; i < n; i++)
        v[i] = v[i] < threshold ? v[i] : (uint8_t)~v[i];
}

static void threshold(const struct operation_frame *f, const int32_t *p)
{
    const size_t n = frame_bytes_of(f);
    const int32_t level = p[0], rest = p[1];
    uint8_t *v = f->rgb;
    for (size_t i = 0; i < n; i++)
        v[i] = v[i] > level ? 255 : (uint8_t)((v[i] * rest + 128) >> 8);
}

static void offset(const struct operation_frame *f, const int32_t *p)
{
    const size_t n = frame_bytes_of(f);
    const int32_t more = p[0];
    uint8_t *v = f->rgb;
    for (size_t i = 0; i < n; i++) {
        const int32_t sum = v[i] + more;
        v[i] = (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
    }
}

static void channel_shuffle(const struct operation_frame *f, const int32_t *p)
{
    static const uint8_t orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                         {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    const size_t n = frame_bytes_of(f);
    const uint8_t *from = orders[p[0]];
    uint8_t *v = f->rgb;
    for (size_t i = 0; i < n; i += 3) {
        const uint8_t rgb[3] = {v[i], v[i + 1], v[i + 2]};
        v[i] = rgb[from[0]];
        v[i + 1] = rgb[from[1]];
        v[i + 2] = rgb[from[2]];
    }
}

#endif
