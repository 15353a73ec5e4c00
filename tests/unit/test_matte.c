/* Mattes: what the corner flood takes and leaves, that its edges carry no white
 * into a dark background, and masks of both polarities. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/base/mem.h"
#include "server/pool/matte.h"

static struct pool_raster blank(int32_t width, int32_t height, int n_channels,
                                uint8_t value)
{
    struct pool_raster r;

    assert_int_equal(pool_raster_init(&r, width, height, n_channels, NULL), 0);
    memset(r.pixels, value, (size_t)(width * height * n_channels));
    return r;
}

static uint8_t *at(const struct pool_raster *r, int32_t x, int32_t y)
{
    return r->pixels + (y * r->width + x) * r->n_channels;
}

static void set(struct pool_raster *r, int32_t x, int32_t y, uint8_t red,
                uint8_t green, uint8_t blue)
{
    uint8_t *p = at(r, x, y);

    p[0] = red;
    p[1] = green;
    p[2] = blue;
    p[3] = 255;
}

/* A disc of one colour with an edge one pixel wide, as a renderer with 16 x 16
 * samples a pixel would put it on white. */
static struct pool_raster disc(int32_t side, const uint8_t colour[3])
{
    struct pool_raster r = blank(side, side, 4, 255);
    const int32_t radius = (side / 2 - 3) * 16, middle = side * 8;

    for (int32_t y = 0; y < side; y++) {
        for (int32_t x = 0; x < side; x++) {
            int inside = 0;

            for (int v = 0; v < 16; v++)
                for (int u = 0; u < 16; u++) {
                    const int32_t dx = x * 16 + u - middle;
                    const int32_t dy = y * 16 + v - middle;

                    inside += dx * dx + dy * dy < radius * radius;
                }
            for (int c = 0; c < 3; c++)
                at(&r, x, y)[c] = (uint8_t)((colour[c] * inside +
                                             255 * (256 - inside) + 128) /
                                            256);
        }
    }
    return r;
}

/* No channel of the cut-out over black is brighter than its own colour. */
static void check_no_halo(const uint8_t colour[3])
{
    struct pool_raster r = disc(40, colour);

    assert_int_equal(matte_corners(&r, NULL), 0);
    for (int i = 0; i < 40 * 40; i++) {
        const uint8_t *p = r.pixels + 4 * i;

        for (int c = 0; c < 3; c++)
            assert_in_range(p[c] * p[3] / 255, 0, colour[c] + 3);
    }
    assert_int_equal(at(&r, 20, 20)[3], 255);
    assert_int_equal(at(&r, 0, 0)[3], 0);
    pool_raster_fini(&r);
}

static void edges_carry_no_white_into_the_dark(void **state)
{
    check_no_halo((const uint8_t[3]){0, 0, 0});
    check_no_halo((const uint8_t[3]){200, 0, 0});
    check_no_halo((const uint8_t[3]){0, 0, 255});
    check_no_halo((const uint8_t[3]){60, 110, 40});
}

/* Over white again, what was cut out is what was there. */
static void edges_put_back_on_white_are_the_picture(void **state)
{
    const uint8_t red[3] = {200, 0, 0};
    struct pool_raster before = disc(40, red), r = disc(40, red);
    int n_soft = 0;

    assert_int_equal(matte_corners(&r, NULL), 0);
    for (int i = 0; i < 40 * 40; i++) {
        const uint8_t *p = r.pixels + 4 * i, *b = before.pixels + 4 * i;
        /* A ring fainter than 64 was given up, not more. */
        const int tolerance = p[3] == 0 ? 64 : 3;

        n_soft += p[3] > 0 && p[3] < 255;
        for (int c = 0; c < 3; c++) {
            const int over = (p[c] * p[3] + 255 * (255 - p[3])) / 255;

            assert_in_range(abs(over - b[c]), 0, tolerance);
        }
    }
    assert_in_range(n_soft, 50, 250); /* one ring, not a blur */
    pool_raster_fini(&before);
    pool_raster_fini(&r);
}

static void the_equations_are_as_written(void **state)
{
    struct pool_raster r = blank(7, 7, 4, 255);

    for (int y = 2; y < 5; y++)
        for (int x = 2; x < 5; x++)
            set(&r, x, y, 20, 10, 0);
    set(&r, 2, 3, 100, 90, 80);   /* sum 270, of the object */
    set(&r, 1, 3, 180, 170, 160); /* sum 510: surround beside it */
    set(&r, 5, 3, 200, 200, 200); /* sum 600: a = 57, too faint */
    assert_int_equal(matte_corners(&r, NULL), 0);
    assert_int_equal(at(&r, 5, 3)[3], 0);
    /* d(F) = 735; a = (255 * 495 + 367) / 735 = 172;
     * c' = 255 - ((255 - 100) * 255 + 86) / 172 = 25, then 10, 0 */
    assert_memory_equal(at(&r, 2, 3), ((const uint8_t[]){25, 10, 0, 172}), 4);
    /* a = (255 * 255 + 367) / 735 = 88, the colour F */
    assert_memory_equal(at(&r, 1, 3), ((const uint8_t[]){20, 10, 0, 88}), 4);
    assert_memory_equal(at(&r, 3, 3), ((const uint8_t[]){20, 10, 0, 255}), 4);
    assert_int_equal(at(&r, 1, 1)[3], 0);
    pool_raster_fini(&r);
}

static void white_inside_an_object_stays(void **state)
{
    struct pool_raster r = blank(20, 20, 4, 255);

    for (int i = 4; i < 16; i++) {
        set(&r, i, 4, 0, 0, 0);
        set(&r, i, 15, 0, 0, 0);
        set(&r, 4, i, 0, 0, 0);
        set(&r, 15, i, 0, 0, 0);
    }
    assert_int_equal(matte_corners(&r, NULL), 0);
    for (int y = 5; y < 15; y++)
        for (int x = 5; x < 15; x++)
            assert_memory_equal(at(&r, x, y),
                                ((const uint8_t[]){255, 255, 255, 255}), 4);
    assert_int_equal(at(&r, 3, 3)[3], 0);
    assert_int_equal(at(&r, 16, 10)[3], 0);
    pool_raster_fini(&r);
}

static void a_thin_diagonal_line_holds_the_flood(void **state)
{
    struct pool_raster r = blank(11, 11, 4, 255);

    for (int i = 0; i < 6; i++) { /* a diamond, touching the border */
        set(&r, 5 - i, i, 0, 0, 0);
        set(&r, 5 + i, i, 0, 0, 0);
        set(&r, 5 - i, 10 - i, 0, 0, 0);
        set(&r, 5 + i, 10 - i, 0, 0, 0);
    }
    assert_int_equal(matte_corners(&r, NULL), 0);
    assert_memory_equal(at(&r, 5, 5), ((const uint8_t[]){255, 255, 255, 255}),
                        4);
    assert_memory_equal(at(&r, 5, 1), ((const uint8_t[]){255, 255, 255, 255}),
                        4);
    assert_int_equal(at(&r, 0, 0)[3], 0);
    assert_int_equal(at(&r, 10, 10)[3], 0);
    pool_raster_fini(&r);
}

static void the_threshold_is_382(void **state)
{
    struct pool_raster r = blank(4, 1, 4, 255);

    set(&r, 0, 0, 128, 127, 128); /* 383 */
    set(&r, 1, 0, 127, 127, 128); /* 382 */
    set(&r, 2, 0, 255, 127, 0);   /* 382 */
    set(&r, 3, 0, 255, 128, 0);   /* 383 */
    assert_int_equal(matte_corners(&r, NULL), 0);
    assert_in_range(at(&r, 0, 0)[3], 0, 254); /* flooded, then soft */
    assert_int_equal(at(&r, 1, 0)[3], 255);
    assert_int_equal(at(&r, 2, 0)[3], 255);
    assert_in_range(at(&r, 3, 0)[3], 0, 254);
    pool_raster_fini(&r);
}

static void a_picture_without_white_corners_stays_whole(void **state)
{
    struct pool_raster r = blank(5, 5, 4, 90);

    assert_int_equal(matte_corners(&r, NULL), 0);
    for (int i = 0; i < 25; i++)
        assert_memory_equal(r.pixels + 4 * i,
                            ((const uint8_t[]){90, 90, 90, 255}), 4);
    pool_raster_fini(&r);
}

static void a_blank_picture_vanishes(void **state)
{
    struct pool_raster r = blank(3, 2, 4, 255);

    assert_int_equal(matte_corners(&r, NULL), 0);
    for (int i = 0; i < 6; i++)
        assert_int_equal(r.pixels[4 * i + 3], 0);
    pool_raster_fini(&r);
}

/* A spiral is what a single raster pass, or a recursion, would get wrong. */
static void the_flood_follows_a_long_winding_way(void **state)
{
    const int32_t side = 301;
    struct pool_raster r = blank(side, side, 4, 255);

    for (int32_t y = 1; y < side; y += 2)
        for (int32_t x = 0; x < side; x++)
            if (x != (y % 4 == 1 ? side - 1 : 0))
                set(&r, x, y, 0, 0, 0);
    assert_int_equal(matte_corners(&r, NULL), 0);
    for (int32_t y = 0; y < side; y += 2)
        assert_int_equal(at(&r, side / 2, y)[3], 0);
    pool_raster_fini(&r);
}

static void masks_multiply_alpha_in_both_polarities(void **state)
{
    for (int inverted = 0; inverted < 2; inverted++) {
        struct pool_raster r = blank(3, 1, 4, 200);
        struct pool_raster mask = blank(3, 1, 3, 0);

        memset(at(&mask, 1, 0), 100, 3);
        memset(at(&mask, 2, 0), 255, 3);
        assert_int_equal(matte_mask(&r, &mask, inverted, NULL), 0);
        assert_int_equal(at(&r, 0, 0)[3], inverted ? 200 : 0);
        assert_int_equal(at(&r, 1, 0)[3],
                         (200 * (inverted ? 155 : 100) + 127) / 255);
        assert_int_equal(at(&r, 2, 0)[3], inverted ? 0 : 200);
        assert_int_equal(at(&r, 1, 0)[0], 200);
        pool_raster_fini(&r);
        pool_raster_fini(&mask);
    }
}

static void a_mask_of_another_size_is_refused(void **state)
{
    struct pool_raster r = blank(3, 1, 4, 200), mask = blank(1, 3, 3, 0);
    struct fault fault;

    assert_int_equal(matte_mask(&r, &mask, false, &fault), -ERROR_BAD_FILE);
    assert_non_null(strstr(fault.text, "1 x 3"));
    pool_raster_fini(&r);
    pool_raster_fini(&mask);
}

static void every_failed_allocation_leaves_the_picture(void **state)
{
    for (uint64_t nth = 1; nth <= 3; nth++) {
        struct pool_raster r = blank(3, 3, 4, 255);

        mem_fail_nth(nth);
        assert_int_equal(matte_corners(&r, NULL), -ERROR_NO_MEMORY);
        mem_fail_nth(0);
        assert_int_equal(r.pixels[3], 255);
        pool_raster_fini(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edges_carry_no_white_into_the_dark),
        cmocka_unit_test(edges_put_back_on_white_are_the_picture),
        cmocka_unit_test(the_equations_are_as_written),
        cmocka_unit_test(white_inside_an_object_stays),
        cmocka_unit_test(a_thin_diagonal_line_holds_the_flood),
        cmocka_unit_test(the_threshold_is_382),
        cmocka_unit_test(a_picture_without_white_corners_stays_whole),
        cmocka_unit_test(a_blank_picture_vanishes),
        cmocka_unit_test(the_flood_follows_a_long_winding_way),
        cmocka_unit_test(masks_multiply_alpha_in_both_polarities),
        cmocka_unit_test(a_mask_of_another_size_is_refused),
        cmocka_unit_test(every_failed_allocation_leaves_the_picture),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
