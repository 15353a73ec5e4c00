/* The pool against files that others made: PngSuite and libpng's test images
 * beside libpng's own verdict, and pictograms cut out of white. Skipped where
 * PASTED_SHARED (../shared beside the repository by default) has no data. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <png.h>

#include "server/pool/catalog.h"
#include "server/pool/decode.h"

static char shared[1024]; /* .../data */

/* libpng's simplified reader: the same library by another way in. */
static bool libpng_accepts(const char *path)
{
    png_image image = {.version = PNG_IMAGE_VERSION};
    uint8_t *pixels = NULL;
    bool accepted = false;

    if (png_image_begin_read_from_file(&image, path)) {
        image.format = PNG_FORMAT_RGBA;
        pixels = malloc(PNG_IMAGE_SIZE(image));
        accepted =
            pixels && png_image_finish_read(&image, NULL, pixels, 0, NULL);
    }
    png_image_free(&image);
    free(pixels);
    return accepted;
}

static bool we_accept(const char *path, char reason[512])
{
    const struct pool_limits limits = pool_limits_default();
    struct pool_raster r;
    struct fault fault = {0};
    int code = pool_decode_file(path, true, &limits, &r, &fault);

    snprintf(reason, 512, "%s", fault.text);
    pool_raster_fini(&r);
    return code == 0;
}

static void the_verdict_on_every_malformed_png_is_libpngs(void **state)
{
    char path[4096], line[1024], reason[512];
    int n_good = 0, n_bad = 0, n_wrong = 0;

    snprintf(path, sizeof(path), "%s/malformed/manifest.csv", shared);
    FILE *manifest = fopen(path, "r");

    assert_non_null(manifest);
    assert_non_null(fgets(line, sizeof(line), manifest)); /* its header */
    while (fgets(line, sizeof(line), manifest)) {
        line[strcspn(line, ",")] = '\0';
        snprintf(path, sizeof(path), "%s/malformed/%s", shared, line);
        const bool ours = we_accept(path, reason);

        if (ours != libpng_accepts(path)) {
            print_message("%s: we say %s %s\n", line,
                          ours ? "good" : "bad:", reason);
            n_wrong++;
        }
        n_good += ours;
        n_bad += !ours;
        assert_true(ours || reason[0]);
    }
    fclose(manifest);
    print_message("%d good, %d bad\n", n_good, n_bad);
    assert_int_equal(n_wrong, 0);
    assert_true(n_good > 200 && n_bad > 30);
}

/* Straight R + G + B of a premultiplied pixel. */
static int sum_of(const uint8_t *p)
{
    return (p[0] + p[1] + p[2]) * 255 / p[3];
}

/* The least sum of the opaque pixels within 3 columns and rows. */
static int darkest_near(const struct image_level *l, int32_t x, int32_t y)
{
    int least = 765;

    for (int32_t v = y - 3; v <= y + 3; v++) {
        for (int32_t u = x - 3; u <= x + 3; u++) {
            if (u < 0 || v < 0 || u >= l->width || v >= l->height)
                continue;
            const uint8_t *p = l->pixels + v * l->stride_bytes + 4 * u;

            if (p[3] == 255 && sum_of(p) < least)
                least = sum_of(p);
        }
    }
    return least;
}

/* Soft pixels that are lighter than the object beside them: they have kept some
 * of the white surround. 60 is for JPEG's noise and for rounding. */
static int count_halo(const struct pool_object *o)
{
    const struct image_level *l = &o->level[0];
    int n = 0;

    for (int32_t y = 0; y < l->height; y++) {
        for (int32_t x = 0; x < l->width; x++) {
            const uint8_t *p = l->pixels + y * l->stride_bytes + 4 * x;

            n += p[3] > 0 && p[3] < 255 &&
                 sum_of(p) > darkest_near(l, x, y) + 60;
        }
    }
    return n;
}

static void pictograms_are_cut_out_without_a_halo(void **state)
{
    char objects[1100], backgrounds[1100], name[16];
    struct pool_config c = {.objects_path = objects,
                            .backgrounds_path = backgrounds,
                            .matte = POOL_MATTE_CORNERS,
                            .n_threads = 2,
                            .strict = true,
                            .limits = pool_limits_default()};
    struct catalog *catalog;
    struct fault fault = {0};
    int n_halo = 0;

    snprintf(objects, sizeof(objects), "%s/signs/pictograms", shared);
    snprintf(backgrounds, sizeof(backgrounds), "%s/backgrounds/kodak", shared);
    if (catalog_load(&c, &catalog, &fault))
        fail_msg("%s", fault.text);
    assert_int_equal(catalog->n_classes, 43);
    assert_int_equal(catalog->n_objects, 43);
    assert_int_equal(catalog->n_backgrounds, 24);
    for (uint32_t i = 0; i < 43; i++) {
        const struct pool_object *o = &catalog->objects[i];
        const uint8_t *first = o->level[0].pixels;
        const uint8_t *middle = first + 45 * o->level[0].stride_bytes + 4 * 50;

        snprintf(name, sizeof(name), "%u", i);
        assert_string_equal(catalog->classes[i], name);
        assert_int_equal(first[3], 0);
        assert_int_equal(middle[3], 255); /* also where it is white */
        n_halo += count_halo(o);
    }
    print_message("%d soft pixels lighter than their object\n", n_halo);
    assert_int_equal(n_halo, 0);
    catalog_unref(catalog);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_verdict_on_every_malformed_png_is_libpngs),
        cmocka_unit_test(pictograms_are_cut_out_without_a_halo),
    };
    const char *given = getenv("PASTED_SHARED");
    const char *source = getenv("PASTED_SOURCE");

    if (given)
        snprintf(shared, sizeof(shared), "%s/data", given);
    else
        snprintf(shared, sizeof(shared), "%s/../shared/data",
                 source ? source : ".");
    if (access(shared, R_OK)) {
        printf("skipped: no %s (set PASTED_SHARED)\n", shared);
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
