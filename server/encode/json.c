/* The labels of a batch as JSON: {"label": [...], "box": [[...], ...], ...}.
 * Leaves out what has pixels. Threads: any worker. */
#include "server/encode/encode.h"

#include <string.h>

#include <jansson.h>

#include "server/base/mem.h"

/* Nine digits give every f32 back. */
#define FLAGS (JSON_COMPACT | JSON_REAL_PRECISION(9))

/* The item at p, which may stand at any address. */
static json_t *item(int dtype, const uint8_t *p)
{
    int64_t i64;
    int32_t i32;
    float f32;

    switch (dtype) {
    case TENSOR_U8:
        return json_integer(*p);
    case TENSOR_I32:
        memcpy(&i32, p, sizeof(i32));
        return json_integer(i32);
    case TENSOR_I64:
        memcpy(&i64, p, sizeof(i64));
        return json_integer(i64);
    case TENSOR_F32:
        memcpy(&f32, p, sizeof(f32));
        return json_real((double)f32);
    default:
        return NULL;
    }
}

/* n items in one array; NULL when memory is short. */
static json_t *row(int dtype, const uint8_t *p, uint64_t n)
{
    json_t *array = json_array();

    for (uint64_t i = 0; array && i < n; i++) {
        if (json_array_append_new(
                array, item(dtype, p + i * tensor_item_bytes(dtype)))) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

/* [n] as one array; [n, ...] as one array a sample. */
static json_t *tensor_array(const struct tensor_desc *t, const uint8_t *payload)
{
    const uint8_t *p = payload + t->offset_bytes;
    uint64_t row_bytes = t->n_bytes / t->shape[0];
    json_t *array;

    if (t->n_dims == 1)
        return row(t->dtype, p, t->shape[0]);
    array = json_array();
    for (uint64_t i = 0; array && i < t->shape[0]; i++) {
        if (json_array_append_new(
                array, row(t->dtype, p + i * row_bytes,
                           row_bytes / tensor_item_bytes(t->dtype)))) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *labels(const struct batch_layout *layout, const uint8_t *payload)
{
    json_t *object = json_object();

    for (uint32_t i = 0; object && i < layout->n_tensors; i++) {
        const struct tensor_desc *t = &layout->tensor[i];

        if (t->n_dims > 2)
            continue;
        if (json_object_set_new(object, t->name, tensor_array(t, payload))) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

int encode_batch_json(const struct batch_layout *layout, const uint8_t *payload,
                      struct encoded *out, struct fault *fault)
{
    json_t *object = labels(layout, payload);
    size_t n_bytes = object ? json_dumpb(object, NULL, 0, FLAGS) : 0;
    uint8_t *data = n_bytes > 0 ? mem_calloc(1, n_bytes + 1) : NULL;

    if (data) {
        json_dumpb(object, (char *)data, n_bytes, FLAGS);
        *out = (struct encoded){.data = data, .n_bytes = n_bytes};
    }
    json_decref(object);
    return data ? 0 : fault_set(fault, ERROR_NO_MEMORY, "no memory for labels");
}
