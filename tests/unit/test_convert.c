/* Half floats against all that IEEE says of them, found by search instead of
 * by bits; channels and tables. Composes no batch (test_compose_batch.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "common/tensor.h"
#include "server/pixel/convert.h"

/* The value of a finite f16 of either sign. */
static double f16_value(uint16_t bits)
{
    const int exponent = bits >> 10 & 31, fraction = bits & 1023;
    double v =
        exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
    return bits & 0x8000 ? -v : v;
}

static double bf16_value(uint16_t bits)
{
    const uint32_t wide = (uint32_t)bits << 16;
    float v;
    memcpy(&v, &wide, sizeof v);
    return (double)v;
}

static void every_f16_comes_back(void **state)
{
    (void)state;
    for (uint32_t bits = 0; bits < 0x10000; bits++)
        if ((bits >> 10 & 31) < 31)
            assert_int_equal(convert_f16((float)f16_value((uint16_t)bits)),
                             bits);
}

/* Between two neighbours: the middle goes to the even one, all else to the
 * nearer one. Seen at the middle and one f32 to each side of it. */
static void f16_rounds_to_nearest_even(void **state)
{
    (void)state;
    for (uint16_t bits = 0; bits < 0x7BFF; bits++) {
        const float middle =
            (float)((f16_value(bits) + f16_value((uint16_t)(bits + 1))) / 2);
        const uint16_t even = (uint16_t)(bits + (bits & 1));
        assert_int_equal(convert_f16(middle), even);
        assert_int_equal(convert_f16(nextafterf(middle, 0)), bits);
        assert_int_equal(convert_f16(nextafterf(middle, 1e9f)), bits + 1);
        assert_int_equal(convert_f16(-middle), even | 0x8000);
    }
}

static void f16_ends_are_infinite_and_zero(void **state)
{
    (void)state;
    assert_int_equal(convert_f16(65504), 0x7BFF);
    assert_int_equal(convert_f16(nextafterf(65520, 0)), 0x7BFF);
    assert_int_equal(convert_f16(65520), 0x7C00);
    assert_int_equal(convert_f16(1e9f), 0x7C00);
    assert_int_equal(convert_f16(-1e9f), 0xFC00);
    assert_int_equal(convert_f16(ldexpf(1, -25)), 0);
    assert_int_equal(convert_f16(nextafterf(ldexpf(1, -25), 1)), 1);
    assert_int_equal(convert_f16(1e-30f), 0);
    assert_int_equal(convert_f16(-1e-30f), 0x8000);
}

static void bf16_rounds_to_nearest_even(void **state)
{
    (void)state;
    for (uint16_t bits = 1; bits < 0x7F7F; bits++) {
        const float middle =
            (float)((bf16_value(bits) + bf16_value((uint16_t)(bits + 1))) / 2);
        assert_int_equal(convert_bf16((float)bf16_value(bits)), bits);
        assert_int_equal(convert_bf16(middle), bits + (bits & 1));
        assert_int_equal(convert_bf16(nextafterf(middle, 0)), bits);
        assert_int_equal(convert_bf16(-nextafterf(middle, INFINITY)),
                         (bits + 1) | 0x8000);
    }
}

static void channels_are_swapped_or_weighed(void **state)
{
    (void)state;
    uint8_t bgr[] = {1, 2, 3, 4, 5, 6}, rgb[] = {1, 2, 3, 4, 5, 6};
    uint8_t grey[] = {255, 255, 255, 255, 0, 0, 0, 255, 0, 0, 0, 255};
    convert_channels(TENSOR_BGR, bgr, 2);
    assert_memory_equal(bgr, ((uint8_t[]){3, 2, 1, 6, 5, 4}), 6);
    convert_channels(TENSOR_RGB, rgb, 2);
    assert_memory_equal(rgb, ((uint8_t[]){1, 2, 3, 4, 5, 6}), 6);
    convert_channels(TENSOR_GREY, grey, 4);
    assert_memory_equal(grey, ((uint8_t[]){255, 76, 150, 29}), 4);
}

static void tables_follow_the_order_of_channels(void **state)
{
    const float mean[3] = {0, 0.5f, 1}, std[3] = {1, 2, 4};
    struct convert_format format = {TENSOR_F32, TENSOR_NHWC, TENSOR_BGR};
    struct convert_table t;
    (void)state;
    convert_table_init(&t, &format, mean, std);
    assert_true(t.f32[0][255] == 0 && t.f32[0][0] == -0.25f);
    assert_true(t.f32[2][255] == 1 && t.f32[1][0] == -0.25f);
    format.channels = TENSOR_GREY;
    format.dtype = TENSOR_F16;
    convert_table_init(&t, &format, mean, std);
    assert_int_equal(t.half[0][255], 0x3C00);
}

static void other_formats_are_impossible(void **state)
{
    const struct convert_format good = {TENSOR_BF16, TENSOR_NCHW, TENSOR_GREY};
    (void)state;
    assert_true(convert_possible(&good));
    struct convert_format f = good;
    f.dtype = TENSOR_I32;
    assert_false(convert_possible(&f));
    f = good;
    f.layout = 0;
    assert_false(convert_possible(&f));
    f = good;
    f.channels = 4;
    assert_false(convert_possible(&f));
    assert_true(convert_is_plain(
        &(struct convert_format){TENSOR_U8, TENSOR_NHWC, TENSOR_RGB}));
    assert_false(convert_is_plain(
        &(struct convert_format){TENSOR_U8, TENSOR_NHWC, TENSOR_BGR}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_f16_comes_back),
        cmocka_unit_test(f16_rounds_to_nearest_even),
        cmocka_unit_test(f16_ends_are_infinite_and_zero),
        cmocka_unit_test(bf16_rounds_to_nearest_even),
        cmocka_unit_test(channels_are_swapped_or_weighed),
        cmocka_unit_test(tables_follow_the_order_of_channels),
        cmocka_unit_test(other_formats_are_impossible),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
