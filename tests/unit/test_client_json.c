/* pastectl's scanner of JSON: finding, walking, unquoting; and that damaged
 * text ends a walk inside its bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/cli/json.h"

static const char text[] = " {\"a\": [1, [2, \"]\"], {\"b\": null}] , "
                           "\"c\":\"x \\\"y\\\" \\n\\u0041\\u00e9\","
                           "\"empty\":{}, \"none\": [ ], \"last\" : -1.5e3 }\n";

static const char *as_text(struct json value)
{
    static char out[64];
    return json_text(value, out, sizeof out);
}

static void members_are_found(void **state)
{
    struct json all = json_read(text);
    assert_string_equal(as_text(json_member(all, "last")), "-1.5e3");
    assert_string_equal(as_text(json_member(all, "c")), "x \"y\" \nA?");
    assert_string_equal(as_text(json_member(all, "empty")), "{}");
    assert_null(json_member(all, "b").at);
    assert_null(json_member(all, "").at);
    assert_null(json_member(json_member(all, "empty"), "a").at);
    assert_null(json_member(json_member(all, "a"), "b").at);
    assert_false(json_given(json_member(all, "nothing")));
}

static void arrays_are_walked(void **state)
{
    struct json list = json_member(json_read(text), "a"), item = {0};
    item = json_next(list, item);
    assert_string_equal(as_text(item), "1");
    item = json_next(list, item);
    assert_string_equal(as_text(item), "[2, \"]\"]");
    item = json_next(list, item);
    assert_false(json_given(json_member(item, "b")));
    assert_null(json_next(list, item).at);
    struct json none = json_member(json_read(text), "none");
    assert_null(json_next(none, (struct json){0}).at);
}

static void text_is_cut_to_fit(void **state)
{
    char out[4];
    struct json value = json_member(json_read(text), "c");
    assert_string_equal(json_text(value, out, sizeof out), "x \"");
    assert_string_equal(json_text((struct json){0}, out, sizeof out), "");
}

static size_t walk(struct json value, size_t n)
{
    struct json item = {0};
    while ((item = json_next(value, item)).at != NULL)
        n += strlen(as_text(item)) + 1;
    return n + strlen(as_text(json_member(value, "last")));
}

/* Each beginning of the text, and each with one byte changed, in a block of its
 * exact size. */
static void damaged_text_ends_the_walk(void **state)
{
    for (size_t cut = 0; cut < sizeof text; cut++)
        for (int change = 0; change < 6; change++) {
            char *copy = calloc(1, cut + 1);
            assert_non_null(copy);
            memcpy(copy, text, cut);
            if (change > 0 && cut > 0)
                copy[cut / 2] = "\"\\{]:,"[change - 1];
            struct json all = json_read(copy);
            walk(all, 0);
            walk(json_member(all, "a"), 0);
            walk(json_member(all, "c"), 0);
            free(copy);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_found),
        cmocka_unit_test(arrays_are_walked),
        cmocka_unit_test(text_is_cut_to_fit),
        cmocka_unit_test(damaged_text_ends_the_walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
