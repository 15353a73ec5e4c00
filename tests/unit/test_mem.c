/* Allocation: counting, failing on purpose, products that overflow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/base/mem.h"

static void memory_is_zeroed_and_counted(void **state)
{
    uint64_t before = mem_allocations();
    unsigned char *p = mem_calloc(100, 7);

    assert_non_null(p);
    for (int i = 0; i < 700; i++)
        assert_int_equal(p[i], 0);
    p = mem_realloc(p, 9000);
    assert_non_null(p);
    mem_free(p);
    mem_free(NULL);
    assert_int_equal(mem_allocations() - before, 2);
}

static void nothing_of_something_is_not_null(void **state)
{
    void *p = mem_calloc(0, 8);

    assert_non_null(p);
    mem_free(p);
}

static void a_product_that_overflows_fails(void **state)
{
    volatile size_t huge = SIZE_MAX / 2;
    uint64_t before = mem_allocations();

    assert_null(mem_calloc(huge, 3));
    assert_int_equal(mem_allocations(), before);
}

static void a_copy_of_text_is_its_own(void **state)
{
    char text[] = "abc";
    char *copy = mem_strdup(text);

    text[0] = 'x';
    assert_string_equal(copy, "abc");
    mem_free(copy);
}

static void the_nth_allocation_fails_once(void **state)
{
    void *a, *b, *d;

    mem_fail_nth(2);
    a = mem_calloc(1, 1);
    b = mem_calloc(1, 1);
    d = mem_calloc(1, 1);
    assert_non_null(a);
    assert_null(b);
    assert_non_null(d);
    mem_fail_nth(1);
    assert_null(mem_realloc(a, 10)); /* a stays */
    mem_fail_nth(1);
    assert_null(mem_strdup("text"));
    mem_fail_nth(1);
    mem_fail_nth(0);
    a = mem_realloc(a, 10);
    assert_non_null(a);
    mem_free(a);
    mem_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_counted),
        cmocka_unit_test(nothing_of_something_is_not_null),
        cmocka_unit_test(a_product_that_overflows_fails),
        cmocka_unit_test(a_copy_of_text_is_its_own),
        cmocka_unit_test(the_nth_allocation_fails_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
