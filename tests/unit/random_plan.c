/* Draws plans member by member, from the edges of what they may be too.
 * Composes nothing. */
#include "tests/unit/random_plan.h"

#include <string.h>

static uint64_t next(uint64_t *state)
{
    uint64_t z = (*state += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}

static int64_t between(uint64_t *state, int64_t lo, int64_t hi)
{
    return lo + (int64_t)(next(state) % (uint64_t)(hi - lo + 1));
}

/* Leaves what lies on one side of some lines, so that a level's corners, sides
 * or all of it are transparent. */
static void cut_away(uint8_t *rgba, int32_t width, int32_t height,
                     uint64_t *random)
{
    for (uint64_t n = next(random) % 8; n > 0 && n < 4; n--) {
        const int64_t a = between(random, -2, 2), b = between(random, -2, 2);
        const int64_t least = a * between(random, 0, width - 1) +
                              b * between(random, 0, height - 1);
        for (int32_t i = 0; i < width * height; i++)
            if (a * (i % width) + b * (i / width) < least)
                memset(rgba + (ptrdiff_t)i * 4, 0, 4);
    }
}

void random_catalog(struct synthetic *s, uint64_t *random)
{
    uint8_t pixels[RANDOM_MAX_SIDE * RANDOM_MAX_SIDE * 4];
    synthetic_init(s, 1, 1);
    uint64_t kind = next(random) % 4;
    for (size_t i = 0; i < sizeof pixels; i++) {
        uint8_t r = (uint8_t)(next(random) >> 56);
        pixels[i] = kind == 0 ? 255 : kind == 1 ? (r & 1 ? 255 : 0) : r;
    }
    synthetic_set_background(s, 0, (int32_t)between(random, 1, RANDOM_MAX_SIDE),
                             (int32_t)between(random, 1, RANDOM_MAX_SIDE),
                             pixels);
    const int32_t width = (int32_t)between(random, 1, RANDOM_MAX_SIDE);
    const int32_t height = (int32_t)between(random, 1, RANDOM_MAX_SIDE);
    cut_away(pixels, width, height, random);
    synthetic_set_object(s, 0, width, height, pixels);
    if (s->objects[0].alpha_box.x1 > 0)
        synthetic_add_stroke(s, 0, width, height, pixels);
}

static void random_feather(struct plan *p, uint64_t *random)
{
    p->edge_radius = (uint32_t)between(random, 0, 6);
    if (next(random) % 8 == 0)
        p->edge_radius = PLAN_MAX_EDGE_RADIUS;
    uint32_t left = 65536;
    for (uint32_t i = p->edge_radius; i >= 1; i--) {
        p->edge_weight[i] = (uint32_t)between(random, 0, left / 2 / i);
        left -= 2 * p->edge_weight[i];
    }
    p->edge_weight[0] = left;
}

static void random_motion(struct plan *p, uint64_t *random)
{
    static const int32_t cosine[] = {65536, 46341, 0, -28378, -65536};
    static const int32_t sine[] = {0, 46341, -65536, 59071, 3};
    const uint64_t i = next(random) % 5;
    p->motion.n = (int32_t)between(random, 1, SMEAR_MAX);
    p->motion.cosine = cosine[i];
    p->motion.sine = sine[i];
    p->edge_radius = (uint32_t)p->motion.n / 2;
}

/* Any pose: inside, partly or wholly outside, minified, magnified, sheared. */
static void random_pose(struct plan *p, const struct pool_object *o,
                        uint64_t *random)
{
    p->object_level = (uint32_t)between(random, 0, o->n_levels - 1);
    const struct image_level *l = &o->level[p->object_level];
    int64_t reach = 1ll << between(random, 4, 19);
    for (int i = 0; i < 6; i++)
        p->m[i] = between(random, -reach, reach);
    if (next(random) % 4 == 0)
        p->m[1] = p->m[3] = 0; /* upright */
    /* Some point of the level (or just off it) in some pixel of the frame. */
    int64_t x = between(random, -2, p->width + 1);
    int64_t y = between(random, -2, p->height + 1);
    p->m[2] = between(random, -(2 << 16), (int64_t)(l->width + 1) << 16) -
              p->m[0] * x - p->m[1] * y;
    p->m[5] = between(random, -(2 << 16), (int64_t)(l->height + 1) << 16) -
              p->m[3] * x - p->m[4] * y;
}

/* Also whether it is to be used. */
static bool random_matrix(int32_t m[3][4], uint64_t *random)
{
    for (int i = 0; i < 12; i++)
        m[i / 4][i % 4] =
            (int32_t)between(random, -9000, 9000) * (i % 4 == 3 ? 30 : 1);
    return next(random) % 2;
}

/* The affine pose as a projective one, with a horizon and a grid. */
static void random_warp(struct plan *p, uint64_t *random)
{
    struct pixel_warp *w = &p->warp;
    p->has_warp = true;
    for (int i = 0; i < 6; i++)
        w->m[i] = p->m[i] * (1 << 20);
    w->m[6] = between(random, -(1 << 15), 1 << 15);
    w->m[7] = between(random, -(1 << 15), 1 << 15);
    w->m[8] = between(random, -(1 << 18), 1 << 21);
    w->box = (struct image_box){
        (int32_t)between(random, -40, 10), (int32_t)between(random, -40, 10),
        (int32_t)between(random, 0, 90), (int32_t)between(random, 0, 90)};
    w->n_clips = next(random) % 4 ? 0 : (uint32_t)between(random, 1, 4);
    for (int i = 0; i < 12; i++)
        w->clip[i / 3][i % 3] = between(random, -9, 9) + (i % 3 == 2 ? 120 : 0);
    w->n_points = next(random) % 2 ? (uint32_t)between(random, 3, 5) : 0;
    for (int axis = 0; axis < 2; axis++) {
        w->first[axis] = (int32_t)between(random, -100000, 1000000);
        w->span[axis] = (int32_t)between(random, 1, 3000000);
        if (w->n_points > 0)
            w->per_span[axis] =
                ((int64_t)(w->n_points - 1) << 36) / w->span[axis];
        for (int i = 0; i < WARP_MAX_POINTS * WARP_MAX_POINTS; i++)
            w->displace[axis][i / WARP_MAX_POINTS][i % WARP_MAX_POINTS] =
                (int32_t)between(random, -300000, 300000);
    }
}

/* Near the level or far from it, with any padding. */
static void random_turn(struct plan *p, uint64_t *random)
{
    int64_t reach = 1ll << between(random, 12, 20);
    p->has_turn = true;
    for (int i = 0; i < 6; i++)
        p->turn.m[i] = between(random, -reach, reach);
    p->turn.m[2] = between(random, -(20 << 16), 60 << 16);
    p->turn.m[5] = between(random, -(20 << 16), 60 << 16);
    p->turn.padding = (enum pixel_padding)(next(random) % PADDING_N);
    for (int i = 0; i < 3; i++)
        p->turn.colour[i] = (uint8_t)next(random);
}

static void random_texture(struct pixel_texture *t, uint64_t *random)
{
    t->kind = (uint8_t)(next(random) % TEXTURE_N);
    t->n_octaves = (uint8_t)between(random, 1, 6);
    t->key = next(random);
    t->at[0] = (uint32_t)next(random);
    t->at[1] = (uint32_t)next(random);
    t->dx = (int32_t)between(random, -65536, 65536);
    t->dy =
        t->kind == TEXTURE_NOISE ? 0 : (int32_t)between(random, -65536, 65536);
    t->sharp = (int32_t)between(random, 256, 262144);
    for (int i = 0; i < 3; i++)
        t->from[i] = (uint8_t)(255 - (t->to[i] = (uint8_t)next(random)));
}

static void random_gradient(struct pixel_gradient *g, uint64_t *random)
{
    g->at = (int32_t)between(random, 0, 1 << 24);
    g->dx = (int32_t)between(random, -(1 << 18), 1 << 18);
    g->dy = (int32_t)between(random, -(1 << 18), 1 << 18);
    for (int i = 0; i < 3; i++)
        g->from[i] = (uint8_t)(255 - (g->to[i] = (uint8_t)next(random)));
}

/* Of every kind, whichever it is. */
static void random_context(struct plan *p, const struct pool_background *b,
                           uint64_t *random)
{
    p->context = (enum plan_context)(next(random) % CONTEXT_GIVEN);
    p->crop_level = (uint32_t)between(random, 0, b->n_levels - 1);
    const struct image_level *l = &b->level[p->crop_level];
    p->crop_u = (int32_t)between(random, -(2 << 16), (l->width + 1) << 16);
    p->crop_v = (int32_t)between(random, -(2 << 16), (l->height + 1) << 16);
    p->crop_du = (int32_t)between(random, -150000, 150000);
    p->crop_dv = (int32_t)between(random, -150000, 150000);
    if (next(random) % 2)
        random_turn(p, random);
    p->noise_is_grey = next(random) % 2;
    p->noise_key = next(random);
    p->noise_lo = (uint8_t)between(random, 0, 255);
    p->noise_hi = (uint8_t)between(random, p->noise_lo, 255);
    p->noise_amplitude = (int32_t)between(random, 0, 125412);
    random_gradient(&p->gradient, random);
    random_texture(&p->texture, random);
    for (int i = 0; i < 3; i++)
        p->solid[i] = (uint8_t)next(random);
}

static void random_edge(struct plan *p, uint64_t *random)
{
    p->edge = (enum recipe_edge)(next(random) % 3);
    random_feather(p, random);
    if (next(random) % 8 == 0) {
        p->edge = EDGE_ERODED;
        p->edge_radius = 3;
    } else if (next(random) % 8 == 0) {
        p->edge = EDGE_MOTION;
        random_motion(p, random);
    }
}

static void random_blend(struct plan *p, uint64_t *random)
{
    const uint64_t blend = next(random) % 5;
    p->blend = blend == 0   ? BLEND_TWO_THIRDS
               : blend == 1 ? BLEND_TWO_THIRDS_FRAME
                            : BLEND_OVER;
    if (next(random) % 5 == 0) {
        p->match_q16 = (uint32_t)between(random, 1, 65536);
        p->match_mode = (enum match_mode)between(random, 0, MATCH_LUMA);
    }
}

static void random_stroke(struct plan *p, const struct pool_object *o,
                          uint64_t *random)
{
    p->stroke.reach = o->stroke->reach;
    p->stroke.gain = (int32_t)between(random, 1, 128 << 16);
    p->stroke.offset = -(int32_t)between(random, 0, 128) * p->stroke.gain;
}

void random_plan(struct plan *p, const struct synthetic *s, uint64_t *random)
{
    const struct pool_object *o = &s->objects[0];
    memset(p, 0, sizeof *p);
    p->width = (int32_t)between(random, 1, RANDOM_MAX_SIDE);
    p->height = (int32_t)between(random, 1, RANDOM_MAX_SIDE);
    random_context(p, &s->backgrounds[0], random);
    random_pose(p, o, random);
    if (next(random) % 3 == 0)
        random_warp(p, random);
    random_edge(p, random);
    random_blend(p, random);
    if (o->stroke && next(random) % 8 == 0)
        random_stroke(p, o, random);
    p->has_colour = random_matrix(p->colour, random);
    p->has_background_colour = random_matrix(p->background_colour, random);
    p->has_object_colour = random_matrix(p->object_colour, random);
}
