/* The kernels that make pool pixels: their equations, at the edges too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/pixel/mip.h"

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static void premultiplying_rounds_as_written(void **state)
{
    for (uint32_t a = 0; a < 256; a++) {
        for (uint32_t c = 0; c < 256; c++) {
            uint8_t p[4] = {(uint8_t)c, 255, 0, (uint8_t)a};

            mip_premultiply(p, 1, 1, 4);
            assert_int_equal(p[0], (c * a + 127) / 255);
            assert_int_equal(p[1], a);
            assert_int_equal(p[2], 0);
            assert_int_equal(p[3], a);
        }
    }
}

static void premultiplying_leaves_what_is_between_rows(void **state)
{
    uint8_t p[2][8] = {{200, 200, 200, 0, 9, 9, 9, 9},
                       {200, 100, 50, 128, 9, 9, 9, 9}};
    const uint8_t expected[2][8] = {{0, 0, 0, 0, 9, 9, 9, 9},
                                    {100, 50, 25, 128, 9, 9, 9, 9}};

    mip_premultiply(p[0], 1, 2, 8);
    assert_memory_equal(p, expected, sizeof(p));
}

static void flattening_is_premultiplying_without_alpha(void **state)
{
    uint8_t rgba[5 * 3 * 4], copy[5 * 3 * 4];
    uint32_t seed = 7;

    for (size_t i = 0; i < sizeof(rgba); i++)
        rgba[i] = (uint8_t)next_random(&seed);
    memcpy(copy, rgba, sizeof(rgba));
    mip_premultiply(copy, 5, 3, 5 * 4);
    mip_flatten_on_black(rgba, 5, 3);
    for (int i = 0; i < 15; i++)
        assert_memory_equal(rgba + 3 * i, copy + 4 * i, 3);
}

/* The box, written down anew: every output from its four clamped inputs. */
static void check_halving(int32_t width, int32_t height, int n_channels)
{
    const ptrdiff_t stride = (ptrdiff_t)width * n_channels + 5;
    const int32_t w = (width + 1) / 2, h = (height + 1) / 2;
    uint8_t *in = malloc((size_t)stride * (size_t)height);
    uint8_t *out = malloc((size_t)w * (size_t)h * (size_t)n_channels);
    uint32_t seed = (uint32_t)(width * 31 + height);

    for (size_t i = 0; i < (size_t)stride * (size_t)height; i++)
        in[i] = (uint8_t)next_random(&seed);
    const struct image_level level = {
        .pixels = in, .width = width, .height = height, .stride_bytes = stride};

    if (n_channels == 4)
        mip_halve_rgba(&level, out, (ptrdiff_t)w * 4);
    else
        mip_halve_rgb(&level, out, (ptrdiff_t)w * 3);
    for (int32_t y = 0; y < h; y++) {
        for (int32_t x = 0; x < w; x++) {
            const int32_t x1 = 2 * x + 1 < width ? 2 * x + 1 : 2 * x;
            const int32_t y1 = 2 * y + 1 < height ? 2 * y + 1 : 2 * y;

            for (int c = 0; c < n_channels; c++) {
                const int sum = in[2 * y * stride + 2 * x * n_channels + c] +
                                in[2 * y * stride + x1 * n_channels + c] +
                                in[y1 * stride + 2 * x * n_channels + c] +
                                in[y1 * stride + x1 * n_channels + c];

                assert_int_equal(out[(y * w + x) * n_channels + c],
                                 (sum + 2) / 4);
            }
        }
    }
    free(in);
    free(out);
}

static void halving_is_the_rounded_box_with_clamped_edges(void **state)
{
    for (int32_t width = 1; width <= 9; width++) {
        for (int32_t height = 1; height <= 9; height++) {
            check_halving(width, height, 3);
            check_halving(width, height, 4);
        }
    }
}

static void levels_go_down_to_one_pixel(void **state)
{
    assert_int_equal(mip_n_levels(1, 1), 1);
    assert_int_equal(mip_n_levels(2, 1), 2);
    assert_int_equal(mip_n_levels(3, 3), 3);
    assert_int_equal(mip_n_levels(5, 100), 8);
    assert_int_equal(mip_n_levels(IMAGE_MAX_SIDE, 1), IMAGE_MAX_LEVELS);
}

static void alpha_box_is_tight(void **state)
{
    uint8_t pixels[7 * 9 * 4];
    const struct image_level level = {
        .pixels = pixels, .width = 9, .height = 7, .stride_bytes = 9 * 4};
    struct image_box box;

    memset(pixels, 0, sizeof(pixels));
    box = mip_alpha_box(&level);
    assert_true(box.x0 == 0 && box.y0 == 0 && box.x1 == 0 && box.y1 == 0);
    pixels[(2 * 9 + 5) * 4 + 3] = 1;
    box = mip_alpha_box(&level);
    assert_true(box.x0 == 5 && box.y0 == 2 && box.x1 == 6 && box.y1 == 3);
    pixels[(6 * 9 + 0) * 4 + 3] = 255;
    pixels[(4 * 9 + 8) * 4 + 3] = 255;
    box = mip_alpha_box(&level);
    assert_true(box.x0 == 0 && box.y0 == 2 && box.x1 == 9 && box.y1 == 7);
}

static void trim_is_what_lies_outside_of_alpha(void **state)
{
    uint8_t pixels[7 * 9 * 4] = {0};
    const struct image_level level = {
        .pixels = pixels, .width = 9, .height = 7, .stride_bytes = 9 * 4};
    struct image_trim t = mip_trim(&level);

    assert_true(t.left == 9 && t.right == 0 && t.top == 0 && t.bottom == 0);
    pixels[(2 * 9 + 5) * 4 + 3] = 1;
    t = mip_trim(&level);
    assert_true(t.left == 5 && t.right == 3 && t.top == 2 && t.bottom == 4);
    assert_true(t.upper_left == 7 && t.lower_right == 7);
    assert_true(t.lower_left == 9 && t.upper_right == 5);
    pixels[(4 * 9 + 1) * 4 + 3] = 255;
    t = mip_trim(&level);
    assert_true(t.left == 1 && t.right == 3 && t.top == 2 && t.bottom == 2);
    assert_true(t.upper_left == 5 && t.lower_right == 7);
    assert_true(t.lower_left == 3 && t.upper_right == 5);
}

static void coverage_means_each_cell(void **state)
{
    static uint8_t pixels[40 * 40 * 4];
    const struct image_level level = {
        .pixels = pixels, .width = 40, .height = 40, .stride_bytes = 40 * 4};
    const struct image_box box = {3, 4, 38, 24}; /* 35 x 20 */
    uint8_t cells[16][16];
    uint32_t seed = 1;

    for (size_t i = 0; i < sizeof(pixels); i++)
        pixels[i] = (uint8_t)next_random(&seed);
    mip_coverage(&level, &box, cells);
    for (int row = 0; row < 16; row++) {
        for (int column = 0; column < 16; column++) {
            const int x0 = 3 + column * 35 / 16,
                      x1 = 3 + (column + 1) * 35 / 16;
            const int y0 = 4 + row * 20 / 16, y1 = 4 + (row + 1) * 20 / 16;
            int sum = 0, n = (x1 - x0) * (y1 - y0);

            for (int y = y0; y < y1; y++)
                for (int x = x0; x < x1; x++)
                    sum += pixels[(y * 40 + x) * 4 + 3];
            assert_int_equal(cells[row][column], (sum + n / 2) / n);
        }
    }
}

static void a_cell_smaller_than_a_pixel_takes_that_pixel(void **state)
{
    uint8_t pixels[2 * 3 * 4] = {0};
    const struct image_level level = {
        .pixels = pixels, .width = 3, .height = 2, .stride_bytes = 3 * 4};
    const struct image_box box = {0, 0, 3, 2};
    uint8_t cells[16][16];

    for (int i = 0; i < 6; i++)
        pixels[4 * i + 3] = (uint8_t)(10 * (i + 1));
    mip_coverage(&level, &box, cells);
    for (int row = 0; row < 16; row++)
        for (int column = 0; column < 16; column++)
            assert_int_equal(cells[row][column],
                             10 * (1 + row * 2 / 16 * 3 + column * 3 / 16));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(premultiplying_rounds_as_written),
        cmocka_unit_test(premultiplying_leaves_what_is_between_rows),
        cmocka_unit_test(flattening_is_premultiplying_without_alpha),
        cmocka_unit_test(halving_is_the_rounded_box_with_clamped_edges),
        cmocka_unit_test(levels_go_down_to_one_pixel),
        cmocka_unit_test(alpha_box_is_tight),
        cmocka_unit_test(trim_is_what_lies_outside_of_alpha),
        cmocka_unit_test(coverage_means_each_cell),
        cmocka_unit_test(a_cell_smaller_than_a_pixel_takes_that_pixel),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
