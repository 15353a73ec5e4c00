/* Converts rows by table. Computes no pixel but the luma of grey. Source:
 * NUMERICS.md, "Other dtypes and layouts". */
#include "server/pixel/convert.h"

#include <assert.h>
#include <string.h>

#include "common/tensor.h"
#include "server/pixel/kernels.h"

/* Tensors are little-endian; floats are stored as the host holds them. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "float tensors need a little-endian host");

bool convert_possible(const struct convert_format *f)
{
    bool dtype = f->dtype == TENSOR_U8 || f->dtype == TENSOR_F16 ||
                 f->dtype == TENSOR_BF16 || f->dtype == TENSOR_F32;
    return dtype && (f->layout == TENSOR_NHWC || f->layout == TENSOR_NCHW) &&
           tensor_channel_count(f->channels) > 0;
}

bool convert_is_plain(const struct convert_format *f)
{
    return f->dtype == TENSOR_U8 && f->layout == TENSOR_NHWC &&
           f->channels == TENSOR_RGB;
}

uint16_t convert_f16(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint32_t sign = bits >> 16 & 0x8000, exponent = bits >> 23 & 255;
    if (exponent >= 127 + 16)
        return (uint16_t)(sign | 0x7C00);
    if (exponent < 127 - 25)
        return (uint16_t)sign;
    /* Ten bits below the leading one; of a subnormal, units of 2^-24. */
    const bool normal = exponent > 127 - 15;
    const uint32_t shift = normal ? 13 : 127 - 1 - exponent;
    const uint32_t m = (bits & 0x7FFFFF) | 0x800000, half = 1u << (shift - 1);
    const uint32_t rest = m & ((half << 1) - 1);
    uint32_t kept = m >> shift;
    kept += rest > half || (rest == half && (kept & 1));
    /* The leading one adds 1 to the exponent; so does a carry. */
    return (uint16_t)(sign | ((normal ? (exponent - 113) << 10 : 0) + kept));
}

uint16_t convert_bf16(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (uint16_t)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

void convert_table_init(struct convert_table *out,
                        const struct convert_format *format,
                        const float mean[3], const float std[3])
{
    const int n = (int)tensor_channel_count(format->channels);
    if (format->dtype == TENSOR_U8)
        return;
    for (int c = 0; c < n; c++) {
        const int from = format->channels == TENSOR_BGR ? 2 - c : c;
        for (int v = 0; v < 256; v++) {
            float value = (float)(((double)v / 255.0 - (double)mean[from]) /
                                  (double)std[from]);
            if (format->dtype == TENSOR_F32)
                out->f32[c][v] = value;
            else
                out->half[c][v] = format->dtype == TENSOR_F16
                                      ? convert_f16(value)
                                      : convert_bf16(value);
        }
    }
}

void convert_channels(uint8_t channels, uint8_t *rgb, int32_t n)
{
    if (channels == TENSOR_GREY)
        for (int32_t i = 0; i < n; i++) {
            const uint8_t *p = rgb + (ptrdiff_t)i * 3;
            rgb[i] = (uint8_t)((19595u * p[0] + 38470u * p[1] + 7471u * p[2] +
                                32768u) >>
                               16);
        }
    else if (channels == TENSOR_BGR)
        for (int32_t i = 0; i < n; i++) {
            uint8_t *p = rgb + (ptrdiff_t)i * 3, red = p[0];
            p[0] = p[2];
            p[2] = red;
        }
}

static void row_u8(const struct convert_target *t, int32_t y,
                   const uint8_t *row, ptrdiff_t n_channels)
{
    const ptrdiff_t n = t->width;
    uint8_t *image = t->image;
    if (t->format.layout == TENSOR_NCHW && n_channels == 3)
        pixel_kernels()->planes_u8(row, t->width, n * t->height, image + y * n);
    else
        memcpy(image + y * n * n_channels, row, (size_t)(n * n_channels));
}

static void row_f32(const struct convert_target *t, int32_t y,
                    const uint8_t *row, ptrdiff_t n_channels)
{
    const struct pixel_kernels *k = pixel_kernels();
    const ptrdiff_t n = t->width;
    float *out = (float *)t->image + y * n;
    if (n_channels == 1)
        for (ptrdiff_t i = 0; i < n; i++)
            out[i] = t->table->f32[0][row[i]];
    else if (t->format.layout == TENSOR_NCHW)
        k->planes_f32(row, t->table->f32, t->width, n * t->height, out);
    else
        k->row_f32(row, t->table->f32, t->width, out + y * n * 2);
}

static void row_half(const struct convert_target *t, int32_t y,
                     const uint8_t *row, ptrdiff_t n_channels)
{
    const ptrdiff_t n = t->width;
    const bool planes = t->format.layout == TENSOR_NCHW;
    const ptrdiff_t step = planes ? 1 : n_channels;
    for (ptrdiff_t c = 0; c < n_channels; c++) {
        const uint16_t *table = t->table->half[c];
        uint16_t *out =
            (uint16_t *)t->image +
            (planes ? (c * t->height + y) * n : y * n * n_channels + c);
        for (ptrdiff_t i = 0; i < n; i++)
            out[i * step] = table[row[i * n_channels + c]];
    }
}

void convert_row(const struct convert_target *target, int32_t y,
                 const uint8_t *row)
{
    const ptrdiff_t n = tensor_channel_count(target->format.channels);
    assert(convert_possible(&target->format));
    if (target->format.dtype == TENSOR_U8)
        row_u8(target, y, row, n);
    else if (target->format.dtype == TENSOR_F32)
        row_f32(target, y, row, n);
    else
        row_half(target, y, row, n);
}
