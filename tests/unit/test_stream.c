/* Streams: names, fingerprints, and the arithmetic of ranks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "common/fingerprint.h"
#include "server/base/mem.h"
#include "tests/unit/serve_rig.h"

static void check_name(const char *name, int expected)
{
    struct recipe r;
    struct stream *s = NULL;
    struct fault fault = {0};

    recipe_default(&r);
    assert_int_equal(stream_create(name, rig_catalog(), &r, &s, &fault),
                     expected);
    stream_destroy(s);
}

static void names_are_short_and_plain(void **state)
{
    char longest[66];

    check_name("default", 0);
    check_name("A-z_0.9", 0);
    check_name("", -ERROR_BAD_ARGUMENT);
    check_name("a b", -ERROR_BAD_ARGUMENT);
    check_name("a/b", -ERROR_BAD_ARGUMENT);
    check_name("\xc3\xa4", -ERROR_BAD_ARGUMENT);
    memset(longest, 'a', sizeof(longest));
    longest[65] = '\0';
    check_name(longest, -ERROR_BAD_ARGUMENT);
    longest[64] = '\0';
    check_name(longest, 0);
}

static struct digest fingerprint_of(const char *recipe)
{
    struct stream *s = rig_stream(recipe);
    struct digest d = s->fingerprint;
    char hex[DIGEST_HEX_BYTES];

    digest_hex(&d, hex);
    assert_string_equal(hex, s->fingerprint_hex);
    stream_destroy(s);
    return d;
}

static bool same(struct digest a, struct digest b)
{
    return memcmp(a.bytes, b.bytes, DIGEST_BYTES) == 0;
}

static void batch_and_output_are_not_in_the_fingerprint(void **state)
{
    struct digest plain = fingerprint_of("{}");

    assert_true(same(plain, fingerprint_of("{\"batch\": 7}")));
    assert_true(
        same(plain, fingerprint_of("{\"output\": {\"dtype\": \"f32\"}}")));
}

static uint64_t output_of(const char *recipe)
{
    struct stream *s = rig_stream(recipe);
    uint64_t output = s->output;

    stream_destroy(s);
    return output;
}

static void tensors_and_normalisation_are_named_by_output(void **state)
{
    static const char *const same_bytes[] = {
        "{\"batch\": 7}", "{\"output\": {\"dtype\": \"f32\"}}",
        "{\"output\": {\"layout\": \"nchw\"}}"};
    static const char *const others[] = {
        "{\"labels\": {\"tensors\": [\"label\", \"mask\"]}}",
        "{\"output\": {\"channels\": \"grey\"}}",
        "{\"output\": {\"normalize\": \"equalize\"}}",
        "{\"output\": {\"mean\": [1, 0, 0]}}"};
    uint64_t plain = output_of("{}");

    for (size_t i = 0; i < 3; i++)
        assert_true(output_of(same_bytes[i]) == plain);
    for (size_t i = 0; i < 4; i++) {
        assert_true(output_of(others[i]) != plain);
        assert_true(same(fingerprint_of("{}"), fingerprint_of(others[i])));
    }
}

static void a_mismatch_names_the_part(const char *recipe, const char *part)
{
    struct digest a = fingerprint_of("{}"), b = fingerprint_of(recipe);
    char text[FINGERPRINT_TEXT_BYTES];

    fingerprint_explain(a.bytes, b.bytes, text);
    assert_string_equal(text, part);
}

static void a_mismatch_names_what_differs(void **state)
{
    a_mismatch_names_the_part("{}", "nothing differs");
    a_mismatch_names_the_part("{\"seed\": 1}", "the seed differs");
    a_mismatch_names_the_part("{\"size\": 32}", "the recipe differs");
    a_mismatch_names_the_part("{\"size\": 32, \"seed\": 1}",
                              "the recipe and the seed differ");
}

static void what_decides_bytes_is_in_the_fingerprint(void **state)
{
    struct digest plain = fingerprint_of("{}");
    struct catalog *catalog = rig_catalog();

    assert_true(same(plain, fingerprint_of("{}")));
    assert_false(same(plain, fingerprint_of("{\"seed\": 1}")));
    assert_false(same(plain, fingerprint_of("{\"size\": [32, 64]}")));
    assert_false(
        same(plain, fingerprint_of("{\"graph\": {\"order\": \"shuffled\"}}")));
    catalog->digest.bytes[3] ^= 1;
    assert_false(same(plain, fingerprint_of("{}")));
    catalog->digest.bytes[3] ^= 1;
}

static void a_graph_that_does_not_fit_is_refused(void **state)
{
    static const char text[] = "{\"graph\": {\"objects_per_background\": 8}}";
    struct recipe r;
    struct stream *s = NULL;
    struct fault fault = {0};

    assert_int_equal(recipe_parse(text, strlen(text), &r, &fault), 0);
    assert_int_equal(stream_create("s", rig_catalog(), &r, &s, &fault),
                     -ERROR_BAD_RECIPE);
    assert_null(s);
    assert_true(strlen(fault.text) > 0);
}

static void keypoints_that_no_object_has_are_refused(void **state)
{
    static const char text[] = "{\"labels\": {\"tensors\": [\"keypoints\"]}}";
    struct recipe r;
    struct stream *s = NULL;
    struct fault fault = {0};

    assert_int_equal(recipe_parse(text, strlen(text), &r, &fault), 0);
    assert_int_equal(stream_create("s", rig_catalog(), &r, &s, &fault),
                     -ERROR_BAD_RECIPE);
    assert_null(s);
    assert_string_equal(fault.text,
                        "/labels/tensors: keypoints are asked for, but no "
                        "object of the pool has any; a manifest of objects "
                        "gives them");
    rig_catalog()->n_keypoints = 1;
    assert_int_equal(stream_create("s", rig_catalog(), &r, &s, &fault), 0);
    rig_catalog()->n_keypoints = 0;
    stream_destroy(s);
}

static void strokes_want_a_pool_with_outlines(void **state)
{
    static const char text[] = "{\"object\": {\"stroke\": [-1, 1]}}";
    struct catalog *catalog = rig_catalog();
    struct recipe r;
    struct stream *s = NULL;
    struct fault fault = {0};

    assert_int_equal(recipe_parse(text, strlen(text), &r, &fault), 0);
    assert_int_equal(stream_create("s", catalog, &r, &s, &fault),
                     -ERROR_BAD_RECIPE);
    assert_string_equal(fault.text,
                        "/object/stroke: the pool was loaded without outlines");
    catalog->has_strokes = true;
    assert_int_equal(stream_create("s", catalog, &r, &s, &fault), 0);
    catalog->has_strokes = false;
    stream_destroy(s);
}

static void every_allocation_of_create_may_fail(void **state)
{
    struct recipe r;
    struct stream *s = NULL;
    struct fault fault = {0};
    int rc = -1;

    recipe_default(&r);
    for (uint64_t nth = 1; rc < 0; nth++) {
        mem_fail_nth(nth);
        rc = stream_create("s", rig_catalog(), &r, &s, &fault);
        assert_true(rc == 0 || rc == -ERROR_NO_MEMORY);
        assert_true(nth < 1000);
    }
    mem_fail_nth(0);
    stream_destroy(s);
}

static void streams_are_found_by_name(void **state)
{
    struct stream a = {.name = "a"}, b = {.name = "b"};
    struct stream_set set = {.n_streams = 2, .stream = {&a, &b}};

    assert_ptr_equal(stream_find(&set, "b"), &b);
    assert_null(stream_find(&set, "c"));
}

static void ranks_share_a_step_without_gap_or_overlap(void **state)
{
    for (uint32_t world = 1; world <= 12; world++) {
        uint64_t next = 1000;

        if (12 % world != 0)
            continue;
        for (uint32_t rank = 0; rank < world; rank++) {
            struct stream_slice slice;

            assert_int_equal(stream_slice(1000, 12, rank, world, &slice, NULL),
                             0);
            assert_int_equal(slice.first_position, next);
            next += slice.n_samples;
        }
        assert_int_equal(next, 1012);
    }
}

static void impossible_slices_are_refused_with_a_sentence(void **state)
{
    static const struct {
        uint64_t position;
        uint32_t batch, rank, world;
        int expected;
    } rows[] = {
        {0, 0, 0, 1, -ERROR_BAD_ARGUMENT},
        {0, RECIPE_MAX_BATCH + 1, 0, 1, -ERROR_TOO_LARGE},
        {0, 2 * RECIPE_MAX_BATCH, 1, 2, 0},
        {0, RECIPE_MAX_BATCH, 0, 1, 0},
        {0, 8, 0, 0, -ERROR_BAD_ARGUMENT},
        {0, 8, 0, 3, -ERROR_BAD_ARGUMENT},
        {0, 8, 4, 4, -ERROR_BAD_ARGUMENT},
        {0, 8, 0, 16, -ERROR_BAD_ARGUMENT},
        {(UINT64_C(1) << 63) - 8, 8, 3, 4, 0},
        {(UINT64_C(1) << 63) - 7, 8, 0, 4, -ERROR_BAD_ARGUMENT},
        {UINT64_MAX, 8, 0, 4, -ERROR_BAD_ARGUMENT},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct stream_slice slice;
        struct fault fault = {0};

        assert_int_equal(stream_slice(rows[i].position, rows[i].batch,
                                      rows[i].rank, rows[i].world, &slice,
                                      &fault),
                         rows[i].expected);
        assert_int_equal(strlen(fault.text) > 0, rows[i].expected != 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_short_and_plain),
        cmocka_unit_test(batch_and_output_are_not_in_the_fingerprint),
        cmocka_unit_test(tensors_and_normalisation_are_named_by_output),
        cmocka_unit_test(a_mismatch_names_what_differs),
        cmocka_unit_test(what_decides_bytes_is_in_the_fingerprint),
        cmocka_unit_test(a_graph_that_does_not_fit_is_refused),
        cmocka_unit_test(keypoints_that_no_object_has_are_refused),
        cmocka_unit_test(strokes_want_a_pool_with_outlines),
        cmocka_unit_test(every_allocation_of_create_may_fail),
        cmocka_unit_test(streams_are_found_by_name),
        cmocka_unit_test(ranks_share_a_step_without_gap_or_overlap),
        cmocka_unit_test(impossible_slices_are_refused_with_a_sentence),
    };

    return cmocka_run_group_tests(tests, rig_make_catalog, rig_drop_catalog);
}
