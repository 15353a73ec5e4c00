/* The second object of a sample: when there is one, of which class, and that
 * nothing else moves. Pixels are tested elsewhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "server/plan/distractor.h"
#include "tests/unit/plan_world.h"

#define ALWAYS "{\"distractor\": {\"probability\": 1}}"

static bool other_of(const struct recipe *r, const struct feedback *table,
                     uint64_t position, struct plan *out)
{
    const struct plan plan = world_plan(r, position);
    memset(out, 0x5a, sizeof(*out));
    return distractor_make(r, world_catalog, table, &plan, out);
}

static void none_unless_the_recipe_asks(void **state)
{
    const struct recipe never = world_recipe("{}");
    const struct recipe some =
        world_recipe("{\"distractor\": {\"probability\": 0.25}}");
    struct plan other;
    int n = 0;
    assert_false(recipe_wants_distractor(&never));
    assert_true(recipe_wants_distractor(&some));
    for (uint64_t i = 0; i < 4000; i++) {
        assert_false(other_of(&never, NULL, i, &other));
        n += other_of(&some, NULL, i, &other);
    }
    assert_in_range(n, 900, 1100);
}

static void without_a_table_all_other_classes_come_alike(void **state)
{
    const struct recipe r = world_recipe(ALWAYS);
    uint32_t n[3][3] = {{0}};
    struct plan other;
    for (uint64_t i = 0; i < 6000; i++) {
        const uint32_t c = world_plan(&r, i).class_id;
        assert_true(other_of(&r, NULL, i, &other));
        assert_int_equal(other.class_id,
                         world_catalog->objects[other.object].class_id);
        n[c][other.class_id]++;
    }
    for (int c = 0; c < 3; c++) {
        const uint32_t one = n[c][(c + 1) % 3], two = n[c][(c + 2) % 3];
        assert_int_equal(n[c][c], 0);
        assert_in_range(one, two * 85 / 100, two * 115 / 100);
    }
}

/* Its own class too, where the table says so. */
static void a_table_decides_which_class(void **state)
{
    const uint8_t weights[18] = {0, 0, 3, 0, 1, 0, 5, 0, 0,
                                 0, 0, 0, 0, 0, 0, 0, 9, 0};
    struct feedback *table = feedback_create(3, weights);
    const struct recipe r = world_recipe(ALWAYS);
    uint32_t n[3][3] = {{0}};
    struct plan other;
    for (uint64_t i = 0; i < 6000; i++) {
        assert_true(other_of(&r, table, i, &other));
        n[world_plan(&r, i).class_id][other.class_id]++;
    }
    assert_int_equal(n[0][0], 0);
    assert_in_range(n[0][1], n[0][2] * 26 / 10, n[0][2] * 34 / 10);
    assert_int_equal(n[1][1] + n[1][2], 0);
    assert_int_equal(n[2][0] + n[2][1], 0);
    feedback_unref(table);
}

/* Every object of a class comes, and which does not hang on the table. */
static void objects_of_a_class_come_alike(void **state)
{
    const struct recipe r = world_recipe(ALWAYS);
    uint32_t n[WORLD_OBJECTS] = {0};
    struct plan other;
    for (uint64_t i = 0; i < 12000; i++) {
        assert_true(other_of(&r, NULL, i, &other));
        n[other.object]++;
    }
    assert_in_range(n[WORLD_SIGN], n[WORLD_TALL] * 9 / 10,
                    n[WORLD_TALL] * 11 / 10);
    assert_in_range(n[WORLD_WIDE], n[WORLD_FAINT] * 9 / 10,
                    n[WORLD_FAINT] * 11 / 10);
}

static void the_sample_itself_stays_as_it_is(void **state)
{
    const struct recipe without = world_recipe("{}");
    const struct recipe with = world_recipe(ALWAYS);
    for (uint64_t i = 0; i < 200; i++) {
        const struct plan a = world_plan(&without, i);
        const struct plan b = world_plan(&with, i);
        assert_memory_equal(&a, &b,
                            offsetof(struct plan, background_operations));
    }
}

static void it_lies_on_the_samples_context(void **state)
{
    const struct recipe r = world_recipe(
        "{\"distractor\": {\"probability\": 1}, \"background\": {\"hue\": "
        "[-0.5, 0.5], \"operations\": [{\"op\": \"invert\"}]}, \"image\": "
        "{\"operations\": [{\"op\": \"invert\"}]}}");
    for (uint64_t i = 0; i < 100; i++) {
        const struct plan plan = world_plan(&r, i);
        struct plan other;
        assert_true(distractor_make(&r, world_catalog, NULL, &plan, &other));
        assert_int_equal(other.position, i);
        assert_int_equal(other.background, plan.background);
        assert_int_equal(other.context, plan.context);
        assert_int_equal(other.crop_u, plan.crop_u);
        assert_int_equal(other.crop_dv, plan.crop_dv);
        assert_true(other.has_background_colour);
        assert_memory_equal(other.background_colour, plan.background_colour,
                            sizeof(plan.background_colour));
        assert_int_equal(other.background_operations.n, 1);
        assert_false(other.has_colour);
        assert_int_equal(other.operations.n, 0);
    }
}

/* Draws of its own: the poses do not follow each other. */
static void its_pose_is_its_own(void **state)
{
    const struct recipe r = world_recipe(
        "{\"distractor\": {\"probability\": 1, \"scale\": [0.4, 0.7], "
        "\"translate\": {\"x\": [0.35, 0.65], \"y\": [0.1, 0.2]}}}");
    int n_right = 0;
    for (uint64_t i = 0; i < 400; i++) {
        const struct plan plan = world_plan(&r, i);
        struct plan other;
        assert_true(distractor_make(&r, world_catalog, NULL, &plan, &other));
        assert_true(other.told.x != plan.told.x);
        assert_true(other.told.scale != plan.told.scale);
        assert_true(other.told.y >= 0.1 && other.told.y <= 0.2);
        n_right += (plan.told.x > 0.5) == (other.told.x > 0.5);
    }
    assert_in_range(n_right, 150, 250);
}

static void one_class_alone_has_no_other(void **state)
{
    const struct recipe r = world_recipe(ALWAYS);
    const struct plan plan = world_plan_of(&r, 3, WORLD_DOT, 0);
    const uint32_t first[] = {0, 1};
    const uint8_t own[2] = {1, 0};
    struct catalog one = *world_catalog;
    struct feedback *table = feedback_create(1, own);
    struct plan other;
    one.n_classes = one.n_objects = 1;
    one.class_first = first;
    assert_false(distractor_make(&r, &one, NULL, &plan, &other));
    assert_true(distractor_make(&r, &one, table, &plan, &other));
    feedback_unref(table);
}

static void curricula_move_the_chance(void **state)
{
    const struct recipe r = world_recipe(
        "{\"distractor\": {\"probability\": {\"from\": 0, \"to\": 1, \"over\": "
        "[100, 200]}}}");
    struct plan other;
    assert_true(recipe_wants_distractor(&r));
    for (uint64_t i = 0; i <= 100; i++)
        assert_false(other_of(&r, NULL, i, &other));
    for (uint64_t i = 200; i < 300; i++)
        assert_true(other_of(&r, NULL, i, &other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none_unless_the_recipe_asks),
        cmocka_unit_test(without_a_table_all_other_classes_come_alike),
        cmocka_unit_test(a_table_decides_which_class),
        cmocka_unit_test(objects_of_a_class_come_alike),
        cmocka_unit_test(the_sample_itself_stays_as_it_is),
        cmocka_unit_test(it_lies_on_the_samples_context),
        cmocka_unit_test(its_pose_is_its_own),
        cmocka_unit_test(one_class_alone_has_no_other),
        cmocka_unit_test(curricula_move_the_chance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
