/* Allocation: counting, failing on purpose, products that overflow,
 * mappings on huge pages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* The flags of the mapping that holds p, as the kernel lists them. */
static bool is_advised_huge(const void *p)
{
    FILE *f = fopen("/proc/self/smaps", "r");
    unsigned long from, to;
    bool holds = false, huge = false;
    char line[512];

    assert_non_null(f);
    while (fgets(line, sizeof(line), f)) {
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            holds = (uintptr_t)p >= from && (uintptr_t)p < to;
        else if (holds && strncmp(line, "VmFlags:", 8) == 0)
            huge = strstr(line, " hg") != NULL;
    }
    fclose(f);
    return huge;
}

static void a_mapping_is_zeroed_aligned_and_counted(void **state)
{
    const uint64_t before = mem_allocations();
    uint8_t *p = mem_map(100000);

    assert_non_null(p);
    assert_int_equal(mem_allocations(), before + 1);
    assert_int_equal((uintptr_t)p % MEM_MAP_BYTES, 0);
    for (size_t i = 0; i < 2 * MEM_MAP_BYTES; i++)
        assert_int_equal(p[i], 0);
    memset(p, 1, 2 * MEM_MAP_BYTES);
    mem_unmap(p, 100000);
    p = mem_map(0);
    assert_non_null(p);
    *p = 1;
    mem_unmap(p, 0);
    mem_unmap(NULL, 5);
}

static void a_large_mapping_asks_for_huge_pages(void **state)
{
    const size_t n_bytes = ((size_t)4 << 20) + 1;
    uint8_t *p = mem_map(n_bytes), *small = mem_map(MEM_MAP_BYTES);

    assert_non_null(p);
    assert_non_null(small);
    assert_int_equal((uintptr_t)p % ((size_t)2 << 20), 0);
    if (getenv("PASTED_EMULATED") == NULL &&
        access("/sys/kernel/mm/transparent_hugepage", F_OK) == 0) {
        assert_true(is_advised_huge(p));
        assert_true(is_advised_huge(p + n_bytes - 1));
        assert_false(is_advised_huge(small));
    }
    mem_unmap(p, n_bytes);
    mem_unmap(small, MEM_MAP_BYTES);
}

static void a_mapping_can_fail(void **state)
{
    const uint64_t before = mem_allocations();

    assert_null(mem_map(SIZE_MAX));
    assert_null(mem_map(SIZE_MAX / 2));
    mem_fail_nth(1);
    assert_null(mem_map(1));
    mem_fail_nth(0);
    assert_int_equal(mem_allocations(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_counted),
        cmocka_unit_test(nothing_of_something_is_not_null),
        cmocka_unit_test(a_product_that_overflows_fails),
        cmocka_unit_test(a_copy_of_text_is_its_own),
        cmocka_unit_test(the_nth_allocation_fails_once),
        cmocka_unit_test(a_mapping_is_zeroed_aligned_and_counted),
        cmocka_unit_test(a_large_mapping_asks_for_huge_pages),
        cmocka_unit_test(a_mapping_can_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
