/* Whole plans: pure, within their recipe's ranges, independent draw by draw,
 * the same on every machine. Geometry and colour have their own tests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "server/base/digest.h"
#include "server/base/mem.h"
#include "tests/unit/plan_world.h"

static const char every_context[] =
    "{\"seed\":11,\"object\":{\"flip\":0.5,\"translate\":{\"x\":[0,1],\"y\":[0,"
    "1]}},\"context\":{\"background\":2,\"noise\":1,\"solid\":1}}";

static void a_plan_depends_on_its_arguments_alone(void **state)
{
    enum { N = 500 };
    static struct plan forward[N];
    struct recipe r = world_recipe(every_context);
    for (uint64_t i = 0; i < N; i++) {
        forward[i] = world_plan(&r, i);
    }
    for (uint64_t i = N; i-- > 0;) {
        struct plan again = world_plan(&r, i);
        assert_memory_equal(&again, &forward[i], sizeof(again));
    }
}

static void positions_and_seeds_draw_differently(void **state)
{
    struct recipe r = world_recipe("{}"), other = world_recipe("{\"seed\":1}");
    struct plan a = world_plan_of(&r, 6, WORLD_SIGN, 2);
    struct plan b = world_plan_of(&r, 6 + (1ull << 32), WORLD_SIGN, 2);
    struct plan c = world_plan_of(&other, 6, WORLD_SIGN, 2);
    assert_memory_not_equal(a.m, b.m, sizeof(a.m));
    assert_memory_not_equal(a.m, c.m, sizeof(a.m));
}

static void expect_within(const struct value *v, double x)
{
    double low = v->a, high = v->kind == VALUE_CONSTANT ? v->a : v->b;
    if (x < low || x > high) {
        fail_msg("%.17g is not within %.17g .. %.17g", x, low, high);
    }
}

static void every_draw_lies_in_its_range(void **state)
{
    struct recipe r = world_recipe(
        "{\"object\":{\"scale\":{\"log_uniform\":[0.1,1]},\"shear\":3,"
        "\"min_visible\":0},\"context\":{\"noise\":1,\"solid\":1,"
        "\"noise_range\":[3,9],\"solid_colour\":[7,[0,255],[250.4,250.5]]}}");
    for (uint64_t i = 0; i < 10000; i++) {
        struct plan p = world_plan(&r, i);
        expect_within(&r.object.scale, p.told.scale);
        expect_within(&r.object.rotate, p.told.rotate_deg);
        expect_within(&r.object.shear, p.told.shear_deg);
        expect_within(&r.object.x, p.told.x);
        expect_within(&r.object.y, p.told.y);
        expect_within(&r.image.brightness, p.told.colour.brightness);
        expect_within(&r.image.contrast, p.told.colour.contrast);
        expect_within(&r.image.saturation, p.told.colour.saturation);
        expect_within(&r.image.hue, p.told.colour.hue);
        assert_false(p.told.flip);
        if (p.context == CONTEXT_NOISE) {
            assert_int_equal(p.noise_lo, 3);
            assert_int_equal(p.noise_hi, 9);
        } else if (p.context == CONTEXT_SOLID) {
            assert_int_equal(p.solid[0], 7);
            assert_int_equal(p.solid[2], 250);
        }
    }
}

static void min_visible_is_honoured(void **state)
{
    struct recipe r =
        world_recipe("{\"object\":{\"min_visible\":0.75,\"rotate\":[-180,180],"
                     "\"translate\":{\"x\":[-0.1,1.1],\"y\":[-0.1,1.1]}}}");
    uint64_t n_again = 0;
    for (uint64_t i = 0; i < 10000; i++) {
        struct plan p = world_plan(&r, i);
        assert_in_range(p.n_attempts, 1, PLAN_POSE_ATTEMPTS);
        assert_in_range(p.visible_q16, 49152, 65536);
        n_again += p.n_attempts > 1;
    }
    assert_true(n_again > 2000);
}

static void the_best_pose_stands_when_none_is_good(void **state)
{
    struct recipe bad = world_recipe(
        "{\"object\":{\"min_visible\":1,\"translate\":{\"x\":[-0.2,0.1]}}}");
    struct recipe once = bad;
    once.object.min_visible.a = 0;
    for (uint64_t i = 0; i < 1000; i++) {
        struct plan p = world_plan(&bad, i), first = world_plan(&once, i);
        assert_true(p.visible_q16 >= first.visible_q16);
        assert_int_equal(first.n_attempts, 1);
        assert_true(p.visible_q16 == 65536 ||
                    p.n_attempts == PLAN_POSE_ATTEMPTS);
    }
}

static void a_constant_pose_is_drawn_once(void **state)
{
    struct recipe r = world_recipe(
        "{\"object\":{\"min_visible\":1,\"scale\":0.5,\"rotate\":0,\"shear\":0,"
        "\"translate\":{\"x\":0,\"y\":0.5}}}");
    struct plan p = world_plan_of(&r, 0, WORLD_TALL, 2);
    assert_int_equal(p.n_attempts, 1);
    assert_int_equal(p.visible_q16, 32768); /* its right half */
    assert_int_equal(world_plan_of(&r, 0, WORLD_FAINT, 2).visible_q16, 32768);
}

static void expect_same_pose(const struct plan *a, const struct plan *b)
{
    assert_int_equal(a->object_level, b->object_level);
    assert_memory_equal(a->m, b->m, sizeof(a->m));
}

static void expect_same_crop(const struct plan *a, const struct plan *b)
{
    assert_true(a->crop_u == b->crop_u && a->crop_v == b->crop_v &&
                a->crop_du == b->crop_du && a->crop_dv == b->crop_dv);
}

static void one_key_shifts_no_other_draw(void **state)
{
    struct recipe base = world_recipe("{\"seed\":3}");
    struct recipe colour = world_recipe("{\"seed\":3,\"image\":{\"brightness\":"
                                        "[0.1,0.2],\"hue\":0}}");
    struct recipe pose =
        world_recipe("{\"seed\":3,\"object\":{\"rotate\":{\"normal\":[0,90]},"
                     "\"flip\":1,\"min_visible\":1}}");
    struct recipe crop = world_recipe(
        "{\"seed\":3,\"background\":{\"scale\":0.3,\"flip\":1},\"context\":{"
        "\"solid\":1,\"noise\":2},\"object\":{\"edge\":\"feather\"}}");
    for (uint64_t i = 0; i < 500; i++) {
        struct plan a = world_plan(&base, i), b = world_plan(&colour, i);
        struct plan c = world_plan(&pose, i), d = world_plan(&crop, i);
        expect_same_pose(&a, &b);
        expect_same_crop(&a, &b);
        assert_true(a.told.colour.contrast == b.told.colour.contrast);
        assert_true(a.told.colour.saturation == b.told.colour.saturation);
        expect_same_crop(&a, &c);
        assert_memory_equal(a.colour, c.colour, sizeof(a.colour));
        assert_true(c.n_attempts > 1 ||
                    (a.told.scale == c.told.scale && a.told.x == c.told.x));
        expect_same_pose(&a, &d);
        assert_memory_equal(a.colour, d.colour, sizeof(a.colour));
    }
}

/* Pearson's statistic of observed counts against expected shares. */
static double chi_square(const uint64_t *count, const double *share, int n,
                         double total)
{
    double sum = 0;
    for (int i = 0; i < n; i++) {
        double expected = share[i] * total;
        sum += ((double)count[i] - expected) * ((double)count[i] - expected) /
               expected;
    }
    return sum;
}

static void probabilities_are_met(void **state)
{
    enum { N = 40000 };
    struct recipe r = world_recipe(
        "{\"seed\":5,\"object\":{\"flip\":0.3},\"background\":{\"flip\":0.7},"
        "\"context\":{\"background\":5,\"noise\":3,\"solid\":2,"
        "\"gaussian_noise\":1}}");
    uint64_t kinds[CONTEXT_N] = {0}, flips[2] = {0}, crop_flips[2] = {0};
    for (uint64_t i = 0; i < N; i++) {
        struct plan p = world_plan_of(&r, i, WORLD_SIGN, 2);
        kinds[p.context]++;
        flips[p.told.flip]++;
        if (p.context == CONTEXT_BACKGROUND) {
            crop_flips[p.told.crop_flip]++;
            assert_int_equal(p.crop_du < 0, p.told.crop_flip);
        }
    }
    double n_crops = (double)(crop_flips[0] + crop_flips[1]);
    /* 0.1 % points of chi-square with 3 and 1 degrees of freedom. */
    assert_true(
        chi_square(kinds, (double[]){5 / 11.0, 3 / 11.0, 2 / 11.0, 1 / 11.0, 0},
                   4, N) < 16.3);
    assert_true(chi_square(flips, (double[]){0.7, 0.3}, 2, N) < 10.8);
    assert_true(chi_square(crop_flips, (double[]){0.3, 0.7}, 2, n_crops) <
                10.8);
}

static void a_weight_of_zero_is_never_drawn(void **state)
{
    struct recipe r = world_recipe("{\"context\":{\"background\":0,"
                                   "\"noise\":1e-300,\"solid\":0}}");
    for (uint64_t i = 0; i < 5000; i++) {
        assert_int_equal(world_plan(&r, i).context, CONTEXT_NOISE);
    }
}

static void digest_plan(struct digest_state *s, const struct plan *p)
{
    digest_update_u64(s, p->position);
    digest_update_u32(s, p->context);
    digest_update_u32(s, p->crop_level);
    digest_update_u32(s, (uint32_t)p->crop_u);
    digest_update_u32(s, (uint32_t)p->crop_v);
    digest_update_u32(s, (uint32_t)p->crop_du);
    digest_update_u32(s, (uint32_t)p->crop_dv);
    digest_update_u64(s, p->noise_key);
    digest_update(s, p->solid, 3);
    digest_update_u32(s, p->object_level);
    for (int i = 0; i < 6; i++) {
        digest_update_u64(s, (uint64_t)p->m[i]);
    }
    for (uint32_t i = 0; i <= PLAN_MAX_EDGE_RADIUS; i++) {
        digest_update_u32(s, p->edge_weight[i]);
    }
    for (int i = 0; i < 12; i++) {
        digest_update_u32(s, (uint32_t)p->colour[i / 4][i % 4]);
    }
    digest_update_u32(s, p->visible_q16);
    digest_update_u32(s, p->n_attempts);
}

/* Changes only together with ENGINE_VERSION. */
static void plans_are_the_golden_ones(void **state)
{
    static const char golden[] =
        "49298225d4690136d17eeb3f9350036e9d136220c7e9374849356ca2b8cd543c";
    struct recipe r = world_recipe(
        "{\"seed\":\"12345678901234567890\",\"size\":[96,128],"
        "\"background\":{\"scale\":{\"log_uniform\":[0.05,1]}},"
        "\"object\":{\"scale\":[0.2,1.2],\"rotate\":{\"normal\":[0,60]},"
        "\"shear\":{\"choice\":[-30,0,12.5]},\"translate\":{\"x\":[0,1],"
        "\"y\":[0,1]},\"flip\":0.5,\"edge\":\"feather\",\"feather\":1.7},"
        "\"image\":{\"brightness\":[0.5,1.5],\"hue\":[-0.5,0.5]},"
        "\"context\":{\"background\":3,\"noise\":1,\"solid\":1}}");
    struct digest_state s;
    char hex[DIGEST_HEX_BYTES];
    digest_init(&s);
    for (uint64_t i = 0; i < 2000; i++) {
        struct plan p = world_plan(&r, i * 2654435761u);
        digest_plan(&s, &p);
    }
    struct digest d = digest_final(&s);
    digest_hex(&d, hex);
    assert_string_equal(hex, golden);
}

/* One a line: every part of a plan adds its own. */
/* clang-format off */
static const char *const keys[] = {
    "position",
    "scene",
    "candidate",
    "object",
    "object_name",
    "class_id",
    "class_name",
    "background",
    "background_name",
    "width",
    "height",
    "context",
    "crop_level",
    "crop_u",
    "crop_v",
    "crop_du",
    "crop_dv",
    "turn",
    "gradient",
    "texture",
    "noise_amplitude",
    "noise_key",
    "noise_is_grey",
    "noise_lo",
    "noise_hi",
    "solid",
    "object_level",
    "stroke",
    "m",
    "warp",
    "edge",
    "blend",
    "edge_radius",
    "edge_weight",
    "motion",
    "match_q16",
    "match_mode",
    "visible_q16",
    "n_attempts",
    "keypoints",
    "chain",
    "distractor",
    "has_colour",
    "colour",
    "operations",
    "background_operations",
    "object_operations",
    "has_background_colour",
    "background_colour",
    "has_object_colour",
    "object_colour",
    "told",
};
/* clang-format on */

static void the_json_holds_every_member(void **state)
{
    struct recipe r = world_recipe(every_context);
    for (uint64_t i = 0; i < 20; i++) {
        struct plan p = world_plan(&r, i);
        char *text = plan_to_json(&p, NULL, world_catalog);
        json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(json);
        for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
            assert_non_null(json_object_get(json, keys[k]));
        }
        assert_int_equal(json_object_size(json),
                         sizeof(keys) / sizeof(keys[0]));
        assert_int_equal(
            json_integer_value(json_array_get(json_object_get(json, "m"), 2)),
            p.m[2]);
        assert_true(
            strtoull(json_string_value(json_object_get(json, "noise_key")),
                     NULL, 10) == p.noise_key);
        json_decref(json);
        mem_free(text);
    }
    struct plan p = world_plan(&r, 0);
    mem_fail_nth(1);
    assert_null(plan_to_json(&p, NULL, world_catalog));
    mem_fail_nth(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_depends_on_its_arguments_alone),
        cmocka_unit_test(positions_and_seeds_draw_differently),
        cmocka_unit_test(every_draw_lies_in_its_range),
        cmocka_unit_test(min_visible_is_honoured),
        cmocka_unit_test(the_best_pose_stands_when_none_is_good),
        cmocka_unit_test(a_constant_pose_is_drawn_once),
        cmocka_unit_test(one_key_shifts_no_other_draw),
        cmocka_unit_test(probabilities_are_met),
        cmocka_unit_test(a_weight_of_zero_is_never_drawn),
        cmocka_unit_test(plans_are_the_golden_ones),
        cmocka_unit_test(the_json_holds_every_member),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
