/* Walks an affine line over a level and folds it back where it leaves. Touches
 * no texel. */
#include "server/pixel/turn.h"

#define HALF (1 << 15) /* of a texel, 16.16: from its centre to its border */

static int64_t clamp(int64_t v, int64_t lo, int64_t hi)
{
    v = v < lo ? lo : v;
    return v > hi ? hi : v;
}

/* a modulo b > 0, in 0 .. b - 1. */
static int64_t modulo(int64_t a, int64_t b)
{
    const int64_t rest = a % b;
    return rest < 0 ? rest + b : rest;
}

static int32_t fold(int64_t coordinate, int64_t side,
                    enum pixel_padding padding)
{
    const int64_t last = (side - 1) << 16, period = side << 16;
    int64_t from_border = coordinate + HALF;
    if (from_border >= 0 && from_border < period)
        return (int32_t)clamp(coordinate, 0, last);
    if (padding == PADDING_REFLECT) {
        from_border = modulo(from_border, 2 * period);
        if (from_border >= period)
            from_border = 2 * period - 1 - from_border;
    } else if (padding == PADDING_WRAP) {
        from_border = modulo(from_border, period);
    }
    return (int32_t)clamp(from_border - HALF, 0, last);
}

void turn_coordinates(const struct pixel_turn *t,
                      const struct image_level *level, int32_t x, int32_t y,
                      int32_t n, int32_t *out_u, int32_t *out_v)
{
    int64_t u = t->m[0] * x + t->m[1] * y + t->m[2];
    int64_t v = t->m[3] * x + t->m[4] * y + t->m[5];
    for (int32_t i = 0; i < n; i++, u += t->m[0], v += t->m[3]) {
        out_u[i] = fold(u, level->width, t->padding);
        out_v[i] = fold(v, level->height, t->padding);
    }
}

/* How much of a pixel there is the picture, of 128: all up to the border, none
 * a texel further. */
static int32_t share_along(int64_t coordinate, int64_t side)
{
    const int64_t far = 3 * HALF;
    const int64_t before = coordinate + far;
    const int64_t after = ((side - 1) << 16) + far - coordinate;
    return (int32_t)(clamp(before < after ? before : after, 0, 1 << 16) >> 9);
}

void turn_fill(const struct pixel_turn *t, const struct image_level *level,
               int32_t x, int32_t y, int32_t n, uint8_t *rgb)
{
    int64_t u = t->m[0] * x + t->m[1] * y + t->m[2];
    int64_t v = t->m[3] * x + t->m[4] * y + t->m[5];
    for (int32_t i = 0; i < n; i++, u += t->m[0], v += t->m[3], rgb += 3) {
        const int32_t across = share_along(u, level->width);
        const int32_t share =
            (across * share_along(v, level->height) + 64) >> 7;
        for (int c = 0; c < 3; c++)
            rgb[c] = (uint8_t)((rgb[c] * share + t->colour[c] * (128 - share) +
                                64) >>
                               7);
    }
}
