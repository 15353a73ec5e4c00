/* The kind of the context and what is drawn of it, resolved to integers; crops
 * and textures have files of their own. Reads no pixels. */
#include "server/plan/context.h"

#include "server/base/fixmath.h"
#include "server/pixel/normal.h"
#include "server/plan/crop.h"
#include "server/plan/texture.h"

/* By weight; a kind of weight 0 is never chosen, whatever rounding does. */
static enum plan_context choose_context(const struct draws *d,
                                        const struct recipe *recipe)
{
    const struct value *const weights[CONTEXT_GIVEN] = {
        [CONTEXT_BACKGROUND] = &recipe->context.background,
        [CONTEXT_NOISE] = &recipe->context.noise,
        [CONTEXT_SOLID] = &recipe->context.solid,
        [CONTEXT_GAUSSIAN_NOISE] = &recipe->context.gaussian_noise,
        [CONTEXT_GRADIENT] = &recipe->context.gradient,
        [CONTEXT_TEXTURE] = &recipe->context.texture,
    };
    double weight[CONTEXT_GIVEN], sum = 0, below = 0;
    for (int i = 0; i < CONTEXT_GIVEN; i++) {
        weight[i] = recipe_number_at(weights[i], d->position);
        sum += weight[i];
    }
    if (sum == weight[CONTEXT_BACKGROUND]) /* whatever is drawn */
        return CONTEXT_BACKGROUND;
    const double at = draws_unit(d, PHILOX_CONTEXT_KIND, 0) * sum;
    enum plan_context chosen = CONTEXT_BACKGROUND;
    for (int i = 0; i < CONTEXT_GIVEN; i++) {
        if (weight[i] > 0 && at >= below) {
            chosen = (enum plan_context)i;
        }
        below += weight[i];
    }
    return chosen;
}

/* The two lines across the gradient that are its ends touch the frame. */
static void gradient_to_plan(const struct draws *d, const struct recipe *recipe,
                             struct plan *out)
{
    struct pixel_gradient *g = &out->gradient;
    for (uint32_t i = 0; i < 6; i++) {
        const struct value *v = &recipe->context.gradient_colour[i / 3][i % 3];
        (i < 3 ? g->from : g->to)[i % 3] = (uint8_t)fixmath_round(
            draws_value(d, PHILOX_CONTEXT_GRADIENT, i, v));
    }
    const double angle = draws_value(d, PHILOX_CONTEXT_GRADIENT, 6,
                                     &recipe->context.gradient_angle) *
                         FIXMATH_DEGREE;
    const double right = fixmath_cos(angle), down = -fixmath_sin(angle);
    const double w = out->width, h = out->height;
    const double length =
        w * (right < 0 ? -right : right) + h * (down < 0 ? -down : down);
    const double dx = right / length, dy = down / length;
    g->dx = (int32_t)fixmath_round(dx * 16777216);
    g->dy = (int32_t)fixmath_round(dy * 16777216);
    g->at = (int32_t)fixmath_round((0.5 - (w - 1) / 2 * dx - (h - 1) / 2 * dy) *
                                   16777216);
}

static void solid_to_plan(const struct draws *d, const struct recipe *recipe,
                          struct plan *out)
{
    const struct value *const colour[3] = {&recipe->context.solid_red,
                                           &recipe->context.solid_green,
                                           &recipe->context.solid_blue};
    for (uint32_t i = 0; i < 3; i++) {
        out->solid[i] = (uint8_t)fixmath_round(
            draws_value(d, PHILOX_CONTEXT_COLOUR, i, colour[i]));
    }
}

void context_to_plan(const struct draws *d, const struct recipe *recipe,
                     const struct pool_background *background, struct plan *out)
{
    out->context = choose_context(d, recipe);
    switch (out->context) {
    case CONTEXT_BACKGROUND:
        crop_to_plan(d, recipe, background, out);
        break;
    case CONTEXT_NOISE:
        out->noise_is_grey = recipe->context.noise_is_grey;
        out->noise_key = draws_bits(d, PHILOX_CONTEXT_NOISE, 0);
        out->noise_lo = (uint8_t)recipe->context.noise_lo;
        out->noise_hi = (uint8_t)recipe->context.noise_hi;
        break;
    case CONTEXT_GAUSSIAN_NOISE:
        out->noise_is_grey = recipe->context.noise_is_grey;
        out->noise_key = draws_bits(d, PHILOX_CONTEXT_NOISE, 0);
        out->noise_amplitude = (int32_t)fixmath_round(
            recipe_number_at(&recipe->context.noise_sigma, d->position) *
            65536 / NORMAL_DEVIATION);
        break;
    case CONTEXT_GRADIENT:
        gradient_to_plan(d, recipe, out);
        break;
    case CONTEXT_TEXTURE:
        texture_to_plan(d, recipe, out);
        break;
    case CONTEXT_SOLID:
        solid_to_plan(d, recipe, out);
        break;
    case CONTEXT_GIVEN:
    case CONTEXT_N:
        break;
    }
}
