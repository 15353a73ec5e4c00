/* Recipes: the canonical form, presets, defaults, and that RECIPE.md says what
 * the table says. What is refused: test_recipe_refusals.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/tensor.h"
#include "server/base/mem.h"
#include "server/graph/graph.h"
#include "server/recipe/operation.h"
#include "server/recipe/recipe.h"

static const char *document_path;

static int parse(const char *text, struct recipe *out, struct fault *fault)
{
    return recipe_parse(text, strlen(text), out, fault);
}

static struct recipe parsed(const char *text)
{
    struct recipe r;
    struct fault fault = {0};
    if (parse(text, &r, &fault) != 0) {
        fail_msg("%s: %s", text, fault.text);
    }
    return r;
}

static void an_empty_recipe_is_the_default(void **state)
{
    struct recipe initial, empty = parsed("{}");
    recipe_default(&initial);
    char *x = recipe_canonical(&initial, true);
    char *y = recipe_canonical(&empty, true);
    assert_string_equal(x, y);
    mem_free(x);
    mem_free(y);
    assert_int_equal(initial.height, 64);
    assert_int_equal(initial.width, 64);
    assert_int_equal(initial.batch, 64);
    assert_int_equal(initial.graph.objects_per_background, 4);
    assert_int_equal(initial.graph.order, GRAPH_DEALT);
    assert_int_equal(initial.graph.balance, GRAPH_BY_CLASS);
    assert_true(initial.background.random_crop);
    assert_int_equal(initial.object.edges.bits, 1u << EDGE_ALPHA);
    assert_int_equal(initial.labels.tensors, TENSORS_INITIAL);
    assert_int_equal(initial.output.dtype, TENSOR_U8);
    assert_int_equal(initial.output.layout, TENSOR_NHWC);
    assert_true(initial.object.scale.kind == VALUE_UNIFORM &&
                initial.object.scale.a == 0.4 && initial.object.scale.b == 0.7);
}

static void every_kind_of_value_is_read(void **state)
{
    struct recipe r = parsed(
        "{\"size\":[48,96],\"seed\":\"18446744073709551615\",\"object\":{"
        "\"scale\":{\"log_uniform\":[0.1,1]},"
        "\"rotate\":{\"normal\":[0,20]},\"shear\":{\"choice\":[-5,0,5]},"
        "\"translate\":{\"x\":0.5,\"y\":[0.25,0.75]}}}");
    assert_int_equal(r.height, 48);
    assert_int_equal(r.width, 96);
    assert_true(r.seed == UINT64_MAX);
    assert_int_equal(r.object.scale.kind, VALUE_LOG_UNIFORM);
    assert_int_equal(r.object.rotate.kind, VALUE_NORMAL);
    assert_true(r.object.rotate.b == 20);
    assert_int_equal(r.object.shear.kind, VALUE_CHOICE);
    assert_int_equal(r.object.shear.n_choices, 3);
    assert_true(r.object.shear.choices[2] == 5);
    assert_int_equal(r.object.x.kind, VALUE_CONSTANT);
    assert_true(r.object.y.a == 0.25 && r.object.y.b == 0.75);
    assert_true(r.object.y.min == -1 && r.object.y.max == 2);
}

static void expect_canonical_equal(const char *a, const char *b)
{
    struct recipe left = parsed(a), right = parsed(b);
    char *x = recipe_canonical(&left, true);
    char *y = recipe_canonical(&right, true);
    assert_string_equal(x, y);
    mem_free(x);
    mem_free(y);
}

static void one_meaning_has_one_spelling(void **state)
{
    expect_canonical_equal("{\"size\":32}", "{\"size\":[32,32]}");
    expect_canonical_equal("{\"seed\":\"7\"}", "{\"seed\":7}");
    expect_canonical_equal("{\"object\":{\"scale\":[1,1]}}",
                           "{\"object\":{\"scale\":1.0}}");
    expect_canonical_equal("{\"object\":{\"scale\":{\"choice\":[1]}}}",
                           "{\"object\":{\"scale\":{\"normal\":[1,0]}}}");
    expect_canonical_equal(
        "{\"object\":{\"edge\":{\"choice\":[\"box\",\"hard\"]}}}",
        "{\"object\":{\"edge\":{\"choice\":[\"hard\",\"box\"]}}}");
    expect_canonical_equal("{\"object\":{\"edge\":{\"choice\":[\"box\"]}}}",
                           "{\"object\":{\"edge\":\"box\"}}");
    expect_canonical_equal("{\"object\":{\"edge\":{\"every\":[\"box\"]}}}",
                           "{\"object\":{\"edge\":\"box\"}}");
    expect_canonical_equal("{\"object\":{\"rotate\":-0.0}}",
                           "{\"object\":{\"rotate\":0}}");
    expect_canonical_equal("{\"object\":{\"scale\":{\"log_uniform\":[2,2]}}}",
                           "{\"object\":{\"scale\":2}}");
    expect_canonical_equal("{\"object\":{\"scale\":{\"from\":[1,2],"
                           "\"to\":{\"choice\":[1]},\"over\":[0,9]}}}",
                           "{\"object\":{\"scale\":{\"from\":[1,2],"
                           "\"over\":[0,9],\"to\":[1,1]}}}");
    expect_canonical_equal("{\"object\":{\"scale\":{\"from\":[1,2],"
                           "\"to\":[1,2],\"over\":[0,9]}}}",
                           "{\"object\":{\"scale\":[1,2]}}");
    expect_canonical_equal("{\"labels\":{\"tensors\":[\"box\",\"image\"]}}",
                           "{\"labels\":{\"tensors\":[\"box\"]}}");
}

static void expect_round_trip(const struct recipe *r, bool everything)
{
    struct fault fault = {0};
    struct recipe again;
    char *text = recipe_canonical(r, everything);
    assert_non_null(text);
    if (parse(text, &again, &fault) != 0) {
        fail_msg("%s\n%s", fault.text, text);
    }
    char *text_again = recipe_canonical(&again, everything);
    assert_string_equal(text, text_again);
    mem_free(text);
    mem_free(text_again);
}

static void the_canonical_form_reads_back_as_itself(void **state)
{
    struct recipe r = parsed(
        "{\"seed\":\"18446744073709551615\",\"object\":{\"scale\":[0.1,"
        "0.30000000000000004],\"rotate\":{\"choice\":[1e-7,123456.0e-3]},"
        "\"shear\":{\"normal\":[0.1,3.3]},"
        "\"flip\":{\"from\":0.5,\"to\":1,\"over\":[3,9223372036854775807]},"
        "\"stretch\":{\"from\":1,\"to\":{\"log_uniform\":[0.5,2]},"
        "\"over\":[0,1]},"
        "\"shear_y\":{\"from\":{\"normal\":[0,3]},\"to\":2,\"over\":[0,7]},"
        "\"translate\":{\"x\":{\"log_uniform\":[1e-3,1]}}},"
        "\"context\":{\"solid\":1e6,\"solid_colour\":[1,[2,3],4]},"
        "\"output\":{\"mean\":[0.485,0.456,0.406],"
        "\"std\":[0.229,0.224,0.225],\"dtype\":\"f32\"}}");
    expect_round_trip(&r, true);
    expect_round_trip(&r, false);
    char *text = recipe_canonical(&r, true);
    assert_non_null(strstr(text, "\"scale\":[0.1,0.30000000000000004]"));
    assert_non_null(strstr(text, "{\"choice\":[1e-07,123.456]}"));
    assert_non_null(strstr(text, "\"flip\":{\"from\":0.5,\"over\":[3,"
                                 "9223372036854775807],\"to\":1}"));
    assert_non_null(strstr(text, "{\"from\":1,\"over\":[0,1],"
                                 "\"to\":{\"log_uniform\":[0.5,2]}}"));
    assert_non_null(strstr(text, "{\"from\":{\"normal\":[0,3]},"
                                 "\"over\":[0,7],\"to\":2}"));
    assert_non_null(strstr(text, "\"mean\":[0.485,0.456,0.406]"));
    assert_non_null(strstr(text, "\"seed\":\"18446744073709551615\""));
    mem_free(text);
    for (uint32_t i = 0; i < recipe_preset_count(); i++) {
        assert_int_equal(recipe_preset(recipe_preset_name(i), &r, NULL), 0);
        expect_round_trip(&r, true);
    }
}

static void the_canonical_form_of_the_default_is_this(void **state)
{
    struct recipe r;
    recipe_default(&r);
    char *text = recipe_canonical(&r, true);
    assert_string_equal(
        text,
        "{\"background\":{\"aspect\":1,\"brightness\":1,\"contrast\":1,"
        "\"crop\":\"random\",\"flip\":0.5,\"hue\":0,"
        "\"operation_order\":\"given\",\"operations\":[],"
        "\"padding\":\"fit\","
        "\"padding_colour\":[105,105,105],\"rotate\":0,\"saturation\":1,"
        "\"scale\":[0.5,1]},\"batch\":64,"
        "\"candidates\":{\"rotate\":[-30,30],\"translate\":[-3,3]},"
        "\"chain\":{\"handed_on\":\"composite\",\"max_length\":32,"
        "\"reset\":0.171,\"slots\":0},"
        "\"context\":{\"background\":1,"
        "\"gaussian_noise\":0,\"gradient\":0,\"gradient_angle\":[-180,180],"
        "\"gradient_from\":[[0,255],[0,255],[0,255]],"
        "\"gradient_to\":[[0,255],[0,255],[0,255]],"
        "\"noise\":0,\"noise_channels\":\"rgb\",\"noise_range\":[0,255],"
        "\"noise_sigma\":255,\"solid\":0,"
        "\"solid_colour\":[[0,255],[0,255],[0,255]],\"texture\":0,"
        "\"texture_angle\":[-180,180],"
        "\"texture_from\":[[0,255],[0,255],[0,255]],"
        "\"texture_kind\":{\"choice\":[\"noise\",\"stripes\",\"checker\"]},"
        "\"texture_octaves\":4,\"texture_scale\":[4,64],"
        "\"texture_to\":[[0,255],[0,255],[0,255]]},"
        "\"distractor\":{\"probability\":0,\"scale\":[0.4,0.7],"
        "\"translate\":{\"x\":[0,1],\"y\":[0,1]}},"
        "\"graph\":{\"balance\":\"class\",\"objects_per_background\":4,"
        "\"order\":\"dealt\",\"pairing\":\"balanced\",\"strict\":false},"
        "\"image\":{\"brightness\":[0.8,1.2],\"contrast\":[0.8,1.2],"
        "\"hue\":[-0.03,0.03],\"operation_order\":\"given\","
        "\"operations\":[],\"saturation\":[0.8,1.2]},"
        "\"labels\":{\"tensors\":[\"label\",\"object\",\"background\","
        "\"position\",\"box\",\"visible\",\"image\"]},"
        "\"object\":{\"blend\":\"over\",\"brightness\":1,\"contrast\":1,"
        "\"edge\":\"alpha\","
        "\"elastic\":0,\"elastic_points\":4,\"feather\":1,"
        "\"feather_radius\":0,\"flip\":0,"
        "\"hue\":0,\"match\":0,\"match_mode\":\"mean\",\"min_visible\":0.5,"
        "\"motion_angle\":[-90,90],"
        "\"motion_length\":5,\"operation_order\":\"given\","
        "\"operations\":[],\"perspective\":0,\"perspective_of\":\"object\","
        "\"rotate\":[-15,15],"
        "\"saturation\":1,\"scale\":[0.4,0.7],\"shear\":[-5,5],\"shear_y\":0,"
        "\"stretch\":1,\"stroke\":0,\"translate\":{\"x\":[0.35,0.65],\"y\":[0."
        "35,0.65]}},"
        "\"output\":{\"channels\":\"rgb\",\"dtype\":\"u8\","
        "\"layout\":\"nhwc\",\"mean\":[0,0,0],\"normalize\":\"none\","
        "\"normalize_region\":0.625,\"std\":[1,1,1]},\"seed\":0,"
        "\"size\":[64,64]}");
    mem_free(text);
}

static void the_canonical_form_of_operations_is_this(void **state)
{
    struct recipe r =
        parsed("{\"image\":{\"operation_order\":\"random\",\"operations\":["
               "{\"op\":\"box_blur\",\"ky\":5,\"probability\":0.5},"
               "{\"one_of\":[{\"op\":\"exposure\",\"factor\":2},"
               "{\"weight\":3,\"op\":\"gaussian_blur\"}]}]}}");
    char *text = recipe_canonical(&r, false);
    assert_non_null(strstr(
        text, "\"operation_order\":\"random\",\"operations\":["
              "{\"kx\":3,\"ky\":5,\"op\":\"box_blur\",\"probability\":0.5},"
              "{\"one_of\":[{\"factor\":2,\"op\":\"exposure\",\"weight\":1},"
              "{\"op\":\"gaussian_blur\",\"sigma\":[0.5,1.5],\"weight\":3}],"
              "\"probability\":1}]"));
    mem_free(text);
    expect_round_trip(&r, true);
}

/* A default is a value that its own reader would take. */
static void every_operation_reads_its_own_defaults(void **state)
{
    for (uint32_t id = 0; id < OPERATION_N; id++) {
        char text[120];
        snprintf(text, sizeof(text),
                 "{\"image\":{\"operations\":[{\"op\":\"%s\"}]}}",
                 operation_table[id].name);
        struct recipe r = parsed(text);
        expect_round_trip(&r, true);
        assert_int_equal(operation_find(operation_table[id].name), id);
        assert_true(strlen(operation_table[id].text) > 10);
    }
}

static void what_only_slices_is_not_in_the_fingerprint(void **state)
{
    struct recipe a = parsed("{\"seed\":5}");
    struct recipe b = parsed(
        "{\"seed\":5,\"batch\":7,\"output\":{\"dtype\":\"f32\",\"layout\":"
        "\"nchw\",\"channels\":\"grey\",\"normalize\":\"min-max\",\"mean\":[0."
        "5,0.5,0.5],\"std\":[2,2,2]}"
        "}");
    struct recipe c = parsed("{\"seed\":5,\"object\":{\"flip\":0.5}}");
    char *x = recipe_canonical(&a, false), *y = recipe_canonical(&b, false);
    char *z = recipe_canonical(&c, false);
    assert_string_equal(x, y);
    assert_string_not_equal(x, z);
    assert_null(strstr(x, "batch"));
    assert_null(strstr(x, "output"));
    mem_free(x);
    mem_free(y);
    mem_free(z);
}

static void keys_beside_a_preset_override_it(void **state)
{
    struct recipe bench, mine = parsed("{\"preset\":\"bench\",\"size\":224,"
                                       "\"object\":{\"scale\":0.5}}");
    assert_int_equal(recipe_preset("bench", &bench, NULL), 0);
    assert_int_equal(mine.height, 224);
    assert_true(mine.object.scale.a == 0.5);
    assert_true(mine.object.rotate.a == bench.object.rotate.a);
    assert_true(mine.image.hue.b == bench.image.hue.b);
}

static void presets_have_names_and_sources(void **state)
{
    struct fault fault = {0};
    struct recipe r;
    assert_int_equal(recipe_preset_count(), 11);
    for (uint32_t i = 0; i < recipe_preset_count(); i++) {
        assert_true(strlen(recipe_preset_source(i)) > 20);
    }
    assert_null(recipe_preset_name(11));
    assert_null(recipe_preset_source(11));
    assert_int_equal(recipe_preset("x", &r, &fault), -ERROR_NOT_FOUND);
    assert_non_null(strstr(fault.text, "jin-rinard-signs"));
}

static void the_words_of_a_graph_are_read(void **state)
{
    static const char *const orders[] = {"dealt", "mixed", "shuffled"};
    static const char *const pairings[] = {"balanced", "independent",
                                           "correlated"};
    static const char *const balances[] = {"class", "object"};
    char text[120];
    for (int i = GRAPH_DEALT; i <= GRAPH_SHUFFLED; i++) {
        snprintf(text, sizeof(text), "{\"graph\":{\"order\":\"%s\"}}",
                 orders[i]);
        assert_int_equal(parsed(text).graph.order, i);
    }
    for (int i = 0; i < 3; i++) {
        snprintf(text, sizeof(text),
                 "{\"graph\":{\"pairing\":\"%s\",\"balance\":\"%s\"}}",
                 pairings[i], balances[i % 2]);
        assert_int_equal(parsed(text).graph.pairing, i);
        assert_int_equal(parsed(text).graph.balance, i % 2);
    }
}

static char *read_document(void)
{
    FILE *file = fopen(document_path, "rb");
    assert_non_null(file);
    char *text = calloc(1, 1 << 17);
    assert_non_null(text);
    assert_true(fread(text, 1, (1 << 17) - 1, file) > 0);
    fclose(file);
    return text;
}

static size_t count_lines_starting(const char *text, const char *start)
{
    size_t n = 0;
    for (const char *at = strstr(text, start); at != NULL;
         at = strstr(at + 1, start)) {
        n += at == text || at[-1] == '\n';
    }
    return n;
}

static void the_document_lists_every_key_as_the_parser_has_it(void **state)
{
    char *document = read_document();
    char *table = recipe_describe();
    assert_non_null(table);
    if (strstr(document, table) == NULL) {
        fail_msg("RECIPE.md must hold this table:\n%s", table);
    }
    assert_int_equal(count_lines_starting(document, "| /"),
                     count_lines_starting(table, "| /"));
    char *operations = recipe_describe_operations();
    assert_non_null(operations);
    if (strstr(document, operations) == NULL) {
        fail_msg("RECIPE.md must hold this table:\n%s", operations);
    }
    mem_free(operations);
    for (uint32_t i = 0; i < recipe_preset_count(); i++) {
        char row[400];
        snprintf(row, sizeof(row), "| `%s` | %s |\n", recipe_preset_name(i),
                 recipe_preset_source(i));
        if (strstr(document, row) == NULL) {
            fail_msg("RECIPE.md must hold this line:\n%s", row);
        }
    }
    mem_free(table);
    free(document);
}

/* Every fenced JSON block of the document parses. */
static void the_examples_of_the_document_are_recipes(void **state)
{
    char *document = read_document();
    size_t n_examples = 0;
    char *at = strstr(document, "```json\n");
    while (at != NULL) {
        at += strlen("```json\n");
        char *end = strstr(at, "```");
        assert_non_null(end);
        *end = '\0';
        parsed(at);
        n_examples++;
        at = strstr(end + 1, "```json\n");
    }
    assert_true(n_examples >= 1);
    free(document);
}

static void short_memory_is_reported(void **state)
{
    struct recipe r;
    recipe_default(&r);
    uint64_t before = mem_allocations();
    mem_free(recipe_canonical(&r, true));
    uint64_t n = mem_allocations() - before;
    for (uint64_t i = 1; i <= n; i++) {
        mem_fail_nth(i);
        assert_null(recipe_canonical(&r, true));
    }
    mem_fail_nth(1);
    assert_null(recipe_describe());
    mem_fail_nth(0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_recipe_is_the_default),
        cmocka_unit_test(every_kind_of_value_is_read),
        cmocka_unit_test(one_meaning_has_one_spelling),
        cmocka_unit_test(the_canonical_form_reads_back_as_itself),
        cmocka_unit_test(the_canonical_form_of_the_default_is_this),
        cmocka_unit_test(the_canonical_form_of_operations_is_this),
        cmocka_unit_test(every_operation_reads_its_own_defaults),
        cmocka_unit_test(what_only_slices_is_not_in_the_fingerprint),
        cmocka_unit_test(keys_beside_a_preset_override_it),
        cmocka_unit_test(presets_have_names_and_sources),
        cmocka_unit_test(the_words_of_a_graph_are_read),
        cmocka_unit_test(the_document_lists_every_key_as_the_parser_has_it),
        cmocka_unit_test(the_examples_of_the_document_are_recipes),
        cmocka_unit_test(short_memory_is_reported),
    };
    if (argc != 2) {
        fprintf(stderr, "usage: test_recipe RECIPE.md\n");
        return 2;
    }
    document_path = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
