/* Weights of the feather in integers whose sum is exactly 65536. */
#include "server/plan/edge.h"

#include "server/base/fixmath.h"

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
        tap[i] = fixmath_exp(-((double)i * i) / (2.0 * sigma * sigma));
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
