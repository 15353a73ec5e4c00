/* Manifests: what they may say, and that everything else is refused where it
 * stands and with a sentence. Natural order beside them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/base/mem.h"
#include "server/pool/manifest.h"
#include "server/pool/natural.h"
#include "tests/unit/pool_files.h"

struct result {
    struct pool_entries list;
    struct manifest_classes classes;
    struct fault fault;
    int code;
};

static struct result parse(const char *json, enum pool_matte matte)
{
    const struct pool_config config = {.matte = matte,
                                       .limits = pool_limits_default()};
    struct result r = {0};

    r.code = manifest_parse(json, strlen(json), "pool/objects.json", &config,
                            &r.list, &r.classes, &r.fault);
    return r;
}

static void release(struct result *r)
{
    pool_entries_fini(&r->list);
    manifest_classes_fini(&r->classes);
}

static void a_full_manifest_is_read(void **state)
{
    struct result r =
        parse("{\"classes\": [\"b\", \"a\"], \"objects\": ["
              "{\"path\": \"x/1.png\", \"class\": \"a\", \"matte\": "
              "\"mask-inverted\", \"mask\": \"x/cut.png\", "
              "\"keypoints\": [[1, 2.5], [-3e2, 4]], \"size_mm\": 900},"
              "{\"path\": \"2.jpg\", \"class\": \"b\"},"
              "{\"path\": \"3.jpg\", \"class\": \"b\", \"mask\": \"m.png\"}]}",
              POOL_MATTE_CORNERS);

    assert_int_equal(r.code, 0);
    assert_int_equal(r.classes.n, 2);
    assert_string_equal(r.classes.names[0], "b");
    assert_int_equal(r.list.n, 3);
    const struct pool_entry *e = r.list.at;

    assert_string_equal(e[0].name, "x/1.png");
    assert_string_equal(e[0].path, "pool/x/1.png");
    assert_string_equal(e[0].class_name, "a");
    assert_int_equal(e[0].matte, POOL_MATTE_MASK_INVERTED);
    assert_string_equal(e[0].mask_path, "pool/x/cut.png");
    assert_int_equal(e[0].n_keypoints, 2);
    assert_true(e[0].keypoints[0].x == 1 && e[0].keypoints[0].y == 2.5);
    assert_true(e[0].keypoints[1].x == -300 && e[0].keypoints[1].y == 4);
    assert_true(e[0].size_mm == 900);
    assert_int_equal(e[1].matte, POOL_MATTE_CORNERS);
    assert_null(e[1].mask_path);
    assert_int_equal(e[2].matte, POOL_MATTE_MASK);
    release(&r);
}

/* What one object says, with the rest of the manifest around it. */
static void refuses(const char *object, const char *where, const char *what)
{
    char json[1024];

    snprintf(json, sizeof(json),
             "{\"objects\": [{\"path\": \"1.png\", \"class\": \"a\"}, %s]}",
             object);
    struct result r = parse(json, POOL_MATTE_ALPHA);

    if (r.code != -ERROR_BAD_FILE || !strstr(r.fault.text, where) ||
        !strstr(r.fault.text, what))
        fail_msg("%s\n  gave %d \"%s\"\n  wanted \"%s\" and \"%s\"", object,
                 r.code, r.fault.text, where, what);
    release(&r);
}

static void what_is_wrong_is_refused_where_it_stands(void **state)
{
    refuses("7", "pool/objects.json:/objects/1: ", "object");
    refuses("{\"class\": \"a\"}", ":/objects/1/path: ", "path");
    refuses("{\"path\": 3, \"class\": \"a\"}", ":/objects/1/path: ", "path");
    refuses("{\"path\": \"a.png\"}", ":/objects/1/class: ", "text");
    refuses("{\"path\": \"a.png\", \"class\": \"\"}", "/class: ", "text");
    refuses("{\"path\": \"a.png\", \"class\": \"a\", \"color\": 1}",
            ":/objects/1: ", "\"color\"");
    refuses("{\"path\": \"a.png\", \"class\": \"a\", \"matte\": \"flood\"}",
            "/matte: ", "corners");
    refuses("{\"path\": \"a.png\", \"class\": \"a\", \"matte\": \"alpha\", "
            "\"mask\": \"m.png\"}",
            "/mask: ", "contradicts");
    refuses("{\"path\": \"a.png\", \"class\": \"a\", \"mask\": 1}",
            "/mask: ", "path");
    refuses("{\"path\": \"a.png\", \"class\": \"a\", \"keypoints\": [[1]]}",
            "/keypoints: ", "[x, y]");
    refuses("{\"path\": \"a.png\", \"class\": \"a\", \"keypoints\": "
            "[[1, 1e7]]}",
            "/keypoints: ", "[x, y]");
    refuses("{\"path\": \"a.png\", \"class\": \"a\", \"keypoints\": 2}",
            "/keypoints: ", "list");
    refuses("{\"path\": \"a.png\", \"class\": \"a\", \"size_mm\": 0}",
            "/size_mm: ", "above 0");
    refuses("{\"path\": \"a.png\", \"class\": \"a\", \"size_mm\": \"9\"}",
            "/size_mm: ", "number");
}

static void no_path_leaves_the_folder(void **state)
{
    static const char *const PATHS[] = {
        "",     "/etc/passwd", "..",       "../a.png",   "x/../../a.png",
        "x/..", "x/../a.png",  "./../../", "a//../b.png"};

    for (size_t i = 0; i < sizeof(PATHS) / sizeof(PATHS[0]); i++) {
        char object[200];

        snprintf(object, sizeof(object), "{\"path\": \"%s\", \"class\": \"a\"}",
                 PATHS[i]);
        refuses(object, "/path: ", "");
        snprintf(object, sizeof(object),
                 "{\"path\": \"a.png\", \"class\": \"a\", \"mask\": \"%s\"}",
                 PATHS[i]);
        refuses(object, "/mask: ", "");
    }
    struct result r = parse("{\"objects\": [{\"path\": \"..a/b..png/...\", "
                            "\"class\": \"a\"}]}",
                            POOL_MATTE_ALPHA);

    assert_int_equal(r.code, 0);
    release(&r);
}

static void broken_json_is_refused_with_its_line(void **state)
{
    static const char *const TEXTS[] = {
        "",
        "{",
        "[]",
        "null",
        "{}",
        "{\"objects\": 3}",
        "{\"objects\": [], \"extra\": 1}",
        "{\"objects\": [], \"objects\": []}",
        "{\"objects\": [], \"classes\": []}",
        "{\"objects\": [], \"classes\": [1]}",
        "{\"objects\": []} x",
        "{\"objects\": [{\"path\": \"a\\u0000b\", \"class\": \"a\"}]}",
        "{\"objects\": [{\"path\": \"\xff\", \"class\": \"a\"}]}",
    };

    for (size_t i = 0; i < sizeof(TEXTS) / sizeof(TEXTS[0]); i++) {
        struct result r = parse(TEXTS[i], POOL_MATTE_ALPHA);

        assert_int_equal(r.code, -ERROR_BAD_FILE);
        assert_int_equal(strncmp(r.fault.text, "pool/objects.json:", 18), 0);
        release(&r);
    }
    struct result r = parse("{\n\n  oops", POOL_MATTE_ALPHA);

    assert_non_null(strstr(r.fault.text, "line 3"));
    release(&r);
}

static void every_failed_allocation_is_told(void **state)
{
    static const char JSON[] =
        "{\"classes\": [\"a\"], \"objects\": [{\"path\": \"x.png\", \"class\": "
        "\"a\", \"mask\": \"m.png\", \"keypoints\": [[1, 2]]}]}";
    uint64_t nth = 1;

    for (;; nth++) {
        mem_fail_nth(nth);
        struct result r = parse(JSON, POOL_MATTE_ALPHA);

        mem_fail_nth(0);
        release(&r);
        if (r.code == 0)
            break;
        assert_int_equal(r.code, -ERROR_NO_MEMORY);
    }
    assert_in_range(nth, 6, 20);
}

static void two_comes_before_ten(void **state)
{
    static const char *const ORDER[] = {"",
                                        "0",
                                        "00",
                                        "01",
                                        "1",
                                        "2",
                                        "10",
                                        "10a",
                                        "99999999999999999999",
                                        "100000000000000000000",
                                        "A",
                                        "a",
                                        "a/b",
                                        "a1",
                                        "a1b2",
                                        "a1b10",
                                        "a2",
                                        "a10",
                                        "ab",
                                        "b/2/x",
                                        "b/10/x",
                                        "b-1",
                                        "\xc3\xa4"};
    const size_t n = sizeof(ORDER) / sizeof(ORDER[0]);

    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++) {
            const int order = natural_compare(ORDER[i], ORDER[j]);

            if ((i < j && order >= 0) || (i == j && order != 0) ||
                (i > j && order <= 0))
                fail_msg("\"%s\" and \"%s\" compare as %d", ORDER[i], ORDER[j],
                         order);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_manifest_is_read),
        cmocka_unit_test(what_is_wrong_is_refused_where_it_stands),
        cmocka_unit_test(no_path_leaves_the_folder),
        cmocka_unit_test(broken_json_is_refused_with_its_line),
        cmocka_unit_test(every_failed_allocation_is_told),
        cmocka_unit_test(two_comes_before_ten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
