/* The texels of a background that a plan's crop reads. Reads none itself. */
#ifndef PASTED_COMPOSE_CROP_BOX_H
#define PASTED_COMPOSE_CROP_BOX_H

#include "server/plan/plan.h"

static inline int64_t crop_clamp(int64_t v, int64_t lo, int64_t hi)
{
    v = v < lo ? lo : v;
    return v > hi ? hi : v;
}

/* First and one past the last texel with weight, of n pixels at first + i *
 * step clamped to the level's `side`. */
static inline void crop_range(int32_t first, int32_t step, int32_t n,
                              int32_t side, int32_t out[2])
{
    const int64_t most = (int64_t)(side - 1) << 16;
    int64_t a = crop_clamp(first, 0, most);
    int64_t b = crop_clamp(first + (int64_t)(n - 1) * step, 0, most);
    out[0] = (int32_t)((a < b ? a : b) >> 16);
    out[1] = (int32_t)((a < b ? b : a) >> 16) + 2;
    out[1] = out[1] < side ? out[1] : side;
}

/* The plan's context is a background, of which this is its level. */
static inline struct image_box crop_box(const struct plan *p,
                                        const struct image_level *level)
{
    int32_t x[2], y[2];
    crop_range(p->crop_u, p->crop_du, p->width, level->width, x);
    crop_range(p->crop_v, p->crop_dv, p->height, level->height, y);
    return (struct image_box){x[0], y[0], x[1], y[1]};
}

#endif
