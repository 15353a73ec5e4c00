/* PNG of every kind against what its own samples say, worked out here and not
 * by libpng; and files that are damaged or too much. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>
#include <png.h>

#include "server/base/mem.h"
#include "server/pool/decode.h"
#include "server/pool/png.h"
#include "tests/unit/pool_files.h"

static char *folder;

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static int decode(const char *path, bool want_alpha, struct pool_raster *out,
                  struct fault *fault)
{
    const struct pool_limits limits = pool_limits_default();

    return pool_decode_file(path, want_alpha, &limits, out, fault);
}

/* Sample i of a row of packed samples, at its full depth. */
static uint32_t sample(const uint8_t *row, size_t i, int depth)
{
    if (depth == 16)
        return (uint32_t)row[2 * i] << 8 | row[2 * i + 1];
    const size_t bit = i * (size_t)depth;

    return (uint32_t)row[bit / 8] >> (8 - (size_t)depth - bit % 8) &
           ((1u << depth) - 1);
}

static uint8_t to_8_bits(uint32_t v, int depth)
{
    return (uint8_t)(depth == 16 ? v >> 8 : v * 255 / ((1u << depth) - 1));
}

#define SIDE 19 /* odd: rows end within a byte, passes within a block */

struct kind {
    int color_type, depth;
    bool transparent; /* has a tRNS chunk */
};

static const uint8_t PALETTE[16][3] = {
    {0, 0, 0},   {255, 0, 0},   {0, 255, 0}, {0, 0, 255},
    {9, 8, 7},   {100, 50, 25}, {1, 2, 3},   {255, 255, 255},
    {40, 50, 6}, {7, 77, 177},  {8, 88, 18}, {9, 99, 199},
    {4, 5, 6},   {20, 30, 40},  {60, 6, 66}, {13, 17, 19}};
static const uint8_t ALPHAS[3] = {0, 128, 200};

static int channels(int color_type)
{
    return color_type == PNG_COLOR_TYPE_RGB          ? 3
           : color_type == PNG_COLOR_TYPE_RGBA       ? 4
           : color_type == PNG_COLOR_TYPE_GRAY_ALPHA ? 2
                                                     : 1;
}

static void expect_pixel(const struct kind *k, const uint8_t *row, int x,
                         const uint32_t key[3], uint8_t out[4])
{
    const int n = channels(k->color_type);
    uint32_t v[4] = {0};

    for (int c = 0; c < n; c++)
        v[c] = sample(row, (size_t)(x * n + c), k->depth);
    out[3] = 255;
    if (k->color_type == PNG_COLOR_TYPE_PALETTE) {
        memcpy(out, PALETTE[v[0]], 3);
        if (k->transparent && v[0] < 3)
            out[3] = ALPHAS[v[0]];
        return;
    }
    for (int c = 0; c < 3; c++)
        out[c] = to_8_bits(v[n >= 3 ? c : 0], k->depth);
    if (n == 2 || n == 4)
        out[3] = to_8_bits(v[n - 1], k->depth);
    else if (k->transparent && v[0] == key[0] &&
             (n == 1 || (v[1] == key[1] && v[2] == key[2])))
        out[3] = 0;
}

/* A file with a tRNS key that its first pixel has, and its rows. */
static void write_kind(const char *path, const struct kind *k, int interlace,
                       uint8_t *rows, size_t row_bytes, uint32_t key[3])
{
    const int n = channels(k->color_type);
    uint8_t t[6];

    for (int c = 0; c < 3; c++) {
        key[c] = sample(rows, (size_t)(n == 3 ? c : 0), k->depth);
        t[2 * c] = (uint8_t)(key[c] >> 8);
        t[2 * c + 1] = (uint8_t)key[c];
    }
    struct files_png png = {.width = SIDE,
                            .height = SIDE,
                            .bit_depth = k->depth,
                            .color_type = k->color_type,
                            .interlace = interlace,
                            .rows = rows,
                            .row_bytes = row_bytes};

    if (k->color_type == PNG_COLOR_TYPE_PALETTE) {
        png.palette = PALETTE;
        png.n_palette = k->depth >= 4 ? 16 : 1 << k->depth;
    }
    if (k->transparent) {
        const bool palette = png.n_palette > 0;

        png.transparency = palette ? ALPHAS : t;
        png.n_transparency = !palette            ? (n == 3 ? 6 : 2)
                             : png.n_palette < 3 ? png.n_palette
                                                 : 3;
    }
    files_write_png(path, &png);
}

static void check_kind(const struct kind *k, int interlace)
{
    const size_t n = (size_t)channels(k->color_type);
    const size_t row_bytes = (SIDE * n * (size_t)k->depth + 7) / 8;
    const char *path = files_path(folder, "kind.png");
    uint8_t *rows = malloc(row_bytes * SIDE);
    uint32_t seed = (uint32_t)(k->color_type * 100 + k->depth), key[3];
    struct pool_raster rgba, rgb;
    struct fault fault = {0};

    for (size_t i = 0; i < row_bytes * SIDE; i++) {
        rows[i] = (uint8_t)next_random(&seed);
        if (k->color_type == PNG_COLOR_TYPE_PALETTE && k->depth == 8)
            rows[i] %= 16;
    }
    write_kind(path, k, interlace, rows, row_bytes, key);
    assert_int_equal(decode(path, true, &rgba, &fault), 0);
    assert_int_equal(decode(path, false, &rgb, &fault), 0);
    assert_true(rgba.width == SIDE && rgba.height == SIDE);
    assert_true(rgba.n_channels == 4 && rgb.n_channels == 3);
    for (int y = 0; y < SIDE; y++) {
        for (int x = 0; x < SIDE; x++) {
            const int i = y * SIDE + x;
            uint8_t e[4];

            expect_pixel(k, rows + (size_t)y * row_bytes, x, key, e);
            assert_memory_equal(rgba.pixels + 4 * i, e, 4);
            for (int c = 0; c < 3; c++)
                assert_int_equal(rgb.pixels[3 * i + c],
                                 (e[c] * e[3] + 127) / 255);
        }
    }
    pool_raster_fini(&rgba);
    pool_raster_fini(&rgb);
    free(rows);
}

static void every_kind_decodes_to_its_samples(void **state)
{
    static const int TYPES[] = {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_PALETTE,
                                PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_GRAY_ALPHA,
                                PNG_COLOR_TYPE_RGBA};
    int n_kinds = 0;

    for (size_t t = 0; t < sizeof(TYPES) / sizeof(TYPES[0]); t++) {
        const bool palette = TYPES[t] == PNG_COLOR_TYPE_PALETTE;
        const bool small = TYPES[t] == PNG_COLOR_TYPE_GRAY || palette;

        for (int depth = small ? 1 : 8; depth <= (palette ? 8 : 16);
             depth *= 2) {
            for (int transparent = 0; transparent < 2; transparent++) {
                const struct kind k = {TYPES[t], depth, transparent};

                if (transparent && (TYPES[t] & PNG_COLOR_MASK_ALPHA))
                    continue;
                check_kind(&k, PNG_INTERLACE_NONE);
                check_kind(&k, PNG_INTERLACE_ADAM7);
                n_kinds += 2;
            }
        }
    }
    assert_int_equal(n_kinds, 2 * (2 * (5 + 4 + 2) + 4));
}

static uint8_t *small_png(size_t *out_n_bytes)
{
    const char *path = files_path(folder, "small.png");
    const uint8_t pixels[4][4] = {
        {255, 0, 0, 255}, {0, 255, 0, 128}, {0, 0, 255, 0}, {1, 2, 3, 4}};

    files_write_pixels(path, pixels[0], 2, 2, 4);
    return files_read(path, out_n_bytes);
}

static int verdict(const uint8_t *bytes, size_t n_bytes,
                   const struct pool_limits *limits, struct fault *fault)
{
    const struct pool_limits usual = pool_limits_default();
    struct pool_raster r;
    int code = pool_png_decode(bytes, n_bytes, true, limits ? limits : &usual,
                               &r, fault);

    if (code)
        assert_null(r.pixels);
    pool_raster_fini(&r);
    return code;
}

static void every_truncation_is_a_bad_file(void **state)
{
    size_t n_bytes;
    uint8_t *png = small_png(&n_bytes);
    struct fault fault;

    assert_int_equal(verdict(png, n_bytes, NULL, &fault), 0);
    for (size_t n = 0; n < n_bytes; n++) {
        uint8_t *cut = malloc(n + 1); /* so that a read beyond it is seen */

        memcpy(cut, png, n);
        assert_int_equal(verdict(cut, n, NULL, &fault), -ERROR_BAD_FILE);
        free(cut);
    }
    free(png);
}

static void every_flipped_byte_is_a_bad_file(void **state)
{
    size_t n_bytes;
    uint8_t *png = small_png(&n_bytes);
    struct fault fault;

    for (size_t i = 0; i < n_bytes; i++) {
        png[i] ^= 0x55;
        if (verdict(png, n_bytes, NULL, &fault) == 0)
            fail_msg("byte %zu was flipped and nobody saw it", i);
        png[i] ^= 0x55;
    }
    free(png);
}

static void write_u32_big(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* The PNG with one more chunk after IHDR; crc_xor damages its checksum. */
static uint8_t *with_chunk(const char *type, const uint8_t *data, uint32_t n,
                           uint32_t crc_xor, size_t *out_n_bytes)
{
    size_t n_bytes;
    uint8_t *png = small_png(&n_bytes);
    uint8_t *out = malloc(n_bytes + n + 12);
    uint8_t *at = out + 33;

    memcpy(out, png, 33);
    write_u32_big(at, n);
    memcpy(at + 4, type, 4);
    if (n)
        memcpy(at + 8, data, n);
    write_u32_big(at + 8 + n, (uint32_t)crc32(0, at + 4, n + 4) ^ crc_xor);
    memcpy(at + 12 + n, png + 33, n_bytes - 33);
    free(png);
    *out_n_bytes = n_bytes + n + 12;
    return out;
}

static void a_damaged_chunk_that_decides_no_pixel_is_passed_over(void **state)
{
    size_t n_bytes;
    struct fault fault;
    uint8_t *png = with_chunk("tEXt", (const uint8_t *)"a\0b", 3, 1, &n_bytes);

    assert_int_equal(verdict(png, n_bytes, NULL, &fault), 0);
    free(png);
}

static void an_unknown_critical_chunk_is_refused(void **state)
{
    size_t n_bytes;
    struct fault fault;
    uint8_t *png = with_chunk("ABCD", NULL, 0, 0, &n_bytes);

    assert_int_equal(verdict(png, n_bytes, NULL, &fault), -ERROR_BAD_FILE);
    assert_non_null(strstr(fault.text, "ABCD"));
    free(png);
}

static void a_damaged_transparency_is_refused(void **state)
{
    const char *path = files_path(folder, "t.png");
    const uint8_t row[1] = {0}, key[2] = {0, 0};
    size_t n_bytes;
    struct fault fault;

    files_write_png(path, &(struct files_png){.width = 1,
                                              .height = 1,
                                              .bit_depth = 8,
                                              .color_type = PNG_COLOR_TYPE_GRAY,
                                              .rows = row,
                                              .row_bytes = 1,
                                              .transparency = key,
                                              .n_transparency = 2});
    uint8_t *png = files_read(path, &n_bytes);

    assert_int_equal(verdict(png, n_bytes, NULL, &fault), 0);
    assert_memory_equal(png + 37, "tRNS", 4);
    png[43] ^= 1; /* of its checksum */
    assert_int_equal(verdict(png, n_bytes, NULL, &fault), -ERROR_BAD_FILE);
    assert_non_null(strstr(fault.text, "tRNS"));
    free(png);
}

/* A length of 2^31 - 1 made libpng clear as much memory before it looked at the
 * file: 1.5 s for 57 bytes. */
static void a_chunk_may_not_claim_what_the_file_has_not(void **state)
{
    size_t n_bytes;
    struct fault fault;
    uint8_t *png = with_chunk("pCAL", NULL, 0, 0, &n_bytes);

    write_u32_big(png + 33, 0x7fffffff);
    assert_int_equal(verdict(png, n_bytes, NULL, &fault), -ERROR_TOO_LARGE);
    write_u32_big(png + 33, 8 << 20);
    assert_int_equal(verdict(png, n_bytes, NULL, &fault), -ERROR_BAD_FILE);
    free(png);
}

static void limits_hold(void **state)
{
    struct pool_limits limits = pool_limits_default();
    size_t n_bytes;
    struct fault fault;
    uint8_t *png = small_png(&n_bytes);

    limits.max_pixels = 3;
    assert_int_equal(verdict(png, n_bytes, &limits, &fault), -ERROR_TOO_LARGE);
    limits.max_pixels = 4;
    assert_int_equal(verdict(png, n_bytes, &limits, &fault), 0);
    limits.max_png_chunks = 1; /* IHDR and IEND are two */
    assert_int_equal(verdict(png, n_bytes, &limits, &fault), -ERROR_TOO_LARGE);
    limits.max_png_chunks = 2;
    assert_int_equal(verdict(png, n_bytes, &limits, &fault), 0);
    free(png);
}

static void the_header_tells_the_size(void **state)
{
    const struct pool_limits limits = pool_limits_default();
    const char *path = files_path(folder, "size.png");
    struct pool_header header;
    struct fault fault;

    files_write_solid(path, 17, 5, (const uint8_t[4]){1, 2, 3, 255});
    assert_int_equal(pool_probe(path, &limits, &header, &fault), 0);
    assert_true(header.width == 17 && header.height == 5);
    size_t n_bytes;
    uint8_t *png = files_read(path, &n_bytes);

    write_u32_big(png + 16, 16385);
    files_write(path, png, n_bytes);
    assert_int_equal(pool_probe(path, &limits, &header, &fault),
                     -ERROR_TOO_LARGE);
    assert_int_equal(verdict(png, n_bytes, NULL, &fault), -ERROR_BAD_FILE);
    free(png);
}

static void every_failed_allocation_is_told(void **state)
{
    size_t n_bytes;
    uint8_t *png = small_png(&n_bytes);
    struct fault fault;
    uint64_t nth = 1;

    for (;; nth++) {
        mem_fail_nth(nth);
        int code = verdict(png, n_bytes, NULL, &fault);
        bool all = code == 0;

        mem_fail_nth(0);
        if (all)
            break;
        assert_int_equal(code, -ERROR_NO_MEMORY);
    }
    assert_true(nth > 3);
    free(png);
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
        cmocka_unit_test(every_kind_decodes_to_its_samples),
        cmocka_unit_test(every_truncation_is_a_bad_file),
        cmocka_unit_test(every_flipped_byte_is_a_bad_file),
        cmocka_unit_test(a_damaged_chunk_that_decides_no_pixel_is_passed_over),
        cmocka_unit_test(an_unknown_critical_chunk_is_refused),
        cmocka_unit_test(a_damaged_transparency_is_refused),
        cmocka_unit_test(a_chunk_may_not_claim_what_the_file_has_not),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(the_header_tells_the_size),
        cmocka_unit_test(every_failed_allocation_is_told),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
