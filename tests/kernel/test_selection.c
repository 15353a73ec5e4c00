/* Which table of kernels is in use. Runs no kernel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "server/pixel/kernels.h"

static void selection_knows_its_names(void **state)
{
    struct fault fault = {0};
    assert_int_equal(pixel_kernels_select("reference", &fault), 0);
    assert_string_equal(pixel_kernels()->name, "reference");
    assert_int_equal(pixel_kernels_select("abacus", &fault), -ERROR_BAD_CONFIG);
    assert_non_null(strstr(fault.text, "reference"));
    assert_string_equal(pixel_kernels()->name, "reference");
    assert_int_equal(pixel_kernels_select(NULL, &fault), 0);
    assert_non_null(pixel_kernels());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(selection_knows_its_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
