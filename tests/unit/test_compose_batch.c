/* Batches: their layout against the wire's own decoder, their tensors against
 * plans and single samples. Checks no pixel by itself (test_compose.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/wire.h"
#include "server/base/mem.h"
#include "server/compose/compose.h"
#include "tests/unit/synthetic.h"

#define N_OBJECTS     7
#define N_BACKGROUNDS 5

static struct synthetic made;

static int make_catalog(void **state)
{
    (void)state;
    static uint8_t pixels[40 * 40 * 4];
    uint32_t random = 1;
    synthetic_init(&made, N_OBJECTS, N_BACKGROUNDS);
    for (uint32_t i = 0; i < N_OBJECTS + N_BACKGROUNDS; i++) {
        for (size_t k = 0; k < sizeof pixels; k++) {
            random = random * 1664525 + 1013904223;
            pixels[k] = (uint8_t)(random >> 24);
        }
        int32_t side = 12 + 2 * (int32_t)i;
        if (i < N_OBJECTS)
            synthetic_set_object(&made, i, side, 40 - side, pixels);
        else
            synthetic_set_background(&made, i - N_OBJECTS, side, 40, pixels);
    }
    return 0;
}

static int drop_catalog(void **state)
{
    (void)state;
    synthetic_fini(&made);
    return 0;
}

static struct recipe recipe_of(const char *json)
{
    struct recipe r;
    struct fault fault = {0};
    if (recipe_parse(json, strlen(json), &r, &fault) < 0)
        fail_msg("%s", fault.text);
    return r;
}

static struct graph_edge edge_of(uint64_t position)
{
    return (struct graph_edge){(uint32_t)(position * 3 % N_OBJECTS),
                               (uint32_t)(position % N_BACKGROUNDS)};
}

static void compose_at(const struct batch_layout *l, const struct recipe *r,
                       uint64_t first, uint32_t index, void *scratch,
                       uint8_t *payload)
{
    const struct batch_sample sample = {.position = first + index,
                                        .edge = edge_of(first + index),
                                        .index = index};
    batch_compose_sample(l, r, &made.catalog, &sample, scratch, payload);
}

/* A whole batch in an allocation of exactly its size; the caller frees. */
static uint8_t *make_batch(const struct batch_layout *l, const struct recipe *r,
                           uint64_t first)
{
    uint8_t *payload =
        aligned_alloc(64, ((size_t)l->tensors_bytes + 63) / 64 * 64);
    void *scratch = aligned_alloc(64, (batch_scratch_bytes(r) + 63) / 64 * 64);
    assert_true(payload && scratch);
    memset(payload, 0xA5, (size_t)l->tensors_bytes);
    batch_write_head(l, first, payload);
    uint64_t before = mem_allocations();
    for (uint32_t i = 0; i < l->n_samples; i++)
        compose_at(l, r, first, i, scratch, payload);
    assert_int_equal(mem_allocations(), before); /* none a sample */
    free(scratch);
    return payload;
}

static void check_padding_is_zero(const struct wire_batch_head *head,
                                  const struct tensor_desc *t,
                                  const uint8_t *payload)
{
    uint64_t end =
        WIRE_BATCH_HEAD_BYTES + (uint64_t)head->n_tensors * WIRE_TENSOR_BYTES;
    for (uint32_t i = 0; i <= head->n_tensors; i++) {
        uint64_t begin =
            i < head->n_tensors ? t[i].offset_bytes : head->tensors_bytes;
        for (; end < begin; end++)
            assert_int_equal(payload[end], 0);
        if (i < head->n_tensors)
            end = t[i].offset_bytes + t[i].n_bytes;
    }
}

static void the_wire_decoder_agrees_with_every_layout(void **state)
{
    (void)state;
    const uint32_t n_samples[] = {1, 2, 7, 64, 65};
    const char *no_labels = "{\"size\":[5,9],\"labels\":{\"tensors\":[]}}";
    const char *few = "{\"size\":[5,9],\"labels\":{\"tensors\":"
                      "[\"label\",\"box\",\"image\"]}}";
    const char *layers = "{\"size\":[5,9],\"labels\":{\"tensors\":"
                         "[\"mask\",\"label\",\"plane\",\"context\"]}}";
    const char *lists[] = {"{\"size\":[5,9]}", no_labels, few, layers};
    for (int i = 0; i < 60; i++) {
        struct recipe r = recipe_of(lists[(i + i / 12) % 4]);
        uint8_t dtype = i / 3 % 2 ? TENSOR_F32 : TENSOR_U8;
        uint8_t order = i / 6 % 2 ? TENSOR_NCHW : TENSOR_NHWC;
        struct batch_layout l;
        assert_int_equal(
            batch_layout_init(&l, &r, NULL, n_samples[i / 12], dtype, order),
            0);
        uint8_t *payload = make_batch(&l, &r, 1000);

        struct wire_batch_head head;
        struct tensor_desc t[TENSOR_MAX_COUNT];
        memset(t, 0, sizeof t); /* padding too */
        assert_int_equal(
            wire_decode_batch_head(payload, l.tensors_bytes, &head, t), 0);
        assert_int_equal(head.first_position, 1000);
        assert_int_equal(head.n_samples, l.n_samples);
        assert_int_equal(head.n_tensors, l.n_tensors);
        assert_int_equal(head.tensors_bytes, l.tensors_bytes);
        assert_memory_equal(t, l.tensor, l.n_tensors * sizeof t[0]);
        const struct tensor_desc *image = &t[head.n_tensors - 1];
        assert_string_equal(image->name, "image");
        assert_int_equal(image->offset_bytes, l.image_offset_bytes);
        assert_int_equal(image->n_bytes, l.sample_bytes * l.n_samples);
        check_padding_is_zero(&head, t, payload);
        free(payload);
    }
}

static void keypoints_are_as_many_as_the_catalog_has(void **state)
{
    (void)state;
    struct recipe r =
        recipe_of("{\"labels\":{\"tensors\":[\"keypoints\",\"visible\"]}}");
    const struct catalog catalog = {.n_keypoints = 7}, none = {0};
    struct batch_layout l;
    assert_int_equal(batch_layout_init(&l, &r, &catalog, 5, 0, 0), 0);
    const struct tensor_desc *t = &l.tensor[l.index[TENSOR_KEYPOINTS]];
    assert_string_equal(t->name, "keypoints");
    assert_int_equal(t->dtype, TENSOR_F32);
    assert_int_equal(t->n_dims, 3);
    assert_int_equal(t->shape[0], 5);
    assert_int_equal(t->shape[1], 7);
    assert_int_equal(t->shape[2], 3);
    assert_int_equal(t->n_bytes, 5 * 7 * 3 * 4);
    assert_int_equal(batch_layout_init(&l, &r, &none, 5, 0, 0),
                     -ERROR_BAD_ARGUMENT);
    assert_int_equal(batch_layout_init(&l, &r, NULL, 5, 0, 0),
                     -ERROR_BAD_ARGUMENT);
}

static void impossible_layouts_are_refused(void **state)
{
    (void)state;
    struct recipe r = recipe_of("{\"size\":2048}");
    struct batch_layout l;
    memset(&l, 0x5A, sizeof l);
    const struct batch_layout before = l;
    assert_int_equal(batch_layout_init(&l, &r, NULL, 0, 0, 0),
                     -ERROR_BAD_ARGUMENT);
    assert_int_equal(batch_layout_init(&l, &r, NULL, 1, TENSOR_I64, 0),
                     -ERROR_BAD_ARGUMENT);
    assert_int_equal(batch_layout_init(&l, &r, NULL, 1, 0, 9),
                     -ERROR_BAD_ARGUMENT);
    assert_int_equal(batch_layout_init(&l, &r, NULL, 400, 0, 0),
                     -ERROR_TOO_LARGE);
    assert_int_equal(batch_layout_init(&l, &r, NULL, UINT32_MAX, TENSOR_F32, 0),
                     -ERROR_TOO_LARGE);
    assert_memory_equal(&l, &before, sizeof l);
}

static const void *item(const struct batch_layout *l, const uint8_t *payload,
                        enum recipe_tensor tensor, uint32_t i)
{
    const struct tensor_desc *t = &l->tensor[l->index[tensor]];
    return payload + t->offset_bytes + t->n_bytes / l->n_samples * i;
}

/* Every label against its plan, the image and box
 * against compose_sample of that plan. */
static void tensors_hold_what_the_plan_and_the_sample_say(void **state)
{
    (void)state;
    struct recipe r =
        recipe_of("{\"size\":[20,24],\"context\":{\"noise\":1,\"solid\":1},"
                  "\"object\":{\"min_visible\":0,\"edge\":\"feather\"}}");
    struct batch_layout l;
    assert_int_equal(batch_layout_init(&l, &r, NULL, 30, 0, 0), 0);
    const uint64_t first = (1ull << 40) + 5;
    uint8_t *payload = make_batch(&l, &r, first);
    void *scratch =
        aligned_alloc(64, (compose_scratch_bytes(24, 20) + 63) / 64 * 64);
    for (uint32_t i = 0; i < l.n_samples; i++) {
        struct plan p;
        struct compose_facts facts;
        uint8_t image[20 * 24 * 3];
        plan_make(&r, &made.catalog, first + i, edge_of(first + i), &p);
        compose_sample(&made.catalog, &p, scratch, image, 24 * 3, &facts);
        assert_memory_equal(item(&l, payload, TENSOR_IMAGE, i), image,
                            sizeof image);
        const struct image_box *b = &facts.box;
        const float box[4] = {(float)b->x0, (float)b->y0, (float)b->x1,
                              (float)b->y1};
        assert_memory_equal(item(&l, payload, TENSOR_BOX, i), box, sizeof box);
        const int64_t label = p.class_id, position = (int64_t)(first + i);
        const int32_t object = (int32_t)edge_of(first + i).object;
        const int32_t background = (int32_t)edge_of(first + i).background;
        const float visible = (float)p.visible_q16 / 65536.0f;
        assert_memory_equal(item(&l, payload, TENSOR_LABEL, i), &label, 8);
        assert_memory_equal(item(&l, payload, TENSOR_POSITION, i), &position,
                            8);
        assert_memory_equal(item(&l, payload, TENSOR_OBJECT, i), &object, 4);
        assert_memory_equal(item(&l, payload, TENSOR_BACKGROUND, i),
                            &background, 4);
        assert_memory_equal(item(&l, payload, TENSOR_VISIBLE, i), &visible, 4);
    }
    free(scratch);
    free(payload);
}

/* u8 NHWC is the truth; the others are it, converted and transposed. */
static void other_dtypes_and_layouts_are_the_same_image(void **state)
{
    (void)state;
    struct recipe r =
        recipe_of("{\"size\":[13,19],\"output\":{\"mean\":[0.485,0.456,0.406],"
                  "\"std\":[0.229,0.224,0.225]}}");
    struct batch_layout plain, l;
    assert_int_equal(
        batch_layout_init(&plain, &r, NULL, 3, TENSOR_U8, TENSOR_NHWC), 0);
    uint8_t *expected = make_batch(&plain, &r, 77);
    for (int i = 0; i < 4; i++) {
        uint8_t dtype = i & 1 ? TENSOR_F32 : TENSOR_U8;
        uint8_t order = i & 2 ? TENSOR_NCHW : TENSOR_NHWC;
        assert_int_equal(batch_layout_init(&l, &r, NULL, 3, dtype, order), 0);
        uint8_t *payload = make_batch(&l, &r, 77);
        for (int32_t k = 0; k < 3 * 13 * 19 * 3; k++) {
            int32_t c = k % 3, pixel = k / 3, sample = pixel / (13 * 19);
            int32_t at = pixel % (13 * 19);
            int32_t to =
                order == TENSOR_NHWC ? k : (sample * 3 + c) * 13 * 19 + at;
            uint8_t v = expected[plain.image_offset_bytes + (size_t)k];
            const uint8_t *image = payload + l.image_offset_bytes;
            if (dtype == TENSOR_U8) {
                assert_int_equal(image[to], v);
                continue;
            }
            float f, g = (float)((v / 255.0 - (double)r.output.mean[c]) /
                                 (double)r.output.std[c]);
            memcpy(&f, image + 4 * to, 4);
            assert_memory_equal(&f, &g, 4);
        }
        free(payload);
    }
    free(expected);
}

/* Every format of a normalised image is its u8 image, converted. */
static void normalised_images_are_one_image_in_every_format(void **state)
{
    (void)state;
    static const char *const modes[] = {"min-max", "mean-std", "equalize"};
    for (int m = 0; m < 3; m++) {
        char json[200];
        struct batch_layout plain, l;
        snprintf(json, sizeof json,
                 "{\"size\":[13,19],\"output\":{\"normalize\":\"%s\","
                 "\"mean\":[0.5,0.5,0.5]}}",
                 modes[m]);
        struct recipe r = recipe_of(json);
        assert_int_equal(
            batch_layout_init(&plain, &r, NULL, 3, TENSOR_U8, TENSOR_NHWC), 0);
        assert_int_equal(
            batch_layout_init(&l, &r, NULL, 3, TENSOR_F32, TENSOR_NHWC), 0);
        uint8_t *expected = make_batch(&plain, &r, 9);
        uint8_t *payload = make_batch(&l, &r, 9);
        for (size_t k = 0; k < (size_t)3 * 13 * 19 * 3; k++) {
            const uint8_t v = expected[plain.image_offset_bytes + k];
            float f, g = (float)(v / 255.0 - 0.5);
            memcpy(&f, payload + l.image_offset_bytes + 4 * k, 4);
            assert_memory_equal(&f, &g, 4);
        }
        free(payload);
        free(expected);
    }
}

/* As those of batches beyond the caches are; and behind the last comes what the
 * core goes on with elsewhere, of which nothing is seen here. */
static void check_streamed(const struct recipe *r, uint8_t dtype, uint8_t order)
{
    struct batch_layout l;
    struct batch_composer c;
    assert_int_equal(batch_layout_init(&l, r, NULL, 3, dtype, order), 0);
    uint8_t *expected = make_batch(&l, r, 500), *payload = make_batch(&l, r, 0);
    void *scratch = aligned_alloc(64, (batch_scratch_bytes(r) + 63) / 64 * 64);
    batch_composer_init(&c, &l, r, &made.catalog, scratch, payload);
    assert_false(c.is_streamed);
    c.is_streamed = true;
    for (uint32_t i = 0; i < 3; i++) {
        const struct batch_sample now = {
            .position = 500 + i, .edge = edge_of(500 + i), .index = i};
        const struct batch_sample next = {
            .position = 501 + i, .edge = edge_of(501 + i), .index = i + 1};
        c.is_ending = i == 2;
        batch_composer_run(&c, &now, &next);
    }
    batch_write_head(&l, 500, payload);
    assert_memory_equal(payload, expected, (size_t)l.tensors_bytes);
    free(scratch);
    free(payload);
    free(expected);
}

static void streamed_images_are_the_same_in_every_format(void **state)
{
    (void)state;
    static const char *const outputs[] = {
        "{\"size\":[37,19]}",
        "{\"size\":[37,19],\"output\":{\"channels\":\"grey\"}}",
        "{\"size\":[3,600],\"output\":{\"channels\":\"bgr\"}}",
        "{\"size\":[37,19],\"output\":{\"normalize\":\"min-max\"}}"};
    static const uint8_t dtypes[] = {TENSOR_U8, TENSOR_F16, TENSOR_BF16,
                                     TENSOR_F32};
    for (int i = 0; i < 32; i++) {
        const struct recipe r = recipe_of(outputs[i / 8]);
        check_streamed(&r, dtypes[i % 4],
                       i / 4 % 2 ? TENSOR_NCHW : TENSOR_NHWC);
    }
}

static void the_order_of_samples_does_not_matter(void **state)
{
    (void)state;
    struct recipe r = recipe_of("{\"size\":[16,16]}");
    struct batch_layout l;
    assert_int_equal(batch_layout_init(&l, &r, NULL, 9, 0, 0), 0);
    uint8_t *expected = make_batch(&l, &r, 500);
    uint8_t *payload = malloc((size_t)l.tensors_bytes);
    void *scratch = aligned_alloc(64, (batch_scratch_bytes(&r) + 63) / 64 * 64);
    memset(payload, 0x5A, (size_t)l.tensors_bytes);
    for (uint32_t i = 9; i-- > 0;)
        compose_at(&l, &r, 500, i, scratch, payload);
    batch_write_head(&l, 500, payload);
    assert_memory_equal(payload, expected, (size_t)l.tensors_bytes);
    free(scratch);
    free(payload);
    free(expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_wire_decoder_agrees_with_every_layout),
        cmocka_unit_test(keypoints_are_as_many_as_the_catalog_has),
        cmocka_unit_test(impossible_layouts_are_refused),
        cmocka_unit_test(tensors_hold_what_the_plan_and_the_sample_say),
        cmocka_unit_test(other_dtypes_and_layouts_are_the_same_image),
        cmocka_unit_test(normalised_images_are_one_image_in_every_format),
        cmocka_unit_test(streamed_images_are_the_same_in_every_format),
        cmocka_unit_test(the_order_of_samples_does_not_matter),
    };
    return cmocka_run_group_tests(tests, make_catalog, drop_catalog);
}
