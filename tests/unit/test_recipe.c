/* Recipes: what is refused and where, the canonical form, presets, defaults,
 * and that RECIPE.md says what the table says. */
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
#include "server/recipe/recipe.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

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

static void expect_refusal(const char *text, const char *sentence)
{
    struct recipe r, before;
    memset(&r, 0x5a, sizeof(r));
    memcpy(&before, &r, sizeof(r));
    struct fault fault = {0};
    assert_int_equal(parse(text, &r, &fault), -ERROR_BAD_RECIPE);
    assert_int_equal(fault.code, ERROR_BAD_RECIPE);
    assert_string_equal(fault.text, sentence);
    assert_memory_equal(&r, &before, sizeof(r));
}

static void bad_input_is_refused_with_its_pointer(void **state)
{
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"[]", "/: must be an object, not an array"},
        {"{\"scale\":1}",
         "/scale: unknown key; known here: preset, size, batch, seed, graph, "
         "background, object, image, context, labels, output"},
        {"{\"object\":{\"translate\":{\"z\":1}}}",
         "/object/translate/z: unknown key; known here: x, y"},
        {"{\"object\":{\"translate\":0.5}}",
         "/object/translate: must be an object, not a number with a fraction"},
        {"{\"object\":[]}", "/object: must be an object, not an array"},
        {"{\"a/b~c\":1}",
         "/a~1b~0c: unknown key; known here: preset, size, batch, seed, graph, "
         "background, object, image, context, labels, output"},
        {"{\"object\":{\"scale\":[0.1,-3]}}",
         "/object/scale/1: must be at least 0.01, not -3"},
        {"{\"object\":{\"scale\":5}}",
         "/object/scale: must be at most 4, not 5"},
        {"{\"object\":{\"scale\":[0.7,0.4]}}",
         "/object/scale: the lower bound 0.7 is above the upper 0.4"},
        {"{\"object\":{\"scale\":[0.7]}}",
         "/object/scale: must be [lo, hi], not an array of 1"},
        {"{\"object\":{\"scale\":\"big\"}}",
         "/object/scale: must be a number, [lo, hi] or an object with one of "
         "log_uniform, normal, choice, not a string"},
        {"{\"object\":{\"scale\":{\"uniform\":[0.1,1]}}}",
         "/object/scale: must have exactly one of the keys log_uniform, "
         "normal, choice"},
        {"{\"object\":{\"scale\":{\"normal\":[1,0],\"choice\":[1]}}}",
         "/object/scale: must have exactly one of the keys log_uniform, "
         "normal, choice"},
        {"{\"object\":{\"scale\":{\"normal\":[1,-1]}}}",
         "/object/scale/normal/1: must be at least 0, not -1"},
        {"{\"object\":{\"scale\":{\"choice\":[]}}}",
         "/object/scale/choice: must be an array of 1 to 16 numbers"},
        {"{\"object\":{\"scale\":{\"choice\":[1,null]}}}",
         "/object/scale/choice/1: must be a number, not null"},
        {"{\"object\":{\"rotate\":{\"log_uniform\":[0,1]}}}",
         "/object/rotate/log_uniform/0: must be greater than 0, not 0"},
        {"{\"object\":{\"shear\":61}}",
         "/object/shear: must be at most 60, not 61"},
        {"{\"object\":{\"flip\":[0,1]}}",
         "/object/flip: must be a number, not an array"},
        {"{\"object\":{\"edge\":\"soft\"}}",
         "/object/edge: must be one of \"hard\", \"alpha\", \"feather\""},
        {"{\"object\":{\"min_visible\":1.5}}",
         "/object/min_visible: must be at most 1, not 1.5"},
        {"{\"size\":0}", "/size: must be at least 1, not 0"},
        {"{\"size\":[64,4096]}", "/size/1: must be at most 2048, not 4096"},
        {"{\"size\":[64,64.5]}",
         "/size/1: must be an integer, not a number with a fraction"},
        {"{\"size\":[64,64,3]}",
         "/size: must be [h, w] or one integer, not an array of 3"},
        {"{\"size\":\"64\"}",
         "/size: must be [h, w] or one integer, not a string"},
        {"{\"batch\":0}", "/batch: must be at least 1, not 0"},
        {"{\"batch\":65537}", "/batch: must be at most 65536, not 65537"},
        {"{\"seed\":-1}",
         "/seed: must be an integer from 0 to 2^63-1, or a string of decimal "
         "digits up to 2^64-1"},
        {"{\"seed\":\"18446744073709551616\"}",
         "/seed: must be an integer from 0 to 2^63-1, or a string of decimal "
         "digits up to 2^64-1"},
        {"{\"seed\":\" 1\"}",
         "/seed: must be an integer from 0 to 2^63-1, or a string of decimal "
         "digits up to 2^64-1"},
        {"{\"graph\":{\"order\":7}}",
         "/graph/order: must be one of \"dealt\", \"mixed\", \"shuffled\""},
        {"{\"graph\":{\"strict\":1}}",
         "/graph/strict: must be true or false, not an integer"},
        {"{\"graph\":{\"objects_per_background\":0}}",
         "/graph/objects_per_background: must be at least 1, not 0"},
        {"{\"context\":{\"background\":0}}",
         "/context: the weights of background, noise and solid are all 0"},
        {"{\"context\":{\"noise\":-1}}",
         "/context/noise: must be at least 0, not -1"},
        {"{\"context\":{\"noise_range\":[9,3]}}",
         "/context/noise_range: the lower bound 9 is above the upper 3"},
        {"{\"context\":{\"noise_range\":[0,256]}}",
         "/context/noise_range/1: must be at most 255, not 256"},
        {"{\"context\":{\"solid_colour\":[0,[0,300],0]}}",
         "/context/solid_colour/1/1: must be at most 255, not 300"},
        {"{\"context\":{\"solid_colour\":128}}",
         "/context/solid_colour: must be three values [r, g, b], not an "
         "integer"},
        {"{\"labels\":{\"tensors\":[\"label\",\"mask\"]}}",
         "/labels/tensors/1: must be one of label, object, background, "
         "position, box, visible, image"},
        {"{\"labels\":{\"tensors\":[\"box\",\"box\"]}}",
         "/labels/tensors/1: box is named twice"},
        {"{\"labels\":{\"tensors\":\"box\"}}",
         "/labels/tensors: must be an array of names, not a string"},
        {"{\"output\":{\"dtype\":\"f16\"}}",
         "/output/dtype: must be one of \"u8\", \"f32\""},
        {"{\"output\":{\"std\":[1,1,0]}}",
         "/output/std/2: must be at least 1e-06, not 0"},
        {"{\"output\":{\"mean\":0}}",
         "/output/mean: must be three numbers [r, g, b], not an integer"},
        {"{\"preset\":\"photos\"}",
         "/preset: no preset of this name; there are: default, "
         "jin-rinard-signs, jin-rinard-digits, bench"},
        {"{\"preset\":1}",
         "/preset: must be the name of a preset, not an integer"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        expect_refusal(cases[i].text, cases[i].sentence);
    }
}

static void broken_json_is_refused_with_line_and_column(void **state)
{
    static const struct {
        const char *text, *start;
    } cases[] = {
        {"", "line 1, column 0: "},
        {"{\n \"size\": 64,\n}", "line 3, column 1: "},
        {"{\"size\":64,\"size\":32}", "line 1, column "},
        {"{\"size\":NaN}", "line 1, column "},
        {"{\"object\":{\"scale\":1e999}}", "line 1, column "},
        {"{} {}", "line 1, column "},
        {"{\"\xff\":1}", "line 1, column "},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct recipe r;
        struct fault fault = {0};
        assert_int_equal(parse(cases[i].text, &r, &fault), -ERROR_BAD_RECIPE);
        if (strncmp(fault.text, cases[i].start, strlen(cases[i].start)) != 0) {
            fail_msg("%s: %s", cases[i].text, fault.text);
        }
    }
}

static void text_beyond_the_limit_is_refused(void **state)
{
    size_t n = RECIPE_MAX_BYTES + 1;
    char *text = malloc(n);
    struct recipe r;
    struct fault fault = {0};
    assert_non_null(text);
    memset(text, ' ', n);
    memcpy(text, "{}", 2);
    assert_int_equal(recipe_parse(text, n, &r, &fault), -ERROR_BAD_RECIPE);
    assert_string_equal(fault.text, "the recipe is 1048577 bytes long; at most "
                                    "1048576 are allowed");
    assert_int_equal(recipe_parse(text, n - 1, &r, &fault), 0);
    free(text);
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
    assert_int_equal(initial.object.edge, EDGE_ALPHA);
    assert_int_equal(initial.labels.tensors, (1 << TENSOR_N) - 1);
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
    expect_canonical_equal("{\"object\":{\"rotate\":-0.0}}",
                           "{\"object\":{\"rotate\":0}}");
    expect_canonical_equal("{\"object\":{\"scale\":{\"log_uniform\":[2,2]}}}",
                           "{\"object\":{\"scale\":2}}");
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
        "\"translate\":{\"x\":{\"log_uniform\":[1e-3,1]}}},"
        "\"context\":{\"solid\":1e6,\"solid_colour\":[1,[2,3],4]},"
        "\"output\":{\"mean\":[0.485,0.456,0.406],"
        "\"std\":[0.229,0.224,0.225],\"dtype\":\"f32\"}}");
    expect_round_trip(&r, true);
    expect_round_trip(&r, false);
    char *text = recipe_canonical(&r, true);
    assert_non_null(strstr(text, "\"scale\":[0.1,0.30000000000000004]"));
    assert_non_null(strstr(text, "{\"choice\":[1e-07,123.456]}"));
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
        "{\"background\":{\"crop\":\"random\",\"flip\":0.5,\"scale\":[0.5,1]},"
        "\"batch\":64,"
        "\"context\":{\"background\":1,\"noise\":0,\"noise_range\":[0,255],"
        "\"solid\":0,\"solid_colour\":[[0,255],[0,255],[0,255]]},"
        "\"graph\":{\"balance\":\"class\",\"objects_per_background\":4,"
        "\"order\":\"dealt\",\"pairing\":\"balanced\",\"strict\":false},"
        "\"image\":{\"brightness\":[0.8,1.2],\"contrast\":[0.8,1.2],"
        "\"hue\":[-0.03,0.03],\"saturation\":[0.8,1.2]},"
        "\"labels\":{\"tensors\":[\"label\",\"object\",\"background\","
        "\"position\",\"box\",\"visible\",\"image\"]},"
        "\"object\":{\"edge\":\"alpha\",\"feather\":1,\"flip\":0,"
        "\"min_visible\":0.5,\"rotate\":[-15,15],\"scale\":[0.4,0.7],"
        "\"shear\":[-5,5],\"translate\":{\"x\":[0.35,0.65],"
        "\"y\":[0.35,0.65]}},"
        "\"output\":{\"dtype\":\"u8\",\"layout\":\"nhwc\",\"mean\":[0,0,0],"
        "\"std\":[1,1,1]},"
        "\"seed\":0,\"size\":[64,64]}");
    mem_free(text);
}

static void what_only_slices_is_not_in_the_fingerprint(void **state)
{
    struct recipe a = parsed("{\"seed\":5}");
    struct recipe b = parsed(
        "{\"seed\":5,\"batch\":7,\"output\":{\"dtype\":\"f32\",\"layout\":"
        "\"nchw\",\"mean\":[0.5,0.5,0.5],\"std\":[2,2,2]}}");
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
    assert_int_equal(recipe_preset_count(), 4);
    for (uint32_t i = 0; i < recipe_preset_count(); i++) {
        assert_true(strlen(recipe_preset_source(i)) > 20);
    }
    assert_null(recipe_preset_name(4));
    assert_null(recipe_preset_source(4));
    assert_int_equal(recipe_preset("x", &r, &fault), -ERROR_NOT_FOUND);
    assert_non_null(strstr(fault.text, "jin-rinard-signs"));
}

static void words_are_those_of_the_graph(void **state)
{
    for (int i = 0; i <= GRAPH_SHUFFLED; i++) {
        char text[80];
        snprintf(text, sizeof(text), "{\"graph\":{\"order\":\"%s\"}}",
                 graph_order_name((enum graph_order)i));
        assert_int_equal(parsed(text).graph.order, i);
    }
    for (int i = 0; i < 2; i++) {
        char text[120];
        snprintf(text, sizeof(text),
                 "{\"graph\":{\"pairing\":\"%s\",\"balance\":\"%s\"}}",
                 graph_pairing_name((enum graph_pairing)i),
                 graph_balance_name((enum graph_balance)i));
        assert_int_equal(parsed(text).graph.pairing, i);
        assert_int_equal(parsed(text).graph.balance, i);
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
        cmocka_unit_test(bad_input_is_refused_with_its_pointer),
        cmocka_unit_test(broken_json_is_refused_with_line_and_column),
        cmocka_unit_test(text_beyond_the_limit_is_refused),
        cmocka_unit_test(an_empty_recipe_is_the_default),
        cmocka_unit_test(every_kind_of_value_is_read),
        cmocka_unit_test(one_meaning_has_one_spelling),
        cmocka_unit_test(the_canonical_form_reads_back_as_itself),
        cmocka_unit_test(the_canonical_form_of_the_default_is_this),
        cmocka_unit_test(what_only_slices_is_not_in_the_fingerprint),
        cmocka_unit_test(keys_beside_a_preset_override_it),
        cmocka_unit_test(presets_have_names_and_sources),
        cmocka_unit_test(words_are_those_of_the_graph),
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
