/* Converts rows by table. Computes no pixel. */
#include "server/pixel/convert.h"

#include <assert.h>
#include <string.h>

#include "common/tensor.h"
#include "server/pixel/kernels.h"

/* Tensors are little-endian; floats are stored as the host holds them. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "f32 tensors need a little-endian host");

void convert_table_init(struct convert_table *out, const float mean[3],
                        const float std[3])
{
    for (int c = 0; c < 3; c++)
        for (int v = 0; v < 256; v++)
            out->value[c][v] =
                (float)(((double)v / 255.0 - (double)mean[c]) / (double)std[c]);
}

void convert_row(const struct convert_target *target, int32_t y,
                 const uint8_t *rgb)
{
    const struct pixel_kernels *k = pixel_kernels();
    ptrdiff_t n = target->width, plane = n * target->height;
    assert(target->dtype == TENSOR_U8 || target->dtype == TENSOR_F32);
    if (target->dtype == TENSOR_U8) {
        uint8_t *image = target->image;
        if (target->layout == TENSOR_NCHW)
            k->planes_u8(rgb, target->width, plane, image + y * n);
        else
            memcpy(image + y * n * 3, rgb, (size_t)n * 3);
        return;
    }
    float *image = target->image;
    if (target->layout == TENSOR_NCHW)
        k->planes_f32(rgb, target->table->value, target->width, plane,
                      image + y * n);
    else
        k->row_f32(rgb, target->table->value, target->width, image + y * n * 3);
}
