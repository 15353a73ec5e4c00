/* What the demo scenes are painted with: washes, discs, glows, ridges. Composes
 * no scene (demo_scenes.c). */
#include "server/pool/demo_brush.h"

#include "server/pool/demo_noise.h"

/* Uniform in [low, high) from the scene's own sequence. */
int32_t brush_pick(const struct demo_background *b, int32_t index, int32_t what,
                   int32_t low, int32_t high)
{
    uint64_t h = demo_hash(b->seed * 7919u + 13u, index, what);
    return low + (int32_t)(h * (uint64_t)(high - low) >> 32);
}

void brush_put(struct demo_canvas *c, int32_t x, int32_t y, uint32_t colour)
{
    uint8_t *at = c->pixels + y * c->stride_bytes + x * 3;
    at[0] = (uint8_t)(colour >> 16);
    at[1] = (uint8_t)(colour >> 8);
    at[2] = (uint8_t)colour;
}

uint32_t brush_get(const struct demo_canvas *c, int32_t x, int32_t y)
{
    const uint8_t *at = c->pixels + y * c->stride_bytes + x * 3;
    return (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2];
}

/* Rows [y0, y1) from one colour to another, with a little grain. */
void brush_wash(const struct demo_background *b, struct demo_canvas *c,
                int32_t y0, int32_t y1, const uint32_t ends[2])
{
    for (int32_t y = y0; y < y1; y++) {
        uint32_t colour =
            demo_mix(ends[0], ends[1], (y - y0) * 256 / (y1 - y0));
        for (int32_t x = 0; x < c->width; x++) {
            uint32_t g = demo_hash(b->seed, x, y);
            brush_put(c, x, y,
                      demo_mix(colour, g & 1 ? 0xFFFFFF : 0x000000,
                               (int32_t)(g >> 8 & 7)));
        }
    }
}

/* One design unit is one pixel. */
struct demo_transform brush_in_pixels(void)
{
    return demo_scale_to(1, 1, 0, 0);
}

void brush_disc(struct demo_canvas *c, int32_t x, int32_t y, int32_t r,
                struct demo_paint paint)
{
    struct demo_path p;
    const int32_t centre[2] = {x, y}, radius[2] = {r, r};
    demo_path_init(&p, brush_in_pixels());
    demo_path_begin(&p);
    demo_path_arc(&p, centre, radius, 0, 351);
    demo_fill(c, &p, paint);
}

/* A soft round light, brightest in the middle. */
void brush_glow(struct demo_canvas *c, int32_t x, int32_t y, int32_t r,
                uint32_t colour)
{
    for (int32_t j = y - r < 0 ? 0 : y - r; j < y + r && j < c->height; j++) {
        for (int32_t i = x - r < 0 ? 0 : x - r; i < x + r && i < c->width;
             i++) {
            int64_t dx = i - x, dy = j - y;
            int32_t left = 256 - demo_root(dx * dx + dy * dy) * 256 / r;
            if (left <= 0)
                continue;
            int32_t dither = (int32_t)(demo_hash(1, i, j) & 511);
            brush_put(c, i, j,
                      demo_mix(brush_get(c, i, j), colour,
                               (left * left * 5 / 8 + dither) / 256));
        }
    }
}

/* Everything below a line of noise: a ridge, a tree line, a dune. */
void brush_ridge(const struct demo_background *b, struct demo_canvas *c,
                 int32_t base, int32_t rise, int32_t step, uint32_t seed,
                 struct demo_paint paint)
{
    struct demo_path p;
    demo_path_init(&p, brush_in_pixels());
    demo_path_move(&p, -2, c->height + 2);
    for (int32_t x = -2; x <= c->width + 2; x += 2) {
        int32_t n = demo_fbm(b->seed + seed, (x + 900) * 256 / step, 77, 5);
        demo_path_line(&p, x, base - (n - 20000) * rise / 32768);
    }
    demo_path_line(&p, c->width + 2, c->height + 2);
    demo_fill(c, &p, paint);
}

void brush_rectangle(struct demo_canvas *c, int32_t x, int32_t y, int32_t w,
                     int32_t h, uint32_t colour)
{
    for (int32_t j = y < 0 ? 0 : y; j < y + h && j < c->height; j++)
        for (int32_t i = x < 0 ? 0 : x; i < x + w && i < c->width; i++)
            brush_put(c, i, j, colour);
}
