/* Exact sums of integers; means and deviations in IEEE double in a written
 * order. Touches no pixel. */
#include "server/pixel/match.h"

#include <stddef.h>
#include <string.h>

#include "server/base/fixmath.h"

#define TYPICAL_LUMA 170.0 /* of Tabelini Torres et al. 2019 */

/* Sums of a stretch, so short that 32 bits hold them. */
#define STRETCH 256

_Static_assert(STRETCH * 255ull * 255 * 255 <= UINT32_MAX,
               "squares of a stretch fit");

struct part {
    uint32_t weight, sum[3], squares[3];
};

static void add_part(struct match_sums *s, const struct part *p)
{
    s->weight += p->weight;
    for (int c = 0; c < 3; c++) {
        s->sum[c] += p->sum[c];
        s->squares[c] += p->squares[c];
    }
}

static void add_pixel(struct part *p, const uint8_t *rgba)
{
    const uint32_t a = rgba[3];
    const uint32_t q = a == 255 ? 65536 : (255u * 65536 + a / 2) / a;
    p->weight += a;
    for (int c = 0; c < 3; c++) {
        uint32_t v = (rgba[c] * q + 32768) >> 16;
        v = v > 255 ? 255 : v;
        p->sum[c] += a * v;
        p->squares[c] += a * v * v;
    }
}

void match_add_object(struct match_sums *s, const uint8_t *rgba, int32_t n)
{
    for (int32_t done = 0; done < n; done += STRETCH) {
        const int32_t end = n - done < STRETCH ? n : done + STRETCH;
        struct part p = {0};
        for (int32_t i = done; i < end; i++)
            if (rgba[4 * (ptrdiff_t)i + 3] > 0)
                add_pixel(&p, rgba + 4 * (ptrdiff_t)i);
        add_part(s, &p);
    }
}

void match_add_context(struct match_sums *s, const uint8_t *rgb, int32_t n)
{
    for (int32_t done = 0; done < n; done += STRETCH) {
        const int32_t left = n - done < STRETCH ? n - done : STRETCH;
        struct part p = {.weight = (uint32_t)left};
        for (int32_t i = 0; i < left; i++, rgb += 3)
            for (int c = 0; c < 3; c++) {
                p.sum[c] += rgb[c];
                p.squares[c] += (uint32_t)rgb[c] * rgb[c];
            }
        add_part(s, &p);
    }
}

static double mean_of(const struct match_sums *s, int c)
{
    return (double)s->sum[c] / (double)s->weight;
}

static double deviation_of(const struct match_sums *s, int c)
{
    const double mean = mean_of(s, c);
    const double variance =
        (double)s->squares[c] / (double)s->weight - mean * mean;
    return variance > 0 ? fixmath_sqrt(variance) : 0;
}

static double gain_of(const struct match_sums *object,
                      const struct match_sums *context, int c)
{
    const double from = deviation_of(object, c), to = deviation_of(context, c);
    if (from <= 0)
        return 1;
    const double gain = to / from;
    return gain < 0.5 ? 0.5 : gain > 2 ? 2 : gain;
}

void match_matrix(const struct match_sums *object,
                  const struct match_sums *context, enum match_mode mode,
                  uint32_t strength_q16, int32_t out[3][4])
{
    const double strength = strength_q16 / 65536.0;
    const double luma =
        (19595 * mean_of(context, 0) + 38470 * mean_of(context, 1) +
         7471 * mean_of(context, 2)) /
        65536.0;
    memset(out, 0, 3 * sizeof(out[0]));
    for (int c = 0; c < 3; c++) {
        double gain = 1, offset = luma - TYPICAL_LUMA;
        if (mode == MATCH_MEAN_STD)
            gain = gain_of(object, context, c);
        if (mode != MATCH_LUMA)
            offset = mean_of(context, c) - gain * mean_of(object, c);
        out[c][c] = (int32_t)fixmath_round(4096 * (1 + strength * (gain - 1)));
        out[c][3] = (int32_t)fixmath_round(4096 * (strength * offset));
    }
}
