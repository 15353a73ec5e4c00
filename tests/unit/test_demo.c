/* The demo pools: how many, what kind, and the same pixels on every machine.
 * Whether they are pretty is for people to say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/base/digest.h"
#include "server/base/mem.h"
#include "server/pool/demo.h"

/* These change when a demo picture changes, and with them every fingerprint of
 * a stream of the demo pools. A deliberate change prints the new ones. */
#define GOLDEN_OBJECTS                                                         \
    "e8130186a3ed6e6f586746ae0227be9f3cd533f4a0886533a8393c0b94185682"
#define GOLDEN_BACKGROUNDS                                                     \
    "65516c3295de306c9f32ee24ecbd4130055d2184ede9fe308d299d497724b8cb"

static uint8_t *draw_object(uint32_t i, int32_t *w, int32_t *h)
{
    demo_object_size(i, w, h);
    uint8_t *rgba = mem_calloc((size_t)*w * (size_t)*h, 4);
    assert_non_null(rgba);
    demo_draw_object(i, rgba, (ptrdiff_t)*w * 4);
    return rgba;
}

static void pools_are_large_enough(void **state)
{
    uint32_t n_digits = 0, n_signs = 0;
    for (uint32_t i = 0; i < demo_n_objects(); i++) {
        n_digits += strncmp(demo_object_class(i), "digit-", 6) == 0;
        n_signs += strncmp(demo_object_class(i), "sign-", 5) == 0;
    }
    assert_int_equal(n_digits, 10);
    assert_true(n_signs >= 24);
    assert_int_equal(n_digits + n_signs, demo_n_objects());
    assert_true(demo_n_backgrounds() >= 64);
}

static void names_are_unique_and_end_in_the_class(void **state)
{
    for (uint32_t i = 0; i < demo_n_objects(); i++) {
        const char *name = demo_object_name(i);
        const char *slash = strrchr(name, '/');
        assert_non_null(slash);
        assert_string_equal(slash + 1, demo_object_class(i));
        for (uint32_t j = 0; j < i; j++)
            assert_string_not_equal(name, demo_object_name(j));
    }
    for (uint32_t i = 0; i < demo_n_backgrounds(); i++)
        for (uint32_t j = 0; j < i; j++)
            assert_string_not_equal(demo_background_name(i),
                                    demo_background_name(j));
}

/* Opaque inside, clear at the corners, soft between, nothing cut off. */
static void objects_are_cut_outs_with_soft_edges(void **state)
{
    for (uint32_t i = 0; i < demo_n_objects(); i++) {
        int32_t w, h;
        uint8_t *rgba = draw_object(i, &w, &h);
        size_t n_opaque = 0, n_clear = 0, n_soft = 0, n_on_border = 0;
        for (int32_t y = 0; y < h; y++) {
            for (int32_t x = 0; x < w; x++) {
                uint8_t alpha =
                    rgba[((size_t)y * (size_t)w + (size_t)x) * 4 + 3];
                n_opaque += alpha == 255;
                n_clear += alpha == 0;
                n_soft += alpha > 0 && alpha < 255;
                if (x == 0 || y == 0 || x == w - 1 || y == h - 1)
                    n_on_border += alpha == 255;
            }
        }
        size_t n = (size_t)w * (size_t)h;
        assert_true(n_opaque > n / 8);
        assert_true(n_clear > n / 40);
        assert_true(n_soft > 50);
        assert_int_equal(n_on_border, 0);
        mem_free(rgba);
    }
}

static void sizes_are_within_what_is_promised(void **state)
{
    int32_t w, h;
    for (uint32_t i = 0; i < demo_n_objects(); i++) {
        demo_object_size(i, &w, &h);
        assert_in_range(w, 96, 128);
        assert_in_range(h, 96, 128);
    }
    for (uint32_t i = 0; i < demo_n_backgrounds(); i++) {
        demo_background_size(i, &w, &h);
        assert_in_range(w, 256, 512);
        assert_in_range(h, 256, 512);
    }
}

static void rows_honour_the_stride(void **state)
{
    int32_t w, h;
    uint8_t *packed = draw_object(11, &w, &h);
    ptrdiff_t stride = w * 4 + 20;
    uint8_t *padded = mem_calloc((size_t)h, (size_t)stride);
    assert_non_null(padded);
    memset(padded, 0xA5, (size_t)h * (size_t)stride);
    demo_draw_object(11, padded, stride);
    for (int32_t y = 0; y < h; y++) {
        assert_memory_equal(padded + y * stride, packed + y * w * 4, w * 4);
        for (int32_t k = 0; k < 20; k++)
            assert_int_equal(padded[y * stride + w * 4 + k], 0xA5);
    }
    mem_free(packed);
    mem_free(padded);
}

static void objects_are_the_golden_pixels(void **state)
{
    struct digest_state s;
    char hex[DIGEST_HEX_BYTES];
    digest_init(&s);
    for (uint32_t i = 0; i < demo_n_objects(); i++) {
        int32_t w, h;
        uint8_t *rgba = draw_object(i, &w, &h);
        digest_update(&s, rgba, (size_t)w * (size_t)h * 4);
        mem_free(rgba);
    }
    struct digest d = digest_final(&s);
    digest_hex(&d, hex);
    assert_string_equal(hex, GOLDEN_OBJECTS);
}

static void backgrounds_are_the_golden_pixels(void **state)
{
    struct digest_state s;
    char hex[DIGEST_HEX_BYTES];
    digest_init(&s);
    for (uint32_t i = 0; i < demo_n_backgrounds(); i++) {
        int32_t w, h;
        demo_background_size(i, &w, &h);
        uint8_t *rgb = mem_calloc((size_t)w * (size_t)h, 3);
        assert_non_null(rgb);
        demo_draw_background(i, rgb, (ptrdiff_t)w * 3);
        digest_update(&s, rgb, (size_t)w * (size_t)h * 3);
        mem_free(rgb);
    }
    struct digest d = digest_final(&s);
    digest_hex(&d, hex);
    assert_string_equal(hex, GOLDEN_BACKGROUNDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pools_are_large_enough),
        cmocka_unit_test(names_are_unique_and_end_in_the_class),
        cmocka_unit_test(objects_are_cut_outs_with_soft_edges),
        cmocka_unit_test(sizes_are_within_what_is_promised),
        cmocka_unit_test(rows_honour_the_stride),
        cmocka_unit_test(objects_are_the_golden_pixels),
        cmocka_unit_test(backgrounds_are_the_golden_pixels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
