/* Premultiplied colours made straight and back; what statistics count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/pixel/operation/operation.h"
#include "server/pixel/operation/straight.h"

#define SIDE 256

/* Every alpha with every colour that it may have. */
static void there_and_back_is_the_same(void **state)
{
    static uint8_t rgba[SIDE * SIDE * 4], again[sizeof rgba];
    static uint8_t rgb[SIDE * SIDE * 3];
    for (int i = 0; i < SIDE * SIDE; i++) {
        const int a = i / SIDE, c = i % SIDE;
        for (int k = 0; k < 3; k++)
            rgba[i * 4 + k] = (uint8_t)(c <= a ? c : a - c % (a + 1));
        rgba[i * 4 + 3] = (uint8_t)a;
    }
    memcpy(again, rgba, sizeof rgba);
    assert_true(straight_from(rgba, SIDE * SIDE, rgb));
    straight_into(rgb, SIDE * SIDE, again);
    assert_memory_equal(again, rgba, sizeof rgba);
}

static void a_transparent_pixel_takes_the_mean_weighted_by_alpha(void **state)
{
    /* Opaque 40, a third covered 78, nothing: (40 * 3 + 78) / 4 is 49.5. */
    const uint8_t rgba[] = {40, 0, 255, 255, 26, 0, 85, 85, 0, 0, 0, 0};
    const uint8_t expected[] = {40, 0, 255, 78, 0, 255, 50, 0, 255};
    uint8_t rgb[9];
    assert_true(straight_from(rgba, 3, rgb));
    assert_memory_equal(rgb, expected, sizeof rgb);
}

static void nothing_is_made_of_nothing(void **state)
{
    const uint8_t rgba[8] = {0};
    uint8_t rgb[6] = {1, 2, 3, 4, 5, 6}, before[6];
    memcpy(before, rgb, sizeof rgb);
    assert_false(straight_from(rgba, 2, rgb));
    assert_memory_equal(rgb, before, sizeof rgb);
}

/* Levels 100 and 110 of the covered are stretched; 0 and 255 do not count. */
static void statistics_count_what_is_covered(void **state)
{
    static const int32_t none[OPERATION_MAX_PARAMETERS];
    static const uint8_t alpha[4] = {128, 255, 127, 0};
    _Alignas(64) static uint8_t scratch[1 << 16];
    uint8_t rgb[12] = {100, 100, 100, 110, 110, 110, 0, 0, 0, 255, 255, 255};
    uint8_t rgba[16] = {0}, before[12];
    const uint8_t expected[12] = {0, 0, 0, 255, 255, 255,
                                  0, 0, 0, 255, 255, 255};
    struct operation_frame f = {rgb, 4, 1, scratch, rgba};
    assert_true(operation_scratch_bytes(4, 1) <= sizeof scratch);
    memcpy(before, rgb, sizeof rgb);
    operation_apply(&f, OPERATION_AUTOCONTRAST, none);
    operation_apply(&f, OPERATION_EQUALIZE, none);
    assert_memory_equal(rgb, before, sizeof rgb); /* none is covered */
    for (int i = 0; i < 4; i++)
        rgba[i * 4 + 3] = alpha[i];
    operation_apply(&f, OPERATION_AUTOCONTRAST, none);
    assert_memory_equal(rgb, expected, sizeof rgb);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back_is_the_same),
        cmocka_unit_test(a_transparent_pixel_takes_the_mean_weighted_by_alpha),
        cmocka_unit_test(nothing_is_made_of_nothing),
        cmocka_unit_test(statistics_count_what_is_covered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
