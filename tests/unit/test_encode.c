/* Encoders: reproducible bytes, exact sizes, refusals, short memory. What the
 * files mean to others is test_encode_numpy.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/mem.h"
#include "server/encode/encode.h"
#include "server/encode/zip.h"
#include "tests/unit/encode_pattern.h"

typedef int (*encoder)(const struct batch_layout *layout,
                       const uint8_t *payload, struct encoded *out,
                       struct fault *fault);

static int encode_first_png(const struct batch_layout *layout,
                            const uint8_t *payload, struct encoded *out,
                            struct fault *fault)
{
    return encode_png(payload + layout->image_offset_bytes, layout->width,
                      layout->height, 3 * layout->width, out, fault);
}

static const encoder encoders[] = {encode_npz, encode_safetensors,
                                   encode_grid_png, encode_batch_json,
                                   encode_first_png};
#define N_ENCODERS (sizeof(encoders) / sizeof(encoders[0]))

static void the_same_batch_gives_the_same_bytes(void **state)
{
    struct batch_layout l;
    uint8_t *payload = pattern_make(&l, 33, 17, 5, TENSOR_U8);

    for (size_t i = 0; i < N_ENCODERS; i++) {
        struct encoded a, b;

        assert_int_equal(encoders[i](&l, payload, &a, NULL), 0);
        assert_int_equal(encoders[i](&l, payload, &b, NULL), 0);
        assert_int_equal(a.n_bytes, b.n_bytes);
        assert_memory_equal(a.data, b.data, a.n_bytes);
        mem_free(a.data);
        mem_free(b.data);
    }
    free(payload);
}

static void files_have_exactly_the_promised_size(void **state)
{
    for (uint32_t n = 1; n < 40; n += 7) {
        struct batch_layout l;
        uint8_t *payload =
            pattern_make(&l, 3, 5, n, n % 2 ? TENSOR_U8 : TENSOR_F32);
        struct encoded e;

        assert_int_equal(encode_npz(&l, payload, &e, NULL), 0);
        assert_int_equal(e.n_bytes, encode_npz_bytes(&l));
        mem_free(e.data);
        assert_int_equal(encode_safetensors(&l, payload, &e, NULL), 0);
        assert_int_equal(e.n_bytes, encode_safetensors_bytes(&l));
        mem_free(e.data);
        free(payload);
    }
}

static void archives_beyond_four_gigabytes_are_counted(void **state)
{
    static const uint64_t sizes[] = {ZIP_LIMIT_32 - 1, ZIP_LIMIT_32,
                                     UINT64_C(1) << 40};
    /* Alone in an archive: 64 bytes to its content, 46 + 1 of directory and
     * 22 of end, and 76 + 20 more when the directory lies beyond 4 GiB. */
    static const uint64_t extra[] = {64 + 47 + 22 + 76, 64 + 67 + 22 + 76,
                                     64 + 67 + 22 + 76};

    for (int i = 0; i < 3; i++) {
        struct zip_writer z;

        zip_init(&z, NULL);
        assert_null(zip_begin_member(&z, "a", sizes[i]));
        zip_end_member(&z);
        assert_int_equal(zip_finish(&z), sizes[i] + extra[i]);
    }
}

static void negative_and_padded_strides_are_honoured(void **state)
{
    struct batch_layout l;
    uint8_t *payload = pattern_make(&l, 4, 4, 1, TENSOR_U8);
    const uint8_t *image = payload + l.image_offset_bytes;
    uint8_t padded[4 * 20];
    struct encoded a, b, c;

    for (int y = 0; y < 4; y++)
        memcpy(padded + y * 20, image + y * 12, 12);
    assert_int_equal(encode_png(image, 4, 4, 12, &a, NULL), 0);
    assert_int_equal(encode_png(padded, 4, 4, 20, &b, NULL), 0);
    assert_int_equal(a.n_bytes, b.n_bytes);
    assert_memory_equal(a.data, b.data, a.n_bytes);
    assert_int_equal(encode_png(padded + 60, 4, 4, -20, &c, NULL), 0);
    assert_true(c.n_bytes != a.n_bytes ||
                memcmp(a.data, c.data, a.n_bytes) != 0);
    mem_free(a.data);
    mem_free(b.data);
    mem_free(c.data);
    free(payload);
}

static void a_grid_of_floats_is_refused(void **state)
{
    struct batch_layout l;
    uint8_t *payload = pattern_make(&l, 4, 4, 2, TENSOR_F32);
    struct encoded e;
    struct fault fault = {0};

    assert_int_equal(encode_grid_png(&l, payload, &e, &fault),
                     -ERROR_UNSUPPORTED);
    assert_true(strlen(fault.text) > 0);
    free(payload);
}

static void an_image_without_pixels_is_refused(void **state)
{
    struct encoded e;
    struct fault fault = {0};
    uint8_t pixel[3] = {0};

    assert_int_equal(encode_png(pixel, 0, 1, 3, &e, &fault),
                     -ERROR_BAD_ARGUMENT);
    assert_int_equal(encode_png(pixel, 1, -1, 3, &e, &fault),
                     -ERROR_BAD_ARGUMENT);
}

static void every_allocation_may_fail(void **state)
{
    struct batch_layout l;
    uint8_t *payload = pattern_make(&l, 64, 64, 9, TENSOR_U8);

    for (size_t i = 0; i < N_ENCODERS; i++) {
        struct encoded e;
        int rc = -1;

        for (uint64_t nth = 1; rc < 0; nth++) {
            struct fault fault = {0};

            mem_fail_nth(nth);
            rc = encoders[i](&l, payload, &e, &fault);
            assert_true(rc == 0 || rc == -ERROR_NO_MEMORY);
            assert_int_equal(fault.code, -rc);
            assert_true(nth < 1000);
        }
        mem_fail_nth(0);
        mem_free(e.data);
    }
    free(payload);
}

static void the_encoder_names_its_libraries(void **state)
{
    assert_memory_equal(encode_png_encoder(), "libpng 1.", 9);
    assert_non_null(strstr(encode_png_encoder(), ", zlib 1."));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_batch_gives_the_same_bytes),
        cmocka_unit_test(files_have_exactly_the_promised_size),
        cmocka_unit_test(archives_beyond_four_gigabytes_are_counted),
        cmocka_unit_test(negative_and_padded_strides_are_honoured),
        cmocka_unit_test(a_grid_of_floats_is_refused),
        cmocka_unit_test(an_image_without_pixels_is_refused),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(the_encoder_names_its_libraries),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
