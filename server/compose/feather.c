/* Samples an object's rows and feathers their edge inward: the alpha plane is
 * blurred, never stored whole. Pastes nothing. Source: NUMERICS.md "Feather".
 */
#include "server/compose/feather.h"

#include <assert.h>
#include <string.h>

#define ALIGN 64

_Static_assert(PLAN_MAX_EDGE_RADIUS <= PIXEL_MAX_BLUR_RADIUS,
               "the kernels blur less far than plans may ask");

static size_t aligned(size_t n_bytes)
{
    return (n_bytes + ALIGN - 1) / ALIGN * ALIGN;
}

static bool is_empty(struct pixel_span s)
{
    return s.begin >= s.end;
}

/* The x of `within` where u in [lo, lo + texels of u) and v likewise. */
static struct pixel_span solve(const int64_t m[6], int64_t u0, int64_t v0,
                               const int64_t hi[2], int64_t lo,
                               struct pixel_span within)
{
    struct pixel_span s = span_solve(m[0], u0, lo, hi[0], within);
    return is_empty(s) ? s : span_solve(m[3], v0, lo, hi[1], s);
}

struct pixel_span object_sample(const struct pixel_kernels *kernels,
                                const struct image_level *level,
                                const int64_t m[6], int32_t y,
                                struct pixel_span within, uint8_t *out)
{
    const int64_t u0 = m[1] * y + m[2], v0 = m[4] * y + m[5];
    const int64_t w = (int64_t)level->width << 16;
    const int64_t h = (int64_t)level->height << 16;
    /* Taps are texels floor(u) and floor(u) + 1. */
    const int64_t touch_hi[2] = {w - 1, h - 1};
    const int64_t inside_hi[2] = {w - 65536 - 1, h - 65536 - 1};

    struct pixel_span touched = solve(m, u0, v0, touch_hi, -65536, within);
    if (is_empty(touched))
        return touched;
    struct pixel_span inside = solve(m, u0, v0, inside_hi, 0, touched);
    if (is_empty(inside))
        inside = (struct pixel_span){touched.end, touched.end};

    const int32_t cut[4] = {touched.begin, inside.begin, inside.end,
                            touched.end};
    for (int part = 0; part < 3; part++) {
        int32_t x = cut[part], n = cut[part + 1] - x;
        if (n <= 0)
            continue;
        struct pixel_line line = {
            (int32_t)(u0 + m[0] * x),
            (int32_t)(v0 + m[3] * x),
            n > 1 ? (int32_t)m[0] : 0,
            n > 1 ? (int32_t)m[3] : 0,
        };
        uint8_t *at = out + (ptrdiff_t)(x - within.begin) * 4;
        (part == 1 ? kernels->object_inside
                   : kernels->object_border)(level, line, n, at);
    }
    return touched;
}

size_t feather_scratch_bytes(int32_t width)
{
    size_t columns = (size_t)width + 2 * PLAN_MAX_EDGE_RADIUS;
    return aligned(columns * 4 * FEATHER_MAX_ROWS) +
           aligned(columns * FEATHER_MAX_ROWS) + 2 * aligned(columns);
}

void feather_init(struct feather *f, const struct pixel_kernels *kernels,
                  const struct image_level *level, const struct plan *plan,
                  uint8_t *scratch)
{
    assert(plan->edge_radius <= PLAN_MAX_EDGE_RADIUS);
    f->kernels = kernels;
    f->level = level;
    f->plan = plan;
    f->radius = (int32_t)plan->edge_radius;
    f->n_rows = 2 * f->radius + 1;
    f->columns = plan->width + 2 * f->radius;
    f->next_y = -f->radius;
    size_t columns = (size_t)plan->width + 2 * PLAN_MAX_EDGE_RADIUS;
    f->rgba = scratch;
    f->alpha = f->rgba + aligned(columns * 4 * FEATHER_MAX_ROWS);
    f->sums = f->alpha + aligned(columns * FEATHER_MAX_ROWS);
    f->factor = f->sums + aligned(columns);
}

static int32_t slot_of(const struct feather *f, int32_t y)
{
    return (y + f->radius) % f->n_rows;
}

static void sample_next(struct feather *f)
{
    int32_t slot = slot_of(f, f->next_y);
    const struct pixel_span all = {-f->radius, f->columns - f->radius};
    uint8_t *rgba = f->rgba + (ptrdiff_t)slot * f->columns * 4;
    uint8_t *alpha = f->alpha + (ptrdiff_t)slot * f->columns;
    struct pixel_span s =
        object_sample(f->kernels, f->level, f->plan->m, f->next_y, all, rgba);
    memset(alpha, 0, (size_t)f->columns);
    int32_t first = s.begin - all.begin;
    if (!is_empty(s))
        f->kernels->alpha_row(rgba + (ptrdiff_t)first * 4, s.end - s.begin,
                              alpha + first);
    f->span[slot] = s;
    f->next_y++;
}

struct pixel_span feather_row(struct feather *f, int32_t y, uint8_t *rgba)
{
    while (f->next_y <= y + f->radius)
        sample_next(f);
    int32_t slot = slot_of(f, y);
    struct pixel_span s = f->span[slot];
    if (s.begin < 0)
        s.begin = 0;
    if (s.end > f->plan->width)
        s.end = f->plan->width;
    if (is_empty(s))
        return (struct pixel_span){0, 0};

    /* Frame column s.begin - radius is column s.begin of the ring. */
    const uint8_t *rows[FEATHER_MAX_ROWS];
    for (int32_t k = 0; k < f->n_rows; k++)
        rows[k] = f->alpha +
                  (ptrdiff_t)slot_of(f, y - f->radius + k) * f->columns +
                  s.begin;
    int32_t n = s.end - s.begin;
    const uint32_t *weight = f->plan->edge_weight;
    uint32_t radius = f->plan->edge_radius;
    f->kernels->blur_columns(rows, weight, radius, n + 2 * f->radius, f->sums);
    f->kernels->blur_row(f->sums, weight, radius, n, f->factor);
    ptrdiff_t first = (ptrdiff_t)slot * f->columns + s.begin + f->radius;
    uint8_t *out = rgba + (ptrdiff_t)s.begin * 4;
    memcpy(out, f->rgba + first * 4, (size_t)n * 4);
    f->kernels->fade_row(out, f->factor, n);
    return s;
}
