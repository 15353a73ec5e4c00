/* What maps each byte through a table of its channel. Source: NUMERICS.md
 * "exposure". */
#ifndef PASTED_PIXEL_OPERATION_TONE_H
#define PASTED_PIXEL_OPERATION_TONE_H
#include "server/pixel/operation/parts.h"

struct tables {
    uint8_t of[3][256];
};

static void apply_tables(const struct operation_frame *f,
                         const struct tables *t)
{
    const size_t n = row_bytes_of(f) * (size_t)f->height;
    uint8_t *v = f->rgb;
    for (size_t i = 0; i < n; i += 3) {
        v[i] = t->of[0][v[i]];
        v[i + 1] = t->of[1][v[i + 1]];
        v[i + 2] = t->of[2][v[i + 2]];
    }
}

/* One factor for each channel, Q12. */
static void apply_gains(const struct operation_frame *f, const int32_t gain[3])
{
    struct tables t;
    for (int c = 0; c < 3; c++)
        for (int32_t v = 0; v < 256; v++)
            t.of[c][v] = clamp_byte((v * gain[c] + 2048) >> 12);
    apply_tables(f, &t);
}

static void exposure(const struct operation_frame *f, const int32_t *p)
{
    const int32_t gain[3] = {p[0], p[0], p[0]};
    apply_gains(f, gain);
}

#endif
