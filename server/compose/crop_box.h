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

/* About what a turned crop reads: what it sees twice is in the border's box. */
static inline struct image_box crop_turn_box(const struct plan *p,
                                             const struct image_level *level)
{
    const int64_t side[2] = {level->width, level->height};
    int64_t least[2] = {INT64_MAX, INT64_MAX}, most[2] = {INT64_MIN, INT64_MIN};
    for (int corner = 0; corner < 4; corner++)
        for (int axis = 0; axis < 2; axis++) {
            const int64_t *m = p->turn.m + 3 * axis;
            const int64_t at = (m[0] * (corner & 1 ? p->width : 0) +
                                m[1] * (corner & 2 ? p->height : 0) + m[2]) >>
                               16;
            least[axis] = at < least[axis] ? at : least[axis];
            most[axis] = at > most[axis] ? at : most[axis];
        }
    return (struct image_box){(int32_t)crop_clamp(least[0], 0, side[0] - 1),
                              (int32_t)crop_clamp(least[1], 0, side[1] - 1),
                              (int32_t)crop_clamp(most[0], 0, side[0] - 1) + 1,
                              (int32_t)crop_clamp(most[1], 0, side[1] - 1) + 1};
}

/* The plan's context is a background, of which this is its level. */
static inline struct image_box crop_box(const struct plan *p,
                                        const struct image_level *level)
{
    int32_t x[2], y[2];
    if (p->has_turn)
        return crop_turn_box(p, level);
    crop_range(p->crop_u, p->crop_du, p->width, level->width, x);
    crop_range(p->crop_v, p->crop_dv, p->height, level->height, y);
    return (struct image_box){x[0], y[0], x[1], y[1]};
}

#endif
