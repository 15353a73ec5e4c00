/* What no pool and no recipe should hold, and some do: objects of one pixel, of
 * none that shows, far larger than any frame; backgrounds of one pixel; frames
 * of one pixel, of one row, of 2048; every key at either end of its range. Each
 * composes in memory of its exact size, with every table of kernels, to the
 * same bytes. Which bytes is for others to say (tests/golden). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "server/base/digest.h"
#include "server/base/mem.h"
#include "server/compose/compose.h"
#include "server/pixel/kernels.h"
#include "server/recipe/field.h"
#include "server/recipe/operation.h"
#include "tests/unit/synthetic.h"

/* Alpha of an object: everywhere, nowhere, in one pixel, here and there. */
enum shape { FULL, NOTHING, ONE_PIXEL, SPECKS };

static const struct {
    int32_t width, height;
    enum shape shape;
} objects[] = {{1, 1, FULL},      {90, 70, ONE_PIXEL}, {16384, 1, FULL},
               {1, 9000, SPECKS}, {2, 3, SPECKS},      {3000, 2500, SPECKS},
               {64, 64, FULL},    {1, 1, NOTHING},     {30, 20, NOTHING}};
/* The last two are what no pool holds; they have no outline either. */
#define N_SHOWN (sizeof objects / sizeof objects[0] - 2)
static const int32_t backgrounds[][2] = {{1, 1}, {1, 700}, {16384, 1}, {2, 2},
                                         {3, 1}, {900, 3}, {300, 200}};
#define N_OBJECTS     (sizeof objects / sizeof objects[0])
#define N_BACKGROUNDS (sizeof backgrounds / sizeof backgrounds[0])

static struct synthetic made;

static uint8_t noise(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return (uint8_t)(*state >> 24);
}

static void set_object(uint32_t i, uint32_t *random)
{
    const int32_t w = objects[i].width, h = objects[i].height;
    const struct pool_keypoint points[] = {{0, 0}, {w, h}};
    uint8_t *rgba = malloc((size_t)w * (size_t)h * 4);
    assert_non_null(rgba);
    for (int32_t k = 0; k < w * h; k++) {
        static const uint8_t alpha[] = {
            [FULL] = 255, [NOTHING] = 0, [ONE_PIXEL] = 0, [SPECKS] = 0};
        for (int c = 0; c < 3; c++)
            rgba[4 * k + c] = noise(random);
        rgba[4 * k + 3] = alpha[objects[i].shape];
        if (objects[i].shape == SPECKS)
            rgba[4 * k + 3] = noise(random) & noise(random);
    }
    if (objects[i].shape == ONE_PIXEL)
        rgba[4 * (w * h / 3) + 3] = 255;
    synthetic_set_object(&made, i, w, h, rgba);
    if (i < N_SHOWN)
        synthetic_add_stroke(&made, i, w, h, rgba);
    synthetic_set_keypoints(&made, i, points, 2);
    free(rgba);
}

static void set_background(uint32_t i, uint32_t *random)
{
    const int32_t w = backgrounds[i][0], h = backgrounds[i][1];
    uint8_t *rgb = malloc((size_t)w * (size_t)h * 3);
    assert_non_null(rgb);
    for (int32_t k = 0; k < 3 * w * h; k++)
        rgb[k] = noise(random);
    synthetic_set_background(&made, i, w, h, rgb);
    free(rgb);
}

static int make_catalog(void **state)
{
    (void)state;
    uint32_t random = 5;
    synthetic_init(&made, N_OBJECTS, N_BACKGROUNDS);
    for (uint32_t i = 0; i < N_OBJECTS; i++)
        set_object(i, &random);
    for (uint32_t i = 0; i < N_BACKGROUNDS; i++)
        set_background(i, &random);
    return 0;
}

static int drop_catalog(void **state)
{
    (void)state;
    synthetic_fini(&made);
    return 0;
}

/* Recipes. */

static void set_at(json_t *root, const char *pointer, json_t *value)
{
    char key[64];
    for (;;) {
        size_t n = strcspn(pointer + 1, "/");
        snprintf(key, sizeof key, "%.*s", (int)n, pointer + 1);
        pointer += 1 + n;
        if (*pointer == '\0')
            break;
        if (!json_object_get(root, key))
            json_object_set_new(root, key, json_object());
        root = json_object_get(root, key);
    }
    json_object_set_new(root, key, value);
}

enum range { LEAST, MOST, ENDS, BETWEEN, N_RANGES };

static json_t *number_of(enum range range, double min, double max)
{
    switch (range) {
    case LEAST:
        return json_real(min);
    case MOST:
        return json_real(max);
    case ENDS:
        return json_pack("{s:[f, f]}", "choice", min, max);
    case BETWEEN:
    case N_RANGES:
        break;
    }
    return json_pack("[f, f]", min, max);
}

/* Of the colours that one matrix holds together, brightness goes to its end. */
static double most_of(const char *pointer, double max)
{
    const char *name = strrchr(pointer, '/') + 1;
    const bool shares =
        strcmp(name, "contrast") == 0 || strcmp(name, "saturation") == 0;
    return shares && max > 1.3 ? 1.3 : max;
}

/* Every value of every key there is at that range; every context, edge and
 * tensor. */
static json_t *all_at(enum range range, int32_t height, int32_t width)
{
    json_t *root = json_object();
    for (uint32_t i = 0; i < field_count; i++) {
        const struct field_rule *f = &field_table[i];
        if (f->kind == FIELD_VALUE)
            set_at(root, f->pointer,
                   number_of(range, f->min, most_of(f->pointer, f->max)));
        if (f->kind == FIELD_COLOUR)
            set_at(root, f->pointer,
                   json_pack("[o, o, o]", number_of(range, f->min, f->max),
                             number_of(range, f->min, f->max),
                             number_of(range, f->min, f->max)));
        if (f->kind == FIELD_MOVING && strcmp(f->unit, "weight") == 0)
            set_at(root, f->pointer, json_integer(1));
        if (f->kind == FIELD_WORDS) {
            json_t *words = json_array();
            for (const struct field_word *w = f->words; w->word; w++)
                json_array_append_new(words, json_string(w->word));
            set_at(root, f->pointer, json_pack("{s:o}", "choice", words));
        }
    }
    set_at(root, "/size", json_pack("[i, i]", height, width));
    set_at(root, "/background/padding", json_string("wrap"));
    if (range == LEAST || range == MOST) /* upright: kernels of their own */
        set_at(root, "/background/rotate", json_integer(0));
    if (range == LEAST || range == ENDS) /* objects without an outline too */
        set_at(root, "/object/stroke", json_integer(0));
    json_t *tensors = json_array();
    for (int i = 0; i < TENSOR_N; i++)
        json_array_append_new(tensors, json_string(field_tensor_name(i)));
    set_at(root, "/labels/tensors", tensors);
    return root;
}

static struct recipe parsed(json_t *json)
{
    struct recipe r;
    struct fault fault = {0};
    char *text = json_dumps(json, 0);
    assert_non_null(text);
    if (recipe_parse(text, strlen(text), &r, &fault) < 0)
        fail_msg("%s: %s", text, fault.text);
    free(text);
    json_decref(json);
    return r;
}

/* Composing. */

/* Every pair once in the first N_ALL; soon every background. */
static struct graph_edge edge_of(const struct recipe *r, uint64_t position)
{
    const uint64_t n = recipe_wants_strokes(r) ? N_SHOWN : N_OBJECTS;
    const uint64_t object = position % n;
    return (struct graph_edge){
        (uint32_t)object, (uint32_t)((object + position / n) % N_BACKGROUNDS)};
}

static void check_labels(const struct recipe *r, const struct batch_layout *l,
                         const uint8_t *payload, const char *what)
{
    const float *box =
        (const void *)(payload + l->tensor[l->index[TENSOR_BOX]].offset_bytes);
    const float *visible =
        (const void *)(payload +
                       l->tensor[l->index[TENSOR_VISIBLE]].offset_bytes);
    for (uint32_t i = 0; i < l->n_samples; i++) {
        const float *b = box + 4 * i;
        if (!(b[0] >= 0 && b[0] <= b[2] && b[2] <= (float)l->width &&
              b[1] >= 0 && b[1] <= b[3] && b[3] <= (float)l->height &&
              visible[i] >= 0 && visible[i] <= 1))
            fail_msg("%s: sample %u has the box %g %g %g %g, visible %g", what,
                     i, (double)b[0], (double)b[1], (double)b[2], (double)b[3],
                     (double)visible[i]);
        if (objects[edge_of(r, i).object].shape == NOTHING)
            assert_true(b[2] == 0 && visible[i] == 0);
    }
}

static struct digest compose(const struct recipe *r, uint32_t n,
                             const char *what)
{
    struct batch_layout l;
    struct batch_composer composer;
    assert_int_equal(batch_layout_init(&l, r, &made.catalog, n, 0, 0), 0);
    uint8_t *payload =
        aligned_alloc(64, ((size_t)l.tensors_bytes + 63) / 64 * 64);
    void *scratch = aligned_alloc(64, (batch_scratch_bytes(r) + 63) / 64 * 64);
    assert_true(payload && scratch);
    batch_write_head(&l, 0, payload);
    batch_composer_init(&composer, &l, r, &made.catalog, scratch, payload);
    for (uint32_t i = 0; i < n; i++) {
        const struct batch_sample due = {
            .position = i, .edge = edge_of(r, i), .index = i};
        const struct batch_sample next = {
            .position = i + 1, .edge = edge_of(r, i + 1), .index = i + 1};
        batch_composer_run(&composer, &due, i + 1 < n ? &next : NULL);
    }
    check_labels(r, &l, payload, what);
    struct digest_state s;
    digest_init(&s);
    digest_update(&s, payload, (size_t)l.tensors_bytes);
    free(payload);
    free(scratch);
    return digest_final(&s);
}

/* With every table of kernels. */
static void same_everywhere(json_t *json, uint32_t n, const char *what)
{
    const struct recipe r = parsed(json);
    const struct pixel_kernels *k;
    struct fault fault;
    struct digest first = {0}, one;
    for (uint32_t i = 0; (k = pixel_kernels_at(i)) != NULL; i++) {
        assert_int_equal(pixel_kernels_select(k->name, &fault), 0);
        one = compose(&r, n, what);
        if (i == 0)
            first = one;
        else if (memcmp(&one, &first, sizeof one) != 0)
            fail_msg("%s: other bytes with %s", what, k->name);
    }
    pixel_kernels_select(NULL, &fault);
}

static const int32_t small[][2] = {{1, 1}, {1, 9}, {33, 2}, {40, 71}};
#define N_SMALL (sizeof small / sizeof small[0])
#define N_ALL   ((uint32_t)(N_OBJECTS * N_BACKGROUNDS))

static void every_key_at_the_ends_of_its_range(void **state)
{
    static const int32_t sizes[][2] = {{1, 1},   {1, 2048}, {2048, 1}, {33, 2},
                                       {40, 71}, {7, 300},  {2048, 9}, {2, 2}};
    for (int range = 0; range < N_RANGES; range++)
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            char what[80];
            snprintf(what, sizeof what, "range %d, %d x %d", range, sizes[i][0],
                     sizes[i][1]);
            same_everywhere(all_at(range, sizes[i][0], sizes[i][1]), N_ALL,
                            what);
        }
}

static void the_largest_frames(void **state)
{
    for (int range = 0; range < N_RANGES; range++)
        same_everywhere(all_at(range, 2048, 2048), 2, "2048 x 2048");
}

static void every_word(void **state)
{
    for (uint32_t i = 0; i < field_count; i++) {
        const struct field_rule *f = &field_table[i];
        for (const struct field_word *w = f->words; w && w->word; w++)
            for (size_t k = 0; k < N_SMALL; k += 3) {
                json_t *root = all_at(BETWEEN, small[k][0], small[k][1]);
                set_at(root, f->pointer, json_string(w->word));
                if (strcmp(w->word, "fit") == 0)
                    set_at(root, "/background/scale",
                           json_pack("[f, f]", 0.01, 1.0));
                same_everywhere(root, N_OBJECTS * 2, w->word);
            }
    }
}

static void add_operation(json_t *root, const char *pointer,
                          const struct operation_rule *rule, enum range range)
{
    json_t *one = json_pack("{s:s}", "op", rule->name);
    for (int i = 0; i < RECIPE_OPERATION_VALUES && rule->value[i].name; i++)
        json_object_set_new(
            one, rule->value[i].name,
            number_of(range, rule->value[i].min, rule->value[i].max));
    set_at(root, pointer, json_pack("[o]", one));
}

static void every_operation_at_the_ends_of_its_ranges(void **state)
{
    for (uint32_t id = 0; id < OPERATION_N; id++)
        for (int range = 0; range < BETWEEN; range++)
            for (size_t k = 0; k < N_SMALL; k++) {
                json_t *root =
                    json_pack("{s:[i, i]}", "size", small[k][0], small[k][1]);
                for (uint32_t i = 0; i < field_count; i++)
                    if (field_table[i].kind == FIELD_OPERATIONS)
                        add_operation(root, field_table[i].pointer,
                                      &operation_table[id], range);
                set_at(root, "/context/solid", json_integer(1));
                same_everywhere(root, N_OBJECTS * 2, operation_table[id].name);
            }
}

/* What is pasted on stays as it is where nothing shows. */
static void an_object_that_never_shows_leaves_its_context(void **state)
{
    struct recipe r = parsed(
        json_pack("{s:i, s:{s:[s, s, s]}, s:{s:i, s:i, s:i, s:i}}", "size", 24,
                  "labels", "tensors", "box", "visible", "context", "image",
                  "brightness", 1, "contrast", 1, "saturation", 1, "hue", 0));
    struct batch_layout l;
    assert_int_equal(batch_layout_init(&l, &r, &made.catalog, N_ALL, 0, 0), 0);
    uint8_t *payload =
        aligned_alloc(64, ((size_t)l.tensors_bytes + 63) / 64 * 64);
    void *scratch = aligned_alloc(64, (batch_scratch_bytes(&r) + 63) / 64 * 64);
    assert_true(payload && scratch);
    uint64_t context = l.tensor[l.index[TENSOR_CONTEXT]].offset_bytes;
    uint32_t n_bare = 0;
    for (uint32_t i = 0; i < N_ALL; i++) {
        const struct batch_sample due = {
            .position = i, .edge = edge_of(&r, i), .index = i};
        batch_compose_sample(&l, &r, &made.catalog, &due, scratch, payload);
        if (objects[due.edge.object].shape != NOTHING)
            continue;
        n_bare++;
        assert_memory_equal(payload + l.image_offset_bytes + i * l.sample_bytes,
                            payload + context + i * l.sample_bytes,
                            l.sample_bytes);
    }
    assert_int_equal(n_bare, 2 * N_BACKGROUNDS);
    free(payload);
    free(scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_at_the_ends_of_its_range),
        cmocka_unit_test(the_largest_frames),
        cmocka_unit_test(every_word),
        cmocka_unit_test(every_operation_at_the_ends_of_its_ranges),
        cmocka_unit_test(an_object_that_never_shows_leaves_its_context),
    };
    return cmocka_run_group_tests(tests, make_catalog, drop_catalog);
}
