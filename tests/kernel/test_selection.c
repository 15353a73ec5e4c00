/* Which table of kernels is in use. Runs no kernel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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

/* A row that an instruction set forgot would be called as a NULL. */
static void every_table_is_complete(void **state)
{
    static const char *const names[] = {"reference", "x86-64-v3", "x86-64-v4"};
    struct fault fault = {0};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (pixel_kernels_select(names[i], &fault) != 0)
            continue; /* not on this CPU */
        const struct pixel_kernels *k = pixel_kernels();
        const unsigned char *member = (const unsigned char *)k;
        for (size_t at = 0; at < sizeof(*k); at += sizeof(void *)) {
            uintptr_t pointer;
            memcpy(&pointer, member + at, sizeof(pointer));
            if (pointer == 0)
                fail_msg("%s: no kernel at byte %zu", names[i], at);
        }
    }
    assert_int_equal(pixel_kernels_select(NULL, &fault), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(selection_knows_its_names),
        cmocka_unit_test(every_table_is_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
