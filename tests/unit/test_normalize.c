/* Normalisation at its corners: flat frames, extreme regions, values worked by
 * hand. Random frames are tests/golden's matter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "server/pixel/operation/normalize.h"

static uint8_t *scratch;

static void run(uint8_t *rgb, int32_t width, int32_t height,
                enum normalize_mode mode, double fraction)
{
    const struct operation_frame f = {rgb, width, height, scratch, NULL};
    const struct image_box region = normalize_region(width, height, fraction);
    normalize_frame(&f, mode, &region);
}

static void the_middle_is_centred_and_never_empty(void **state)
{
    (void)state;
    struct image_box b = normalize_region(32, 32, 0.625);
    assert_int_equal(b.x0, 6);
    assert_int_equal(b.x1, 26);
    b = normalize_region(1, 2048, 0.01);
    assert_int_equal(b.x0, 0);
    assert_int_equal(b.x1, 1);
    assert_int_equal(b.y0, 1014);
    assert_int_equal(b.y1, 1034);
    b = normalize_region(7, 3, 1);
    assert_int_equal(b.x1 - b.x0, 7);
    assert_int_equal(b.y1 - b.y0, 3);
}

static void the_range_is_spread_over_all_levels(void **state)
{
    (void)state;
    uint8_t rgb[] = {100, 101, 102, 103, 104, 100};
    run(rgb, 2, 1, NORMALIZE_MIN_MAX, 1);
    assert_memory_equal(rgb, ((uint8_t[]){0, 64, 128, 191, 255, 0}), 6);
}

static void levels_are_spread_about_the_middles_mean(void **state)
{
    (void)state;
    /* Mean 100 and deviation 2 of the one pixel in the middle, so that 5
     * levels are 0.2 of the whole: 51. */
    uint8_t rgb[27] = {0};
    rgb[12] = rgb[13] = 100;
    rgb[14] = 100;
    run(rgb, 3, 3, NORMALIZE_MEAN_STD, 0.01);
    assert_int_equal(rgb[12], 128); /* sd 0: one level is 17 */
    assert_int_equal(rgb[0], 0);
    uint8_t pair[6] = {98, 98, 98, 102, 102, 102};
    run(pair, 2, 1, NORMALIZE_MEAN_STD, 1);
    assert_int_equal(pair[0], 107); /* 127.5 - 20.4 */
    assert_int_equal(pair[5], 148);
}

static void flat_frames_stay_or_turn_grey(void **state)
{
    for (int mode = NORMALIZE_NONE; mode <= NORMALIZE_EQUALIZE; mode++) {
        uint8_t rgb[48];
        (void)state;
        memset(rgb, 77, sizeof rgb);
        run(rgb, 4, 4, (enum normalize_mode)mode, 0.5);
        for (size_t i = 0; i < sizeof rgb; i++)
            assert_int_equal(rgb[i], mode == NORMALIZE_MEAN_STD ? 128 : 77);
    }
}

/* The largest sums that there are. */
static void the_largest_frame_does_not_overflow(void **state)
{
    const size_t n = (size_t)FRAME_MAX_SIDE * FRAME_MAX_SIDE * 3;
    uint8_t *rgb = malloc(n);
    (void)state;
    assert_non_null(rgb);
    memset(rgb, 255, n);
    memset(rgb, 0, n / 2);
    run(rgb, FRAME_MAX_SIDE, FRAME_MAX_SIDE, NORMALIZE_MEAN_STD, 1);
    /* sd 127.5: 127.5 / 130.5 * 51 levels to either side. */
    assert_int_equal(rgb[0], 78);
    assert_int_equal(rgb[n - 1], 177);
    free(rgb);
}

static int make_scratch(void **state)
{
    (void)state;
    scratch = aligned_alloc(64, 1 << 20);
    return scratch == NULL;
}

static int drop_scratch(void **state)
{
    (void)state;
    free(scratch);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_middle_is_centred_and_never_empty),
        cmocka_unit_test(the_range_is_spread_over_all_levels),
        cmocka_unit_test(levels_are_spread_about_the_middles_mean),
        cmocka_unit_test(flat_frames_stay_or_turn_grey),
        cmocka_unit_test(the_largest_frame_does_not_overflow),
    };
    return cmocka_run_group_tests(tests, make_scratch, drop_scratch);
}
