/* Samples pasted on pixels that the caller brings along: those are the context,
 * untouched, and object and image are as they always are. Checks neither where
 * such pixels come from nor the paste itself (test_compose.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/mem.h"
#include "server/compose/compose.h"
#include "tests/unit/synthetic.h"

#define SIDE        37
#define FRAME_BYTES ((size_t)SIDE * SIDE * 3)
#define N           24

static struct synthetic made;
static uint8_t frame[FRAME_BYTES];

static int make_catalog(void **state)
{
    (void)state;
    const struct synthetic_spec spec = {.seed = 12,
                                        .n_objects = 9,
                                        .n_backgrounds = 7,
                                        .object_least = 5,
                                        .object_most = 60,
                                        .background_least = 20,
                                        .background_most = 90};
    synthetic_make(&made, &spec);
    for (size_t i = 0; i < FRAME_BYTES; i++)
        frame[i] = (uint8_t)(i * 2654435761u >> 13);
    return 0;
}

static int drop_catalog(void **state)
{
    (void)state;
    synthetic_fini(&made);
    return 0;
}

#define LABELS                                                                 \
    "\"labels\":{\"tensors\":[\"label\",\"box\",\"visible\",\"mask\","         \
    "\"plane\",\"context\"]}"
#define OBJECT                                                                 \
    "\"object\":{\"edge\":{\"choice\":[\"alpha\",\"hard\",\"feather\"]},"      \
    "\"operations\":[{\"op\":\"posterize\"}]}"
#define BACKGROUND                                                             \
    "\"background\":{\"brightness\":[0.2,2],\"rotate\":[-90,90],"              \
    "\"operations\":[{\"op\":\"invert\"},{\"op\":\"gaussian_noise\"}]}"
#define STILL                                                                  \
    "\"image\":{\"brightness\":1,\"contrast\":1,\"saturation\":1,\"hue\":0}"
#define MOVED "\"image\":{\"operations\":[{\"op\":\"box_blur\"}]}"

/* In an allocation of exactly its size; the caller frees. */
static uint8_t *compose(const char *json, struct batch_layout *l,
                        const uint8_t *context, uint8_t *composite,
                        uint8_t *finished)
{
    struct recipe r;
    struct fault fault = {0};
    if (recipe_parse(json, strlen(json), &r, &fault) < 0)
        fail_msg("%s", fault.text);
    r.height = r.width = SIDE;
    assert_int_equal(batch_layout_init(l, &r, NULL, N, 0, 0), 0);
    uint8_t *payload =
        aligned_alloc(64, ((size_t)l->tensors_bytes + 63) / 64 * 64);
    void *scratch = aligned_alloc(64, (batch_scratch_bytes(&r) + 63) / 64 * 64);
    struct batch_composer c;
    assert_true(payload && scratch);
    batch_write_head(l, 0, payload);
    batch_composer_init(&c, l, &r, &made.catalog, scratch, payload);
    for (uint32_t i = 0; i < N; i++) {
        struct batch_sample sample[2];
        for (uint32_t k = 0; k < 2; k++)
            sample[k] = (struct batch_sample){
                .position = i + k,
                .edge = {(i + k) % 9, (i + k) % 7},
                .index = i + k,
                .context = context,
                .composite = composite ? composite + i * FRAME_BYTES : NULL,
                .finished = finished ? finished + i * FRAME_BYTES : NULL,
            };
        batch_composer_run(&c, &sample[0], i + 1 < N ? &sample[1] : NULL);
    }
    free(scratch);
    return payload;
}

static const uint8_t *tensor(const struct batch_layout *l,
                             const uint8_t *payload, enum recipe_tensor t)
{
    return payload + l->tensor[l->index[t]].offset_bytes;
}

/* Section 7 of NUMERICS.md. */
static uint8_t over(const uint8_t *rgba, int channel, uint8_t context)
{
    const uint32_t a = rgba[3] + (rgba[3] >> 7);
    return (uint8_t)(rgba[channel] + ((context * (256 - a) + 128) >> 8));
}

static void the_image_is_the_plane_over_the_given_pixels(void **state)
{
    (void)state;
    struct batch_layout l;
    uint8_t *payload =
        compose("{" LABELS "," OBJECT "," BACKGROUND "," STILL "}", &l, frame,
                NULL, NULL);
    const uint8_t *plane = tensor(&l, payload, TENSOR_PLANE);
    const uint8_t *mask = tensor(&l, payload, TENSOR_MASK);
    const uint8_t *image = tensor(&l, payload, TENSOR_IMAGE);
    uint64_t n_covered = 0;
    for (uint32_t i = 0; i < N; i++)
        assert_memory_equal(tensor(&l, payload, TENSOR_CONTEXT) +
                                i * FRAME_BYTES,
                            frame, FRAME_BYTES);
    for (size_t i = 0; i < N * FRAME_BYTES; i++) {
        assert_int_equal(image[i], over(plane + i / 3 * 4, (int)(i % 3),
                                        frame[i % FRAME_BYTES]));
        assert_int_equal(mask[i / 3], plane[i / 3 * 4 + 3]);
        n_covered += mask[i / 3] > 0;
    }
    assert_true(n_covered > N * FRAME_BYTES / 20);
    free(payload);
}

/* Object, labels, mask and box are those of the sample on its own context. */
static void nothing_else_of_the_sample_changes(void **state)
{
    (void)state;
    static const enum recipe_tensor same[] = {
        TENSOR_LABEL, TENSOR_BOX, TENSOR_VISIBLE, TENSOR_MASK, TENSOR_PLANE};
    struct batch_layout l;
    const char *json = "{" LABELS "," OBJECT "," BACKGROUND "," MOVED "}";
    uint8_t *given = compose(json, &l, frame, NULL, NULL);
    uint8_t *own = compose(json, &l, NULL, NULL, NULL);
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
        assert_memory_equal(tensor(&l, given, same[i]),
                            tensor(&l, own, same[i]),
                            (size_t)l.tensor[l.index[same[i]]].n_bytes);
    assert_memory_not_equal(tensor(&l, given, TENSOR_IMAGE),
                            tensor(&l, own, TENSOR_IMAGE), N * FRAME_BYTES);
    free(own);
    free(given);
}

/* On its own context made whole and handed back to it, a sample is the same:
 * the recipe's image section applies to it as ever, its background section a
 * second time not. */
static void a_sample_on_its_own_context_is_the_same(void **state)
{
    (void)state;
    struct batch_layout l;
    const char *json =
        "{" LABELS "," OBJECT ",\"context\":{\"background\":0,"
        "\"solid\":1,\"solid_colour\":[77,77,77]},\"background\":{"
        "\"operations\":[{\"op\":\"invert\"}]}," MOVED "}";
    uint8_t solid[FRAME_BYTES];
    memset(solid, 255 - 77, sizeof solid);
    uint8_t *own = compose(json, &l, NULL, NULL, NULL);
    uint8_t *given = compose(json, &l, solid, NULL, NULL);
    assert_memory_equal(given, own, (size_t)l.tensors_bytes);
    free(given);
    free(own);
}

/* What is handed on: before the image's colours, or the image as u8 RGB
 * whatever its output. */
static void what_is_handed_on_is_the_paste_or_the_image(void **state)
{
    (void)state;
    static uint8_t composite[N * FRAME_BYTES], finished[N * FRAME_BYTES];
    struct batch_layout l;
    const char *parts = LABELS "," OBJECT "," BACKGROUND;
    char json[1000];
    for (int i = 0; i < 3; i++) {
        snprintf(json, sizeof json, "{%s,%s}", parts, i == 2 ? MOVED : STILL);
        if (i == 1)
            snprintf(json, sizeof json, "{%s}", parts);
        uint8_t *payload = compose(json, &l, frame, composite, finished);
        const uint8_t *plane = tensor(&l, payload, TENSOR_PLANE);
        for (size_t k = 0; k < N * FRAME_BYTES; k++)
            assert_int_equal(composite[k], over(plane + k / 3 * 4, (int)(k % 3),
                                                frame[k % FRAME_BYTES]));
        assert_memory_equal(finished, tensor(&l, payload, TENSOR_IMAGE),
                            N * FRAME_BYTES);
        assert_int_equal(memcmp(finished, composite, sizeof finished) != 0,
                         i > 0);
        free(payload);
        snprintf(json + strlen(json) - 1, 100,
                 ",\"output\":{\"channels\":\"grey\",\"dtype\":\"f16\","
                 "\"normalize\":\"min-max\"}}");
        static uint8_t again[N * FRAME_BYTES];
        free(compose(json, &l, frame, NULL, again));
        assert_memory_equal(again, finished, sizeof again);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_image_is_the_plane_over_the_given_pixels),
        cmocka_unit_test(nothing_else_of_the_sample_changes),
        cmocka_unit_test(a_sample_on_its_own_context_is_the_same),
        cmocka_unit_test(what_is_handed_on_is_the_paste_or_the_image),
    };
    return cmocka_run_group_tests(tests, make_catalog, drop_catalog);
}
