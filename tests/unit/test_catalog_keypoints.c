/* Keypoints of a manifest and of the demo pools in a catalog, and in its
 * digest. Places none in a frame (test_plan_keypoint.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/pool/catalog.h"
#include "tests/unit/pool_files.h"

static struct catalog *load(const struct pool_config *c)
{
    struct catalog *catalog;
    struct fault fault = {0};

    if (catalog_load(c, &catalog, &fault))
        fail_msg("%s", fault.text);
    return catalog;
}

/* Of two objects, the first with these keys more. */
static struct digest digest_with(const char *folder, const char *keys,
                                 uint32_t n_keypoints)
{
    struct pool_config c = files_config(folder);
    char text[400];

    snprintf(text, sizeof(text),
             "{\"objects\": [{\"path\": \"objects/x.png\", \"class\": \"x\"%s},"
             "{\"path\": \"objects/y.png\", \"class\": \"y\"}]}",
             keys);
    c.objects_path = files_path(folder, "list.json");
    files_write_text(c.objects_path, text);
    struct catalog *catalog = load(&c);
    struct digest d = catalog->digest;

    assert_int_equal(catalog->n_keypoints, n_keypoints);
    catalog_unref(catalog);
    return d;
}

static void keypoints_are_in_the_digest(void **state)
{
    static const char *const KEYS[] = {"", ", \"keypoints\": [[1, 2]]",
                                       ", \"keypoints\": [[1, 2.25]]",
                                       ", \"keypoints\": [[1, 2], [3, 4]]"};
    char *folder = files_pools();
    struct digest d[4];

    files_put(folder, "objects/x.png", 1);
    files_put(folder, "objects/y.png", 2);
    files_put_backgrounds(folder, 1);
    for (uint32_t i = 0; i < 4; i++)
        d[i] = digest_with(folder, KEYS[i], i == 0 ? 0 : i < 3 ? 1 : 2);
    for (int i = 1; i < 4; i++)
        for (int k = 0; k < i; k++)
            assert_memory_not_equal(&d[i], &d[k], sizeof(d[i]));
    struct digest none = digest_with(folder, ", \"keypoints\": []", 0);

    assert_memory_equal(&none, &d[0], sizeof(none));
    none = digest_with(folder, ", \"keypoints\": [[1, 2]]", 1);
    assert_memory_equal(&none, &d[1], sizeof(none));
    files_remove(folder);
}

/* On the object: where its alpha is not 0. */
static void demo_keypoints_lie_on_their_objects(void **state)
{
    const struct pool_config c = {
        .demo = true, .n_threads = 2, .limits = pool_limits_default()};
    struct catalog *catalog = load(&c);
    uint32_t n_alone = 0, n_on_glyphs = 0;

    assert_int_equal(catalog->n_keypoints, 9);
    for (uint32_t i = 0; i < catalog->n_objects; i++) {
        const struct pool_object *o = &catalog->objects[i];

        assert_in_range(o->n_keypoints, 1, 9);
        n_alone += o->n_keypoints == 1;
        for (uint32_t k = 0; k < o->n_keypoints; k++) {
            const int32_t x = (int32_t)o->keypoints[k].x;
            const int32_t y = (int32_t)o->keypoints[k].y;
            const struct image_level *l = &o->level[0];

            assert_true(x >= 0 && x < o->width && y >= 0 && y < o->height);
            bool is_on = l->pixels[y * l->stride_bytes + x * 4 + 3] > 0;

            if (o->n_keypoints == 1)
                n_on_glyphs += is_on;
            else
                assert_true(is_on);
        }
    }
    assert_int_equal(n_alone, 10); /* the digits, of which 0 has a hole */
    assert_true(n_on_glyphs < 10);
    catalog_unref(catalog);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keypoints_are_in_the_digest),
        cmocka_unit_test(demo_keypoints_lie_on_their_objects),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
