/* Which edge a sample gets, and its weights in integers whose sum is exactly
 * 65536. Touches no pixels. */
#include "server/plan/edge.h"

#include <assert.h>

#include "server/base/fixmath.h"

#define LEAST_POWER (-700.0) /* of fixmath_exp; e to it weighs nothing */

static uint32_t radius_of(double sigma)
{
    double reach = 3.0 * sigma;
    if (reach >= PLAN_MAX_EDGE_RADIUS) {
        return PLAN_MAX_EDGE_RADIUS;
    }
    double whole = fixmath_floor(reach);
    return (uint32_t)whole + (whole < reach);
}

uint32_t edge_weights(double sigma, uint32_t radius,
                      uint32_t out[PLAN_MAX_EDGE_RADIUS + 1])
{
    double tap[PLAN_MAX_EDGE_RADIUS + 1] = {1.0};
    double sum = 1.0;
    radius = radius > 0 ? radius : radius_of(sigma);
    for (uint32_t i = 1; i <= radius; i++) {
        /* Where the radius is the recipe's it may be 160 sigma. */
        const double power = -((double)i * i) / (2.0 * sigma * sigma);
        tap[i] = power < LEAST_POWER ? 0.0 : fixmath_exp(power);
        sum += 2.0 * tap[i];
    }
    uint32_t centre = 65536;
    for (uint32_t i = 1; i <= PLAN_MAX_EDGE_RADIUS; i++) {
        out[i] = (uint32_t)fixmath_round(tap[i] / sum * 65536.0);
        centre -= 2 * out[i];
    }
    out[0] = centre;
    return radius;
}

/* The one whose turn it is, or equally likely among those asked for. */
static enum recipe_edge draw_edge(const struct draws *d,
                                  const struct words *edges, uint32_t turn)
{
    if (edges->n_every > 0)
        return (enum recipe_edge)edges->every[turn];
    uint32_t kinds[EDGE_N], n = 0;
    for (uint32_t i = 0; i < EDGE_N; i++) {
        kinds[n] = i;
        n += edges->bits >> i & 1;
    }
    assert(n > 0);
    uint64_t at =
        n == 1 ? 0 : philox_below(draws_bits(d, PHILOX_OBJECT_EDGE, 0), n);
    return (enum recipe_edge)kinds[at];
}

static void motion_to_plan(const struct draws *d, const struct recipe *recipe,
                           struct plan *out)
{
    const double length =
        draws_value(d, PHILOX_OBJECT_MOTION, 0, &recipe->object.motion_length);
    const double angle =
        draws_value(d, PHILOX_OBJECT_MOTION, 1, &recipe->object.motion_angle) *
        FIXMATH_DEGREE;
    out->motion = (struct pixel_smear){
        .n = (int32_t)fixmath_round(length),
        .cosine = (int32_t)fixmath_round(65536 * fixmath_cos(angle)),
        .sine = (int32_t)fixmath_round(65536 * fixmath_sin(angle)),
    };
    out->edge_radius = (uint32_t)out->motion.n / 2;
}

void edge_to_plan(const struct draws *d, const struct recipe *recipe,
                  uint32_t turn, struct plan *out)
{
    out->told.edge = draw_edge(d, &recipe->object.edges, turn);
    out->edge = out->told.edge;
    out->edge_weight[0] = 65536;
    if (out->edge == EDGE_FEATHER) {
        out->edge_radius = edge_weights(
            draws_value(d, PHILOX_OBJECT_EDGE, 1, &recipe->object.feather),
            recipe->object.feather_radius, out->edge_weight);
    } else if (out->edge == EDGE_BOX) {
        out->edge = EDGE_FEATHER;
        out->edge_radius = 1;
        out->edge_weight[1] = 65536 / 3;
        out->edge_weight[0] = 65536 - 2 * (65536 / 3);
    } else if (out->edge == EDGE_ERODED) {
        out->edge_radius = PIXEL_EROSIONS;
    } else if (out->edge == EDGE_MOTION) {
        motion_to_plan(d, recipe, out);
    }
}

void blend_to_plan(const struct draws *d, const struct recipe *recipe,
                   struct plan *out)
{
    out->blend = recipe->object.blend;
    out->match_mode = recipe->object.match_mode;
    out->match_q16 = (uint32_t)fixmath_round(
        65536 * draws_value(d, PHILOX_OBJECT_MATCH, 0, &recipe->object.match));
}
