/* The geometry of plans against an independent computation with libm: poses,
 * crops, mip levels, and the extremes of every size. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/plan_world.h"

static const double pi = 3.14159265358979323846;

struct point {
    double x, y;
};

/* Where the recipe's words put level-0 point (x, y): stretch, mirror, shear
 * along y, shear along x, rotate counter-clockwise as seen, translate; each
 * step by itself. */
static struct point forward(const struct plan *p, double x, double y)
{
    const struct pool_object *o = &world_catalog->objects[p->object];
    const struct image_box *b = &o->alpha_box;
    double longest = fmax(b->x1 - b->x0, b->y1 - b->y0);
    double px = p->told.scale * fmin(p->width, p->height) / longest;
    x = (x - (b->x0 + b->x1) / 2.0) * px;
    y = (y - (b->y0 + b->y1) / 2.0) * px;
    x *= sqrt(p->told.stretch);
    y /= sqrt(p->told.stretch);
    if (p->told.flip) {
        x = -x;
    }
    y += x * tan(p->told.shear_y_deg * pi / 180);
    x += y * tan(p->told.shear_deg * pi / 180);
    /* Counter-clockwise as seen is a negative angle with y down. */
    double a = -p->told.rotate_deg * pi / 180;
    struct point q = {x * cos(a) - y * sin(a), x * sin(a) + y * cos(a)};
    q.x += p->told.x * p->width;
    q.y += p->told.y * p->height;
    return q;
}

/* The level-0 point that the plan's integers sample for frame point q. */
static struct point sampled(const struct plan *p, struct point q)
{
    double x = q.x - 0.5, y = q.y - 0.5, one = ldexp(1, (int)p->object_level);
    double u =
        ((double)p->m[0] * x + (double)p->m[1] * y + (double)p->m[2]) / 65536;
    double v =
        ((double)p->m[3] * x + (double)p->m[4] * y + (double)p->m[5]) / 65536;
    return (struct point){(u + 0.5) * one, (v + 0.5) * one};
}

static void expect_pose(const struct plan *p)
{
    const struct image_box *b = &world_catalog->objects[p->object].alpha_box;
    const double at[5][2] = {{b->x0, b->y0},
                             {b->x1, b->y0},
                             {b->x0, b->y1},
                             {b->x1, b->y1},
                             {(b->x0 + b->x1) / 2.0, (b->y0 + b->y1) / 2.0}};
    double one = ldexp(1, (int)p->object_level);
    for (int i = 0; i < 5; i++) {
        struct point q = forward(p, at[i][0], at[i][1]);
        struct point back = sampled(p, q);
        double reach = fabs(q.x - p->told.x * p->width) +
                       fabs(q.y - p->told.y * p->height);
        /* Half a unit of Q16 a pixel away from `place`, and of the offset. */
        double slack = one * (reach + 2) * 0.5 / 65536 + 1e-6;
        if (fabs(back.x - at[i][0]) > slack ||
            fabs(back.y - at[i][1]) > slack) {
            fail_msg("position %ju: point %d is off by %g, %g (slack %g)",
                     (uintmax_t)p->position, i, back.x - at[i][0],
                     back.y - at[i][1], slack);
        }
    }
}

static void poses_agree_with_libm(void **state)
{
    struct recipe r = world_recipe(
        "{\"size\":[96,160],\"object\":{\"scale\":[0.05,2],\"rotate\":[-360,"
        "360],\"shear\":[-60,60],\"shear_y\":[-60,60],"
        "\"stretch\":{\"log_uniform\":[0.1,10]},\"translate\":{\"x\":[-1,2],"
        "\"y\":[-1,2]},"
        "\"flip\":0.5}}");
    for (uint64_t i = 0; i < 6000; i++) {
        struct plan p = world_plan(&r, i);
        expect_pose(&p);
    }
}

/* One sign convention, seen with the eye: a quarter turn counter-clockwise
 * takes the right end of the object to the top. */
static void a_quarter_turn_takes_right_to_top(void **state)
{
    struct recipe r = world_recipe(
        "{\"object\":{\"scale\":1,\"rotate\":90,\"shear\":0,\"translate\":{"
        "\"x\":0.5,\"y\":0.5}}}");
    struct plan p = world_plan_of(&r, 0, WORLD_TALL, 2);
    struct point top = sampled(&p, (struct point){32, 20});
    assert_true(fabs(top.x - (64 + 48)) < 0.01); /* 12 px of 4 texels each */
    assert_true(fabs(top.y - 128) < 0.01);
}

static void shear_moves_the_lower_part_right(void **state)
{
    struct recipe r = world_recipe(
        "{\"object\":{\"scale\":1,\"rotate\":0,\"shear\":45,\"translate\":{"
        "\"x\":0.5,\"y\":0.5}}}");
    struct plan p = world_plan_of(&r, 0, WORLD_TALL, 2);
    struct point low = sampled(&p, (struct point){32 + 8, 32 + 8});
    assert_true(fabs(low.x - 64) < 0.01);
    assert_true(fabs(low.y - (128 + 32)) < 0.01);
}

static void object_steps_stay_near_one_texel(void **state)
{
    struct recipe r = world_recipe(
        "{\"size\":[224,224],\"object\":{\"scale\":{\"log_uniform\":[0.02,4]},"
        "\"rotate\":[-180,180],\"min_visible\":0}}");
    uint32_t n_levels = 0;
    for (uint64_t i = 0; i < 6000; i++) {
        struct plan p = world_plan(&r, i);
        const struct pool_object *o = &world_catalog->objects[p.object];
        double step = sqrt(fabs((double)p.m[0] * (double)p.m[4] -
                                (double)p.m[1] * (double)p.m[3])) /
                      65536;
        bool last = p.object_level + 1 == o->n_levels;
        assert_true(p.object_level < o->n_levels);
        assert_true(step < 1.4001 || last);
        assert_true(step > 0.6999 || p.object_level == 0);
        n_levels |= 1u << p.object_level;
    }
    assert_true(n_levels > 0xff); /* the test did reach many levels */
}

/* Texel coordinate of the border of the first and after the last pixel. */
static void expect_axis(int32_t first, int32_t step, int32_t n, double one,
                        int32_t side)
{
    double u0 = (first - step * 0.5) / 65536.0;
    double u1 = (first + step * (n - 0.5)) / 65536.0;
    double low = (fmin(u0, u1) + 0.5) * one, high = (fmax(u0, u1) + 0.5) * one;
    double slack = one * (n + 2) * 0.5 / 65536 + 1e-9;
    if (low < -slack || high > side + slack) {
        fail_msg("%g .. %g is not in 0 .. %d", low, high, side);
    }
}

static void expect_crop(const struct plan *p)
{
    const struct pool_background *b =
        &world_catalog->backgrounds[p->background];
    double one = ldexp(1, (int)p->crop_level);
    double step = fabs(p->crop_dv / 65536.0);
    assert_true(p->told.crop_x >= 0 && p->told.crop_y >= 0);
    assert_true(p->told.crop_x + p->told.crop_w <= b->width + 1e-9);
    assert_true(p->told.crop_y + p->told.crop_h <= b->height + 1e-9);
    assert_true(fabs(p->told.crop_w * p->height - p->told.crop_h * p->width) <=
                1e-9 * p->told.crop_w * p->height);
    assert_true(p->crop_level < b->n_levels);
    assert_true(step < 1.9001 || p->crop_level + 1 == b->n_levels);
    assert_true(step > 0.9499 || p->crop_level == 0);
    expect_axis(p->crop_u, p->crop_du, p->width, one, b->width);
    expect_axis(p->crop_v, p->crop_dv, p->height, one, b->height);
    /* The middle of the frame shows the middle of the crop. */
    double u = (p->crop_u + p->crop_du * (p->width - 1) * 0.5) / 65536;
    assert_true(fabs((u + 0.5) * one - (p->told.crop_x + p->told.crop_w / 2)) <=
                one / 65536 + 1e-9);
}

static void crops_lie_inside_every_background(void **state)
{
    static const char *const recipes[] = {
        "{\"size\":1,\"background\":{\"scale\":[0.01,1]}}",
        "{\"size\":64,\"background\":{\"scale\":[0.01,1]}}",
        "{\"size\":[1,2048],\"background\":{\"scale\":[0.01,1]}}",
        "{\"size\":[2048,1],\"background\":{\"scale\":[0.01,1]}}",
        "{\"size\":2048,\"background\":{\"scale\":1}}",
        "{\"size\":[480,640],\"background\":{\"crop\":\"center\"}}",
    };
    for (size_t k = 0; k < sizeof(recipes) / sizeof(recipes[0]); k++) {
        struct recipe r = world_recipe(recipes[k]);
        for (uint64_t i = 0; i < 1200; i++) {
            struct plan p =
                world_plan_of(&r, i, WORLD_DOT, i % WORLD_BACKGROUNDS);
            expect_crop(&p);
        }
    }
}

static void a_mirrored_crop_reads_the_same_texels_backwards(void **state)
{
    struct recipe r = world_recipe("{\"background\":{\"flip\":0}}");
    struct recipe mirrored = world_recipe("{\"background\":{\"flip\":1}}");
    for (uint64_t i = 0; i < 200; i++) {
        struct plan a = world_plan(&r, i), b = world_plan(&mirrored, i);
        assert_int_equal(b.crop_du, -a.crop_du);
        assert_int_equal(b.crop_u, a.crop_u + a.crop_du * 63);
        assert_int_equal(b.crop_v, a.crop_v);
    }
}

static void a_centred_crop_is_in_the_middle(void **state)
{
    struct recipe r =
        world_recipe("{\"background\":{\"crop\":\"center\",\"scale\":0.5}}");
    struct plan p = world_plan_of(&r, 1, WORLD_SIGN, 2); /* 512 x 384 */
    assert_true(p.told.crop_w == 192 && p.told.crop_h == 192);
    assert_true(p.told.crop_x == 160 && p.told.crop_y == 96);
}

static void a_crop_takes_the_aspect_that_is_asked(void **state)
{
    struct recipe r = world_recipe(
        "{\"size\":[40,100],\"background\":{\"aspect\":{\"log_uniform\":[0.1,"
        "10]}}}");
    int n_narrow = 0;
    for (uint64_t i = 0; i < 3000; i++) {
        struct plan p = world_plan_of(&r, i, WORLD_DOT, i % WORLD_BACKGROUNDS);
        const struct pool_background *b =
            &world_catalog->backgrounds[p.background];
        double aspect = p.told.crop_w / p.told.crop_h / 2.5;
        double one = ldexp(1, (int)p.crop_level);
        double step = fmax(abs(p.crop_du), abs(p.crop_dv)) / 65536;
        assert_true(aspect > 0.0999 && aspect < 10.001);
        assert_true(p.told.crop_x >= 0 && p.told.crop_y >= 0);
        assert_true(p.told.crop_x + p.told.crop_w <= b->width + 1e-9);
        assert_true(p.told.crop_y + p.told.crop_h <= b->height + 1e-9);
        assert_true(step < 1.9001 || p.crop_level + 1 == b->n_levels);
        expect_axis(p.crop_u, p.crop_du, p.width, one, b->width);
        expect_axis(p.crop_v, p.crop_dv, p.height, one, b->height);
        n_narrow += aspect < 1;
    }
    assert_in_range(n_narrow, 1300, 1700);
}

/* The level-0 point that a turned crop samples for frame point q. */
static struct point seen(const struct plan *p, double x, double y)
{
    const int64_t *m = p->turn.m;
    double one = ldexp(1, (int)p->crop_level) / 65536;
    x -= 0.5;
    y -= 0.5;
    return (struct point){
        ((double)m[0] * x + (double)m[1] * y + (double)m[2] + 32768) * one,
        ((double)m[3] * x + (double)m[4] * y + (double)m[5] + 32768) * one};
}

/* The same by the words: mirror, turn, each about the middle of the window. */
static struct point turned(const struct plan *p, double x, double y)
{
    const double a = p->told.crop_rotate_deg * pi / 180;
    const double dx = (x / p->width - 0.5) * p->told.crop_w;
    const double dy = (y / p->height - 0.5) * p->told.crop_h;
    double across = dx * cos(a) - dy * sin(a);
    const double down = dx * sin(a) + dy * cos(a);
    across = p->told.crop_flip ? -across : across;
    return (struct point){p->told.crop_x + p->told.crop_w / 2 + across,
                          p->told.crop_y + p->told.crop_h / 2 + down};
}

static void expect_turn(const struct plan *p, bool is_inside)
{
    const struct pool_background *b =
        &world_catalog->backgrounds[p->background];
    const double slack =
        ldexp(1, (int)p->crop_level) * (p->width + p->height + 2) / 65536 +
        1e-9;
    assert_true(p->has_turn && p->crop_du == 0 && p->crop_dv == 0);
    for (int corner = 0; corner < 4; corner++) {
        const double x = corner & 1 ? p->width : 0;
        const double y = corner & 2 ? p->height : 0;
        struct point at = seen(p, x, y), wanted = turned(p, x, y);
        assert_true(fabs(at.x - wanted.x) < slack);
        assert_true(fabs(at.y - wanted.y) < slack);
        assert_true(!is_inside ||
                    (at.x > -slack && at.y > -slack &&
                     at.x < b->width + slack && at.y < b->height + slack));
    }
}

static void a_fitted_turned_crop_lies_inside(void **state)
{
    struct recipe r = world_recipe(
        "{\"size\":[40,100],\"background\":{\"aspect\":{\"log_uniform\":[0.1,"
        "10]},\"rotate\":[-360,360],\"flip\":0.5}}");
    for (uint64_t i = 0; i < 3000; i++) {
        struct plan p = world_plan_of(&r, i, WORLD_DOT, i % WORLD_BACKGROUNDS);
        expect_turn(&p, true);
    }
}

static void a_padded_crop_keeps_its_size(void **state)
{
    struct recipe upright = world_recipe(
        "{\"background\":{\"scale\":[0.1,4],\"padding\":\"edge\"}}");
    struct recipe r = world_recipe(
        "{\"background\":{\"scale\":[0.1,4],\"padding\":\"wrap\",\"rotate\":[-"
        "180,180]}}");
    for (uint64_t i = 0; i < 3000; i++) {
        struct plan p = world_plan_of(&r, i, WORLD_DOT, i % WORLD_BACKGROUNDS);
        struct plan q =
            world_plan_of(&upright, i, WORLD_DOT, i % WORLD_BACKGROUNDS);
        expect_turn(&p, false);
        assert_false(q.has_turn);
        assert_true(p.told.crop_w == q.told.crop_w);
        assert_true(p.told.crop_x == q.told.crop_x);
        assert_true(p.told.crop_y == q.told.crop_y);
    }
}

static void a_window_larger_than_the_background_holds_it(void **state)
{
    struct recipe r = world_recipe(
        "{\"background\":{\"scale\":[1.5,4],\"padding\":\"colour\"}}");
    for (uint64_t i = 0; i < 3000; i++) {
        struct plan p = world_plan_of(&r, i, WORLD_DOT, i % WORLD_BACKGROUNDS);
        const struct pool_background *b =
            &world_catalog->backgrounds[p.background];
        bool is_narrow = b->width <= b->height; /* the frame is a square */
        assert_true(p.has_turn && p.turn.padding == PADDING_COLOUR);
        assert_int_equal(p.turn.colour[1], 105);
        assert_true(!is_narrow || (p.told.crop_x <= 0 &&
                                   p.told.crop_x + p.told.crop_w >= b->width));
        assert_true(is_narrow || (p.told.crop_y <= 0 &&
                                  p.told.crop_y + p.told.crop_h >= b->height));
    }
}

static void padding_changes_no_crop_that_lies_inside(void **state)
{
    struct recipe r = world_recipe("{}");
    struct recipe padded =
        world_recipe("{\"background\":{\"padding\":\"reflect\"}}");
    for (uint64_t i = 0; i < 3000; i++) {
        struct plan p = world_plan(&r, i), q = world_plan(&padded, i);
        assert_memory_equal(&p, &q, sizeof(p));
    }
}

/* A normal scale has a tail above 1, which a fitted crop cuts off. */
static void a_fitted_window_is_never_larger(void **state)
{
    struct recipe r =
        world_recipe("{\"background\":{\"scale\":{\"normal\":[1,0.5]}}}");
    for (uint64_t i = 0; i < 500; i++) {
        struct plan p = world_plan_of(&r, i, WORLD_DOT, i % WORLD_BACKGROUNDS);
        expect_crop(&p);
    }
}

static void a_quarter_turn_shows_the_right_at_the_top(void **state)
{
    struct recipe r =
        world_recipe("{\"background\":{\"rotate\":90,\"scale\":1,\"flip\":0}}");
    struct plan p = world_plan_of(&r, 0, WORLD_DOT, 2);
    struct point top = seen(&p, 32, 0);
    assert_true(fabs(top.x - p.told.crop_x - p.told.crop_w) < 0.05);
    assert_true(fabs(top.y - p.told.crop_y - p.told.crop_h / 2) < 0.05);
}

/* Worst case: one texel per 1/100 px at level 0 if there were no mips. */
static void no_pose_overflows(void **state)
{
    static const char *const recipes[] = {
        "{\"size\":1,\"object\":{\"scale\":0.01,\"shear\":60,\"rotate\":45,"
        "\"translate\":{\"x\":-1,\"y\":2}}}",
        "{\"size\":2048,\"object\":{\"scale\":4,\"shear\":-60,\"rotate\":-30,"
        "\"translate\":{\"x\":2,\"y\":-1}}}",
        "{\"size\":[1,2048],\"object\":{\"scale\":0.01,\"shear\":60}}",
        "{\"size\":[1,2048],\"object\":{\"scale\":0.01,\"shear\":60,"
        "\"shear_y\":60,\"stretch\":0.1}}",
    };
    for (size_t k = 0; k < sizeof(recipes) / sizeof(recipes[0]); k++) {
        struct recipe r = world_recipe(recipes[k]);
        for (uint32_t object = 0; object < WORLD_OBJECTS; object++) {
            struct plan p = world_plan_of(&r, object, object, 4);
            for (int i = 0; i < 6; i++) {
                assert_true(llabs(p.m[i]) < (INT64_C(1) << 48));
            }
            assert_in_range(p.visible_q16, 0, 65536);
        }
    }
}

/* visible_q16 by the words of its definition, with libm's map. */
static void visibility_counts_the_coverage_inside(void **state)
{
    struct recipe r = world_recipe(
        "{\"object\":{\"min_visible\":0,\"rotate\":[-180,180],\"shear\":[-30,"
        "30],\"translate\":{\"x\":[-0.2,1.2],\"y\":[-0.2,1.2]}}}");
    uint64_t n_partial = 0;
    for (uint64_t i = 0; i < 3000; i++) {
        struct plan p = world_plan_of(&r, i, WORLD_SIGN, 2);
        const struct pool_object *o = &world_catalog->objects[WORLD_SIGN];
        const struct image_box *b = &o->alpha_box;
        double in = 0, total = 0;
        for (int cell = 0; cell < 256; cell++) {
            double x = b->x0 + (cell % 16 + 0.5) / 16 * (b->x1 - b->x0);
            double y = b->y0 + (cell / 16 + 0.5) / 16 * (b->y1 - b->y0);
            struct point q = forward(&p, x, y);
            double weight = o->coverage[cell / 16][cell % 16];
            total += weight;
            in += q.x >= 0 && q.x <= 64 && q.y >= 0 && q.y <= 64 ? weight : 0;
        }
        assert_true(fabs(p.visible_q16 - floor(65536 * in / total)) < 1);
        n_partial += p.visible_q16 > 0 && p.visible_q16 < 65536;
    }
    assert_true(n_partial > 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(poses_agree_with_libm),
        cmocka_unit_test(a_quarter_turn_takes_right_to_top),
        cmocka_unit_test(shear_moves_the_lower_part_right),
        cmocka_unit_test(object_steps_stay_near_one_texel),
        cmocka_unit_test(crops_lie_inside_every_background),
        cmocka_unit_test(a_mirrored_crop_reads_the_same_texels_backwards),
        cmocka_unit_test(a_centred_crop_is_in_the_middle),
        cmocka_unit_test(a_crop_takes_the_aspect_that_is_asked),
        cmocka_unit_test(a_fitted_turned_crop_lies_inside),
        cmocka_unit_test(a_padded_crop_keeps_its_size),
        cmocka_unit_test(a_window_larger_than_the_background_holds_it),
        cmocka_unit_test(padding_changes_no_crop_that_lies_inside),
        cmocka_unit_test(a_fitted_window_is_never_larger),
        cmocka_unit_test(a_quarter_turn_shows_the_right_at_the_top),
        cmocka_unit_test(no_pose_overflows),
        cmocka_unit_test(visibility_counts_the_coverage_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
