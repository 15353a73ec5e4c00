/* The batch of known content. */
#include "tests/unit/encode_pattern.h"

#include <stdlib.h>
#include <string.h>

static void fill(const struct tensor_desc *t, uint8_t *p)
{
    size_t item = tensor_item_bytes(t->dtype);

    for (uint64_t i = 0; i < t->n_bytes / item; i++) {
        int64_t i64 = (int64_t)i * 1000003 - 5;
        int32_t i32 = 7 - 3 * (int32_t)i;
        float f32 = (float)i / 8 - 2;
        uint8_t u8 = (uint8_t)(i * i / 8);

        if (t->dtype == TENSOR_I64)
            memcpy(p + i * item, &i64, item);
        else if (t->dtype == TENSOR_I32)
            memcpy(p + i * item, &i32, item);
        else if (t->dtype == TENSOR_F32)
            memcpy(p + i * item, &f32, item);
        else
            p[i] = u8;
    }
}

uint8_t *pattern_make(struct batch_layout *out, int32_t height, int32_t width,
                      uint32_t n_samples, uint8_t dtype)
{
    struct recipe recipe;
    uint8_t *payload;

    recipe_default(&recipe);
    recipe.height = height;
    recipe.width = width;
    if (batch_layout_init(out, &recipe, NULL, n_samples, dtype, TENSOR_NHWC) <
        0)
        abort();
    payload = calloc(1, out->tensors_bytes);
    if (!payload)
        abort();
    batch_write_head(out, 0, payload);
    for (uint32_t i = 0; i < out->n_tensors; i++)
        fill(&out->tensor[i], payload + out->tensor[i].offset_bytes);
    return payload;
}
