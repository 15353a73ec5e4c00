/* Rows of a frame into planes and floats in plain C (rows.h).
 * Source: NUMERICS.md "Other dtypes and layouts". */
#ifndef PASTED_PIXEL_ROWS_CONVERT_H
#define PASTED_PIXEL_ROWS_CONVERT_H

#include "server/pixel/kernels.h"

static void planes_u8(const uint8_t *rgb, int32_t n, ptrdiff_t plane_stride,
                      uint8_t *out)
{
    for (int c = 0; c < 3; c++, out += plane_stride)
        for (int32_t i = 0; i < n; i++)
            out[i] = rgb[i * 3 + c];
}

static void row_f32(const uint8_t *rgb, const float table[3][256], int32_t n,
                    float *out)
{
    for (int32_t i = 0; i < n; i++)
        for (int c = 0; c < 3; c++)
            out[i * 3 + c] = table[c][rgb[i * 3 + c]];
}

#endif
