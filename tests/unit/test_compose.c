/* Samples from hand-made and random plans against brute force over every
 * pixel. Makes no batch (test_compose_batch.c) and draws no plan. A failure
 * prints its seed; PASTED_TEST_SEED=... replays it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/base/mem.h"
#include "server/compose/compose.h"
#include "tests/unit/brute.h"
#include "tests/unit/synthetic.h"

#define MAX_SIDE 48 /* of frames and images here, px */
#define PADDING  5  /* bytes after each row of out */

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

/* One object and one background of random or extreme pixels. */
static void make_catalog(struct synthetic *s, uint64_t *random)
{
    uint8_t pixels[MAX_SIDE * MAX_SIDE * 4];
    synthetic_init(s, 1, 1);
    uint64_t kind = next(random) % 4;
    for (size_t i = 0; i < sizeof pixels; i++) {
        uint8_t r = (uint8_t)(next(random) >> 56);
        pixels[i] = kind == 0 ? 255 : kind == 1 ? (r & 1 ? 255 : 0) : r;
    }
    synthetic_set_background(s, 0, (int32_t)between(random, 1, MAX_SIDE),
                             (int32_t)between(random, 1, MAX_SIDE), pixels);
    const int32_t width = (int32_t)between(random, 1, MAX_SIDE);
    const int32_t height = (int32_t)between(random, 1, MAX_SIDE);
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

static void random_plan(struct plan *p, const struct synthetic *s,
                        uint64_t *random)
{
    memset(p, 0, sizeof *p);
    p->width = (int32_t)between(random, 1, MAX_SIDE);
    p->height = (int32_t)between(random, 1, MAX_SIDE);
    p->context = (enum plan_context)(next(random) % CONTEXT_N);
    const struct pool_background *b = &s->backgrounds[0];
    p->crop_level = (uint32_t)between(random, 0, b->n_levels - 1);
    const struct image_level *l = &b->level[p->crop_level];
    p->crop_u = (int32_t)between(random, -(2 << 16), (l->width + 1) << 16);
    p->crop_v = (int32_t)between(random, -(2 << 16), (l->height + 1) << 16);
    p->crop_du = (int32_t)between(random, -150000, 150000);
    p->crop_dv = (int32_t)between(random, -150000, 150000);
    if (next(random) % 2)
        random_turn(p, random);
    p->noise_key = next(random);
    p->noise_lo = (uint8_t)between(random, 0, 255);
    p->noise_hi = (uint8_t)between(random, p->noise_lo, 255);
    p->noise_amplitude = (int32_t)between(random, 0, 125412);
    p->gradient.at = (int32_t)between(random, 0, 1 << 24);
    p->gradient.dx = (int32_t)between(random, -(1 << 18), 1 << 18);
    p->gradient.dy = (int32_t)between(random, -(1 << 18), 1 << 18);
    for (int i = 0; i < 3; i++)
        p->gradient.from[i] =
            (uint8_t)(255 - (p->gradient.to[i] = (uint8_t)next(random)));
    random_texture(&p->texture, random);
    for (int i = 0; i < 3; i++)
        p->solid[i] = (uint8_t)next(random);
    random_pose(p, &s->objects[0], random);
    if (next(random) % 3 == 0)
        random_warp(p, random);
    p->edge = (enum recipe_edge)(next(random) % 3);
    p->noise_is_grey = next(random) % 2;
    const uint64_t blend = next(random) % 5;
    p->blend = blend == 0   ? BLEND_TWO_THIRDS
               : blend == 1 ? BLEND_TWO_THIRDS_FRAME
                            : BLEND_OVER;
    random_feather(p, random);
    if (next(random) % 8 == 0) {
        p->edge = EDGE_ERODED;
        p->edge_radius = 3;
    } else if (next(random) % 8 == 0) {
        p->edge = EDGE_MOTION;
        random_motion(p, random);
    }
    if (s->objects[0].stroke && next(random) % 8 == 0) {
        p->stroke.reach = s->objects[0].stroke->reach;
        p->stroke.gain = (int32_t)between(random, 1, 128 << 16);
        p->stroke.offset = -(int32_t)between(random, 0, 128) * p->stroke.gain;
    }
    if (next(random) % 5 == 0) {
        p->match_q16 = (uint32_t)between(random, 1, 65536);
        p->match_mode = (enum match_mode)between(random, 0, MATCH_LUMA);
    }
    p->has_colour = random_matrix(p->colour, random);
    p->has_background_colour = random_matrix(p->background_colour, random);
    p->has_object_colour = random_matrix(p->object_colour, random);
}

/* Composes with padded rows in scratch of exactly the promised size. */
static void check_plan(const struct synthetic *s, const struct plan *p,
                       uint64_t seed, struct image_box *out_box)
{
    static uint8_t expected[MAX_SIDE * MAX_SIDE * 3];
    size_t scratch_bytes = compose_scratch_bytes(p->width, p->height);
    void *scratch = aligned_alloc(64, (scratch_bytes + 63) / 64 * 64);
    ptrdiff_t stride = p->width * 3 + PADDING;
    size_t out_bytes = (size_t)stride * (size_t)p->height;
    uint8_t *out = malloc(out_bytes);
    assert_true(scratch && out);
    memset(out, 0xA5, out_bytes);
    memset(scratch, 0x5A, scratch_bytes); /* nothing may depend on it */

    struct compose_facts facts;
    struct image_box box;
    compose_sample(&s->catalog, p, scratch, out, stride, &facts);
    brute_sample(&s->catalog, p, expected, &box);
    for (int32_t y = 0; y < p->height; y++) {
        const uint8_t *row = out + y * stride;
        if (memcmp(row, expected + y * p->width * 3, (size_t)p->width * 3) != 0)
            fail_msg("row %d differs: PASTED_TEST_SEED=%" PRIu64, y, seed);
        for (int i = 0; i < PADDING; i++)
            assert_int_equal(row[p->width * 3 + i], 0xA5);
    }
    if (memcmp(&box, &facts.box, sizeof box) != 0)
        fail_msg("box %d %d %d %d, not %d %d %d %d: PASTED_TEST_SEED=%" PRIu64,
                 facts.box.x0, facts.box.y0, facts.box.x1, facts.box.y1, box.x0,
                 box.y0, box.x1, box.y1, seed);
    if (out_box)
        *out_box = facts.box;
    free(out);
    free(scratch);
}

static void random_plans_equal_brute_force(void **state)
{
    (void)state;
    const char *text = getenv("PASTED_TEST_SEED");
    uint64_t seed = text ? strtoull(text, NULL, 0) : (uint64_t)time(NULL) << 20;
    int n_seen = 0;
    for (int round = 0; round < 1500; round++, seed++) {
        uint64_t random = seed;
        struct synthetic s;
        struct plan p;
        struct image_box box;
        make_catalog(&s, &random);
        random_plan(&p, &s, &random);
        check_plan(&s, &p, seed, &box);
        n_seen += box.x1 > 0;
        synthetic_fini(&s);
    }
    /* The mix is one of both: neither always nor never visible. */
    if (!text)
        assert_in_range(n_seen, 400, 1450);
}

/* A frame of side n over a solid object of side m, at its own size with its
 * texel (0, 0) on pixel (at, at). */
static struct plan upright(int32_t n, int32_t at)
{
    struct plan p = {.width = n, .height = n, .context = CONTEXT_SOLID};
    p.m[0] = p.m[4] = 65536;
    p.m[2] = p.m[5] = -(int64_t)at * 65536;
    p.edge = EDGE_ALPHA;
    p.edge_weight[0] = 65536;
    return p;
}

static void solid_catalog(struct synthetic *s, int32_t side, uint8_t alpha)
{
    static uint8_t pixels[MAX_SIDE * MAX_SIDE * 4];
    memset(pixels, 200, sizeof pixels);
    synthetic_init(s, 1, 1);
    synthetic_set_background(s, 0, 1, 1, pixels);
    for (size_t i = 3; i < sizeof pixels; i += 4)
        pixels[i] = alpha;
    synthetic_set_object(s, 0, side, side, pixels);
}

static void expect_box(const struct synthetic *s, const struct plan *p,
                       int32_t x0, int32_t y0, int32_t x1, int32_t y1)
{
    struct image_box box;
    check_plan(s, p, 0, &box);
    assert_int_equal(box.x0, x0);
    assert_int_equal(box.y0, y0);
    assert_int_equal(box.x1, x1);
    assert_int_equal(box.y1, y1);
}

static void a_background_of_one_pixel_fills_the_frame(void **state)
{
    (void)state;
    struct synthetic s;
    solid_catalog(&s, 1, 0);
    struct plan p = upright(7, 0);
    p.context = CONTEXT_BACKGROUND;
    p.crop_u = p.crop_v = -32768;
    p.crop_du = p.crop_dv = 65536 / 7;
    uint8_t scratch[1 << 17] __attribute__((aligned(64)));
    uint8_t out[7 * 7 * 3];
    struct compose_facts facts;
    assert_true(compose_scratch_bytes(7, 7) <= sizeof scratch);
    compose_sample(&s.catalog, &p, scratch, out, 21, &facts);
    for (size_t i = 0; i < sizeof out; i++)
        assert_int_equal(out[i], 200);
    check_plan(&s, &p, 0, NULL);
    synthetic_fini(&s);
}

/* (2 * object + context) / 3 of an opaque object, to a level. */
static void two_thirds_are_the_objects(void **state)
{
    (void)state;
    struct synthetic s;
    solid_catalog(&s, 3, 255); /* all 200 */
    for (int context = 0; context < 256; context++) {
        struct plan p = upright(3, 0);
        uint8_t scratch[1 << 17] __attribute__((aligned(64)));
        uint8_t out[3 * 3 * 3];
        struct compose_facts facts;
        p.blend = BLEND_TWO_THIRDS;
        memset(p.solid, context, 3);
        compose_sample(&s.catalog, &p, scratch, out, 9, &facts);
        const int expected = (2 * 200 + context) / 3;
        for (size_t i = 0; i < sizeof out; i++)
            assert_in_range(out[i], expected - 1, expected + 1);
        assert_int_equal(facts.box.x1, 3);
    }
    synthetic_fini(&s);
}

/* The same where there is no object: a third of the context. */
static void two_thirds_of_the_frame_darken_what_is_not_covered(void **state)
{
    (void)state;
    struct synthetic s;
    solid_catalog(&s, 1, 255); /* 200 */
    for (int context = 0; context < 256; context++) {
        struct plan p = upright(3, 1);
        uint8_t scratch[1 << 17] __attribute__((aligned(64)));
        uint8_t out[3 * 3 * 3];
        struct compose_facts facts;
        p.blend = BLEND_TWO_THIRDS_FRAME;
        memset(p.solid, context, 3);
        compose_sample(&s.catalog, &p, scratch, out, 9, &facts);
        for (size_t i = 0; i < sizeof out; i++) {
            const int object = i / 3 == 4 ? 200 : 0;
            const int expected = (2 * object + context) / 3;
            assert_in_range(out[i], expected, expected + 1);
        }
        assert_int_equal(facts.box.x0, 1);
        assert_int_equal(facts.box.x1, 2);
    }
    synthetic_fini(&s);
}

static void an_object_of_one_pixel_is_boxed(void **state)
{
    (void)state;
    struct synthetic s;
    solid_catalog(&s, 1, 255);
    struct plan p = upright(9, 4);
    expect_box(&s, &p, 4, 4, 5, 5);
    p.edge = EDGE_HARD;
    expect_box(&s, &p, 4, 4, 5, 5);
    synthetic_fini(&s);
}

static void an_object_outside_leaves_the_context_alone(void **state)
{
    (void)state;
    struct synthetic s;
    solid_catalog(&s, 4, 255);
    const int32_t away[] = {-5, -4, 9, 10, 100000, -100000};
    for (size_t i = 0; i < sizeof away / sizeof away[0]; i++)
        for (int edge = EDGE_HARD; edge <= EDGE_FEATHER; edge++) {
            struct plan p = upright(9, away[i]);
            p.edge = (enum recipe_edge)edge;
            expect_box(&s, &p, 0, 0, 0, 0);
        }
    synthetic_fini(&s);
}

static void an_object_larger_than_the_frame_covers_it(void **state)
{
    (void)state;
    struct synthetic s;
    solid_catalog(&s, 40, 255);
    struct plan p = upright(9, -10);
    expect_box(&s, &p, 0, 0, 9, 9);
    p.edge = EDGE_FEATHER; /* the frame's border is no edge of the object */
    p.edge_radius = 3;
    p.edge_weight[0] = 65536 - 6 * 9000;
    for (int i = 1; i <= 3; i++)
        p.edge_weight[i] = 9000;
    expect_box(&s, &p, 0, 0, 9, 9);
    synthetic_fini(&s);
}

static void a_transparent_object_has_no_box(void **state)
{
    (void)state;
    struct synthetic s;
    solid_catalog(&s, 4, 0);
    struct plan p = upright(9, 2);
    expect_box(&s, &p, 0, 0, 0, 0);
    synthetic_fini(&s);
}

static void a_faint_object_is_boxed_by_any_alpha(void **state)
{
    (void)state;
    struct synthetic s;
    solid_catalog(&s, 4, 127);
    struct plan p = upright(9, 2);
    expect_box(&s, &p, 2, 2, 6, 6);
    p.edge = EDGE_HARD; /* which makes it nothing */
    expect_box(&s, &p, 0, 0, 0, 0);
    synthetic_fini(&s);
}

static void composing_allocates_nothing(void **state)
{
    (void)state;
    struct synthetic s;
    solid_catalog(&s, 8, 255);
    struct plan p = upright(32, 5);
    p.edge = EDGE_FEATHER;
    uint8_t *scratch =
        aligned_alloc(64, (compose_scratch_bytes(32, 32) + 63) / 64 * 64);
    uint8_t out[32 * 32 * 3];
    struct compose_facts facts;
    uint64_t before = mem_allocations();
    for (int i = 0; i < 10; i++)
        compose_sample(&s.catalog, &p, scratch, out, 96, &facts);
    assert_int_equal(mem_allocations(), before);
    free(scratch);
    synthetic_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_plans_equal_brute_force),
        cmocka_unit_test(a_background_of_one_pixel_fills_the_frame),
        cmocka_unit_test(two_thirds_are_the_objects),
        cmocka_unit_test(two_thirds_of_the_frame_darken_what_is_not_covered),
        cmocka_unit_test(an_object_of_one_pixel_is_boxed),
        cmocka_unit_test(an_object_outside_leaves_the_context_alone),
        cmocka_unit_test(an_object_larger_than_the_frame_covers_it),
        cmocka_unit_test(a_transparent_object_has_no_box),
        cmocka_unit_test(a_faint_object_is_boxed_by_any_alpha),
        cmocka_unit_test(composing_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
