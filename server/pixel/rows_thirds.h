/* Rows of the whole-frame blend in plain C (rows.h).
 * Source: NUMERICS.md "Over, colour". */
#ifndef PASTED_PIXEL_ROWS_THIRDS_H
#define PASTED_PIXEL_ROWS_THIRDS_H

#include "server/pixel/kernels.h"

static void third_row(uint8_t *rgb, int32_t n)
{
    for (int32_t i = 0; i < n * 3; i++) {
        const uint32_t t = rgb[i] * 85u + 128;
        rgb[i] = (uint8_t)((t + (t >> 8)) >> 8);
    }
}

static uint8_t add_row(uint8_t *rgb, const uint8_t *rgba, int32_t n,
                       uint8_t *peak)
{
    uint8_t highest = 0;
    for (int32_t i = 0; i < n; i++) {
        const uint8_t *o = rgba + i * 4;
        for (int c = 0; c < 3; c++)
            rgb[i * 3 + c] = (uint8_t)(rgb[i * 3 + c] + o[c]);
        for (int c = 0; c < 4; c++)
            peak[i * 4 + c] = o[c] > peak[i * 4 + c] ? o[c] : peak[i * 4 + c];
        highest = o[3] > highest ? o[3] : highest;
    }
    return highest >= 128 ? 128 : highest > 0;
}

#endif
