/* Draws the pictures of synthetic catalogs with integers alone. */
#include <stdlib.h>

#include "tests/unit/synthetic.h"

/* splitmix64 */
static uint64_t next(uint64_t *state)
{
    uint64_t z = (*state += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}

static int32_t side(uint64_t *random, int32_t least, int32_t most)
{
    return least + (int32_t)(next(random) % (uint64_t)(most - least + 1));
}

static uint8_t *draw_on(uint64_t *random, int32_t least, int32_t most,
                        size_t pixel_bytes, int32_t size[2])
{
    size[0] = side(random, least, most);
    size[1] = side(random, least, most);
    uint8_t *pixels = malloc((size_t)size[0] * (size_t)size[1] * pixel_bytes);
    if (!pixels)
        abort();
    return pixels;
}

/* Ten times the depth inside the ellipse, in 255ths, held to a byte. */
static uint8_t ellipse_alpha(int64_t x, int64_t y, int64_t w, int64_t h)
{
    int64_t dx = 2 * x + 1 - w, dy = 2 * y + 1 - h;
    int64_t depth = 2550 - 2550 * dx * dx / (w * w) - 2550 * dy * dy / (h * h);
    return (uint8_t)(depth < 0 ? 0 : depth > 255 ? 255 : depth);
}

uint8_t *synthetic_draw_object(const struct synthetic_spec *spec, uint32_t i,
                               int32_t *out_width, int32_t *out_height)
{
    uint64_t random = spec->seed + 2 * (uint64_t)i;
    random = next(&random);
    int32_t size[2];
    uint8_t *rgba =
        draw_on(&random, spec->object_least, spec->object_most, 4, size);
    for (int32_t at = 0; at < size[0] * size[1]; at++) {
        uint64_t r = next(&random);
        for (int c = 0; c < 3; c++)
            rgba[at * 4 + c] = (uint8_t)(r >> (8 * c));
        rgba[at * 4 + 3] =
            ellipse_alpha(at % size[0], at / size[0], size[0], size[1]);
    }
    *out_width = size[0];
    *out_height = size[1];
    return rgba;
}

/* 20..220 and back, in `period` steps. */
static int32_t wave(int32_t at, int32_t period)
{
    int32_t phase = at % period * 400 / period;
    return 20 + (phase < 200 ? phase : 400 - phase);
}

uint8_t *synthetic_draw_background(const struct synthetic_spec *spec,
                                   uint32_t i, int32_t *out_width,
                                   int32_t *out_height)
{
    uint64_t random = spec->seed + 2 * (uint64_t)i + 1;
    random = next(&random);
    int32_t size[2];
    uint8_t *rgb = draw_on(&random, spec->background_least,
                           spec->background_most, 3, size);
    for (int32_t at = 0; at < size[0] * size[1]; at++) {
        int32_t x = at % size[0], y = at / size[0];
        uint64_t r = next(&random);
        const int32_t base[3] = {wave(x, 126), wave(y, 209), wave(x + y, 157)};
        for (int c = 0; c < 3; c++)
            rgb[at * 3 + c] = (uint8_t)(base[c] + (int32_t)(r >> 8 * c & 15));
    }
    *out_width = size[0];
    *out_height = size[1];
    return rgb;
}

static void set_keypoints(struct synthetic *s, uint64_t seed, uint32_t i)
{
    struct pool_keypoint points[6];
    uint64_t random = seed + i;
    const int32_t side[2] = {s->objects[i].width, s->objects[i].height};
    for (uint32_t k = 0; k < i % 6; k++) {
        double at[2];
        for (int axis = 0; axis < 2; axis++)
            at[axis] = (double)(next(&random) % 1201) * side[axis] / 1000 -
                       0.1 * side[axis];
        points[k] = (struct pool_keypoint){at[0], at[1]};
    }
    synthetic_set_keypoints(s, i, points, i % 6);
}

void synthetic_make(struct synthetic *s, const struct synthetic_spec *spec)
{
    int32_t w, h;
    synthetic_init(s, spec->n_objects, spec->n_backgrounds);
    for (uint32_t i = 0; i < spec->n_objects; i++) {
        uint8_t *rgba = synthetic_draw_object(spec, i, &w, &h);
        synthetic_set_object(s, i, w, h, rgba);
        set_keypoints(s, spec->seed, i);
        if (spec->strokes)
            synthetic_add_stroke(s, i, w, h, rgba);
        free(rgba);
    }
    for (uint32_t i = 0; i < spec->n_backgrounds; i++) {
        uint8_t *rgb = synthetic_draw_background(spec, i, &w, &h);
        synthetic_set_background(s, i, w, h, rgb);
        free(rgb);
    }
}
