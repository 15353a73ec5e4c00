/* What a catalog takes: the prediction beside what is resident, the limit and
 * what its message says, and every allocation that can fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/base/host.h"
#include "server/base/mem.h"
#include "server/pool/catalog.h"
#include "tests/unit/pool_files.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static char *folder;

static int set_up(void **state)
{
    folder = files_pools();
    return 0;
}

static int tear_down(void **state)
{
    files_remove(folder);
    return 0;
}

/* 4 progressive JPEGs of 1200 x 900 and 30 PNGs of 700 x 500 as backgrounds,
 * 40 objects of 150 x 120: together about 58 MiB. */
static void put_large_pools(void)
{
    uint8_t *rgb = malloc(1200 * 900 * 3);
    uint32_t seed = 3;
    char name[64];

    for (size_t i = 0; i < 1200 * 900 * 3; i++) {
        seed = seed * 1664525u + 1013904223u;
        rgb[i] = (uint8_t)(i / 3000 + (seed >> 28));
    }
    for (int i = 0; i < 34; i++) {
        const bool jpeg = i < 4;

        snprintf(name, sizeof(name), "backgrounds/%d.%s", i,
                 jpeg ? "jpg" : "png");
        if (jpeg)
            files_write_jpeg(files_path(folder, name),
                             &(struct files_jpeg){.width = 1200,
                                                  .height = 900,
                                                  .rgb = rgb + 3 * i,
                                                  .progressive = true,
                                                  .orientation = 6});
        else
            files_write_pixels(files_path(folder, name), rgb + 3 * i, 700, 500,
                               3);
    }
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof(name), "objects/%d.png", i);
        files_write_solid(files_path(folder, name), 150, 120,
                          (const uint8_t[4]){(uint8_t)i, 0, 0, 255});
    }
    free(rgb);
}

/* In a process of its own: what an earlier load touched stays in the
 * allocator's hands, and would be used again without growing anything. */
static int measure(const struct pool_config *c)
{
    struct catalog *catalog;
    struct fault fault = {0};
    const uint64_t before = host_resident_bytes();

    if (catalog_load(c, &catalog, &fault)) {
        fprintf(stderr, "%s\n", fault.text);
        return 1;
    }
    const uint64_t grown = host_resident_bytes() - before;
    const uint64_t predicted = catalog->predicted_bytes;
    const uint64_t tenth = predicted / 10;

    printf("predicted %llu KiB, resident %llu KiB, pixels %llu KiB\n",
           (unsigned long long)predicted >> 10, (unsigned long long)grown >> 10,
           (unsigned long long)catalog->image_bytes >> 10);
    const bool close = catalog->image_bytes <= predicted &&
                       predicted - catalog->image_bytes < predicted / 50;

    catalog_unref(catalog);
    /* Shadow, quarantine or an emulator's translations are resident too. */
    if (SANITIZED || getenv("PASTED_EMULATED") != NULL)
        return close ? 0 : 1;
    return close && grown > predicted - tenth && grown < predicted + tenth ? 0
                                                                           : 1;
}

static void check_resident(const struct pool_config *c)
{
    int status = -1;

    fflush(stdout);
    const pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        const int failed = measure(c);

        fflush(stdout);
        _exit(failed);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void resident_memory_is_within_a_tenth_of_the_prediction(void **state)
{
    struct pool_config c = files_config(folder);

    put_large_pools();
    for (c.n_threads = 1; c.n_threads <= 8; c.n_threads *= 2)
        check_resident(&c);
    c.n_threads = 2;
    c.max_side = 900;
    check_resident(&c);
    c.strokes = true;
    check_resident(&c);
}

static void widen(const struct image_level *level, uint32_t n_levels,
                  uintptr_t span[2])
{
    for (uint32_t i = 0; i < n_levels; i++) {
        const uintptr_t from = (uintptr_t)level[i].pixels;
        const uintptr_t to =
            from + (uintptr_t)(level[i].height * level[i].stride_bytes);

        span[0] = from < span[0] ? from : span[0];
        span[1] = to > span[1] ? to : span[1];
    }
}

/* From the first byte of any image to the last of any. */
static uint64_t spanned_bytes(const struct catalog *c)
{
    uintptr_t span[2] = {UINTPTR_MAX, 0};

    for (uint32_t i = 0; i < c->n_objects; i++)
        widen(c->objects[i].level, c->objects[i].n_levels, span);
    for (uint32_t i = 0; i < c->n_backgrounds; i++)
        widen(c->backgrounds[i].level, c->backgrounds[i].n_levels, span);
    return span[1] - span[0];
}

/* What a split leaves out takes no place among them. */
static void images_of_a_catalog_lie_side_by_side(void **state)
{
    struct pool_config c = files_config(folder);

    put_large_pools();
    c.n_threads = 2;
    for (c.split = POOL_SPLIT_ALL; c.split <= POOL_SPLIT_VAL; c.split++) {
        struct catalog *catalog;
        struct fault fault = {0};

        assert_int_equal(catalog_load(&c, &catalog, &fault), 0);
        const uint64_t spanned = spanned_bytes(catalog);

        assert_in_range(spanned, catalog->image_bytes,
                        catalog->image_bytes + catalog->image_bytes / 50);
        catalog_unref(catalog);
    }
}

static void refuses(const struct pool_config *c, const char *text)
{
    struct catalog *catalog = NULL;
    struct fault fault = {0};

    assert_int_equal(catalog_load(c, &catalog, &fault), -ERROR_TOO_LARGE);
    assert_null(catalog);
    if (!strstr(fault.text, text))
        fail_msg("\"%s\" does not say \"%s\"", fault.text, text);
}

static void too_little_memory_is_refused_before_decoding(void **state)
{
    struct pool_config c = files_config(folder);
    struct catalog *catalog;
    struct fault fault = {0};

    put_large_pools();
    c.memory_limit_bytes = 100ull << 20;
    assert_int_equal(catalog_load(&c, &catalog, &fault), 0);
    catalog_unref(catalog);
    const uint64_t allocations = mem_allocations();

    c.memory_limit_bytes = 50ull << 20;
    refuses(&c, "the memory limit is 50 MiB; with max_side 512 it would fit");
    /* A name, a path, a header of each of 74 files; no raster, no level. */
    assert_in_range(mem_allocations() - allocations, 74 * 3, 74 * 6);
    c.max_side = 512;
    assert_int_equal(catalog_load(&c, &catalog, &fault), 0);
    catalog_unref(catalog);
    c.memory_limit_bytes = 1 << 20;
    refuses(&c, "fewer decoders take less");
}

/* One thread, so that the nth allocation is the same each time. */
static void every_failed_allocation_ends_the_load(void **state)
{
    struct pool_config c = files_config(folder);
    uint64_t nth = 1;

    files_make_folder(folder, "objects/a");
    files_put(folder, "objects/a/1.png", 1);
    files_put(folder, "objects/a/2.png", 2);
    files_put(folder, "objects/a/1.mask.png", 1);
    files_write_text(files_path(folder, "objects/a/3.png"), "bad");
    files_put_backgrounds(folder, 2);
    c.matte = POOL_MATTE_MASK;
    c.n_threads = 1;
    c.max_side = 4;
    for (;; nth++) {
        struct catalog *catalog = NULL;
        struct fault fault = {0};

        mem_fail_nth(nth);
        int code = catalog_load(&c, &catalog, &fault);

        mem_fail_nth(0);
        if (code == 0) {
            catalog_unref(catalog);
            break;
        }
        if (code != -ERROR_NO_MEMORY)
            fail_msg("allocation %lu: %d, %s", (unsigned long)nth, code,
                     fault.text);
        assert_null(catalog);
    }
    assert_in_range(nth, 60, 2000);
}

static void references_keep_a_catalog(void **state)
{
    struct pool_config c = files_config(folder);
    struct catalog *catalog;
    struct fault fault = {0};

    files_put(folder, "objects/a.png", 1);
    files_put_backgrounds(folder, 1);
    assert_int_equal(catalog_load(&c, &catalog, &fault), 0);
    assert_ptr_equal(catalog_ref(catalog), catalog);
    catalog_unref(catalog);
    assert_int_equal(catalog->objects[0].level[0].pixels[3], 255);
    catalog_unref(catalog);
    catalog_unref(NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(resident_memory_is_within_a_tenth_of_the_prediction),
        TEST(images_of_a_catalog_lie_side_by_side),
        TEST(too_little_memory_is_refused_before_decoding),
        TEST(references_keep_a_catalog),
        TEST(every_failed_allocation_ends_the_load),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
