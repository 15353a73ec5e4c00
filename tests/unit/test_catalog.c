/* Loading a catalog from files: classes and their order, what is skipped and
 * why, splits, limits; the same digest whatever the threads and the names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/pool/catalog.h"
#include "tests/unit/pool_files.h"

static char *folder; /* a new one for each test */

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

static void put(const char *name, int number)
{
    files_put(folder, name, number);
}

static void put_backgrounds(int n)
{
    files_put_backgrounds(folder, n);
}

static struct pool_config config(void)
{
    return files_config(folder);
}

static struct catalog *load(const struct pool_config *c)
{
    struct catalog *catalog;
    struct fault fault = {0};

    if (catalog_load(c, &catalog, &fault))
        fail_msg("%s", fault.text);
    return catalog;
}

static void refuses(const struct pool_config *c, int code, const char *text)
{
    struct catalog *catalog = NULL;
    struct fault fault = {0};

    assert_int_equal(catalog_load(c, &catalog, &fault), code);
    assert_null(catalog);
    if (!strstr(fault.text, text))
        fail_msg("\"%s\" does not say \"%s\"", fault.text, text);
}

/* "class:name class:name ..." */
static void expect_objects(const struct catalog *c, const char *expected)
{
    char text[2048] = "";

    for (uint32_t i = 0; i < c->n_objects; i++) {
        const struct pool_object *o = &c->objects[i];
        size_t n = strlen(text);

        assert_true(i >= c->class_first[o->class_id] &&
                    i < c->class_first[o->class_id + 1]);
        snprintf(text + n, sizeof(text) - n, "%s%s:%s", n ? " " : "",
                 c->classes[o->class_id], o->name);
    }
    assert_string_equal(text, expected);
    assert_int_equal(c->class_first[c->n_classes], c->n_objects);
}

static void each_folder_is_a_class_in_natural_order(void **state)
{
    files_make_folder(folder, "objects/10");
    files_make_folder(folder, "objects/2");
    files_make_folder(folder, "objects/2/deep");
    put("objects/10/a.png", 1);
    put("objects/2/10.png", 2);
    put("objects/2/9.png", 3);
    put("objects/2/deep/1.PNG", 4);
    files_write_text(files_path(folder, "objects/2/notes.txt"), "no image");
    put("objects/2/.hidden.png", 5);
    put_backgrounds(12);
    struct pool_config c = config();
    struct catalog *catalog = load(&c);

    expect_objects(catalog, "2:2/9.png 2:2/10.png 2:2/deep/1.PNG 10:10/a.png");
    assert_int_equal(catalog->n_backgrounds, 12);
    assert_string_equal(catalog->backgrounds[2].name, "2.png");
    assert_string_equal(catalog->backgrounds[10].name, "10.png");
    assert_int_equal(catalog->n_objects_skipped, 0);
    assert_int_equal(catalog->n_skips, 0);
    catalog_unref(catalog);
}

static void each_file_of_a_flat_folder_is_a_class(void **state)
{
    put("objects/10.png", 1);
    put("objects/9.png", 2);
    put("objects/stop.v2.png", 3);
    put_backgrounds(1);
    struct pool_config c = config();
    struct catalog *catalog = load(&c);

    expect_objects(catalog, "9:9.png 10:10.png stop.v2:stop.v2.png");
    catalog_unref(catalog);
}

static void listed_classes_come_first_in_their_order(void **state)
{
    static const char *const LIST[] = {"z", "b"};
    static const char *const TWICE[] = {"b", "z", "b"};
    static const char *const MISSING[] = {"b", "q"};
    struct pool_config c = config();

    put("objects/a.png", 1);
    put("objects/b.png", 2);
    put("objects/z.png", 3);
    put("objects/10.png", 4);
    put("objects/9.png", 5);
    put_backgrounds(1);
    c.classes = LIST;
    c.n_classes = 2;
    struct catalog *catalog = load(&c);

    expect_objects(catalog, "z:z.png b:b.png 9:9.png 10:10.png a:a.png");
    catalog_unref(catalog);
    c.classes = TWICE;
    c.n_classes = 3;
    refuses(&c, -ERROR_BAD_CONFIG, "\"b\" is listed twice");
    c.classes = MISSING;
    c.n_classes = 2;
    refuses(&c, -ERROR_BAD_FILE, "\"q\" is listed");
}

static void a_manifest_names_objects_one_by_one(void **state)
{
    static char manifest[1100];
    struct pool_config c = config();

    put("objects/x.png", 1);
    put("objects/y.png", 2);
    put_backgrounds(1);
    snprintf(manifest, sizeof(manifest), "%s/list.json", folder);
    files_write_text(manifest,
                     "{\"classes\": [\"two\"], \"objects\": ["
                     "{\"path\": \"objects/x.png\", \"class\": \"one\", "
                     "\"size_mm\": 5, \"keypoints\": [[1, 2]]},"
                     "{\"path\": \"objects/y.png\", \"class\": \"two\"},"
                     "{\"path\": \"objects/y.png\", \"class\": \"one\"},"
                     "{\"path\": \"objects/none.png\", \"class\": \"one\"}]}");
    c.objects_path = manifest;
    struct catalog *catalog = load(&c);

    expect_objects(catalog, "two:objects/y.png one:objects/x.png "
                            "one:objects/y.png");
    assert_true(catalog->objects[1].size_mm == 5);
    assert_int_equal(catalog->objects[1].n_keypoints, 1);
    assert_true(catalog->objects[1].keypoints[0].y == 2);
    assert_int_equal(catalog->n_objects_skipped, 1);
    assert_non_null(strstr(catalog->skips[0].path, "none.png"));
    catalog_unref(catalog);
}

static void masks_give_alpha_and_are_no_objects(void **state)
{
    uint8_t mask[6 * 5] = {0};
    struct pool_config c = config();

    put("objects/a.png", 3); /* 6 x 5 */
    put("objects/b.png", 6);
    put("objects/c.png", 9);
    mask[2 * 6 + 3] = 255;
    files_write_pixels(files_path(folder, "objects/a.mask.png"), mask, 6, 5, 1);
    files_write_pixels(files_path(folder, "objects/b_mask.png"), mask, 6, 5, 1);
    put_backgrounds(1);
    c.matte = POOL_MATTE_MASK;
    struct catalog *catalog = load(&c);

    expect_objects(catalog, "a:a.png b:b.png");
    const struct image_box box = catalog->objects[0].alpha_box;

    assert_true(box.x0 == 3 && box.y0 == 2 && box.x1 == 4 && box.y1 == 3);
    assert_int_equal(catalog->objects[0].coverage[7][7], 255);
    assert_int_equal(catalog->n_objects_skipped, 1);
    assert_non_null(strstr(catalog->skips[0].reason, "no mask"));
    catalog_unref(catalog);
    c.matte = POOL_MATTE_MASK_INVERTED;
    catalog = load(&c);
    assert_int_equal(catalog->objects[0].alpha_box.x1, 6);
    catalog_unref(catalog);
}

static void a_bad_file_costs_only_itself(void **state)
{
    struct pool_config c = config();

    put("objects/a.png", 1);
    files_write_text(files_path(folder, "objects/bad.png"), "not a PNG");
    files_write_text(files_path(folder, "objects/empty.jpg"), "");
    files_write_solid(files_path(folder, "objects/gone.png"), 3, 3,
                      (const uint8_t[4]){9, 9, 9, 0});
    files_write_text(files_path(folder, "objects/moving.gif"), "GIF89a");
    put_backgrounds(2);
    files_write(files_path(folder, "backgrounds/cut.png"),
                "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\2\0\0\0",
                29);
    struct catalog *catalog = load(&c);

    expect_objects(catalog, "a:a.png");
    assert_int_equal(catalog->n_objects_skipped, 4);
    assert_int_equal(catalog->n_backgrounds_skipped, 1);
    assert_int_equal(catalog->n_skips, 5);
    assert_non_null(strstr(catalog->skips[0].reason, "neither a PNG nor"));
    assert_non_null(strstr(catalog->skips[1].reason, "empty"));
    assert_non_null(strstr(catalog->skips[2].reason, "visible"));
    assert_non_null(strstr(catalog->skips[3].reason, "only PNG and JPEG"));
    assert_non_null(strstr(catalog->skips[4].path, "backgrounds/cut.png"));
    catalog_unref(catalog);
    c.strict = true;
    refuses(&c, -ERROR_BAD_FILE, "/objects/bad.png: neither a PNG");
}

static void a_loose_file_beside_class_folders_is_told(void **state)
{
    struct pool_config c = config();

    files_make_folder(folder, "objects/a");
    put("objects/a/1.png", 1);
    put("objects/loose.png", 2);
    put_backgrounds(1);
    struct catalog *catalog = load(&c);

    expect_objects(catalog, "a:a/1.png");
    assert_non_null(strstr(catalog->skips[0].reason, "beside the class"));
    catalog_unref(catalog);
}

static void nothing_to_use_is_refused(void **state)
{
    struct pool_config c = config();

    refuses(&c, -ERROR_BAD_FILE, "no image");
    put("objects/a.png", 1);
    refuses(&c, -ERROR_BAD_FILE, "no background in ");
    files_write_text(files_path(folder, "backgrounds/x.png"), "no");
    refuses(&c, -ERROR_BAD_FILE, "1 skipped, the first: ");
    c.backgrounds_path = "/nonexistent/folder";
    refuses(&c, -ERROR_NOT_FOUND, "/nonexistent/folder");
    c.objects_path = NULL;
    refuses(&c, -ERROR_NOT_FOUND, "objects");
}

static void links_are_followed_but_not_in_circles(void **state)
{
    struct pool_config c = config();

    put("objects/a.png", 1);
    files_make_folder(folder, "elsewhere");
    put("elsewhere/1.png", 5);
    put_backgrounds(1);
    if (symlink("../elsewhere", files_path(folder, "backgrounds/linked")) ||
        symlink("..", files_path(folder, "elsewhere/up")) ||
        symlink("nothing", files_path(folder, "backgrounds/dead.png")))
        fail();
    c.limits.max_depth = 3;
    struct catalog *catalog = load(&c);
    bool found = false;

    for (uint32_t i = 0; i < catalog->n_backgrounds; i++)
        found |= !strcmp(catalog->backgrounds[i].name, "linked/1.png");
    assert_true(found);
    assert_true(catalog->n_backgrounds_skipped >= 2); /* dead, a circle */
    catalog_unref(catalog);
    c.limits.max_files = 2;
    refuses(&c, -ERROR_TOO_LARGE, "limit of 2");
}

static void expect_digest(const struct pool_config *c, const char *hex,
                          bool same)
{
    struct catalog *catalog = load(c);
    char other[DIGEST_HEX_BYTES];

    digest_hex(&catalog->digest, other);
    catalog_unref(catalog);
    assert_int_equal(strcmp(hex, other) == 0, same);
}

static void the_digest_is_of_pixels_and_classes_only(void **state)
{
    struct pool_config c = config();
    char first[DIGEST_HEX_BYTES], other[DIGEST_HEX_BYTES];

    files_make_folder(folder, "objects/a");
    files_make_folder(folder, "objects/b");
    put("objects/a/1.png", 1);
    put("objects/b/1.png", 2);
    put_backgrounds(5);
    struct catalog *catalog = load(&c);

    digest_hex(&catalog->digest, first);
    catalog_unref(catalog);
    rename(files_path(folder, "objects/a/1.png"),
           files_path(folder, "objects/a/other.png"));
    for (c.n_threads = 0; c.n_threads < 9; c.n_threads += 4) {
        expect_digest(&c, first, true);
    }
    put("objects/b/1.png", 3);
    expect_digest(&c, first, false);
    put("objects/b/1.png", 2);
    expect_digest(&c, first, true);
    put("objects/b/0.png", 7);
    c.n_threads = 1;
    catalog = load(&c);
    digest_hex(&catalog->digest, other);
    catalog_unref(catalog);
    rename(files_path(folder, "objects/b/0.png"),
           files_path(folder, "objects/a/z.png"));
    expect_digest(&c, other, false); /* the same pixels, another class */
    remove(files_path(folder, "objects/a/z.png"));
    expect_digest(&c, first, true);
    rename(files_path(folder, "objects/b"), files_path(folder, "objects/c"));
    expect_digest(&c, first, false);
}

static void the_splits_share_the_backgrounds_out(void **state)
{
    struct pool_config c = config();
    uint32_t n[3];
    bool seen[100] = {false};

    put("objects/a.png", 1);
    put_backgrounds(100);
    for (int split = POOL_SPLIT_ALL; split <= POOL_SPLIT_VAL; split++) {
        c.split = (enum pool_split)split;
        struct catalog *catalog = load(&c);

        n[split] = catalog->n_backgrounds;
        for (uint32_t i = 0; split && i < catalog->n_backgrounds; i++) {
            const int number = atoi(catalog->backgrounds[i].name);
            uint64_t v;

            memcpy(&v, catalog->backgrounds[i].digest.bytes, 8);
            assert_true((v % 10 == 0) == (split == POOL_SPLIT_VAL));
            assert_false(seen[number]);
            seen[number] = true;
        }
        assert_int_equal(catalog->n_backgrounds_skipped, 0);
        catalog_unref(catalog);
    }
    assert_int_equal(n[POOL_SPLIT_TRAIN] + n[POOL_SPLIT_VAL],
                     n[POOL_SPLIT_ALL]);
    assert_in_range(n[POOL_SPLIT_VAL], 2, 25);
}

/* Sizes are halved, and an image stays on its side of the split. */
static void max_side_halves_backgrounds(void **state)
{
    struct pool_config c = config();
    uint32_t n_val;

    put("objects/a.png", 1);
    for (int i = 0; i < 40; i++) {
        char name[64];

        snprintf(name, sizeof(name), "backgrounds/%d.png", i);
        files_write_solid(files_path(folder, name), 101, 30,
                          (const uint8_t[4]){(uint8_t)i, 2, 3, 255});
    }
    c.split = POOL_SPLIT_VAL;
    struct catalog *catalog = load(&c);

    n_val = catalog->n_backgrounds;
    assert_true(n_val > 0);
    catalog_unref(catalog);
    c.max_side = 26;
    catalog = load(&c);
    assert_int_equal(catalog->n_backgrounds, n_val);
    assert_int_equal(catalog->backgrounds[0].width, 26);
    assert_int_equal(catalog->backgrounds[0].height, 8);
    assert_int_equal(catalog->backgrounds[0].n_levels, 6);
    catalog_unref(catalog);
}

static void levels_are_halves_of_each_other(void **state)
{
    struct pool_config c = config();

    files_write_solid(files_path(folder, "objects/a.png"), 9, 4,
                      (const uint8_t[4]){200, 100, 50, 128});
    put_backgrounds(1);
    struct catalog *catalog = load(&c);
    const struct pool_object *o = &catalog->objects[0];

    assert_int_equal(o->n_levels, 5);
    for (uint32_t i = 0; i < o->n_levels; i++) {
        const struct image_level *l = &o->level[i];

        assert_int_equal(l->width, (9 + (1 << i) - 1) >> i);
        assert_int_equal((uintptr_t)l->pixels % 64, 0);
        assert_memory_equal(l->pixels + (l->height - 1) * l->stride_bytes +
                                4 * (l->width - 1),
                            ((const uint8_t[]){100, 50, 25, 128}), 4);
    }
    assert_int_equal(catalog->image_bytes, 4 * (9 * 4 + 5 * 2 + 3 + 2 + 1) +
                                               3 * (7 * 5 + 4 * 3 + 2 * 2 + 1));
    catalog_unref(catalog);
}

struct progress {
    uint64_t n_calls, n_done, n_total;
};

static void on_progress(void *context, uint64_t n_done, uint64_t n_total)
{
    struct progress *p = context;

    assert_true(n_done >= p->n_done && n_done <= n_total);
    *p = (struct progress){p->n_calls + 1, n_done, n_total};
}

static void progress_ends_at_the_total(void **state)
{
    struct pool_config c = config();
    struct progress p = {0};

    put("objects/a.png", 1);
    put_backgrounds(4);
    c.progress = on_progress;
    c.progress_context = &p;
    catalog_unref(load(&c));
    assert_true(p.n_calls >= 1 && p.n_done == 5 && p.n_total == 5);
}

static void words_name_mattes_and_splits(void **state)
{
    assert_int_equal(pool_matte_from_name("alpha"), POOL_MATTE_ALPHA);
    assert_int_equal(pool_matte_from_name("mask-inverted"),
                     POOL_MATTE_MASK_INVERTED);
    assert_int_equal(pool_matte_from_name("masks"), -1);
    assert_int_equal(pool_split_from_name("val"), POOL_SPLIT_VAL);
    assert_int_equal(pool_split_from_name(""), -1);
}

static void the_demo_pools_are_a_catalog(void **state)
{
    struct pool_config c = {.demo = true, .n_threads = 2};
    struct catalog *catalog = load(&c);

    assert_in_range(catalog->n_classes, 30, 1000);
    assert_in_range(catalog->n_backgrounds, 50, 1000);
    assert_int_equal(catalog->n_skips, 0);
    catalog_unref(catalog);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(each_folder_is_a_class_in_natural_order),
        TEST(each_file_of_a_flat_folder_is_a_class),
        TEST(listed_classes_come_first_in_their_order),
        TEST(a_manifest_names_objects_one_by_one),
        TEST(masks_give_alpha_and_are_no_objects),
        TEST(a_bad_file_costs_only_itself),
        TEST(a_loose_file_beside_class_folders_is_told),
        TEST(nothing_to_use_is_refused),
        TEST(links_are_followed_but_not_in_circles),
        TEST(the_digest_is_of_pixels_and_classes_only),
        TEST(the_splits_share_the_backgrounds_out),
        TEST(max_side_halves_backgrounds),
        TEST(levels_are_halves_of_each_other),
        TEST(progress_ends_at_the_total),
        TEST(the_demo_pools_are_a_catalog),
        TEST(words_name_mattes_and_splits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
