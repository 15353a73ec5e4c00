/* What the operations share. Every header here but operation.h holds static
 * functions only: they are compiled once for each instruction set (functions.h)
 * and give the same bytes in each. */
#ifndef PASTED_PIXEL_OPERATION_PARTS_H
#define PASTED_PIXEL_OPERATION_PARTS_H

#include <assert.h>
#include <string.h>

#include "server/pixel/operation/operation.h"

/* Bytes of one row; the next multiple of 64. */
static inline size_t row_bytes_of(const struct operation_frame *f)
{
    return (size_t)f->width * 3;
}

static inline size_t frame_bytes_of(const struct operation_frame *f)
{
    return row_bytes_of(f) * (size_t)f->height;
}

static inline size_t aligned(size_t n_bytes)
{
    return (n_bytes + 63) / 64 * 64;
}

static inline uint8_t clamp_byte(int32_t v)
{
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

/* The 64 bits that two parameters hold, low half first. */
static inline uint64_t key_of(const int32_t p[2])
{
    return (uint32_t)p[0] | (uint64_t)(uint32_t)p[1] << 32;
}

/* Index i of a line of n that is mirrored about its end pixels (dcb|abcd|cba),
 * as often as it takes; 0 when n is 1. */
static inline int32_t mirrored(int32_t i, int32_t n)
{
    if (n == 1)
        return 0;
    const int32_t period = 2 * (n - 1);
    i %= period;
    if (i < 0)
        i += period;
    return i < n ? i : period - i;
}

/* Writes r mirrored pixels before and after the n pixels at row. */
static inline void extend_row(uint8_t *row, int32_t n, int32_t r)
{
    for (int32_t k = 1; k <= r; k++) {
        memcpy(row - 3 * k, row + 3 * mirrored(-k, n), 3);
        memcpy(row + 3 * (n - 1 + k), row + 3 * mirrored(n - 1 + k, n), 3);
    }
}

#endif
