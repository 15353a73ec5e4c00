/* Brightness, contrast, saturation and hue as operations: matrices of colour
 * through the kernels' own colour_row. Source: NUMERICS.md "brightness" and
 * what follows it. */
#ifndef PASTED_PIXEL_OPERATION_JITTER_H
#define PASTED_PIXEL_OPERATION_JITTER_H

#include "server/pixel/kernels.h"
#include "server/pixel/operation/parts.h"

#define JITTER_STEPS 4
#define JITTER_PX    512 /* at a time, so that every step finds them in L1 */

struct matrix {
    int32_t of[3][4];
};

static struct matrix diagonal(int32_t factor, int32_t offset)
{
    return (struct matrix){{{factor, 0, 0, offset},
                            {0, factor, 0, offset},
                            {0, 0, factor, offset}}};
}

static struct matrix contrast_of(int32_t factor)
{
    return diagonal(factor, 128 * (4096 - factor));
}

static struct matrix saturation_of(int32_t factor)
{
    static const int32_t luma[3] = {19595, 38470, 7471};
    struct matrix m = diagonal(factor, 0);
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            m.of[i][j] += (luma[j] * (4096 - factor) + 32768) >> 16;
    return m;
}

static struct matrix hue_of(const int32_t p[9])
{
    return (struct matrix){
        {{p[0], p[1], p[2], 0}, {p[3], p[4], p[5], 0}, {p[6], p[7], p[8], 0}}};
}

/* The matrices one after the other over the frame, a piece at a time. */
static void apply_matrices(const struct operation_frame *f,
                           const struct matrix *m, int n)
{
    const size_t n_px = frame_bytes_of(f) / 3;
    const struct pixel_kernels *k = pixel_kernels();
    uint8_t *from = f->scratch, *to = from + JITTER_PX * 3;
    for (size_t at = 0; at < n_px; at += JITTER_PX) {
        const size_t left = n_px - at,
                     now = left < JITTER_PX ? left : JITTER_PX;
        uint8_t *rgb = f->rgb + at * 3;
        memcpy(from, rgb, now * 3);
        for (int i = 0; i < n; i++) {
            uint8_t *was = from, *out = i + 1 < n ? to : rgb;
            k->colour_row(was, m[i].of, (int32_t)now, out);
            from = to;
            to = was;
        }
    }
}

static void brightness(const struct operation_frame *f, const int32_t *p)
{
    const struct matrix m = diagonal(p[0], 0);
    apply_matrices(f, &m, 1);
}

static void contrast(const struct operation_frame *f, const int32_t *p)
{
    const struct matrix m = contrast_of(p[0]);
    apply_matrices(f, &m, 1);
}

static void saturation(const struct operation_frame *f, const int32_t *p)
{
    const struct matrix m = saturation_of(p[0]);
    apply_matrices(f, &m, 1);
}

static void hue(const struct operation_frame *f, const int32_t *p)
{
    const struct matrix m = hue_of(p);
    apply_matrices(f, &m, 1);
}

/* Permutation p[0] of the four in lexicographic order: its digits in the
 * factorial base say which of those that are left comes next. */
static void jitter(const struct operation_frame *f, const int32_t *p)
{
    static const int32_t place[JITTER_STEPS] = {6, 2, 1, 1};
    struct matrix left[JITTER_STEPS] = {diagonal(p[1], 0), contrast_of(p[2]),
                                        saturation_of(p[3]), hue_of(p + 4)};
    struct matrix order[JITTER_STEPS];
    int32_t rest = p[0];
    assert(rest >= 0 && rest < 24);
    for (int i = 0; i < JITTER_STEPS; i++) {
        const int32_t next = rest / place[i];
        rest %= place[i];
        order[i] = left[next];
        memmove(left + next, left + next + 1,
                (size_t)(JITTER_STEPS - 1 - i - next) * sizeof left[0]);
    }
    apply_matrices(f, order, JITTER_STEPS);
}

#endif
