/* Renders the rows of one sample through the kernels. Computes geometry and
 * boxes only; every pixel is a kernel's. Source: NUMERICS.md. */
#include "server/compose/render.h"

#include <assert.h>
#include <string.h>

#define ALIGN 64

/* A whole row of the widest background, the texel repeated at its right edge,
 * and the byte after it that resample_row may read. */
#define STAGE_BYTES ((IMAGE_MAX_SIDE + 1) * 3 + 1)

static size_t aligned(size_t n_bytes)
{
    return (n_bytes + ALIGN - 1) / ALIGN * ALIGN;
}

size_t compose_scratch_bytes(int32_t width, int32_t height)
{
    (void)height; /* rows are finished one by one */
    return aligned(STAGE_BYTES) + 2 * aligned((size_t)width * 4) +
           feather_scratch_bytes(width);
}

static void check_plan(const struct plan *p, const struct catalog *c)
{
    assert(p->width >= 1 && p->width <= FRAME_MAX_SIDE);
    assert(p->height >= 1 && p->height <= FRAME_MAX_SIDE);
    assert(p->object < c->n_objects);
    assert(p->object_level < c->objects[p->object].n_levels);
    if (p->context != CONTEXT_BACKGROUND)
        return;
    assert(p->background < c->n_backgrounds);
    assert(p->crop_level < c->backgrounds[p->background].n_levels);
    int64_t end = p->crop_u + (int64_t)p->width * p->crop_du;
    assert(end >= INT32_MIN && end <= INT32_MAX);
}

void render_init(struct render *r, const struct catalog *catalog,
                 const struct plan *plan, void *scratch)
{
    check_plan(plan, catalog);
    r->kernels = pixel_kernels();
    r->plan = plan;
    r->object = &catalog->objects[plan->object].level[plan->object_level];
    r->context = NULL;
    if (plan->context == CONTEXT_BACKGROUND)
        r->context =
            &catalog->backgrounds[plan->background].level[plan->crop_level];
    r->stage = scratch;
    r->row = r->stage + aligned(STAGE_BYTES);
    r->object_row = r->row + aligned((size_t)plan->width * 4);
    if (plan->edge == EDGE_FEATHER)
        feather_init(&r->feather, r->kernels, r->object, plan,
                     r->object_row + aligned((size_t)plan->width * 4));
    const struct image_box none = {INT32_MAX, INT32_MAX, 0, 0};
    r->solid_box = none;
    r->any_box = none;
}

static int64_t clamp(int64_t v, int64_t lo, int64_t hi)
{
    v = v < lo ? lo : v;
    return v > hi ? hi : v;
}

/* Lerps the two source rows around v over the columns that this row needs. */
static void background_row(struct render *r, int32_t y)
{
    const struct plan *p = r->plan;
    const struct image_level *level = r->context;
    const int32_t last_x = level->width - 1, last_y = level->height - 1;
    int64_t v =
        clamp(p->crop_v + (int64_t)y * p->crop_dv, 0, (int64_t)last_y << 16);
    int32_t y0 = (int32_t)(v >> 16), y1 = y0 < last_y ? y0 + 1 : y0;

    int64_t max_u = (int64_t)last_x << 16;
    int64_t ua = clamp(p->crop_u, 0, max_u);
    int64_t ub =
        clamp(p->crop_u + (int64_t)(p->width - 1) * p->crop_du, 0, max_u);
    int32_t first = (int32_t)((ua < ub ? ua : ub) >> 16);
    int32_t last = (int32_t)((ua < ub ? ub : ua) >> 16) + 1;
    int32_t stop = last < last_x ? last : last_x;

    const uint8_t *top = level->pixels + y0 * level->stride_bytes + first * 3;
    const uint8_t *low = level->pixels + y1 * level->stride_bytes + first * 3;
    r->kernels->lerp_rows(top, low, (uint32_t)(v >> 9) & 127,
                          (stop - first + 1) * 3, r->stage + first * 3);
    if (last > last_x) /* weighs nothing, but is read */
        memcpy(r->stage + last * 3, r->stage + last_x * 3, 3);
    r->kernels->resample_row(r->stage, p->crop_u, p->crop_du, (int32_t)max_u,
                             p->width, r->row);
}

static void context_row(struct render *r, int32_t y)
{
    const struct plan *p = r->plan;
    switch (p->context) {
    case CONTEXT_BACKGROUND:
        background_row(r, y);
        break;
    case CONTEXT_NOISE:
        r->kernels->noise_row(p->noise_key, (uint32_t)y, p->noise_lo,
                              p->noise_hi, p->width, r->row);
        break;
    case CONTEXT_SOLID:
        r->kernels->solid_row(p->solid, p->width, r->row);
        break;
    }
}

static void widen(struct image_box *box, int32_t first, int32_t last, int32_t y)
{
    box->x0 = first < box->x0 ? first : box->x0;
    box->x1 = last + 1 > box->x1 ? last + 1 : box->x1;
    box->y0 = y < box->y0 ? y : box->y0;
    box->y1 = y + 1;
}

/* Scans from both ends, so a covered row costs its faint rim only. */
static void measure_row(struct image_box *box, const uint8_t *rgba,
                        struct pixel_span s, uint8_t least, int32_t y)
{
    int32_t first = s.begin, last = s.end - 1;
    while (first <= last && rgba[first * 4 + 3] < least)
        first++;
    if (first > last)
        return;
    while (rgba[last * 4 + 3] < least)
        last--;
    widen(box, first, last, y);
}

static void paste_object(struct render *r, int32_t y)
{
    const struct plan *p = r->plan;
    const struct pixel_span all = {0, p->width};
    struct pixel_span s;
    if (p->edge == EDGE_FEATHER)
        s = feather_row(&r->feather, y, r->object_row);
    else
        s = object_sample(r->kernels, r->object, p->m, y, all, r->object_row);
    if (s.begin >= s.end)
        return;
    uint8_t *rgba = r->object_row + (ptrdiff_t)s.begin * 4;
    if (p->edge == EDGE_HARD)
        r->kernels->harden_row(rgba, s.end - s.begin);
    measure_row(&r->solid_box, r->object_row, s, 128, y);
    measure_row(&r->any_box, r->object_row, s, 1, y);
    r->kernels->over_row(r->row + (ptrdiff_t)s.begin * 4, rgba,
                         s.end - s.begin);
}

void render_row(struct render *r, int32_t y, uint8_t *rgb)
{
    const struct plan *p = r->plan;
    context_row(r, y);
    paste_object(r, y);
    if (p->has_colour)
        r->kernels->colour_row(r->row, p->colour, p->width, rgb);
    else
        r->kernels->pack_row(r->row, p->width, rgb);
}

struct compose_facts render_facts(const struct render *r)
{
    struct compose_facts facts = {{0, 0, 0, 0}};
    if (r->solid_box.x1 > 0)
        facts.box = r->solid_box;
    else if (r->any_box.x1 > 0)
        facts.box = r->any_box;
    return facts;
}
