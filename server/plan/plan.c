/* One plan: the decisions of every part, put together. Holds no geometry or
 * colour itself (pose.c, crop.c, colour.c, edge.c); reads no pixels. */
#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "server/base/fixmath.h"
#include "server/pixel/kernels.h"
#include "server/pixel/normal.h"
#include "server/plan/colour.h"
#include "server/plan/crop.h"
#include "server/plan/draws.h"
#include "server/plan/edge.h"
#include "server/plan/operations.h"
#include "server/plan/plan.h"
#include "server/plan/pose.h"
#include "server/plan/scene.h"
#include "server/plan/texture.h"

/* By weight; a kind of weight 0 is never chosen, whatever rounding does. */
static enum plan_context choose_context(const struct draws *d,
                                        const struct recipe *recipe)
{
    const struct value *const weights[CONTEXT_N] = {
        [CONTEXT_BACKGROUND] = &recipe->context.background,
        [CONTEXT_NOISE] = &recipe->context.noise,
        [CONTEXT_SOLID] = &recipe->context.solid,
        [CONTEXT_GAUSSIAN_NOISE] = &recipe->context.gaussian_noise,
        [CONTEXT_GRADIENT] = &recipe->context.gradient,
        [CONTEXT_TEXTURE] = &recipe->context.texture,
    };
    double weight[CONTEXT_N], sum = 0, below = 0;
    for (int i = 0; i < CONTEXT_N; i++) {
        weight[i] = recipe_number_at(weights[i], d->position);
        sum += weight[i];
    }
    if (sum == weight[CONTEXT_BACKGROUND]) /* whatever is drawn */
        return CONTEXT_BACKGROUND;
    const double at = draws_unit(d, PHILOX_CONTEXT_KIND, 0) * sum;
    enum plan_context chosen = CONTEXT_BACKGROUND;
    for (int i = 0; i < CONTEXT_N; i++) {
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
                         (3.14159265358979323846 / 180);
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

static void context_to_plan(const struct draws *d, const struct recipe *recipe,
                            const struct pool_background *background,
                            struct plan *out)
{
    const struct value *solid[3] = {&recipe->context.solid_red,
                                    &recipe->context.solid_green,
                                    &recipe->context.solid_blue};
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
    case CONTEXT_N:
        break;
    case CONTEXT_SOLID:
        for (uint32_t i = 0; i < 3; i++) {
            out->solid[i] = (uint8_t)fixmath_round(
                draws_value(d, PHILOX_CONTEXT_COLOUR, i, solid[i]));
        }
        break;
    }
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
        (3.14159265358979323846 / 180);
    out->motion = (struct pixel_smear){
        .n = (int32_t)fixmath_round(length),
        .cosine = (int32_t)fixmath_round(65536 * fixmath_cos(angle)),
        .sine = (int32_t)fixmath_round(65536 * fixmath_sin(angle)),
    };
    out->edge_radius = (uint32_t)out->motion.n / 2;
}

static void edge_to_plan(const struct draws *d, const struct recipe *recipe,
                         uint32_t turn, struct plan *out)
{
    out->told.edge = draw_edge(d, &recipe->object.edges, turn);
    out->edge = out->told.edge;
    out->blend = recipe->object.blend;
    out->match_mode = recipe->object.match_mode;
    out->match_q16 = (uint32_t)fixmath_round(
        65536 * draws_value(d, PHILOX_OBJECT_MATCH, 0, &recipe->object.match));
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

void plan_make(const struct recipe *recipe, const struct catalog *catalog,
               uint64_t position, struct graph_edge edge, struct plan *out)
{
    assert(edge.object < catalog->n_objects);
    assert(edge.background < catalog->n_backgrounds);
    const struct scene scene = scene_of(recipe, catalog, position);
    const struct draws d = {.seed = recipe->seed, .position = scene.position};
    const struct pool_object *object = &catalog->objects[edge.object];
    struct pose pose;

    /* Padding too: plans compare as bytes up to here. */
    memset(out, 0, offsetof(struct plan, background_operations));
    out->position = position;
    out->scene = scene.position;
    out->object = edge.object;
    out->background = edge.background;
    out->class_id = object->class_id;
    out->width = recipe->width;
    out->height = recipe->height;
    context_to_plan(&d, recipe, &catalog->backgrounds[edge.background], out);
    out->n_attempts = pose_find(&d, recipe, object, &pose);
    pose_to_plan(&pose, object, out);
    edge_to_plan(&d, recipe, scene.turn, out);
    colour_to_plan(&d, recipe, out);
    operations_to_plan(&d, recipe, out);
}
