/* Where the images of a load lie: side by side in one reservation, on the heap
 * when that is full, and bounded for the address sanitizer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/base/mem.h"
#include "server/pool/blocks.h"
#include "server/pool/image.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define IS_POISONED(p) __asan_address_is_poisoned(p)
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#define IS_POISONED(p) __asan_address_is_poisoned(p)
#endif
#endif

static struct pool_blocks make(uint64_t n_bytes)
{
    struct pool_blocks b;
    struct fault fault = {0};

    assert_int_equal(pool_blocks_init(&b, n_bytes, &fault), 0);
    return b;
}

static void blocks_lie_side_by_side(void **state)
{
    struct pool_blocks b = make(10000);
    uint8_t *first = pool_blocks_take(&b, 100), *next;

    assert_non_null(first);
    assert_int_equal((uintptr_t)first % POOL_BLOCK_ALIGN, 0);
    next = pool_blocks_take(&b, 64);
    assert_ptr_equal(next, first + pool_blocks_padded(100));
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(first[i], 0);
    memset(first, 1, 100);
    memset(next, 2, 64);
    assert_int_equal(first[99], 1);
    pool_blocks_fini(&b);
    pool_blocks_fini(&b);
}

static void what_has_no_room_is_refused_and_takes_nothing(void **state)
{
    struct pool_blocks b = make(pool_blocks_padded(1000));

    assert_null(pool_blocks_take(&b, pool_blocks_padded(1000) + 1));
    assert_null(pool_blocks_take(&b, UINT64_MAX / 2));
    assert_non_null(pool_blocks_take(&b, 1000));
    assert_null(pool_blocks_take(&b, 1));
    pool_blocks_fini(&b);
}

static void blocks_move_to_another_owner(void **state)
{
    struct pool_blocks b = make(1000), to = {0};
    uint8_t *p = pool_blocks_take(&b, 8);

    *p = 5;
    pool_blocks_move(&to, &b);
    assert_null(pool_blocks_take(&b, 1));
    pool_blocks_fini(&b);
    assert_int_equal(*p, 5);
    assert_ptr_equal(pool_blocks_take(&to, 8), p + pool_blocks_padded(8));
    pool_blocks_fini(&to);
}

static void a_reservation_can_fail(void **state)
{
    struct pool_blocks b;
    struct fault fault = {0};

    assert_int_equal(pool_blocks_init(&b, SIZE_MAX, &fault), -ERROR_NO_MEMORY);
    pool_blocks_fini(&b);
    mem_fail_nth(1);
    assert_int_equal(pool_blocks_init(&b, 1, &fault), -ERROR_NO_MEMORY);
    mem_fail_nth(0);
    pool_blocks_fini(&b);
}

/* A file may have grown since its header was read, or chance kept more of a
 * split than was foreseen. */
static void an_image_that_has_no_room_lies_on_the_heap(void **state)
{
    const uint64_t n_bytes = pool_image_block_bytes(20, 10, 3);
    struct pool_blocks b = make(pool_blocks_padded(n_bytes));
    struct pool_image image[2];
    struct fault fault = {0};

    for (int i = 0; i < 2; i++) {
        struct pool_raster r;

        assert_int_equal(pool_raster_init(&r, 20, 10, 3, &fault), 0);
        memset(r.pixels, 7, 20 * 10 * 3);
        const struct digest full = pool_image_digest(&r);

        assert_int_equal(
            pool_image_background(&r, &full, 0, &b, &image[i], &fault), 0);
        pool_raster_fini(&r);
    }
    assert_ptr_equal(image[0].memory, b.memory);
    assert_null(image[0].own);
    assert_ptr_equal(image[1].memory, image[1].own);
    assert_int_equal(image[0].n_levels, image[1].n_levels);
    for (uint32_t l = 0; l < image[0].n_levels; l++)
        assert_memory_equal(image[0].level[l].pixels, image[1].level[l].pixels,
                            (size_t)image[0].level[l].height *
                                (size_t)image[0].level[l].stride_bytes);
    pool_image_fini(&image[0]);
    pool_image_fini(&image[1]);
    pool_blocks_fini(&b);
}

static void the_sanitizer_sees_where_a_block_ends(void **state)
{
#ifdef IS_POISONED
    struct pool_blocks b = make(10000);
    uint8_t *first = pool_blocks_take(&b, 100);
    uint8_t *next = pool_blocks_take(&b, 64);

    assert_false(IS_POISONED(first + 99));
    assert_true(IS_POISONED(first + 100));
    assert_true(IS_POISONED(next - 1));
    assert_false(IS_POISONED(next));
    assert_true(IS_POISONED(next + 64));
    pool_blocks_fini(&b);
    assert_false(IS_POISONED(first + 100)); /* whoever maps there next */
#else
    skip();
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_lie_side_by_side),
        cmocka_unit_test(what_has_no_room_is_refused_and_takes_nothing),
        cmocka_unit_test(blocks_move_to_another_owner),
        cmocka_unit_test(a_reservation_can_fail),
        cmocka_unit_test(an_image_that_has_no_room_lies_on_the_heap),
        cmocka_unit_test(the_sanitizer_sees_where_a_block_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
