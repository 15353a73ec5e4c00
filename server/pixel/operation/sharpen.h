/* Sharpening by what a small blur takes away. Source: NUMERICS.md "sharpen". */
#ifndef PASTED_PIXEL_OPERATION_SHARPEN_H
#define PASTED_PIXEL_OPERATION_SHARPEN_H

#include "server/pixel/operation/parts.h"

/* 1 2 1 along a row of 1 2 1 sums: 16 at most of a byte. */
static void sharpen_row(const uint16_t *sums, const uint8_t *in, int32_t amount,
                        int32_t n, uint8_t *restrict out)
{
    for (int32_t i = 0; i < n; i++) {
        const int32_t s = sums[i - 3] + 2 * sums[i] + sums[i + 3];
        out[i] = clamp_byte(in[i] + (((16 * in[i] - s) * amount + 2048) >> 12));
    }
}

static void sharpen(const struct operation_frame *f, const int32_t *p)
{
    const size_t row_bytes = row_bytes_of(f);
    const int32_t w = f->width, n = w * 3;
    uint8_t *copy = f->scratch;
    uint16_t *sums =
        (uint16_t *)(void *)(copy + aligned(frame_bytes_of(f))) + 32;
    memcpy(copy, f->rgb, frame_bytes_of(f));
    for (int32_t y = 0; y < f->height; y++) {
        const size_t up = (size_t)mirrored(y - 1, f->height);
        const size_t down = (size_t)mirrored(y + 1, f->height);
        const uint8_t *a = copy + up * row_bytes, *c = copy + down * row_bytes;
        const uint8_t *b = copy + (size_t)y * row_bytes;
        for (int32_t i = 0; i < n; i++)
            sums[i] = (uint16_t)(a[i] + 2 * b[i] + c[i]);
        memcpy(sums - 3, sums + 3 * mirrored(-1, w), 6);
        memcpy(sums + n, sums + 3 * mirrored(w, w), 6);
        sharpen_row(sums, b, p[0], n, f->rgb + (size_t)y * row_bytes);
    }
}

#endif
