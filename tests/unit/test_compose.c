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
#include "tests/unit/random_plan.h"
#include "tests/unit/synthetic.h"

#define MAX_SIDE RANDOM_MAX_SIDE
#define PADDING  5 /* bytes after each row of out */

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
        random_catalog(&s, &random);
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
