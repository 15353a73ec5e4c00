/* Inverts the map that compose walks, for one point. Draws nothing. */
#include "server/plan/keypoint.h"

#include "server/base/fixmath.h"
#include "server/plan/level.h"

#define MOST_PX   1048576.0 /* 2^20: f32 holds what lies within to 1/16 px */
#define N_SETTLES 16 /* a displacement shrinks to nothing, halved or better */

static double clamp(double x, double least, double most)
{
    x = x < least ? least : x;
    return x > most ? most : x;
}

static bool invert_affine(const int64_t m[6], const double texel[2],
                          double out[2])
{
    const double a = (double)m[0], b = (double)m[1];
    const double c = (double)m[3], d = (double)m[4];
    const double det = a * d - b * c;
    if (det == 0) {
        return false;
    }
    const double du = texel[0] - (double)m[2], dv = texel[1] - (double)m[5];
    out[0] = (du * d - dv * b) / det;
    out[1] = (dv * a - du * c) / det;
    return true;
}

/* The base coordinates that are displaced to the texel. */
static void undo_displacement(const struct pixel_warp *w, const double texel[2],
                              int32_t out[2])
{
    int32_t to[2];
    for (int axis = 0; axis < 2; axis++) {
        to[axis] = (int32_t)fixmath_floor(
            clamp(texel[axis], WARP_MIN_COORDINATE, WARP_MAX_COORDINATE));
        out[axis] = to[axis];
    }
    for (int i = 0; i < N_SETTLES && w->n_points > 0; i++) {
        const int32_t u = out[0], v = out[1];
        out[0] = to[0] - warp_displacement(w, 0, u, v);
        out[1] = to[1] - warp_displacement(w, 1, u, v);
    }
}

/* x, y and depth: the adjugate of m times (u, v, 1), in the order that
 * NUMERICS.md writes. */
static bool invert_warp(const struct pixel_warp *w, const double texel[2],
                        double out[2])
{
    double m[9];
    int32_t base[2];
    for (int i = 0; i < 9; i++) {
        m[i] = (double)w->m[i];
    }
    undo_displacement(w, texel, base);
    const double u = base[0], v = base[1];
    const double x = (m[4] * m[8] - m[5] * m[7]) * u +
                     (m[2] * m[7] - m[1] * m[8]) * v +
                     (m[1] * m[5] - m[2] * m[4]);
    const double y = (m[5] * m[6] - m[3] * m[8]) * u +
                     (m[0] * m[8] - m[2] * m[6]) * v +
                     (m[2] * m[3] - m[0] * m[5]);
    const double depth = (m[3] * m[7] - m[4] * m[6]) * u +
                         (m[1] * m[6] - m[0] * m[7]) * v +
                         (m[0] * m[4] - m[1] * m[3]);
    if (depth == 0) {
        return false;
    }
    out[0] = x / depth;
    out[1] = y / depth;
    return m[6] * out[0] + m[7] * out[1] + m[8] > 0;
}

bool keypoint_seen(const struct plan *plan, const struct pool_keypoint *point,
                   float out[2])
{
    const double one = level_scale(plan->object_level) * 65536.0;
    const double centre =
        32768.0 -
        (double)((int64_t)plan->stroke.reach * 65536 >> plan->object_level);
    const double texel[2] = {point->x * one - centre, point->y * one - centre};
    double at[2];
    out[0] = out[1] = 0;
    if (!(plan->has_warp ? invert_warp(&plan->warp, texel, at)
                         : invert_affine(plan->m, texel, at))) {
        return false;
    }
    out[0] = (float)clamp(at[0] + 0.5, -MOST_PX, MOST_PX);
    out[1] = (float)clamp(at[1] + 0.5, -MOST_PX, MOST_PX);
    return true;
}
