/* Plans of image operations: which, how often, in which order, and that no
 * draw of one moves another. Runs no operation (tests/golden does). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/plan_world.h"

#define N_SAMPLES 4000

/* Deviations of a count of N_SAMPLES draws of probability p, times four. */
static void expect_share(uint32_t n, double p)
{
    double mean = N_SAMPLES * p, slack = 0;
    while (slack * slack < 16 * mean * (1 - p)) {
        slack += 1;
    }
    assert_true(n >= mean - slack && n <= mean + slack);
}

static void an_entry_comes_as_often_as_it_says(void **state)
{
    struct recipe r = world_recipe(
        "{\"image\":{\"operations\":["
        "{\"op\":\"box_blur\",\"probability\":0.3},"
        "{\"one_of\":[{\"op\":\"exposure\"},"
        "{\"op\":\"gaussian_blur\",\"weight\":3},"
        "{\"op\":\"gaussian_noise\",\"weight\":0}],\"probability\":0.5},"
        "{\"op\":\"gaussian_noise\",\"probability\":0}]}}");
    uint32_t n[OPERATION_N] = {0};
    for (uint64_t i = 0; i < N_SAMPLES; i++) {
        struct plan p = world_plan(&r, i);
        for (uint32_t k = 0; k < p.operations.n; k++) {
            n[p.operations.list[k].id]++;
            assert_true(k == 0 ||
                        p.operations.list[0].id == OPERATION_BOX_BLUR);
        }
    }
    expect_share(n[OPERATION_BOX_BLUR], 0.3);
    expect_share(n[OPERATION_EXPOSURE], 0.5 * 0.25);
    expect_share(n[OPERATION_GAUSSIAN_BLUR], 0.5 * 0.75);
    assert_int_equal(n[OPERATION_GAUSSIAN_NOISE], 0);
}

static void a_random_order_is_every_order_equally(void **state)
{
    struct recipe r = world_recipe(
        "{\"image\":{\"operation_order\":\"random\",\"operations\":["
        "{\"op\":\"box_blur\"},{\"op\":\"exposure\"},"
        "{\"op\":\"gaussian_blur\"}]}}");
    uint32_t n[3 * 3 * 3] = {0}, n_orders = 0;
    for (uint64_t i = 0; i < N_SAMPLES; i++) {
        struct plan p = world_plan(&r, i);
        uint32_t order = 0;
        assert_int_equal(p.operations.n, 3);
        for (uint32_t k = 0; k < 3; k++) {
            uint32_t id = p.operations.list[k].id;
            order = order * 3 + (id == OPERATION_BOX_BLUR   ? 0
                                 : id == OPERATION_EXPOSURE ? 1
                                                            : 2);
        }
        n[order]++;
    }
    for (uint32_t k = 0; k < 27; k++) {
        if (n[k] > 0) {
            expect_share(n[k], 1 / 6.0);
            n_orders++;
        }
    }
    assert_int_equal(n_orders, 6);
}

/* The same operation, whatever else the recipe says about its neighbour. */
static void no_draw_of_one_moves_another(void **state)
{
    struct recipe a =
        world_recipe("{\"image\":{\"operations\":["
                     "{\"op\":\"box_blur\"},{\"op\":\"gaussian_noise\"}]}}");
    struct recipe b =
        world_recipe("{\"image\":{\"operations\":["
                     "{\"op\":\"exposure\",\"factor\":{\"choice\":[1,2]}},"
                     "{\"op\":\"gaussian_noise\"}]}}");
    struct recipe none = world_recipe("{}");
    for (uint64_t i = 0; i < 200; i++) {
        struct plan p = world_plan(&a, i), q = world_plan(&b, i);
        struct plan bare = world_plan(&none, i);
        assert_memory_equal(&p.operations.list[1], &q.operations.list[1],
                            sizeof(p.operations.list[1]));
        assert_memory_equal(p.m, bare.m, sizeof(p.m));
        assert_memory_equal(p.colour, bare.colour, sizeof(p.colour));
        assert_int_equal(bare.operations.n, 0);
    }
}

/* Two of one kind in a list draw by themselves. */
static void twins_differ(void **state)
{
    struct recipe r = world_recipe(
        "{\"image\":{\"operations\":["
        "{\"op\":\"gaussian_noise\"},{\"op\":\"gaussian_noise\"}]}}");
    for (uint64_t i = 0; i < 50; i++) {
        struct plan p = world_plan(&r, i);
        assert_memory_not_equal(p.operations.list[0].p, p.operations.list[1].p,
                                sizeof(p.operations.list[0].p));
    }
}

static void boxes_are_odd_as_chosen(void **state)
{
    struct recipe r =
        world_recipe("{\"image\":{\"operations\":[{\"op\":\"box_blur\","
                     "\"kx\":{\"choice\":[1,3,5,7,9]},\"ky\":[1,31]}]}}");
    uint32_t n[10] = {0};
    for (uint64_t i = 0; i < N_SAMPLES; i++) {
        const int32_t *p = world_plan(&r, i).operations.list[0].p;
        assert_true(p[0] >= 1 && p[0] <= 9 && p[0] % 2 == 1);
        assert_true(p[1] >= 1 && p[1] <= 31 && p[1] % 2 == 1);
        n[p[0]]++;
    }
    for (int k = 1; k <= 9; k += 2) {
        expect_share(n[k], 0.2);
    }
}

static void weights_of_a_blur_sum_to_one(void **state)
{
    struct recipe r =
        world_recipe("{\"image\":{\"operations\":[{\"op\":\"gaussian_blur\","
                     "\"sigma\":[0,5]}]}}");
    for (uint64_t i = 0; i < 500; i++) {
        struct plan plan = world_plan(&r, i);
        const int32_t *p = plan.operations.list[0].p;
        int32_t sum = p[1];
        assert_true(p[0] >= 0 && p[0] <= OPERATION_MAX_RADIUS);
        assert_true(p[0] == 0 || p[1] < 65536);
        for (int32_t k = 1; k <= OPERATION_MAX_RADIUS; k++) {
            assert_true(p[1 + k] >= 0 && (k <= p[0] || p[1 + k] == 0));
            sum += 2 * p[1 + k];
        }
        assert_int_equal(sum, 65536);
    }
}

/* Whatever the values: rectangles and grids within the frame, factors within
 * 0 .. 2, channels in one of six orders. */
static void parameters_fit_every_frame(void **state)
{
    static const char *const sizes[] = {"1", "[1,33]", "[2048,3]"};
    for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        char text[600];
        snprintf(text, sizeof(text),
                 "{\"size\":%s,\"image\":{\"operations\":["
                 "{\"op\":\"coarse_dropout\",\"holes\":[1,8],\"height\":[0,1],"
                 "\"width\":[0,1]},"
                 "{\"op\":\"downscale\",\"factor\":[0.05,1]},"
                 "{\"op\":\"light\",\"strength\":[-1,1],"
                 "\"angle\":[-360,360]},{\"op\":\"channel_shuffle\"}]}}",
                 sizes[s]);
        struct recipe r = world_recipe(text);
        uint32_t orders = 0;
        for (uint64_t i = 0; i < 300; i++) {
            struct plan plan = world_plan(&r, i);
            const int32_t w = plan.width, h = plan.height;
            const int32_t *hole = plan.operations.list[0].p;
            const int32_t *grid = plan.operations.list[1].p;
            const int32_t *light = plan.operations.list[2].p;
            assert_true(hole[0] >= 1 && hole[0] <= OPERATION_MAX_HOLES);
            assert_true(hole[1] >= 1 && hole[1] <= h);
            assert_true(hole[2] >= 1 && hole[2] <= w);
            assert_true(grid[0] >= 1 && grid[0] <= w);
            assert_true(grid[1] >= 1 && grid[1] <= h);
            for (int corner = 0; corner < 4; corner++) {
                int32_t g = light[0] + light[1] * (corner & 1 ? w - 1 : 0) +
                            light[2] * (corner & 2 ? h - 1 : 0);
                assert_true(g >= -2048 && g <= (2 << 20) + 2048);
            }
            orders |= 1u << plan.operations.list[3].p[0];
        }
        assert_int_equal(orders, 63);
    }
}

/* A matrix of 0 turns leaves every colour; every order comes as often. */
static void a_jitter_comes_in_every_order(void **state)
{
    struct recipe r =
        world_recipe("{\"image\":{\"operations\":[{\"op\":\"jitter\","
                     "\"brightness\":[0.5,1.5],"
                     "\"contrast\":2,\"saturation\":0,\"hue\":0}]}}");
    uint32_t n[24] = {0};
    for (uint64_t i = 0; i < N_SAMPLES; i++) {
        const struct plan plan = world_plan(&r, i);
        const int32_t *p = plan.operations.list[0].p;
        assert_in_range(p[0], 0, 23);
        n[p[0]]++;
        assert_in_range(p[1], 2048, 6144);
        assert_int_equal(p[2], 8192);
        assert_int_equal(p[3], 0);
        for (int k = 0; k < 9; k++) {
            assert_int_equal(p[4 + k], k % 4 == 0 ? 4096 : 0);
        }
    }
    for (int k = 0; k < 24; k++) {
        expect_share(n[k], 1 / 24.0);
    }
}

/* The operation of hue is the image's own matrix of that hue. */
static void a_hue_is_the_matrix_of_the_image(void **state)
{
    struct recipe r = world_recipe(
        "{\"image\":{\"brightness\":1,\"contrast\":1,\"saturation\":1,"
        "\"hue\":0.25,\"operations\":[{\"op\":\"hue\",\"turns\":0.25}]}}");
    const struct plan plan = world_plan(&r, 0);
    for (int i = 0; i < 3; i++) {
        assert_memory_equal(plan.colour[i], plan.operations.list[0].p + 3 * i,
                            3 * sizeof(int32_t));
    }
}

static bool are_alike(const struct plan_operations *a,
                      const struct plan_operations *b)
{
    return a->n == b->n &&
           memcmp(a->list, b->list, a->n * sizeof(a->list[0])) == 0;
}

/* The same list in every place: each draws by itself, and what one holds moves
 * no draw of another. */
static void the_lists_draw_apart(void **state)
{
    static const char list[] =
        "{\"operation_order\":\"random\",\"operations\":["
        "{\"op\":\"exposure\",\"probability\":0.5},"
        "{\"op\":\"gaussian_noise\"},{\"op\":\"gamma\"}]}";
    char all[600], image[300];
    snprintf(all, sizeof(all), "{\"image\":%s,\"background\":%s,\"object\":%s}",
             list, list, list);
    snprintf(image, sizeof(image), "{\"image\":%s}", list);
    struct recipe r = world_recipe(all), alone = world_recipe(image);
    uint32_t n_equal = 0;
    for (uint64_t i = 0; i < 200; i++) {
        struct plan p = world_plan(&r, i), q = world_plan(&alone, i);
        assert_true(are_alike(&p.operations, &q.operations));
        assert_int_equal(q.object_operations.n, 0);
        assert_int_equal(q.background_operations.n, 0);
        assert_in_range(p.object_operations.n, 2, 3);
        n_equal += are_alike(&p.operations, &p.object_operations);
        n_equal += are_alike(&p.operations, &p.background_operations);
        n_equal += are_alike(&p.object_operations, &p.background_operations);
    }
    assert_int_equal(n_equal, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_comes_as_often_as_it_says),
        cmocka_unit_test(a_random_order_is_every_order_equally),
        cmocka_unit_test(no_draw_of_one_moves_another),
        cmocka_unit_test(twins_differ),
        cmocka_unit_test(boxes_are_odd_as_chosen),
        cmocka_unit_test(weights_of_a_blur_sum_to_one),
        cmocka_unit_test(parameters_fit_every_frame),
        cmocka_unit_test(a_jitter_comes_in_every_order),
        cmocka_unit_test(the_lists_draw_apart),
        cmocka_unit_test(a_hue_is_the_matrix_of_the_image),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
