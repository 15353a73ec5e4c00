/* What the server tells of recipes: that the JSON says what the tables say,
 * that a preset shown is the preset, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "server/base/mem.h"
#include "server/recipe/operation.h"
#include "server/recipe/topic.h"

static char *told(const char *topic)
{
    struct fault fault = {0};
    char *text = NULL;
    if (recipe_topic(topic, &text, &fault) != 0)
        fail_msg("%s: %s", topic, fault.text);
    return text;
}

static json_t *told_json(const char *topic)
{
    json_error_t error;
    char *text = told(topic);
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (!json)
        fail_msg("%s: line %d: %s", topic, error.line, error.text);
    mem_free(text);
    return json;
}

static void assert_text(const json_t *object, const char *key, const char *is)
{
    const char *text = json_string_value(json_object_get(object, key));
    assert_non_null(text);
    assert_string_equal(text, is);
}

static double number(const json_t *object, const char *key)
{
    const json_t *json = json_object_get(object, key);
    assert_true(json_is_number(json));
    return json_number_value(json);
}

static void assert_value(const json_t *json, const struct operation_value *rule)
{
    const json_t *initial = json_object_get(json, "default");
    assert_text(json, "name", rule->name);
    assert_text(json, "unit", rule->unit);
    assert_text(json, "text", rule->text);
    assert_true(number(json, "min") == rule->min);
    assert_true(number(json, "max") == rule->max);
    for (size_t i = 0; i < 2; i++) {
        const json_t *one =
            json_is_array(initial) ? json_array_get(initial, i) : initial;
        assert_true(json_number_value(one) == rule->initial[i]);
    }
}

static void operations_are_told_as_the_table_has_them(void **state)
{
    json_t *all = told_json("operations");
    const json_t *list = json_object_get(all, "operations");
    assert_int_equal(json_array_size(list), OPERATION_N);
    for (uint32_t id = 0; id < OPERATION_N; id++) {
        const struct operation_rule *rule = &operation_table[id];
        const json_t *one = json_array_get(list, id);
        const json_t *values = json_object_get(one, "values");
        const json_t *cost = json_object_get(one, "cost_ns_per_px");
        assert_text(one, "name", rule->name);
        assert_text(one, "text", rule->text);
        if (rule->like)
            assert_text(one, "like", rule->like);
        else
            assert_true(json_is_null(json_object_get(one, "like")));
        assert_int_equal(json_is_true(json_object_get(one, "random")),
                         rule->is_random);
        assert_true(number(cost, "portable") >= 0);
        assert_true(number(cost, "avx512") >= 0);
        assert_true(number(cost, "avx2") >= 0);
        assert_int_equal(json_array_size(values), operation_n_values(id));
        for (uint32_t i = 0; i < operation_n_values(id); i++)
            assert_value(json_array_get(values, i), &rule->value[i]);
    }
    json_decref(all);
}

static void presets_are_told_with_their_sources(void **state)
{
    json_t *all = told_json("presets");
    const json_t *list = json_object_get(all, "presets");
    assert_int_equal(json_array_size(list), recipe_preset_count());
    for (uint32_t i = 0; i < recipe_preset_count(); i++) {
        const json_t *one = json_array_get(list, i);
        assert_text(one, "name", recipe_preset_name(i));
        assert_text(one, "source", recipe_preset_source(i));
    }
    json_decref(all);
}

static void a_preset_that_is_told_is_the_preset(void **state)
{
    for (uint32_t i = 0; i < recipe_preset_count(); i++) {
        char topic[80] = "preset ";
        struct fault fault = {0};
        struct recipe told_one, known;
        strncat(topic, recipe_preset_name(i), sizeof(topic) - 8);
        char *text = told(topic);
        assert_int_equal(recipe_parse(text, strlen(text), &told_one, &fault),
                         0);
        assert_int_equal(recipe_preset(recipe_preset_name(i), &known, &fault),
                         0);
        char *a = recipe_canonical(&told_one, true);
        char *b = recipe_canonical(&known, true);
        assert_string_equal(a, b);
        mem_free(a);
        mem_free(b);
        mem_free(text);
    }
}

/* Only a string can be longer than a line: it cannot be broken. */
static void lines_are_short(void **state)
{
    char *text = told("preset jin-rinard-signs");
    assert_int_equal(text[strlen(text) - 1], '\n');
    assert_non_null(strstr(text, "\n    \"scale\": [0.5, 1]\n  },\n"));
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
        assert_true(strcspn(line, "\n") <= 80);
    mem_free(text);
}

static void other_topics_are_refused_with_a_sentence(void **state)
{
    static const char *const others[] = {
        "",        "operation",   "operations/",
        "preset ", "preset none", "presets/bench"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        struct fault fault = {0};
        char *text = NULL;
        assert_int_equal(recipe_topic(others[i], &text, &fault),
                         -ERROR_NOT_FOUND);
        assert_null(text);
        assert_non_null(strstr(fault.text, "there are: "));
    }
}

static void memory_that_is_short_is_said(void **state)
{
    static const char *const topics[] = {"operations", "presets",
                                         "preset bench"};
    for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++) {
        struct fault fault = {0};
        char *text = NULL;
        uint64_t before = mem_allocations();
        mem_free(told(topics[i]));
        uint64_t n = mem_allocations() - before;
        for (uint64_t nth = 1; nth <= n; nth++) {
            mem_fail_nth(nth);
            assert_int_equal(recipe_topic(topics[i], &text, &fault),
                             -ERROR_NO_MEMORY);
            assert_null(text);
        }
        mem_fail_nth(0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations_are_told_as_the_table_has_them),
        cmocka_unit_test(presets_are_told_with_their_sources),
        cmocka_unit_test(a_preset_that_is_told_is_the_preset),
        cmocka_unit_test(lines_are_short),
        cmocka_unit_test(other_topics_are_refused_with_a_sentence),
        cmocka_unit_test(memory_that_is_short_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
