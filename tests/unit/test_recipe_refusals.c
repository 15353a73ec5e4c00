/* Recipes that are refused: each with its exact pointer and sentence, and the
 * caller's recipe untouched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/recipe/operation.h"
#include "server/recipe/recipe.h"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static int parse(const char *text, struct recipe *out, struct fault *fault)
{
    return recipe_parse(text, strlen(text), out, fault);
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

static const struct {
    const char *text, *sentence;
} refusals[] = {
    {"[]", "/: must be an object, not an array"},
    {"{\"scale\":1}",
     "/scale: unknown key; known here: preset, size, batch, seed, graph, "
     "background, object, distractor, candidates, image, context, chain, "
     "labels, output"},
    {"{\"object\":{\"translate\":{\"z\":1}}}",
     "/object/translate/z: unknown key; known here: x, y"},
    {"{\"object\":{\"translate\":0.5}}",
     "/object/translate: must be an object, not a number with a fraction"},
    {"{\"object\":[]}", "/object: must be an object, not an array"},
    {"{\"a/b~c\":1}",
     "/a~1b~0c: unknown key; known here: preset, size, batch, seed, graph, "
     "background, object, distractor, candidates, image, context, chain, "
     "labels, output"},
    {"{\"object\":{\"scale\":[0.1,-3]}}",
     "/object/scale/1: must be at least 0.01, not -3"},
    {"{\"object\":{\"scale\":0}}",
     "/object/scale: must be at least 0.01, not 0"},
    {"{\"object\":{\"scale\":[0,0.5]}}",
     "/object/scale/0: must be at least 0.01, not 0"},
    {"{\"background\":{\"scale\":0}}",
     "/background/scale: must be at least 0.01, not 0"},
    {"{\"object\":{\"scale\":{\"log_uniform\":[1,0.5]}}}",
     "/object/scale/log_uniform: the lower bound 1 is above the upper 0.5"},
    {"{\"object\":{\"scale\":[]}}",
     "/object/scale: must be [lo, hi], not an array of 0"},
    {"{\"object\":{\"scale\":1e300}}",
     "/object/scale: must be at most 4, not 1e+300"},
    {"{\"image\":{\"operations\":[{\"op\":\"gaussian_noise\",\"sigma\":[5,1]}]"
     "}}",
     "/image/operations/0/sigma: the lower bound 5 is above the upper 1"},
    {"{\"image\":{\"operations\":[{\"op\":\"downscale\",\"factor\":0}]}}",
     "/image/operations/0/factor: must be at least 0.05, not 0"},
    {"{\"object\":{\"scale\":5}}", "/object/scale: must be at most 4, not 5"},
    {"{\"object\":{\"scale\":[0.7,0.4]}}",
     "/object/scale: the lower bound 0.7 is above the upper 0.4"},
    {"{\"object\":{\"scale\":[0.7]}}",
     "/object/scale: must be [lo, hi], not an array of 1"},
    {"{\"object\":{\"scale\":\"big\"}}",
     "/object/scale: must be a number, [lo, hi] or an object with one of "
     "log_uniform, normal, choice, not a string"},
    {"{\"object\":{\"scale\":{\"uniform\":[0.1,1]}}}",
     "/object/scale: must have exactly one of the keys log_uniform, "
     "normal, choice, or from, to and over"},
    {"{\"object\":{\"scale\":{\"normal\":[1,0],\"choice\":[1]}}}",
     "/object/scale: must have exactly one of the keys log_uniform, "
     "normal, choice, or from, to and over"},
    {"{\"object\":{\"scale\":{\"normal\":[1,-1]}}}",
     "/object/scale/normal/1: must be at least 0, not -1"},
    {"{\"object\":{\"scale\":{\"choice\":[]}}}",
     "/object/scale/choice: must be an array of 1 to 16 numbers"},
    {"{\"object\":{\"scale\":{\"choice\":[1,null]}}}",
     "/object/scale/choice/1: must be a number, not null"},
    {"{\"object\":{\"rotate\":{\"log_uniform\":[0,1]}}}",
     "/object/rotate/log_uniform/0: must be greater than 0, not 0"},
    /* Their logarithms are beyond what can be raised again. */
    {"{\"object\":{\"elastic\":{\"log_uniform\":[5e-324,1]}}}",
     "/object/elastic/log_uniform/0: must be at least 1e-300, not 5e-324"},
    {"{\"object\":{\"elastic\":{\"from\":1e-301,\"to\":{\"log_uniform\":[1,2]},"
     "\"over\":[1,9]}}}",
     "/object/elastic/from: must be at least 1e-300, as log_uniform is"},
    {"{\"object\":{\"scale\":{\"from\":1,\"to\":2}}}",
     "/object/scale: a curriculum has the keys from, to and over"},
    {"{\"object\":{\"scale\":{\"from\":1,\"to\":[1,5],\"over\":[0,9]}}}",
     "/object/scale/to/1: must be at most 4, not 5"},
    {"{\"object\":{\"scale\":{\"from\":{\"log_uniform\":[1,2]},\"to\":[1,2],"
     "\"over\":[0,9]}}}",
     "/object/scale/to: must be of the same kind as from"},
    {"{\"object\":{\"scale\":{\"from\":{\"choice\":[1,2]},\"to\":1,"
     "\"over\":[0,9]}}}",
     "/object/scale/from: a choice cannot move"},
    {"{\"object\":{\"scale\":{\"from\":1,\"to\":{\"choice\":[1,2]},"
     "\"over\":[0,9]}}}",
     "/object/scale/to: a choice cannot move"},
    {"{\"object\":{\"rotate\":{\"from\":0,\"to\":{\"log_uniform\":[1,2]},"
     "\"over\":[0,9]}}}",
     "/object/rotate/from: must be greater than 0, as log_uniform is"},
    {"{\"object\":{\"scale\":{\"from\":{\"from\":1,\"to\":2,\"over\":[0,9]},"
     "\"to\":1,\"over\":[0,9]}}}",
     "/object/scale/from: must have exactly one of the keys log_uniform, "
     "normal, choice, or from, to and over"},
    {"{\"object\":{\"scale\":{\"from\":1,\"to\":2,\"over\":[9,9]}}}",
     "/object/scale/over: the first position must be below the last"},
    {"{\"object\":{\"scale\":{\"from\":1,\"to\":2,\"over\":[-1,9]}}}",
     "/object/scale/over/0: must be an integer from 0 to 2^63-1"},
    {"{\"object\":{\"scale\":{\"from\":1,\"to\":2,\"over\":9}}}",
     "/object/scale/over: must be [first, last], not an integer"},
    {"{\"object\":{\"flip\":{\"from\":0,\"to\":[0,1],\"over\":[0,9]}}}",
     "/object/flip: must be a number, or move from one to another"},
    {"{\"context\":{\"background\":{\"from\":1,\"to\":0,\"over\":[3,9]},"
     "\"noise\":{\"from\":0,\"to\":1,\"over\":[9,20]}}}",
     "/context: the weights of background, noise, solid, gaussian_noise, "
     "gradient and texture are all 0 at position 9"},
    {"{\"image\":{\"operations\":[{\"one_of\":[{\"op\":\"exposure\",\"weight\":"
     "{\"from\":0,\"to\":1,\"over\":[3,9]}},{\"op\":\"exposure\","
     "\"weight\":0}]}]}}",
     "/image/operations/0/one_of: the weights are all 0 at position 3"},
    {"{\"object\":{\"shear\":61}}",
     "/object/shear: must be at most 60, not 61"},
    {"{\"object\":{\"flip\":[0,1]}}",
     "/object/flip: must be a number, not an array"},
    {"{\"object\":{\"edge\":\"soft\"}}",
     "/object/edge: must be one of \"hard\", \"alpha\", \"feather\", "
     "\"box\", \"eroded\", \"motion\", or {\"choice\": [...]} or "
     "{\"every\": [...]} of them"},
    {"{\"object\":{\"edge\":{\"every\":[\"box\"],\"choice\":[\"box\"]}}}",
     "/object/edge: must be one of \"hard\", \"alpha\", \"feather\", "
     "\"box\", \"eroded\", \"motion\", or {\"choice\": [...]} or "
     "{\"every\": [...]} of them"},
    {"{\"object\":{\"edge\":{\"every\":\"box\"}}}",
     "/object/edge/every: must be an array of one word or more"},
    {"{\"object\":{\"edge\":{\"every\":[\"box\",\"none\"]}}}",
     "/object/edge/every/1: must be one of \"hard\", \"alpha\", "
     "\"feather\", \"box\", \"eroded\", \"motion\""},
    {"{\"object\":{\"edge\":{\"every\":[\"box\",\"hard\",\"box\"]}}}",
     "/object/edge/every/2: box is named twice"},
    {"{\"object\":{\"edge\":{\"choice\":[]}}}",
     "/object/edge/choice: must be an array of one word or more"},
    {"{\"object\":{\"edge\":{\"choice\":[\"box\",\"box\"]}}}",
     "/object/edge/choice/1: box is named twice"},
    {"{\"object\":{\"motion_length\":[3,32]}}",
     "/object/motion_length/1: must be at most 31, not 32"},
    {"{\"object\":{\"stroke\":{\"choice\":[0,-17]}}}",
     "/object/stroke/choice/1: must be at least -16, not -17"},
    {"{\"object\":{\"match\":[0,1.5]}}",
     "/object/match/1: must be at most 1, not 1.5"},
    {"{\"object\":{\"match_mode\":\"std\"}}",
     "/object/match_mode: must be one of \"mean\", \"mean_std\", \"luma\""},
    {"{\"object\":{\"motion_angle\":\"up\"}}",
     "/object/motion_angle: must be a number, [lo, hi] or an object with one "
     "of log_uniform, normal, choice, not a string"},
    {"{\"object\":{\"perspective\":0.7}}",
     "/object/perspective: must be at most 0.6, not 0.7"},
    {"{\"image\":{\"brightness\":4,\"contrast\":4}}",
     "/image: brightness, contrast and saturation together multiply by up to "
     "18.8; the fixed-point range of the matrix of colour ends below 8 "
     "(operations one after the other have no such limit)"},
    {"{\"object\":{\"saturation\":{\"from\":1,\"to\":[1,4],\"over\":[0,9]},"
     "\"contrast\":{\"normal\":[1,0.2]}}}",
     "/object: brightness, contrast and saturation together multiply by up to "
     "9.95; the fixed-point range of the matrix of colour ends below 8 "
     "(operations one after the other have no such limit)"},
    {"{\"background\":{\"brightness\":{\"choice\":[1,4]},\"contrast\":2}}",
     "/background: brightness, contrast and saturation together multiply by up "
     "to 8; the fixed-point range of the matrix of colour ends below 8 "
     "(operations one after the other have no such limit)"},
    {"{\"background\":{\"scale\":[0.5,1.5]}}",
     "/background/scale: above 1 the window is larger than the background; say "
     "with /background/padding what lies beyond it (edge, reflect, wrap or "
     "colour)"},
    {"{\"background\":{\"scale\":{\"choice\":[0.5,2]}}}",
     "/background/scale: above 1 the window is larger than the background; say "
     "with /background/padding what lies beyond it (edge, reflect, wrap or "
     "colour)"},
    {"{\"background\":{\"scale\":{\"from\":[0.5,1],\"to\":[0.5,2],\"over\":[0,"
     "100]}}}",
     "/background/scale: above 1 the window is larger than the background; say "
     "with /background/padding what lies beyond it (edge, reflect, wrap or "
     "colour)"},
    {"{\"background\":{\"padding\":\"mirror\"}}",
     "/background/padding: must be one of \"fit\", \"edge\", \"reflect\", "
     "\"wrap\", \"colour\""},
    {"{\"background\":{\"rotate\":361}}",
     "/background/rotate: must be at most 360, not 361"},
    {"{\"object\":{\"min_visible\":1.5}}",
     "/object/min_visible: must be at most 1, not 1.5"},
    {"{\"image\":{\"operations\":{}}}",
     "/image/operations: must be an array of operations, not an object"},
    {"{\"image\":{\"operations\":[3]}}",
     "/image/operations/0: must be an object, not an integer"},
    {"{\"image\":{\"operations\":[{\"op\":\"box_blur\",\"kx\":33}]}}",
     "/image/operations/0/kx: must be at most 31, not 33"},
    {"{\"image\":{\"operations\":[{\"op\":\"exposure\"},"
     "{\"op\":\"gaussian_blur\",\"sigma\":[0.5,{}]}]}}",
     "/image/operations/1/sigma/1: must be a number, not an object"},
    {"{\"image\":{\"operations\":[{\"op\":\"box_blur\",\"weight\":1}]}}",
     "/image/operations/0/weight: unknown key; known here: op, probability, "
     "kx, ky"},
    {"{\"image\":{\"operations\":[{\"op\":\"exposure\","
     "\"probability\":1.5}]}}",
     "/image/operations/0/probability: must be at most 1, not 1.5"},
    {"{\"image\":{\"operations\":[{\"one_of\":[{\"op\":\"exposure\"}]}]}}",
     "/image/operations/0/one_of: must be an array of two operations or "
     "more"},
    {"{\"image\":{\"operations\":[{\"one_of\":[{\"op\":\"exposure\"},"
     "{\"op\":\"exposure\",\"probability\":1}]}]}}",
     "/image/operations/0/one_of/1/probability: unknown key; known here: op, "
     "weight, factor"},
    {"{\"image\":{\"operations\":[{\"one_of\":[{\"op\":\"exposure\","
     "\"weight\":0},{\"op\":\"exposure\",\"weight\":0}]}]}}",
     "/image/operations/0/one_of: the weights are all 0"},
    {"{\"image\":{\"operations\":[{\"one_of\":[],\"op\":\"exposure\"}]}}",
     "/image/operations/0/op: unknown key; known here: one_of, probability"},
    {"{\"background\":{\"operations\":[{\"op\":\"jpeg\",\"quality\":0}]}}",
     "/background/operations/0/quality: must be at least 1, not 0"},
    {"{\"object\":{\"operations\":[{\"op\":\"invert\"},"
     "{\"op\":\"invert\",\"probability\":2}]}}",
     "/object/operations/1/probability: must be at most 1, not 2"},
    {"{\"object\":{\"operations\":[{\"one_of\":[{\"op\":\"hue\",\"weight\":0},"
     "{\"op\":\"jitter\",\"weight\":0}]}]}}",
     "/object/operations/0/one_of: the weights are all 0"},
    {"{\"object\":{\"operations\":[{\"op\":\"jitter\",\"hue\":[-0.6,0]}]}}",
     "/object/operations/0/hue/0: must be at least -0.5, not -0.6"},
    {"{\"background\":{\"operation_order\":1}}",
     "/background/operation_order: must be one of \"given\", \"random\""},
    {"{\"image\":{\"operation_order\":\"any\"}}",
     "/image/operation_order: must be one of \"given\", \"random\""},
    {"{\"size\":0}", "/size: must be at least 1, not 0"},
    {"{\"size\":[64,4096]}", "/size/1: must be at most 2048, not 4096"},
    {"{\"size\":[64,64.5]}",
     "/size/1: must be an integer, not a number with a fraction"},
    {"{\"size\":[64,64,3]}",
     "/size: must be [h, w] or one integer, not an array of 3"},
    {"{\"size\":\"64\"}", "/size: must be [h, w] or one integer, not a string"},
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
     "/context: the weights of background, noise, solid, "
     "gaussian_noise, gradient and texture are all 0"},
    {"{\"context\":{\"texture_kind\":{\"every\":[\"noise\",\"checker\"]}}}",
     "/context/texture_kind/every: only object/edge has every"},
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
    {"{\"labels\":{\"tensors\":[\"label\",\"depth\"]}}",
     "/labels/tensors/1: must be one of label, object, background, "
     "position, box, visible, distractor, candidate, keypoints, mask, plane, "
     "context, image"},
    {"{\"distractor\":{\"probability\":1.5}}",
     "/distractor/probability: must be at most 1, not 1.5"},
    {"{\"distractor\":{\"scale\":[0.4,9]}}",
     "/distractor/scale/1: must be at most 4, not 9"},
    {"{\"distractor\":{\"min_visible\":1}}",
     "/distractor/min_visible: unknown key; known here: probability, scale, "
     "translate"},
    {"{\"labels\":{\"tensors\":[\"box\",\"box\"]}}",
     "/labels/tensors/1: box is named twice"},
    {"{\"labels\":{\"tensors\":\"box\"}}",
     "/labels/tensors: must be an array of names, not a string"},
    {"{\"output\":{\"dtype\":\"f64\"}}",
     "/output/dtype: must be one of \"u8\", \"f16\", \"bf16\", \"f32\""},
    {"{\"output\":{\"normalize\":\"max\"}}",
     "/output/normalize: must be one of \"none\", \"min-max\", \"mean-std\", "
     "\"equalize\""},
    {"{\"output\":{\"normalize_region\":0}}",
     "/output/normalize_region: must be at least 0.01, not 0"},
    {"{\"output\":{\"channels\":\"gray\"}}",
     "/output/channels: must be one of \"rgb\", \"bgr\", \"grey\""},
    {"{\"output\":{\"std\":[1,1,0]}}",
     "/output/std/2: must be at least 1e-06, not 0"},
    {"{\"output\":{\"mean\":0}}",
     "/output/mean: must be three numbers [r, g, b], not an integer"},
    {"{\"preset\":\"photos\"}",
     "/preset: no preset of this name; there are: default, "
     "jin-rinard-signs, jin-rinard-signs-curriculum, jin-rinard-signs-chain, "
     "jin-rinard-digits, jin-rinard-digits-curriculum, "
     "jin-rinard-digits-chain, synsign, cut-paste-learn, copy-paste, bench"},
    {"{\"preset\":1}", "/preset: must be the name of a preset, not an integer"},
};

static void bad_input_is_refused_with_its_pointer(void **state)
{
    for (size_t i = 0; i < COUNT(refusals); i++) {
        expect_refusal(refusals[i].text, refusals[i].sentence);
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
        {"{\"object\":{\"scale\":[NaN,1]}}", "line 1, column "},
        {"{\"object\":{\"rotate\":-Infinity}}", "line 1, column "},
        {"{\"size\":99999999999999999999}", "line 1, column "},
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

/* Sixteen are read, a seventeenth is not, alone or as an alternative. */
static void the_list_of_operations_is_bounded(void **state)
{
    for (int n = 16; n <= 17; n++) {
        for (int in_choice = 0; in_choice <= 1; in_choice++) {
            char text[1000] = "{\"image\":{\"operations\":[";
            strcat(text, in_choice ? "{\"one_of\":[" : "");
            for (int i = 0; i < n; i++) {
                strcat(text, i > 0 ? "," : "");
                strcat(text, "{\"op\":\"exposure\"}");
            }
            strcat(text, in_choice ? "]}]}}" : "]}}");
            struct recipe r;
            struct fault fault = {0};
            assert_int_equal(parse(text, &r, &fault),
                             n == 16 ? 0 : -ERROR_BAD_RECIPE);
            assert_true(n == 16 || strstr(fault.text, "16") != NULL);
        }
    }
}

static void an_unknown_operation_is_told_the_known_ones(void **state)
{
    static const char *const sections[] = {"image", "background", "object"};
    for (size_t k = 0; k < sizeof(sections) / sizeof(sections[0]); k++) {
        struct recipe r;
        struct fault fault = {0};
        char text[100], start[100];
        snprintf(text, sizeof(text),
                 "{\"%s\":{\"operations\":[{\"op\":\"blur\"}]}}", sections[k]);
        snprintf(start, sizeof(start),
                 "/%s/operations/0/op: must be one of box_blur, ", sections[k]);
        assert_int_equal(parse(text, &r, &fault), -ERROR_BAD_RECIPE);
        assert_memory_equal(fault.text, start, strlen(start));
        for (uint32_t i = 0; i < OPERATION_N; i++) {
            assert_non_null(strstr(fault.text, operation_table[i].name));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_list_of_operations_is_bounded),
        cmocka_unit_test(an_unknown_operation_is_told_the_known_ones),
        cmocka_unit_test(bad_input_is_refused_with_its_pointer),
        cmocka_unit_test(broken_json_is_refused_with_line_and_column),
        cmocka_unit_test(text_beyond_the_limit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
