/* The arena: alignment, reuse, merging, a random walk against a model. */
#define _GNU_SOURCE /* seals, fallocate */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "server/base/arena.h"
#include "server/base/mem.h"
#include "server/base/philox.h"

#define PAGE ((size_t)ARENA_PAGE_BYTES)

static struct arena *make(size_t n_pages)
{
    struct arena *a;
    struct fault fault = {0};

    assert_int_equal(arena_create(n_pages * PAGE, &a, &fault), 0);
    return a;
}

static void sizes_round_up_to_pages(void **state)
{
    struct arena *a;
    struct fault fault = {0};
    void *p;

    assert_int_equal(arena_create(PAGE + 1, &a, &fault), 0);
    assert_int_equal(arena_capacity_bytes(a), 2 * PAGE);
    p = arena_alloc(a, PAGE + 1);
    assert_non_null(p);
    assert_int_equal((uintptr_t)p % PAGE, 0);
    assert_int_equal(arena_used_bytes(a), 2 * PAGE);
    memset(p, 1, 2 * PAGE);
    assert_null(arena_alloc(a, 1));
    arena_free(a, p);
    arena_free(a, NULL);
    assert_int_equal(arena_used_bytes(a), 0);
    arena_destroy(a);
    arena_destroy(NULL);
}

static void nothing_and_too_much_are_refused(void **state)
{
    struct arena *a;
    struct fault fault = {0};

    assert_int_equal(arena_create(0, &a, &fault), -ERROR_BAD_ARGUMENT);
    assert_int_equal(arena_create(SIZE_MAX, &a, &fault), -ERROR_BAD_ARGUMENT);
    mem_fail_nth(1);
    assert_int_equal(arena_create(PAGE, &a, &fault), -ERROR_NO_MEMORY);
    mem_fail_nth(0);
    a = make(4);
    assert_null(arena_alloc(a, SIZE_MAX));
    assert_null(arena_alloc(a, 4 * PAGE + 1));
    arena_destroy(a);
}

static void neighbours_merge_in_any_order_of_freeing(void **state)
{
    static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                     {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    struct arena *a = make(6);

    for (int i = 0; i < 6; i++) {
        void *run[3], *whole;

        for (int k = 0; k < 3; k++)
            run[k] = arena_alloc(a, 2 * PAGE);
        for (int k = 0; k < 3; k++)
            arena_free(a, run[orders[i][k]]);
        whole = arena_alloc(a, 6 * PAGE);
        assert_non_null(whole);
        arena_free(a, whole);
    }
    arena_destroy(a);
}

static void a_hole_too_small_is_passed_over(void **state)
{
    struct arena *a = make(8);
    uint8_t *first = arena_alloc(a, 2 * PAGE);
    uint8_t *second = arena_alloc(a, PAGE);
    uint8_t *third;

    arena_free(a, first);
    third = arena_alloc(a, 3 * PAGE);
    assert_ptr_equal(third, second + PAGE);
    assert_null(arena_alloc(a, 3 * PAGE)); /* 2 + 2 pages are free, not 3 */
    arena_free(a, second);
    arena_free(a, third);
    arena_destroy(a);
}

static void a_run_stays_within_its_bounds(void **state)
{
    struct arena *a = make(8);
    uint8_t *low = arena_alloc_within(a, 0, 5 * PAGE, false, 2 * PAGE);
    uint8_t *high = arena_alloc_within(a, 0, 8 * PAGE, true, 2 * PAGE);
    uint8_t *inner = arena_alloc_within(a, 3 * PAGE, 5 * PAGE, true, PAGE);

    assert_ptr_equal(high, low + 6 * PAGE);
    assert_ptr_equal(inner, low + 4 * PAGE);
    assert_null(arena_alloc_within(a, 0, 5 * PAGE, false, 3 * PAGE));
    assert_null(arena_alloc_within(a, 5 * PAGE, 5 * PAGE, true, 1));
    assert_null(arena_alloc_within(a, 6 * PAGE, 9 * PAGE, false, 1));
    assert_ptr_equal(arena_alloc_within(a, 0, 6 * PAGE, true, 2 * PAGE),
                     low + 2 * PAGE); /* not page 5: it is alone */
    assert_int_equal(arena_used_bytes(a), 7 * PAGE);
    arena_free(a, low);
    arena_free(a, high);
    arena_free(a, inner);
    arena_free(a, low + 2 * PAGE);
    low = arena_alloc(a, 8 * PAGE); /* all in one piece again */
    assert_non_null(low);
    arena_free(a, low);
    arena_destroy(a);
}

/* Fills each run with its own byte and finds it untouched when freed. */
static void a_random_walk_never_overlaps(void **state)
{
    enum { N_PAGES = 64, N_SLOTS = 24, N_STEPS = 3000 };
    struct arena *a = make(N_PAGES);
    uint8_t *run[N_SLOTS] = {0};
    size_t pages[N_SLOTS] = {0}, used = 0;

    for (uint32_t step = 0; step < N_STEPS; step++) {
        struct philox_block b = philox_draw(1, step, 0, 0);
        uint32_t i = b.word[0] % N_SLOTS;

        if (run[i]) {
            for (size_t k = 0; k < pages[i]; k++)
                assert_int_equal(run[i][k * PAGE + b.word[2] % PAGE], i);
            arena_free(a, run[i]);
            used -= pages[i];
            run[i] = NULL;
        } else {
            pages[i] = 1 + b.word[1] % 9;
            size_t from = b.word[2] % 3 * 8 * PAGE;

            run[i] = arena_alloc_within(a, from, N_PAGES * PAGE - from,
                                        b.word[3] % 2, pages[i] * PAGE);
            if (run[i]) {
                memset(run[i], (int)i, pages[i] * PAGE);
                used += pages[i];
            }
        }
        assert_int_equal(arena_used_bytes(a), used * PAGE);
    }
    for (int i = 0; i < N_SLOTS; i++)
        arena_free(a, run[i]);
    arena_destroy(a);
}

static void a_shared_arena_is_read_by_others_and_changed_by_none(void **state)
{
    struct arena *a;
    struct fault fault = {0};
    uint64_t offset;

    assert_int_equal(arena_create_shared(3 * PAGE + 1, &a, &fault), 0);
    assert_int_equal(arena_capacity_bytes(a), 4 * PAGE);
    uint8_t *first = arena_alloc(a, PAGE), *second = arena_alloc(a, PAGE);
    memset(second, 7, PAGE);
    assert_true(arena_offset(a, second + 5, &offset));
    assert_int_equal(offset, PAGE + 5);
    assert_false(arena_offset(a, first - 1, &offset));
    assert_false(arena_offset(a, first + 4 * PAGE, &offset));

    int fd = arena_fd(a);
    const uint8_t *seen = mmap(NULL, 4 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
    assert_ptr_not_equal(seen, MAP_FAILED);
    assert_int_equal(seen[PAGE + 5], 7);
    assert_ptr_equal(
        mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0),
        MAP_FAILED);
    assert_int_equal(pwrite(fd, "x", 1, 0), -1);
    assert_int_equal(ftruncate(fd, (off_t)PAGE), -1);
    assert_int_equal(ftruncate(fd, (off_t)(5 * PAGE)), -1);
    assert_int_equal(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                               0, (off_t)PAGE),
                     -1);
    assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
    arena_free(a, first);
    arena_free(a, second);
    arena_destroy(a);
    assert_int_equal(seen[PAGE + 5], 7); /* outlives who wrote it */
    munmap((void *)(uintptr_t)seen, 4 * PAGE);
}

static size_t resident(uint8_t *p, size_t n_bytes)
{
    static unsigned char is_in[64 * PAGE / 4096];
    size_t n = 0;

    assert_int_equal(mincore(p, n_bytes, is_in), 0);
    for (size_t i = 0; i < n_bytes / 4096; i++)
        n += is_in[i] & 1;
    return n;
}

static void a_trimmed_arena_keeps_its_beginning_and_serves_on(void **state)
{
    struct arena *a = make(64);
    uint8_t *p = arena_alloc(a, 64 * PAGE);

    memset(p, 1, 64 * PAGE);
    assert_int_equal(resident(p, 64 * PAGE), 64 * PAGE / 4096);
    arena_free(a, p);
    arena_trim(a, 64 * PAGE);
    assert_int_equal(resident(p, 64 * PAGE), 64 * PAGE / 4096);
    arena_trim(a, 3 * PAGE);
    assert_int_equal(resident(p, 64 * PAGE), 3 * PAGE / 4096);
    p = arena_alloc(a, PAGE);
    assert_non_null(p);
    memset(p, 2, PAGE);
    arena_free(a, p);
    arena_destroy(a);
}

static void an_arena_of_our_own_has_no_descriptor(void **state)
{
    struct arena *a = make(1);

    assert_int_equal(arena_fd(a), -1);
    arena_destroy(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_round_up_to_pages),
        cmocka_unit_test(nothing_and_too_much_are_refused),
        cmocka_unit_test(neighbours_merge_in_any_order_of_freeing),
        cmocka_unit_test(a_hole_too_small_is_passed_over),
        cmocka_unit_test(a_run_stays_within_its_bounds),
        cmocka_unit_test(a_random_walk_never_overlaps),
        cmocka_unit_test(a_shared_arena_is_read_by_others_and_changed_by_none),
        cmocka_unit_test(a_trimmed_arena_keeps_its_beginning_and_serves_on),
        cmocka_unit_test(an_arena_of_our_own_has_no_descriptor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
