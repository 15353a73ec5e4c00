/* The parts of a plan that need no catalog: distributions, colour matrix,
 * feather weights. Checked against libm, apart from the code under test. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <string.h>

#include "server/plan/colour.h"
#include "server/plan/draws.h"
#include "server/plan/edge.h"
#include "server/plan/scene.h"
#include "tests/unit/plan_world.h"

enum { N_DRAWS = 40000 };

static double draw(const struct value *v, uint64_t position)
{
    struct draws d = {.seed = 99, .position = position};
    return draws_value(&d, PHILOX_IMAGE_COLOUR, 0, v);
}

/* Chi-square of N_DRAWS draws, mapped to [0, 1) by f, over 16 equal bins. */
static double bins_of_16(const struct value *v, double (*f)(double))
{
    double count[16] = {0}, sum = 0;
    for (uint64_t i = 0; i < N_DRAWS; i++) {
        double u = f(draw(v, i));
        assert_true(u >= 0 && u <= 1);
        count[u < 1 ? (int)(u * 16) : 15]++;
    }
    for (int i = 0; i < 16; i++) {
        double expected = N_DRAWS / 16.0;
        sum += (count[i] - expected) * (count[i] - expected) / expected;
    }
    return sum;
}

static double from_uniform(double x)
{
    return (x + 3) / 8;
}

static double from_log(double x)
{
    return log(x / 0.01) / log(400);
}

static double from_normal(double x)
{
    return 0.5 * erfc(-(x - 2) / 3 / sqrt(2));
}

static double from_choice(double x)
{
    return (x + 0.5) / 16;
}

/* 37.7: the 0.1 % point of chi-square with 15 degrees of freedom. */
static void values_have_their_distributions(void **state)
{
    struct value uniform = {
        .kind = VALUE_UNIFORM, .a = -3, .b = 5, .min = -3, .max = 5};
    struct value logs = {
        .kind = VALUE_LOG_UNIFORM, .a = 0.01, .b = 4, .min = 0.01, .max = 4};
    struct value normal = {
        .kind = VALUE_NORMAL, .a = 2, .b = 3, .min = -1e9, .max = 1e9};
    struct value choice = {.kind = VALUE_CHOICE, .max = 15, .n_choices = 16};
    for (int i = 0; i < 16; i++) {
        choice.choices[i] = i;
    }
    assert_true(bins_of_16(&uniform, from_uniform) < 37.7);
    assert_true(bins_of_16(&logs, from_log) < 37.7);
    assert_true(bins_of_16(&normal, from_normal) < 37.7);
    assert_true(bins_of_16(&choice, from_choice) < 37.7);
}

static void a_normal_value_is_held_in_its_limits(void **state)
{
    struct value v = {
        .kind = VALUE_NORMAL, .a = 0, .b = 10, .min = -1, .max = 2};
    uint32_t low = 0, high = 0;
    for (uint64_t i = 0; i < 1000; i++) {
        double x = draw(&v, i);
        assert_true(x >= -1 && x <= 2);
        low += x == -1;
        high += x == 2;
    }
    assert_true(low > 300 && high > 300);
}

static void draws_have_no_neighbours(void **state)
{
    struct draws d = {.seed = 1, .position = 1};
    uint64_t a = draws_bits(&d, PHILOX_OBJECT_POSE, 0);
    assert_true(a != draws_bits(&d, PHILOX_OBJECT_POSE, 1));
    assert_true(a != draws_bits(&d, PHILOX_OBJECT_FLIP, 0));
    d.position = 2;
    assert_true(a != draws_bits(&d, PHILOX_OBJECT_POSE, 0));
    const struct value never = {.a = 0}, always = {.a = 1};
    assert_false(draws_chance(&d, PHILOX_OBJECT_FLIP, 0, &never));
    assert_true(draws_chance(&d, PHILOX_OBJECT_FLIP, 0, &always));
}

static void expect_colour(const int32_t m[3][4], const double rgb[3],
                          const double wanted[3], double slack)
{
    for (int i = 0; i < 3; i++) {
        double found =
            (m[i][0] * rgb[0] + m[i][1] * rgb[1] + m[i][2] * rgb[2] + m[i][3]) /
            4096;
        if (fabs(found - wanted[i]) > slack) {
            fail_msg("channel %d is %g, not %g", i, found, wanted[i]);
        }
    }
}

/* Step by step on one colour, in the order of the recipe's document. */
static void adjust(double b, double c, double s, double hue, const double in[3],
                   double out[3])
{
    double x[3];
    for (int i = 0; i < 3; i++) {
        x[i] = (in[i] * b - 128) * c + 128;
    }
    double y = 0.299 * x[0] + 0.587 * x[1] + 0.114 * x[2];
    for (int i = 0; i < 3; i++) {
        x[i] = y + (x[i] - y) * s;
    }
    double I = 0.595716 * x[0] - 0.274453 * x[1] - 0.321263 * x[2];
    double Q = 0.211456 * x[0] - 0.522591 * x[1] + 0.311135 * x[2];
    double angle = atan2(Q, I) - hue * 2 * 3.14159265358979323846;
    double radius = hypot(I, Q);
    I = radius * cos(angle);
    Q = radius * sin(angle);
    out[0] = y + 0.9562957 * I + 0.6210244 * Q;
    out[1] = y - 0.2721221 * I - 0.6473806 * Q;
    out[2] = y - 1.1069890 * I + 1.7046150 * Q;
}

static void colours_agree_with_libm(void **state)
{
    static const double colours[4][3] = {
        {255, 0, 0}, {12, 200, 99}, {128, 128, 128}, {0, 0, 255}};
    struct value v = {
        .kind = VALUE_UNIFORM, .a = 0, .b = 1, .min = 0, .max = 1};
    for (uint64_t i = 0; i < 500; i++) {
        double b = 2 * draw(&v, 4 * i), c = 2 * draw(&v, 4 * i + 1);
        double s = 1.5 * draw(&v, 4 * i + 2), h = draw(&v, 4 * i + 3) - 0.5;
        int32_t m[3][4];
        colour_matrix(b, c, s, h, m);
        for (int k = 0; k < 4; k++) {
            double wanted[3];
            adjust(b, c, s, h, colours[k], wanted);
            expect_colour(m, colours[k], wanted, 0.12); /* 766 / 2 / 4096 */
        }
    }
}

static void known_adjustments_give_known_matrices(void **state)
{
    int32_t m[3][4];
    colour_matrix(1, 1, 1, 0, m);
    for (int i = 0; i < 12; i++) {
        assert_int_equal(m[i / 4][i % 4], i / 4 == i % 4 ? 4096 : 0);
    }
    colour_matrix(1, 0, 1, 0, m);
    expect_colour(m, (double[]){9, 99, 200}, (double[]){128, 128, 128}, 0.1);
    colour_matrix(1, 1, 0, 0, m);
    expect_colour(m, (double[]){255, 0, 0}, (double[]){76.2, 76.2, 76.2}, 0.1);
    colour_matrix(1, 1, 1, 1.0 / 6, m); /* red goes towards yellow */
    assert_true(m[1][0] > 0 && m[2][0] < 0);
}

static void no_coefficient_leaves_16_bits(void **state)
{
    for (int turn = -10; turn <= 10; turn++) {
        int32_t m[3][4];
        colour_matrix(4, 4, 4, turn / 20.0, m);
        for (int i = 0; i < 3; i++) {
            for (int j = 0; j < 3; j++) {
                assert_in_range(m[i][j] + 32767, 0, 2 * 32767);
            }
            assert_true(abs(m[i][3]) < 1 << 29);
        }
    }
}

static void colour_is_off_only_for_the_identity(void **state)
{
    struct recipe off = world_recipe(
        "{\"image\":{\"brightness\":1,\"contrast\":1,\"saturation\":1,"
        "\"hue\":0}}");
    struct recipe on = world_recipe("{\"image\":{\"brightness\":1.01}}");
    assert_false(world_plan(&off, 3).has_colour);
    assert_true(world_plan(&on, 3).has_colour);
}

static void each_part_has_its_own_colour(void **state)
{
    static const char *const texts[] = {
        "{}", "{\"object\":{\"hue\":[-0.5,0.5]}}",
        "{\"background\":{\"contrast\":[0,4]}}"};
    struct plan p[3];
    for (int i = 0; i < 3; i++) {
        struct recipe r = world_recipe(texts[i]);
        p[i] = world_plan(&r, 11);
        assert_int_equal(p[i].has_object_colour, i == 1);
        assert_int_equal(p[i].has_background_colour, i == 2);
        assert_memory_equal(p[i].colour, p[0].colour, sizeof(p[0].colour));
        assert_memory_equal(p[i].m, p[0].m, sizeof(p[0].m));
    }
}

static void feather_weights_sum_to_one(void **state)
{
    for (int k = 1; k <= 80; k++) {
        double sigma = k * 0.1, sum = 0;
        uint32_t weight[PLAN_MAX_EDGE_RADIUS + 1];
        uint32_t radius = edge_weights(sigma, 0, weight), total = weight[0];
        assert_int_equal(radius, (int)fmin(16, ceil(3 * sigma)));
        for (int i = -(int)radius; i <= (int)radius; i++) {
            sum += exp(-i * i / (2 * sigma * sigma));
        }
        for (uint32_t i = 1; i <= PLAN_MAX_EDGE_RADIUS; i++) {
            double exact = exp(-(double)i * i / (2 * sigma * sigma)) / sum;
            assert_true(weight[i] <= weight[i - 1]);
            assert_true(i > radius ? weight[i] == 0
                                   : fabs(weight[i] - exact * 65536) < 0.51);
            total += 2 * weight[i];
        }
        assert_int_equal(total, 65536);
        assert_true(fabs(weight[0] - 65536 / sum) < 17);
    }
}

/* A sample of it once ended the daemon: e^-12800 is beyond fixmath_exp. */
static void a_radius_far_beyond_sigma_is_no_blur(void **state)
{
    (void)state;
    struct recipe r =
        world_recipe("{\"object\":{\"edge\":\"feather\",\"feather\":0.1,"
                     "\"feather_radius\":16}}");
    struct plan p = world_plan(&r, 1);
    assert_int_equal(p.edge_radius, 16);
    assert_int_equal(p.edge_weight[0], 65536);
    for (uint32_t i = 1; i <= 16; i++)
        assert_int_equal(p.edge_weight[i], 0);
}

static void other_edges_have_no_taps(void **state)
{
    struct recipe r = world_recipe("{\"object\":{\"edge\":\"hard\"}}");
    struct recipe f =
        world_recipe("{\"object\":{\"edge\":\"feather\",\"feather\":2}}");
    struct plan p = world_plan(&r, 0), q = world_plan(&f, 0);
    assert_int_equal(p.edge_radius, 0);
    assert_int_equal(p.edge_weight[0], 65536);
    assert_int_equal(q.edge_radius, 6);
    assert_int_equal(q.edge, EDGE_FEATHER);
}

/* Plans but for what every edge decides. */
static void forget_edge(struct plan *p)
{
    p->position = 0;
    p->edge = p->told.edge = EDGE_HARD;
    p->edge_radius = 0;
    memset(p->edge_weight, 0, sizeof(p->edge_weight));
    memset(&p->motion, 0, sizeof(p->motion));
}

static void epochs_in_a_row_show_every_edge_of_a_scene(void **state)
{
    static const enum recipe_edge kinds[] = {EDGE_MOTION, EDGE_HARD, EDGE_BOX,
                                             EDGE_ERODED};
    struct recipe r = world_recipe(
        "{\"context\":{\"noise\":1},\"object\":{\"motion_length\":[3,9],"
        "\"edge\":{\"every\":[\"motion\",\"hard\",\"box\",\"eroded\"]}}}");
    const struct graph_spec graph = scene_graph(&r, world_catalog);
    const uint64_t n_edges = graph_edges_per_epoch(&graph);
    assert_int_equal(scene_turns(&r), 4);
    for (uint64_t i = 0; i < 3 * n_edges; i++) {
        const uint64_t first = i / n_edges * 4 * n_edges + i % n_edges;
        const struct plan p = world_plan_of(&r, first, 1, 2);
        struct plan same = p, other;
        assert_int_equal(p.scene, i);
        forget_edge(&same);
        for (uint64_t turn = 0; turn < 4; turn++) {
            other = world_plan_of(&r, first + turn * n_edges, 1, 2);
            assert_int_equal(other.position, first + turn * n_edges);
            assert_int_equal(other.told.edge, kinds[turn]);
            forget_edge(&other);
            assert_memory_equal(&other, &same, sizeof(same));
        }
        other = world_plan_of(&r, first + 4 * n_edges, 1, 2);
        forget_edge(&other);
        assert_memory_not_equal(&other, &same, sizeof(same));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_have_their_distributions),
        cmocka_unit_test(a_normal_value_is_held_in_its_limits),
        cmocka_unit_test(draws_have_no_neighbours),
        cmocka_unit_test(colours_agree_with_libm),
        cmocka_unit_test(known_adjustments_give_known_matrices),
        cmocka_unit_test(no_coefficient_leaves_16_bits),
        cmocka_unit_test(colour_is_off_only_for_the_identity),
        cmocka_unit_test(each_part_has_its_own_colour),
        cmocka_unit_test(feather_weights_sum_to_one),
        cmocka_unit_test(a_radius_far_beyond_sigma_is_no_blur),
        cmocka_unit_test(other_edges_have_no_taps),
        cmocka_unit_test(epochs_in_a_row_show_every_edge_of_a_scene),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
