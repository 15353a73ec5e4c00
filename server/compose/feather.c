/* Feathers the edge of an object's rows inward: the alpha plane is blurred or
 * eroded, never stored whole. Pastes nothing. Source: NUMERICS.md "Feather".
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

/* A row of RGBA and what sampling it may write beyond. */
static size_t rgba_bytes(int32_t columns)
{
    return aligned((size_t)columns * 4 + PIXEL_SLACK_BYTES);
}

static bool is_empty(struct pixel_span s)
{
    return s.begin >= s.end;
}

size_t feather_scratch_bytes(int32_t width)
{
    size_t columns = (size_t)width + 2 * PLAN_MAX_EDGE_RADIUS;
    return rgba_bytes((int32_t)columns) * FEATHER_MAX_ROWS +
           aligned(columns * FEATHER_MAX_ROWS) + 2 * aligned(columns);
}

void feather_init(struct feather *f, const struct pixel_kernels *kernels,
                  const struct image_level *level, const struct plan *plan,
                  uint8_t *scratch)
{
    assert(plan->edge_radius <= PLAN_MAX_EDGE_RADIUS);
    assert(plan->edge != EDGE_ERODED || plan->edge_radius == PIXEL_EROSIONS);
    f->kernels = kernels;
    f->plan = plan;
    f->radius = (int32_t)plan->edge_radius;
    f->n_rows = 2 * f->radius + 1;
    f->columns = plan->width + 2 * f->radius;
    f->next_y = -f->radius;
    const struct pixel_span all = {-f->radius, f->columns - f->radius};
    f->level = level;
    object_walk_init(&f->object, level, plan->m, f->next_y, all);
    size_t columns = (size_t)plan->width + 2 * PLAN_MAX_EDGE_RADIUS;
    f->rgba = scratch;
    f->alpha = f->rgba + rgba_bytes((int32_t)columns) * FEATHER_MAX_ROWS;
    f->sums = f->alpha + aligned(columns * FEATHER_MAX_ROWS);
    f->factor = f->sums + aligned(columns);
}

static int32_t slot_of(const struct feather *f, int32_t y)
{
    return (y + f->radius) % f->n_rows;
}

/* Moves *rgba, the row's first column, to the first of the span. */
static struct pixel_span sample_row(struct feather *f, uint8_t **rgba)
{
    const struct pixel_span all = {-f->radius, f->columns - f->radius};
    struct pixel_line line;
    struct pixel_span s;
    if (f->plan->has_warp) {
        s = warp_span(&f->plan->warp, f->next_y, all);
        *rgba += (ptrdiff_t)(s.begin + f->radius) * 4;
        return object_warp_row(f->kernels, f->level, &f->plan->warp, f->next_y,
                               all, *rgba);
    }
    s = object_walk_next(&f->object, &line);
    *rgba += (ptrdiff_t)(s.begin + f->radius) * 4;
    f->kernels->object_lines(f->level, &line, 1, *rgba);
    return s;
}

static void sample_next(struct feather *f)
{
    int32_t slot = slot_of(f, f->next_y);
    uint8_t *rgba = f->rgba + (size_t)slot * rgba_bytes(f->columns);
    uint8_t *alpha = f->alpha + (ptrdiff_t)slot * f->columns;
    struct pixel_span s = sample_row(f, &rgba);
    memset(alpha, 0, (size_t)f->columns);
    int32_t first = s.begin + f->radius;
    if (!is_empty(s))
        f->kernels->alpha_row(rgba, s.end - s.begin, alpha + first);
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
    if (f->plan->edge == EDGE_ERODED) {
        f->kernels->erode_row(rows, n, f->factor);
    } else {
        f->kernels->blur_columns(rows, weight, radius, n + 2 * f->radius,
                                 f->sums);
        f->kernels->blur_row(f->sums, weight, radius, n, f->factor);
    }
    const uint8_t *sampled = f->rgba + (size_t)slot * rgba_bytes(f->columns) +
                             (ptrdiff_t)(s.begin + f->radius) * 4;
    memcpy(rgba, sampled, (size_t)n * 4);
    f->kernels->fade_row(rgba, f->factor, n);
    return s;
}
