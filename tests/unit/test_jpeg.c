/* JPEG: baseline, progressive and grey give the picture; orientations turn it;
 * damaged, CMYK and endless ones are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/base/mem.h"
#include "server/pool/decode.h"
#include "server/pool/exif.h"
#include "server/pool/jpeg.h"
#include "tests/unit/pool_files.h"

#define WIDTH  48
#define HEIGHT 32

static char *folder;
static uint8_t picture[HEIGHT * WIDTH * 4]; /* RGB, or CMYK */

static int decode(const char *path, bool want_alpha, struct pool_raster *out,
                  struct fault *fault)
{
    const struct pool_limits limits = pool_limits_default();

    return pool_decode_file(path, want_alpha, &limits, out, fault);
}

/* Four quarters: red, green / blue, yellow (or white and greys). */
static void quarter(int32_t x, int32_t y, bool grey, uint8_t rgb[3])
{
    static const uint8_t COLOURS[4][3] = {
        {220, 30, 30}, {30, 200, 30}, {30, 30, 220}, {220, 220, 30}};
    static const uint8_t GREYS[4] = {10, 90, 170, 250};
    const int i = (x >= WIDTH / 2) + 2 * (y >= HEIGHT / 2);

    if (grey)
        memset(rgb, GREYS[i], 3);
    else
        memcpy(rgb, COLOURS[i], 3);
}

static void paint(bool grey)
{
    for (int32_t y = 0; y < HEIGHT; y++)
        for (int32_t x = 0; x < WIDTH; x++)
            quarter(x, y, grey, picture + 3 * (y * WIDTH + x));
}

static bool is_near(const uint8_t *a, const uint8_t *b)
{
    for (int c = 0; c < 3; c++)
        if (abs(a[c] - b[c]) > 12)
            return false;
    return true;
}

static void check_picture(const struct files_jpeg *j)
{
    const char *path = files_path(folder, "picture.jpg");
    struct pool_raster r;
    struct fault fault = {0};

    paint(j->grey);
    files_write_jpeg(path, j);
    for (int want_alpha = 0; want_alpha < 2; want_alpha++) {
        assert_int_equal(decode(path, want_alpha, &r, &fault), 0);
        assert_true(r.width == WIDTH && r.height == HEIGHT);
        assert_int_equal(r.n_channels, 3 + want_alpha);
        for (int32_t y = 0; y < HEIGHT; y++) {
            for (int32_t x = 0; x < WIDTH; x++) {
                const uint8_t *p = r.pixels + (y * WIDTH + x) * r.n_channels;
                uint8_t expected[3];

                quarter(x, y, j->grey, expected);
                assert_true(is_near(p, expected));
                if (want_alpha)
                    assert_int_equal(p[3], 255);
            }
        }
        pool_raster_fini(&r);
    }
}

static void baseline_progressive_and_grey_give_the_picture(void **state)
{
    struct files_jpeg j = {.width = WIDTH, .height = HEIGHT, .rgb = picture};

    check_picture(&j);
    j.progressive = true;
    check_picture(&j);
    j.grey = true;
    check_picture(&j);
    j.progressive = false;
    check_picture(&j);
}

/* Where the picture's top left quarter (0) and top right one (1) come to lie,
 * as the Exif specification words it: "the 0th row is the visual top / right
 * side ...". 0 top left, 1 top right, 2 bottom left, 3 bottom right. */
static const int TURNED[9][2] = {
    [1] = {0, 1}, [2] = {1, 0}, [3] = {3, 2}, [4] = {2, 3},
    [5] = {0, 2}, [6] = {1, 3}, [7] = {3, 1}, [8] = {2, 0},
};

static const uint8_t *middle_of(const struct pool_raster *r, int quarter_index)
{
    const int32_t x = r->width * (1 + 2 * (quarter_index & 1)) / 4;
    const int32_t y = r->height * (1 + 2 * (quarter_index >> 1)) / 4;

    return r->pixels + (y * r->width + x) * r->n_channels;
}

static void check_orientation(int orientation, bool big_endian)
{
    const char *path = files_path(folder, "turned.jpg");
    const struct files_jpeg j = {.width = WIDTH,
                                 .height = HEIGHT,
                                 .rgb = picture,
                                 .orientation = orientation,
                                 .big_endian = big_endian};
    const bool swapped = orientation >= 5;
    struct pool_raster r;
    struct fault fault;
    uint8_t first[3], second[3];

    files_write_jpeg(path, &j);
    assert_int_equal(decode(path, false, &r, &fault), 0);
    assert_int_equal(r.width, swapped ? HEIGHT : WIDTH);
    assert_int_equal(r.height, swapped ? WIDTH : HEIGHT);
    quarter(0, 0, false, first);
    quarter(WIDTH - 1, 0, false, second);
    assert_true(is_near(middle_of(&r, TURNED[orientation][0]), first));
    assert_true(is_near(middle_of(&r, TURNED[orientation][1]), second));
    pool_raster_fini(&r);
}

static void all_eight_orientations_turn_the_picture(void **state)
{
    paint(false);
    for (int orientation = 1; orientation <= 8; orientation++) {
        check_orientation(orientation, false);
        check_orientation(orientation, true);
    }
}

static void turning_moves_every_pixel_once(void **state)
{
    for (int orientation = 2; orientation <= 8; orientation++) {
        struct pool_raster r;
        bool seen[15] = {false};

        assert_int_equal(pool_raster_init(&r, 5, 3, 3, NULL), 0);
        for (int i = 0; i < 45; i++)
            r.pixels[i] = (uint8_t)i;
        assert_int_equal(pool_raster_orient(&r, orientation, NULL), 0);
        for (int i = 0; i < 15; i++) {
            const uint8_t *p = r.pixels + 3 * i;

            assert_true(p[0] % 3 == 0 && p[1] == p[0] + 1 && p[2] == p[0] + 2);
            seen[p[0] / 3] = true;
        }
        for (int i = 0; i < 15; i++)
            assert_true(seen[i]);
        pool_raster_fini(&r);
    }
}

static void broken_exif_leaves_the_picture(void **state)
{
    static const uint8_t GOOD[] = {'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12,
                                   1,   3,   0,  1, 0, 0, 0, 6, 0, 0, 0};
    uint8_t tiff[sizeof(GOOD)];

    assert_int_equal(exif_orientation(GOOD, sizeof(GOOD)), 6);
    for (size_t n = 0; n < 20; n++) {
        uint8_t *cut = malloc(n + 1);

        memcpy(cut, GOOD, n);
        assert_int_equal(exif_orientation(cut, n), 1);
        free(cut);
    }
    for (size_t i = 0; i < sizeof(GOOD); i++) {
        for (int v = 0; v < 256; v++) { /* only that nothing is read beyond */
            memcpy(tiff, GOOD, sizeof(tiff));
            tiff[i] = (uint8_t)v;
            const int orientation = exif_orientation(tiff, sizeof(tiff));

            assert_in_range(orientation, 1, 8);
        }
    }
}

static void cmyk_is_refused_with_a_sentence(void **state)
{
    const char *path = files_path(folder, "cmyk.jpg");
    struct pool_raster r;
    struct fault fault;

    files_write_jpeg(path, &(struct files_jpeg){.width = WIDTH,
                                                .height = HEIGHT,
                                                .rgb = picture,
                                                .cmyk = true});
    assert_int_equal(decode(path, false, &r, &fault), -ERROR_UNSUPPORTED);
    assert_non_null(strstr(fault.text, "CMYK"));
    assert_null(r.pixels);
}

static uint8_t *progressive(size_t *out_n_bytes)
{
    const char *path = files_path(folder, "progressive.jpg");

    paint(false);
    files_write_jpeg(path, &(struct files_jpeg){.width = WIDTH,
                                                .height = HEIGHT,
                                                .rgb = picture,
                                                .progressive = true,
                                                .orientation = 6});
    return files_read(path, out_n_bytes);
}

static void markers_tell_what_is_in_the_file(void **state)
{
    size_t n_bytes;
    uint8_t *jpeg = progressive(&n_bytes);
    const struct pool_jpeg_info info = pool_jpeg_scan(jpeg, n_bytes);

    assert_true(info.width == WIDTH && info.height == HEIGHT);
    assert_true(info.progressive);
    assert_int_equal(info.n_components, 3);
    assert_int_equal(info.orientation, 6);
    assert_true(info.whole);
    assert_int_equal(info.n_scans, 10); /* libjpeg's script for colour */
    free(jpeg);
}

static void scans_are_limited(void **state)
{
    struct pool_limits limits = pool_limits_default();
    struct pool_raster r;
    struct fault fault;
    size_t n_bytes;
    uint8_t *jpeg = progressive(&n_bytes);

    limits.max_jpeg_scans = 9;
    assert_int_equal(
        pool_jpeg_decode(jpeg, n_bytes, false, &limits, &r, &fault),
        -ERROR_TOO_LARGE);
    limits.max_jpeg_scans = 10;
    assert_int_equal(
        pool_jpeg_decode(jpeg, n_bytes, false, &limits, &r, &fault), 0);
    pool_raster_fini(&r);
    limits.max_pixels = WIDTH * HEIGHT - 1;
    assert_int_equal(
        pool_jpeg_decode(jpeg, n_bytes, false, &limits, &r, &fault),
        -ERROR_TOO_LARGE);
    free(jpeg);
}

static void every_truncation_is_a_bad_file(void **state)
{
    const struct pool_limits limits = pool_limits_default();
    struct pool_raster r;
    struct fault fault;
    size_t n_bytes;
    uint8_t *jpeg = progressive(&n_bytes);

    for (size_t n = 0; n < n_bytes; n++) {
        uint8_t *cut = malloc(n + 1);

        memcpy(cut, jpeg, n);
        pool_jpeg_scan(cut, n);
        assert_int_equal(pool_jpeg_decode(cut, n, false, &limits, &r, &fault),
                         -ERROR_BAD_FILE);
        assert_null(r.pixels);
        free(cut);
    }
    free(jpeg);
}

/* Ten bytes of the picture are gone, every marker is there. */
static void lost_data_is_a_bad_file(void **state)
{
    const struct pool_limits limits = pool_limits_default();
    const char *path = files_path(folder, "lost.jpg");
    struct pool_raster r;
    struct fault fault;
    size_t n_bytes;

    paint(false);
    files_write_jpeg(
        path,
        &(struct files_jpeg){.width = WIDTH, .height = HEIGHT, .rgb = picture});
    uint8_t *jpeg = files_read(path, &n_bytes);

    memmove(jpeg + n_bytes - 50, jpeg + n_bytes - 40, 40);
    assert_int_equal(
        pool_jpeg_decode(jpeg, n_bytes - 10, false, &limits, &r, &fault),
        -ERROR_BAD_FILE);
    assert_true(pool_jpeg_scan(jpeg, n_bytes - 10).whole);
    free(jpeg);
}

static void a_long_segment_before_the_frame_does_not_hide_the_size(void **state)
{
    const struct pool_limits limits = pool_limits_default();
    const char *path = files_path(folder, "long.jpg");
    struct pool_header header;
    struct fault fault;
    size_t n_bytes;
    uint8_t *jpeg = progressive(&n_bytes);
    uint8_t *longer = calloc(1, n_bytes + 40002);

    memcpy(longer, jpeg, 2);
    memcpy(longer + 2, (const uint8_t[]){0xff, 0xec, 0x9c, 0x40}, 4);
    memcpy(longer + 2 + 40002, jpeg + 2, n_bytes - 2);
    files_write(path, longer, n_bytes + 40002);
    assert_int_equal(pool_probe(path, &limits, &header, &fault), 0);
    assert_true(header.width == WIDTH && header.height == HEIGHT);
    assert_true(header.scratch_bytes > n_bytes + 40002);
    free(jpeg);
    free(longer);
}

static void every_failed_allocation_is_told(void **state)
{
    const struct pool_limits limits = pool_limits_default();
    struct pool_raster r;
    struct fault fault;
    size_t n_bytes;
    uint8_t *jpeg = progressive(&n_bytes); /* is turned: two rasters */

    for (uint64_t nth = 1; nth <= 2; nth++) {
        mem_fail_nth(nth);
        assert_int_equal(
            pool_jpeg_decode(jpeg, n_bytes, false, &limits, &r, &fault),
            -ERROR_NO_MEMORY);
        assert_null(r.pixels);
    }
    mem_fail_nth(0);
    free(jpeg);
}

static int set_up(void **state)
{
    folder = files_temporary();
    return 0;
}

static int tear_down(void **state)
{
    files_remove(folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(baseline_progressive_and_grey_give_the_picture),
        cmocka_unit_test(all_eight_orientations_turn_the_picture),
        cmocka_unit_test(turning_moves_every_pixel_once),
        cmocka_unit_test(broken_exif_leaves_the_picture),
        cmocka_unit_test(cmyk_is_refused_with_a_sentence),
        cmocka_unit_test(markers_tell_what_is_in_the_file),
        cmocka_unit_test(scans_are_limited),
        cmocka_unit_test(lost_data_is_a_bad_file),
        cmocka_unit_test(every_truncation_is_a_bad_file),
        cmocka_unit_test(
            a_long_segment_before_the_frame_does_not_hide_the_size),
        cmocka_unit_test(every_failed_allocation_is_told),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
