/* The parts of the demo pools, one source file each; demo.c lists them. */
#ifndef PASTED_POOL_DEMO_PARTS_H
#define PASTED_POOL_DEMO_PARTS_H

#include "server/pool/demo_draw.h"

/* Glyphs on a cleared RGBA canvas. */
void demo_draw_digit(struct demo_canvas *c, uint32_t digit);

uint32_t demo_n_signs(void);
const char *demo_sign_name(uint32_t i); /* "demo/objects/sign-stop" */
void demo_draw_sign(struct demo_canvas *c, uint32_t i);
/* The middle and the corners of its plate, in thousandths of the canvas. */
uint32_t demo_sign_points(uint32_t i, const int32_t (**out)[2]);

/* Backgrounds: textures are functions of a pixel, scenes are painted on the
 * whole RGB canvas. Exactly one of pixel and paint is set. */
struct demo_background {
    const char *name;
    int32_t width, height;
    uint32_t (*pixel)(const struct demo_background *b, int32_t x, int32_t y);
    void (*paint)(const struct demo_background *b, struct demo_canvas *c);
    int32_t scale;       /* pixels of the largest feature */
    uint32_t seed;       /* another picture of the same kind */
    uint32_t palette[5]; /* 0xRRGGBB; each kind says what they are */
};

/* Materials and patterns (pixel), scenes (paint): [n] in table order. */
extern const struct demo_background demo_materials[];
extern const uint32_t demo_n_materials;
extern const struct demo_background demo_patterns[];
extern const uint32_t demo_n_patterns;
extern const struct demo_background demo_scenes[];
extern const uint32_t demo_n_scenes;

#endif
