/* Perspective and elastic poses against the words of the recipe: where corners
 * go, what stays in its range, what min_visible sees. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "server/plan/pose.h"
#include "server/plan/warp.h"
#include "tests/unit/plan_world.h"

static struct pose pose_of(const struct recipe *r, uint64_t position,
                           uint32_t object)
{
    const struct draws d = {.seed = r->seed, .position = position};
    struct pose p;
    const struct pose_ranges ranges = {&r->object.scale, &r->object.x,
                                       &r->object.y};
    pose_find(&d, r, &ranges, &world_catalog->objects[object], &p);
    return p;
}

/* The level-0 point that the plan's integers read at frame point (x, y),
 * without the grid. */
static void read_point(const struct plan *p, double x, double y, double out[2])
{
    const int64_t *m = p->warp.m;
    double depth =
        (double)m[6] * (x - 0.5) + (double)m[7] * (y - 0.5) + (double)m[8];
    assert_true(depth > 0);
    for (int i = 0; i < 2; i++) {
        double u = (double)m[3 * i] * (x - 0.5) +
                   (double)m[3 * i + 1] * (y - 0.5) + (double)m[3 * i + 2];
        out[i] = (u / depth / 65536 + 0.5) * ldexp(1, (int)p->object_level);
    }
}

/* By the words of the recipe: insets first, then the affine pose. */
static void corners_go_where_their_insets_say(void **state)
{
    struct recipe r = world_recipe(
        "{\"size\":[96,160],\"object\":{\"scale\":[0.1,2],\"rotate\":[-360,"
        "360],\"shear\":[-40,40],\"flip\":0.5,\"perspective\":[0.1,0.6],"
        "\"stretch\":[0.5,2],\"min_visible\":0}}");
    for (uint64_t i = 0; i < 3000; i++) {
        uint32_t object = (uint32_t)(i % WORLD_OBJECTS);
        const struct image_box *b = &world_catalog->objects[object].alpha_box;
        struct plan plan = world_plan_of(&r, i, object, 2);
        struct pose p = pose_of(&r, i, object);
        assert_true(plan.has_warp && p.is_warped);
        for (int c = 0; c < 4; c++) {
            int right = c == 1 || c == 2, low = c >= 2;
            double x =
                (right ? 1 : -1) * (1 - p.inset[c][0]) * (b->x1 - b->x0) / 2.0;
            double y =
                (low ? 1 : -1) * (1 - p.inset[c][1]) * (b->y1 - b->y0) / 2.0;
            double back[2];
            assert_in_range((int)(p.inset[c][0] * 1000), 0, 600);
            read_point(&plan, p.place_x + p.forward[0] * x + p.forward[1] * y,
                       p.place_y + p.forward[2] * x + p.forward[3] * y, back);
            double slack = 0.01 * ldexp(1, (int)plan.object_level);
            assert_true(fabs(back[0] - (right ? b->x1 : b->x0)) < slack);
            assert_true(fabs(back[1] - (low ? b->y1 : b->y0)) < slack);
        }
    }
}

/* By the words of the recipe: the affine pose first, then the frame's corners
 * go where their insets say. */
static void a_frame_in_perspective_is_seen_after_the_pose(void **state)
{
    struct recipe r = world_recipe(
        "{\"size\":[96,160],\"object\":{\"scale\":[0.1,2],\"rotate\":[-360,"
        "360],\"shear\":[-40,40],\"flip\":0.5,\"perspective\":[0.1,0.6],"
        "\"perspective_of\":\"frame\",\"min_visible\":0}}");
    for (uint64_t i = 0; i < 3000; i++) {
        uint32_t object = (uint32_t)(i % WORLD_OBJECTS);
        struct plan plan = world_plan_of(&r, i, object, 2);
        struct pose p = pose_of(&r, i, object);
        assert_true(plan.has_warp && plan.warp.n_clips == 4);
        for (int c = 0; c < 4; c++) {
            int right = c == 1 || c == 2, low = c >= 2;
            double x = right ? 160 : 0, y = low ? 96 : 0, back[2];
            double to_x = x + (right ? -80 : 80) * p.inset[c][0];
            double to_y = y + (low ? -48 : 48) * p.inset[c][1];
            double dx = x - p.place_x, dy = y - p.place_y;
            double u = p.pivot_x + p.inverse[0] * dx + p.inverse[1] * dy;
            double v = p.pivot_y + p.inverse[2] * dx + p.inverse[3] * dy;
            double slack = 0.01 * ldexp(1, (int)plan.object_level) +
                           1e-6 * (fabs(u) + fabs(v));
            read_point(&plan, to_x, to_y, back);
            assert_true(fabs(back[0] - u) < slack);
            assert_true(fabs(back[1] - v) < slack);
        }
    }
}

/* Rows of warp_span against the half planes, pixel by pixel. */
static void what_lay_outside_a_frame_is_cut_off(void **state)
{
    struct recipe r = world_recipe(
        "{\"size\":[40,60],\"object\":{\"scale\":4,\"perspective\":0.6,"
        "\"perspective_of\":\"frame\"}}");
    const struct pixel_span all = {-20, 80};
    int n_in = 0;
    for (uint64_t i = 0; i < 300; i++) {
        struct plan p = world_plan_of(&r, i, WORLD_TALL, 2);
        for (int32_t y = -5; y < 45; y++) {
            struct pixel_span s = warp_span(&p.warp, y, all);
            assert_true(s.begin <= s.end);
            for (int32_t x = -20; x < 80; x++) {
                const struct image_box *b = &p.warp.box;
                bool in = x >= b->x0 && x < b->x1 && y >= b->y0 && y < b->y1;
                for (int k = 0; k < 4; k++)
                    in = in && p.warp.clip[k][0] * x + p.warp.clip[k][1] * y +
                                       p.warp.clip[k][2] >=
                                   0;
                assert_int_equal(in, x >= s.begin && x < s.end);
                assert_true(!in || (x >= 0 && x < 60 && y >= 0 && y < 40));
                n_in += in;
            }
        }
    }
    assert_in_range(n_in, 300 * 300, 300 * 2399);
}

/* Level by the size at the object's own place. */
static void steps_in_a_frame_stay_near_one_texel(void **state)
{
    struct recipe r = world_recipe("{\"size\":[224,224],\"object\":{\"scale\":["
                                   "0.05,0.3],\"perspective\":[0,"
                                   "0.6],\"perspective_of\":\"frame\","
                                   "\"translate\":{\"x\":[0.2,0.8],\"y\":"
                                   "[0.2,0.8]}}}");
    for (uint64_t i = 0; i < 2000; i++) {
        struct plan p = world_plan_of(&r, i, WORLD_TALL, 2);
        struct pose pose = pose_of(&r, i, WORLD_TALL);
        double q[2], a[2], b[2], c[2], one = ldexp(1, -(int)p.object_level);
        if (!p.has_warp)
            continue;
        warp_forward(&pose, 64, 128, q);
        read_point(&p, q[0], q[1], a);
        read_point(&p, q[0] + 0.01, q[1], b);
        read_point(&p, q[0], q[1] + 0.01, c);
        double area =
            (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
        double step = sqrt(fabs(area)) * 100 * one;
        assert_true(step < 1.45);
        assert_true(step > 0.65 || p.object_level == 0);
    }
}

static void a_warp_without_strength_is_the_affine_pose(void **state)
{
    struct recipe r = world_recipe("{\"object\":{\"perspective\":0}}");
    struct recipe plain = world_recipe("{}");
    for (uint64_t i = 0; i < 100; i++) {
        struct plan a = world_plan(&r, i), b = world_plan(&plain, i);
        assert_memory_equal(&a, &b, sizeof(a));
        assert_false(a.has_warp);
    }
}

static void the_grid_stays_within_three_deviations(void **state)
{
    struct recipe r = world_recipe(
        "{\"object\":{\"elastic\":3,\"elastic_points\":5,\"min_visible\":0}}");
    double sum = 0;
    int n = 0;
    for (uint64_t i = 0; i < 400; i++) {
        struct plan p = world_plan_of(&r, i, WORLD_SIGN, 2);
        struct pose pose = pose_of(&r, i, WORLD_SIGN);
        double texel = ldexp(65536, -(int)p.object_level) * pose.step;
        assert_int_equal(p.warp.n_points, 5);
        for (int k = 0; k < 50; k++) {
            double px = p.warp.displace[k % 2][k / 10][k / 2 % 5] / texel;
            assert_true(fabs(px) < 9.001);
            sum += px * px;
            n++;
        }
    }
    assert_true(fabs(sqrt(sum / n) - 3) < 0.1);
}

/* What is displaced back to a point is seen where warp_forward says. */
static void forward_undoes_what_is_read(void **state)
{
    struct recipe r =
        world_recipe("{\"object\":{\"perspective\":0.4,\"min_visible\":0}}");
    for (uint64_t i = 0; i < 500; i++) {
        struct plan plan = world_plan_of(&r, i, WORLD_SIGN, 2);
        struct pose p = pose_of(&r, i, WORLD_SIGN);
        const struct image_box *b =
            &world_catalog->objects[WORLD_SIGN].alpha_box;
        double x = b->x0 + (b->x1 - b->x0) * 0.3, q[2], back[2];
        double y = b->y0 + (b->y1 - b->y0) * 0.8;
        warp_forward(&p, x, y, q);
        read_point(&plan, q[0], q[1], back);
        assert_true(fabs(back[0] - x) < 0.05 && fabs(back[1] - y) < 0.05);
    }
}

static void min_visible_holds_for_warps(void **state)
{
    struct recipe r = world_recipe(
        "{\"object\":{\"perspective\":0.6,\"elastic\":2,\"scale\":[0.3,1],"
        "\"translate\":{\"x\":[-0.2,1.2],\"y\":[-0.2,1.2]},"
        "\"min_visible\":0.8}}");
    int n_again = 0;
    for (uint64_t i = 0; i < 500; i++) {
        struct plan p = world_plan_of(&r, i, WORLD_SIGN, 2);
        assert_true(p.visible_q16 >= 52428 || p.n_attempts == 20);
        n_again += p.n_attempts > 1;
    }
    assert_true(n_again > 100);
}

static void no_warp_overflows(void **state)
{
    static const char *const recipes[] = {
        "{\"size\":1,\"object\":{\"scale\":0.01,\"shear\":60,\"rotate\":45,"
        "\"perspective\":0.6,\"elastic\":64,\"stretch\":10,"
        "\"translate\":{\"x\":-1,\"y\":2}}}",
        "{\"size\":2048,\"object\":{\"scale\":4,\"shear\":-60,\"shear_y\":60,"
        "\"perspective\":0.6,\"elastic\":64,\"stretch\":0.1,"
        "\"translate\":{\"x\":2,\"y\":-1}}}",
        "{\"size\":[1,2048],\"object\":{\"scale\":0.01,\"shear\":60,"
        "\"perspective\":0.6,\"elastic\":64}}",
        "{\"size\":[1,2048],\"object\":{\"scale\":[0.01,4],\"shear\":60,"
        "\"perspective\":0.6,\"perspective_of\":\"frame\",\"elastic\":64,"
        "\"translate\":{\"x\":[-1,2],\"y\":[-1,2]}}}",
    };
    for (size_t k = 0; k < sizeof(recipes) / sizeof(recipes[0]); k++) {
        struct recipe r = world_recipe(recipes[k]);
        for (uint32_t i = 0; i < 20 * WORLD_OBJECTS; i++) {
            struct plan p = world_plan_of(&r, i, i % WORLD_OBJECTS, 4);
            for (int c = 0; c < 9; c++)
                assert_true(llabs(p.warp.m[c]) <= INT64_C(1) << 60);
            assert_in_range(p.visible_q16, 0, 65536);
            assert_true(p.warp.span[0] >= 1 && p.warp.span[1] >= 1);
            int32_t u[64], v[64];
            warp_coordinates(&p.warp, -16, p.height, 64, u, v);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(corners_go_where_their_insets_say),
        cmocka_unit_test(a_frame_in_perspective_is_seen_after_the_pose),
        cmocka_unit_test(what_lay_outside_a_frame_is_cut_off),
        cmocka_unit_test(steps_in_a_frame_stay_near_one_texel),
        cmocka_unit_test(a_warp_without_strength_is_the_affine_pose),
        cmocka_unit_test(the_grid_stays_within_three_deviations),
        cmocka_unit_test(forward_undoes_what_is_read),
        cmocka_unit_test(min_visible_holds_for_warps),
        cmocka_unit_test(no_warp_overflows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
