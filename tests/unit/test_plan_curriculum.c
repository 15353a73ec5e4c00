/* Curricula: what moves with the position, by how much, and that nothing else
 * does. How they are written and refused: test_recipe*.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "server/plan/draws.h"
#include "tests/unit/plan_world.h"

#define FIRST 8600
#define LAST  696600

static void expect_near(double found, double wanted)
{
    if (fabs(found - wanted) > 1e-12 * (1 + fabs(wanted))) {
        fail_msg("%.17g is not %.17g", found, wanted);
    }
}

/* a(epoch) of the paper, but for each sample. */
static double paper_a(uint64_t position)
{
    double a = ((double)position - FIRST) / (LAST - FIRST);
    return a < 0 ? 0 : a > 1 ? 1 : a;
}

static const uint64_t positions[] = {0,        1,         FIRST,    FIRST + 1,
                                     352600,   600001,    LAST - 1, LAST,
                                     LAST + 1, UINT64_MAX};
#define N_POSITIONS (sizeof(positions) / sizeof(positions[0]))

static double unit(uint64_t position, uint32_t draw)
{
    const struct draws d = {.position = position};
    return draws_unit(&d, PHILOX_OBJECT_POSE, draw);
}

/* Object 1 of the world shows in full whatever the pose. */
static void ranges_widen_as_the_papers_do(void **state)
{
    struct recipe r = world_recipe(
        "{\"object\":{\"min_visible\":0,"
        "\"rotate\":{\"from\":0,\"to\":[-5,5],\"over\":[8600,696600]},"
        "\"scale\":{\"from\":1,\"to\":[0.65,1.05],\"over\":[8600,696600]},"
        "\"perspective\":{\"from\":0,\"to\":0.5,\"over\":[8600,696600]}}}");
    for (size_t i = 0; i < N_POSITIONS; i++) {
        const uint64_t p = positions[i];
        const double a = paper_a(p);
        const struct plan plan = world_plan_of(&r, p, WORLD_SIGN, 0);
        expect_near(plan.told.scale,
                    1 - 0.35 * a + unit(p, 0) * (0.35 * a + 0.05 * a));
        expect_near(plan.told.rotate_deg, -5 * a + unit(p, 1) * 10 * a);
        expect_near(plan.told.perspective, 0.5 * a);
        assert_int_equal(plan.has_warp, a > 0);
    }
}

static void ends_are_what_stands_still_there(void **state)
{
    struct recipe moving = world_recipe(
        "{\"object\":{\"rotate\":{\"from\":[-3,7],\"to\":[-90,11],"
        "\"over\":[10,20]},\"stretch\":{\"from\":{\"log_uniform\":[0.3,0.4]},"
        "\"to\":{\"log_uniform\":[1.1,3.3]},\"over\":[10,20]},"
        "\"shear\":{\"from\":{\"normal\":[1,2]},\"to\":{\"normal\":[7,11]},"
        "\"over\":[10,20]}}}");
    struct recipe from = world_recipe(
        "{\"object\":{\"rotate\":[-3,7],\"shear\":{\"normal\":[1,2]},"
        "\"stretch\":{\"log_uniform\":[0.3,0.4]}}}");
    struct recipe to = world_recipe(
        "{\"object\":{\"rotate\":[-90,11],\"shear\":{\"normal\":[7,11]},"
        "\"stretch\":{\"log_uniform\":[1.1,3.3]}}}");
    for (uint64_t p = 0; p < 31; p++) {
        struct plan found = world_plan(&moving, p);
        struct plan first = world_plan(&from, p), last = world_plan(&to, p);
        bool is_first = memcmp(&found, &first, sizeof(found)) == 0;
        bool is_last = memcmp(&found, &last, sizeof(found)) == 0;
        assert_int_equal(is_first, p <= 10);
        assert_int_equal(is_last, p >= 20);
    }
}

static void logarithms_and_normals_move_on_lines(void **state)
{
    const struct value logs = {.kind = VALUE_LOG_UNIFORM,
                               .a = 0.1,
                               .b = 1,
                               .min = 0.01,
                               .max = 100,
                               .to_a = 10,
                               .to_b = 4,
                               .over = {100, 300}};
    const struct value normal = {.kind = VALUE_NORMAL,
                                 .a = 3,
                                 .b = 0,
                                 .min = -9,
                                 .max = 9,
                                 .to_a = -1,
                                 .to_b = 8,
                                 .over = {0, INT64_MAX}};
    struct value at = recipe_value_at(&logs, 200);
    expect_near(at.a, 1);
    expect_near(at.b, 2);
    assert_true(at.kind == VALUE_LOG_UNIFORM && at.over[1] == 0);
    at = recipe_value_at(&normal, (uint64_t)1 << 62);
    expect_near(at.a, 1);
    expect_near(at.b, 4);
    assert_true(at.min == -9 && at.max == 9);
}

static void chances_and_weights_move(void **state)
{
    struct recipe r = world_recipe(
        "{\"object\":{\"flip\":{\"from\":0,\"to\":1,\"over\":[0,4000]}},"
        "\"background\":{\"flip\":{\"from\":1,\"to\":0,\"over\":[0,4000]}},"
        "\"context\":{\"background\":{\"from\":1,\"to\":0,\"over\":[0,4000]},"
        "\"noise\":{\"from\":0,\"to\":1,\"over\":[0,4000]}},"
        "\"image\":{\"operations\":[{\"op\":\"invert\",\"probability\":"
        "{\"from\":0,\"to\":1,\"over\":[0,4000]}},{\"one_of\":["
        "{\"op\":\"exposure\",\"weight\":"
        "{\"from\":3,\"to\":0,\"over\":[0,4000]}},{\"op\":\"greyscale\","
        "\"weight\":{\"from\":0,\"to\":3,\"over\":[0,4000]}}]}]}}");
    uint32_t n[4][5] = {{0}}; /* in quarters */
    for (uint64_t i = 0; i < 4000; i++) {
        struct plan p = world_plan(&r, i);
        uint32_t *in = n[i / 1000];
        in[0] += p.told.flip;
        in[1] += p.context == CONTEXT_NOISE;
        in[2] += p.operations.n == 2;
        in[3] +=
            p.operations.list[p.operations.n - 1].id == OPERATION_GREYSCALE;
        in[4] += p.context == CONTEXT_BACKGROUND && !p.told.crop_flip;
    }
    for (int quarter = 0; quarter < 4; quarter++) {
        for (int i = 0; i < 4; i++) { /* 1/8, 3/8, 5/8, 7/8 within 4 sigma */
            const double wanted = 125 + 250 * quarter;
            assert_true(fabs(n[quarter][i] - wanted) < 65);
        }
    }
    assert_true(n[0][4] < 180 && n[3][4] > 60); /* of 875 and of 125 */
}

/* Radius of a sigma: what three of it reach. */
static void a_feather_is_drawn_and_moves(void **state)
{
    struct recipe drawn =
        world_recipe("{\"object\":{\"edge\":\"feather\",\"feather\":[0.5,3]}}");
    struct recipe moving =
        world_recipe("{\"object\":{\"edge\":\"feather\",\"feather\":"
                     "{\"from\":0.5,\"to\":3.5,\"over\":[0,300]}}}");
    uint32_t least = 99, most = 0;
    for (uint64_t i = 0; i < 301; i++) {
        const struct plan p = world_plan(&drawn, i);
        least = p.edge_radius < least ? p.edge_radius : least;
        most = p.edge_radius > most ? p.edge_radius : most;
        const double reach = 3 * (0.5 + 0.01 * (double)i);
        const double radius = world_plan(&moving, i).edge_radius;
        assert_true(radius > reach - 1e-9 && radius < reach + 1 + 1e-9);
    }
    assert_int_equal(least, 2);
    assert_int_equal(most, 9);
}

static void what_does_not_move_stays(void **state)
{
    struct recipe still = world_recipe("{\"object\":{\"shear\":0}}");
    struct recipe moving = world_recipe(
        "{\"object\":{\"shear\":0,\"feather\":1},\"image\":{\"hue\":"
        "{\"from\":[-0.03,0.03],\"to\":[-0.5,0.5],\"over\":[50,51]}}}");
    for (uint64_t i = 0; i < 100; i++) {
        struct plan a = world_plan(&still, i), b = world_plan(&moving, i);
        assert_memory_equal(a.m, b.m, sizeof(a.m));
        assert_int_equal(a.crop_u, b.crop_u);
        assert_true(a.told.colour.brightness == b.told.colour.brightness);
        assert_int_equal(a.told.colour.hue == b.told.colour.hue, i <= 50);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_widen_as_the_papers_do),
        cmocka_unit_test(ends_are_what_stands_still_there),
        cmocka_unit_test(logarithms_and_normals_move_on_lines),
        cmocka_unit_test(chances_and_weights_move),
        cmocka_unit_test(a_feather_is_drawn_and_moves),
        cmocka_unit_test(what_does_not_move_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
