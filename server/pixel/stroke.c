/* Two transforms over one grid: the nearest covered pixel gives colour and the
 * distance outside, the nearest other one the distance within. */
#include "server/pixel/stroke.h"

#include <stdbool.h>
#include <string.h>

#include "server/base/fixmath.h"
#include "server/pixel/distance.h"

/* Of the padded image. */
struct plane {
    const struct image_level *straight;
    int32_t reach, least; /* least: alpha of what is covered */
    struct distance_grid grid;
    int16_t *below;              /* [width] */
    int32_t *nearest, *envelope; /* [width], [2 width] */
};

size_t stroke_scratch_bytes(int32_t width, int32_t height)
{
    const size_t reach = (size_t)stroke_reach(width, height);
    const size_t w = (size_t)width + 2 * reach, h = (size_t)height + 2 * reach;
    return 3 * w * sizeof(int32_t) + (h + 1) * w * sizeof(int16_t);
}

static const uint8_t *texel(const struct plane *p, int32_t x, int32_t y)
{
    const struct image_level *s = p->straight;
    return s->pixels + (y - p->reach) * s->stride_bytes +
           (ptrdiff_t)(x - p->reach) * 4;
}

static bool is_covered(const struct plane *p, int32_t x, int32_t y)
{
    return x >= p->reach && x - p->reach < p->straight->width &&
           y >= p->reach && y - p->reach < p->straight->height &&
           texel(p, x, y)[3] >= p->least;
}

/* 128, or 1 where no pixel has as much. */
static int32_t least_alpha(const struct image_level *s)
{
    for (int32_t y = 0; y < s->height; y++)
        for (int32_t x = 0; x < s->width; x++)
            if (s->pixels[y * s->stride_bytes + (ptrdiff_t)x * 4 + 3] >= 128)
                return 128;
    return 1;
}

/* Marks what is covered, or what is not. */
static void mark(struct plane *p, bool covered)
{
    for (int32_t y = 0; y < p->grid.height; y++)
        for (int32_t x = 0; x < p->grid.width; x++)
            p->grid.row[(ptrdiff_t)y * p->grid.width + x] =
                (int16_t)(is_covered(p, x, y) == covered ? y : -1);
    distance_columns(&p->grid, p->below);
}

/* 127 * (distance - 1/2) / reach to nearest, from centre to centre. */
static int32_t steps(const struct plane *p, int32_t dx, int32_t dy)
{
    const double squared = (double)((int64_t)dx * dx + (int64_t)dy * dy);
    const double distance = fixmath_sqrt(squared) - 0.5;
    return (int32_t)fixmath_round(127.0 * distance / p->reach);
}

/* Row y of what `covered` says: the colour too where it is marked. */
static void write_row(struct plane *p, int32_t y, bool covered, uint8_t *out)
{
    distance_row(&p->grid, y, p->envelope, p->nearest);
    for (int32_t x = 0; x < p->grid.width; x++, out += 4) {
        const int32_t column = p->nearest[x];
        const int32_t row = p->grid.row[(ptrdiff_t)y * p->grid.width + column];
        if (covered)
            memcpy(out, texel(p, column, row), 3);
        if (is_covered(p, x, y) == covered)
            continue;
        const int32_t n = steps(p, column - x, row - y);
        const int32_t byte = covered ? 128 - n : 128 + n;
        out[3] = (uint8_t)(byte < 1 ? 1 : byte > 255 ? 255 : byte);
    }
}

void stroke_plane(const struct image_level *straight, uint8_t *out,
                  void *scratch)
{
    const int32_t reach = stroke_reach(straight->width, straight->height);
    const int32_t width = straight->width + 2 * reach;
    const int32_t height = straight->height + 2 * reach;
    struct plane p = {.straight = straight,
                      .reach = reach,
                      .least = least_alpha(straight),
                      .nearest = scratch};
    p.envelope = p.nearest + width;
    p.below = (int16_t *)(p.envelope + 2 * width);
    p.grid = (struct distance_grid){width, height, p.below + width};
    for (int pass = 0; pass < 2; pass++) {
        mark(&p, pass == 0);
        for (int32_t y = 0; y < height; y++)
            write_row(&p, y, pass == 0, out + (ptrdiff_t)y * width * 4);
    }
}

/* (c * a + 127) / 255 is what fade_row gives; of alpha 255 it leaves a. */
void stroke_row(const struct pixel_kernels *kernels, uint8_t *rgba,
                const struct pixel_stroke *s, int32_t n)
{
    enum { CHUNK = 256 };
    uint8_t factor[CHUNK];
    for (int32_t done = 0; done < n; done += CHUNK, rgba += 4 * CHUNK) {
        const int32_t left = n - done < CHUNK ? n - done : CHUNK;
        for (int32_t i = 0; i < left; i++) {
            const int32_t byte = rgba[4 * i + 3];
            const int32_t a = (byte * s->gain + s->offset) >> 16;
            factor[i] = (uint8_t)(a < 0 || byte == 0 ? 0 : a > 255 ? 255 : a);
            rgba[4 * i + 3] = 255;
        }
        kernels->fade_row(rgba, factor, left);
    }
}
