/* Draws a texture: its kind, colours, scale, place and key. Reads no pixels.
 * Source: NUMERICS.md "Textures". */
#include "server/plan/texture.h"

#include <assert.h>

#include "server/base/fixmath.h"

/* Draws of PHILOX_CONTEXT_TEXTURE (draws.h). */
enum { COLOURS = 0, SCALE = 6, ANGLE, KIND, PLACE, KEY };

/* Equally likely among those asked for. */
static uint8_t draw_kind(const struct draws *d, uint32_t kinds)
{
    uint8_t of[TEXTURE_N], n = 0;
    for (uint8_t i = 0; i < TEXTURE_N; i++) {
        of[n] = i;
        n += kinds >> i & 1;
    }
    assert(n > 0);
    return of[philox_below(draws_bits(d, PHILOX_CONTEXT_TEXTURE, KIND), n)];
}

void texture_to_plan(const struct draws *d, const struct recipe *recipe,
                     struct plan *out)
{
    const enum philox_purpose texture = PHILOX_CONTEXT_TEXTURE;
    struct pixel_texture *t = &out->texture;
    for (uint32_t i = 0; i < 6; i++) {
        const struct value *v = &recipe->context.texture_colour[i / 3][i % 3];
        (i < 3 ? t->from : t->to)[i % 3] =
            (uint8_t)fixmath_round(draws_value(d, texture, COLOURS + i, v));
    }
    const double scale =
        draws_value(d, texture, SCALE, &recipe->context.texture_scale);
    const double angle =
        draws_value(d, texture, ANGLE, &recipe->context.texture_angle) *
        FIXMATH_DEGREE;
    const uint64_t place = draws_bits(d, texture, PLACE);
    t->kind = draw_kind(d, recipe->context.texture_kinds.bits);
    t->n_octaves = (uint8_t)recipe->context.texture_octaves;
    t->key = draws_bits(d, texture, KEY);
    t->at[0] = (uint32_t)place;
    t->at[1] = (uint32_t)(place >> 32);
    const bool turns = t->kind != TEXTURE_NOISE;
    t->dx = (int32_t)fixmath_round(65536 / scale *
                                   (turns ? fixmath_cos(angle) : 1));
    t->dy = (int32_t)fixmath_round(65536 / scale *
                                   (turns ? -fixmath_sin(angle) : 0));
    t->sharp = (int32_t)fixmath_round(scale * 256);
}
