/* The edges that read the rows around: alpha blurred or eroded inward, or the
 * whole pixel smeared along a line; no plane is stored whole. Pastes nothing.
 * Source: NUMERICS.md "The edge". */
#include "server/compose/feather.h"

#include <assert.h>
#include <string.h>

#include "server/compose/scratch.h"

_Static_assert(PLAN_MAX_EDGE_RADIUS <= PIXEL_MAX_BLUR_RADIUS,
               "the kernels blur less far than plans may ask");

/* A row of RGBA and what sampling it may write beyond. */
static size_t rgba_bytes(int32_t columns)
{
    return scratch_aligned((size_t)columns * 4 + PIXEL_SLACK_BYTES);
}

static bool is_empty(struct pixel_span s)
{
    return s.begin >= s.end;
}

size_t feather_scratch_bytes(int32_t width)
{
    size_t columns = (size_t)width + 2 * PLAN_MAX_EDGE_RADIUS;
    return rgba_bytes((int32_t)columns) * FEATHER_MAX_ROWS +
           scratch_aligned(columns * FEATHER_MAX_ROWS) +
           2 * scratch_aligned(columns) +
           scratch_aligned(columns * 4 * sizeof(uint16_t));
}

void feather_init(struct feather *f, const struct pixel_kernels *kernels,
                  const struct image_level *level, const struct plan *plan,
                  uint8_t *scratch)
{
    assert(plan->edge_radius <= PLAN_MAX_EDGE_RADIUS);
    assert(plan->edge != EDGE_ERODED || plan->edge_radius == PIXEL_EROSIONS);
    assert(plan->edge != EDGE_MOTION ||
           (plan->motion.n >= 1 && plan->motion.n <= SMEAR_MAX &&
            plan->edge_radius == (uint32_t)plan->motion.n / 2));
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
    f->sums = f->alpha + scratch_aligned(columns * FEATHER_MAX_ROWS);
    f->factor = f->sums + scratch_aligned(columns);
    f->smear = (uint16_t *)(void *)(f->factor + scratch_aligned(columns));
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
    object_walk_rows(&f->object, 1, &s, &line);
    *rgba += (ptrdiff_t)(s.begin + f->radius) * 4;
    f->kernels->object_lines(f->level, &line, 1, *rgba);
    return s;
}

static void sample_next(struct feather *f)
{
    int32_t slot = slot_of(f, f->next_y);
    uint8_t *rgba = f->rgba + (size_t)slot * rgba_bytes(f->columns);
    struct pixel_span s = sample_row(f, &rgba);
    f->span[slot] = s;
    if (f->plan->stroke.reach > 0)
        stroke_row(f->kernels, rgba, &f->plan->stroke, s.end - s.begin);
    f->next_y++;
    if (f->plan->edge == EDGE_MOTION)
        return;
    uint8_t *alpha = f->alpha + (ptrdiff_t)slot * f->columns;
    memset(alpha, 0, (size_t)f->columns);
    int32_t first = s.begin + f->radius;
    if (!is_empty(s))
        f->kernels->alpha_row(rgba, s.end - s.begin, alpha + first);
}

static struct pixel_span within(struct pixel_span s, struct pixel_span bounds)
{
    s.begin = s.begin < bounds.begin ? bounds.begin : s.begin;
    s.end = s.end > bounds.end ? bounds.end : s.end;
    return is_empty(s) ? (struct pixel_span){0, 0} : s;
}

/* The columns of frame row y that neighbour i of each pixel lies under. */
static struct pixel_span neighbours(const struct feather *f, int32_t y,
                                    int32_t i, const uint8_t **out_first)
{
    int32_t dx, dy;
    smear_offset(&f->plan->motion, i, &dx, &dy);
    const int32_t slot = slot_of(f, y + dy);
    const struct pixel_span s = f->span[slot];
    if (is_empty(s))
        return (struct pixel_span){0, 0};
    /* Of column s.begin - dx. */
    *out_first = f->rgba + (size_t)slot * rgba_bytes(f->columns) +
                 (ptrdiff_t)(s.begin + f->radius) * 4;
    return (struct pixel_span){s.begin - dx, s.end - dx};
}

static struct pixel_span smear_row(struct feather *f, int32_t y, uint8_t *rgba)
{
    const struct pixel_span all = {0, f->plan->width};
    struct pixel_span whole = {all.end, all.begin};
    const uint8_t *first = NULL;
    for (int32_t i = 0; i < f->plan->motion.n; i++) {
        const struct pixel_span s = within(neighbours(f, y, i, &first), all);
        if (is_empty(s))
            continue;
        whole.begin = s.begin < whole.begin ? s.begin : whole.begin;
        whole.end = s.end > whole.end ? s.end : whole.end;
    }
    if (is_empty(whole))
        return (struct pixel_span){0, 0};
    const int32_t n = whole.end - whole.begin;
    memset(f->smear, 0, (size_t)n * 4 * sizeof(*f->smear));
    for (int32_t i = 0; i < f->plan->motion.n; i++) {
        const struct pixel_span from = neighbours(f, y, i, &first);
        const struct pixel_span s = within(from, all);
        if (!is_empty(s))
            smear_add(f->smear + (ptrdiff_t)(s.begin - whole.begin) * 4,
                      first + (ptrdiff_t)(s.begin - from.begin) * 4,
                      s.end - s.begin);
    }
    smear_mean(f->smear, f->plan->motion.n, n, rgba);
    return whole;
}

/* How much of each of the span's pixels stays, into f->factor. */
static void find_factors(struct feather *f, int32_t y, struct pixel_span s)
{
    /* Frame column s.begin - radius is column s.begin of the ring. */
    const uint8_t *rows[FEATHER_MAX_ROWS];
    for (int32_t k = 0; k < f->n_rows; k++)
        rows[k] = f->alpha +
                  (ptrdiff_t)slot_of(f, y - f->radius + k) * f->columns +
                  s.begin;
    const int32_t n = s.end - s.begin;
    const uint32_t *weight = f->plan->edge_weight;
    const uint32_t radius = f->plan->edge_radius;
    if (f->plan->edge == EDGE_ERODED) {
        f->kernels->erode_row(rows, n, f->factor);
    } else {
        f->kernels->blur_columns(rows, weight, radius, n + 2 * f->radius,
                                 f->sums);
        f->kernels->blur_row(f->sums, weight, radius, n, f->factor);
    }
}

static struct pixel_span fade_row(struct feather *f, int32_t y, uint8_t *rgba)
{
    const struct pixel_span all = {0, f->plan->width};
    const int32_t slot = slot_of(f, y);
    const struct pixel_span s = within(f->span[slot], all);
    if (is_empty(s))
        return s;
    const int32_t n = s.end - s.begin;
    find_factors(f, y, s);
    const uint8_t *sampled = f->rgba + (size_t)slot * rgba_bytes(f->columns) +
                             (ptrdiff_t)(s.begin + f->radius) * 4;
    memcpy(rgba, sampled, (size_t)n * 4);
    f->kernels->fade_row(rgba, f->factor, n);
    return s;
}

struct pixel_span feather_row(struct feather *f, int32_t y, uint8_t *rgba)
{
    while (f->next_y <= y + f->radius)
        sample_next(f);
    return f->plan->edge == EDGE_MOTION ? smear_row(f, y, rgba)
                                        : fade_row(f, y, rgba);
}
