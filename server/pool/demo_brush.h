/* What the demo scenes are painted with, on an RGB canvas, in whole pixels.
 * Threads: no shared state. */
#ifndef PASTED_POOL_DEMO_BRUSH_H
#define PASTED_POOL_DEMO_BRUSH_H

#include "server/pool/demo_parts.h"

/* Uniform in [low, high): the scene's own choice number (index, what). */
int32_t brush_pick(const struct demo_background *b, int32_t index, int32_t what,
                   int32_t low, int32_t high);

/* (x, y) is on the canvas. */
void brush_put(struct demo_canvas *c, int32_t x, int32_t y, uint32_t colour);
uint32_t brush_get(const struct demo_canvas *c, int32_t x, int32_t y);

/* Rows [y0, y1) from ends[0] to ends[1], with a little grain. */
void brush_wash(const struct demo_background *b, struct demo_canvas *c,
                int32_t y0, int32_t y1, const uint32_t ends[2]);

/* Clipped to the canvas, like all that follows. */
void brush_rectangle(struct demo_canvas *c, int32_t x, int32_t y, int32_t w,
                     int32_t h, uint32_t colour);
void brush_disc(struct demo_canvas *c, int32_t x, int32_t y, int32_t r,
                struct demo_paint paint);

/* A soft round light, brightest in the middle. */
void brush_glow(struct demo_canvas *c, int32_t x, int32_t y, int32_t r,
                uint32_t colour);

/* Everything below a line of noise: features are step pixels long and about
 * rise high. */
void brush_ridge(const struct demo_background *b, struct demo_canvas *c,
                 int32_t base, int32_t rise, int32_t step, uint32_t seed,
                 struct demo_paint paint);

/* For paths whose design unit is a pixel. */
struct demo_transform brush_in_pixels(void);

#endif
