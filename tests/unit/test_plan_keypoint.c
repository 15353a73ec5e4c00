/* Keypoints in the frame against the maps that compose walks, and against
 * poses seen with the eye. Reads no pixels. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "server/plan/keypoint.h"
#include "tests/unit/plan_world.h"

static void expect_near(const float at[2], double x, double y, double slack)
{
    const double found[2] = {(double)at[0], (double)at[1]};
    if (fabs(found[0] - x) > slack || fabs(found[1] - y) > slack)
        fail_msg("%g, %g is not %g, %g", found[0], found[1], x, y);
}

/* Level-0 coordinates of 16.16 ones of the plan's level. */
static struct pool_keypoint level_0(const struct plan *p, double u, double v)
{
    const double one = ldexp(1, (int)p->object_level) / 65536;
    return (struct pool_keypoint){(u + 32768) * one, (v + 32768) * one};
}

static void an_affine_pose_is_inverted(void **state)
{
    struct recipe r = world_recipe(
        "{\"size\":[96,160],\"object\":{\"scale\":[0.05,2],\"rotate\":[-360,"
        "360],\"shear\":[-60,60],\"stretch\":{\"log_uniform\":[0.2,5]},"
        "\"flip\":0.5,\"translate\":{\"x\":[-1,2],\"y\":[-1,2]}}}");
    for (uint64_t i = 0; i < 3000; i++) {
        struct plan p = world_plan(&r, i);
        const double x = (double)(i % 160), y = (double)(i % 96);
        float at[2];
        struct pool_keypoint k = level_0(
            &p, (double)p.m[0] * x + (double)p.m[1] * y + (double)p.m[2],
            (double)p.m[3] * x + (double)p.m[4] * y + (double)p.m[5]);
        assert_true(keypoint_seen(&p, &k, at));
        expect_near(at, x + 0.5, y + 0.5, 1e-3);
    }
}

static void expect_warp(const struct recipe *r, double slack)
{
    int n = 0;
    for (uint64_t i = 0; i < 3000; i++) {
        struct plan p = world_plan_of(r, i, WORLD_SIGN, 2);
        const int32_t x = (int32_t)(i * 7 % 64), y = (int32_t)(i * 5 % 64);
        const struct image_box *b = &p.warp.box;
        int32_t u, v;
        float at[2];
        if (!p.has_warp || x < b->x0 || x >= b->x1 || y < b->y0 || y >= b->y1)
            continue;
        warp_coordinates(&p.warp, x, y, 1, &u, &v);
        struct pool_keypoint k = level_0(&p, u, v);
        if (k.x < 0 || k.y < 0 || k.x > 100 || k.y > 88)
            continue; /* beyond the object */
        assert_true(keypoint_seen(&p, &k, at));
        expect_near(at, x + 0.5, y + 0.5, slack);
        n++;
    }
    assert_true(n > 500);
}

static void a_perspective_is_inverted(void **state)
{
    struct recipe r =
        world_recipe("{\"object\":{\"scale\":[0.3,2],\"rotate\":[-180,180],"
                     "\"perspective\":[0.1,0.6],\"min_visible\":0}}");
    expect_warp(&r, 0.02);
}

static void an_elastic_pose_is_inverted(void **state)
{
    struct recipe r =
        world_recipe("{\"object\":{\"scale\":[0.5,1],\"rotate\":[-180,180],"
                     "\"perspective\":[0,0.3],\"elastic\":[0.2,1.2],"
                     "\"min_visible\":0}}");
    expect_warp(&r, 0.02);
}

static void the_centre_goes_where_it_is_laid(void **state)
{
    struct recipe r = world_recipe(
        "{\"object\":{\"scale\":0.5,\"rotate\":33,\"shear\":10,\"flip\":1,"
        "\"translate\":{\"x\":0.25,\"y\":0.75}}}");
    struct plan p = world_plan_of(&r, 4, WORLD_TALL, 2);
    const struct pool_keypoint middle = {64, 128};
    float at[2];
    assert_true(keypoint_seen(&p, &middle, at));
    expect_near(at, 16, 48, 1e-3);
}

static void a_mirror_image_mirrors(void **state)
{
    struct recipe r = world_recipe(
        "{\"object\":{\"scale\":1,\"rotate\":0,\"shear\":0,\"flip\":1,"
        "\"translate\":{\"x\":0.5,\"y\":0.5}}}");
    struct plan p = world_plan_of(&r, 4, WORLD_TALL, 2); /* 128 x 256 */
    const struct pool_keypoint top_left = {0, 0};
    float at[2];
    assert_true(keypoint_seen(&p, &top_left, at));
    expect_near(at, 48, 0, 1e-3);
}

static void far_points_are_held(void **state)
{
    struct recipe r = world_recipe("{\"object\":{\"scale\":4}}");
    struct recipe warped =
        world_recipe("{\"object\":{\"scale\":4,\"perspective\":0.6}}");
    for (uint64_t i = 0; i < 2000; i++) {
        struct plan p = world_plan_of(&r, i, WORLD_DOT, 2);
        struct plan q = world_plan_of(&warped, i, i % WORLD_OBJECTS, 2);
        const struct pool_keypoint far = {i % 2 ? 1e6 : -1e6, -1e6};
        float at[2];
        assert_true(keypoint_seen(&p, &far, at));
        assert_true(fabsf(at[0]) <= 1048576 && fabsf(at[1]) <= 1048576);
        if (!keypoint_seen(&q, &far, at))
            assert_true(at[0] == 0 && at[1] == 0);
        assert_true(fabsf(at[0]) <= 1048576 && fabsf(at[1]) <= 1048576);
    }
}

static void a_map_of_rank_one_shows_nothing(void **state)
{
    struct plan p = {.m = {3, 3, 0, 3, 3, 0}};
    const struct pool_keypoint k = {1, 1};
    float at[2] = {7, 7};
    assert_false(keypoint_seen(&p, &k, at));
    assert_true(at[0] == 0 && at[1] == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_affine_pose_is_inverted),
        cmocka_unit_test(a_perspective_is_inverted),
        cmocka_unit_test(an_elastic_pose_is_inverted),
        cmocka_unit_test(the_centre_goes_where_it_is_laid),
        cmocka_unit_test(a_mirror_image_mirrors),
        cmocka_unit_test(far_points_are_held),
        cmocka_unit_test(a_map_of_rank_one_shows_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
