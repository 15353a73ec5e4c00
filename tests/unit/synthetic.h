/* Catalogs made in memory from arrays of pixels, for tests and benchmarks of
 * what stands above the pool. Decodes nothing. Aborts when memory is short. */
#ifndef PASTED_TESTS_UNIT_SYNTHETIC_H
#define PASTED_TESTS_UNIT_SYNTHETIC_H

#include "server/pool/catalog.h"

struct synthetic {
    struct catalog catalog;      /* valid once every image is set */
    struct pool_object *objects; /* each its own class */
    struct pool_background *backgrounds;
};

void synthetic_init(struct synthetic *s, uint32_t n_objects,
                    uint32_t n_backgrounds);
void synthetic_fini(struct synthetic *s);
/* Copies n points, px of level 0. */
void synthetic_set_keypoints(struct synthetic *s, uint32_t i,
                             const struct pool_keypoint *points, uint32_t n);
/* Copies [h][w][4] straight RGBA; makes mips, alpha box and coverage. */
void synthetic_set_object(struct synthetic *s, uint32_t i, int32_t width,
                          int32_t height, const uint8_t *rgba);
/* After that, of the same pixels: the outline, for strokes. */
void synthetic_add_stroke(struct synthetic *s, uint32_t i, int32_t width,
                          int32_t height, const uint8_t *rgba);
/* Copies [h][w][3] RGB; makes mips. */
void synthetic_set_background(struct synthetic *s, uint32_t i, int32_t width,
                              int32_t height, const uint8_t *rgb);

/* Cut-outs with soft elliptic edges over random colours, and wavy textures
 * with noise: the pools of the benchmarks, the same on every machine. Object i
 * has i % 6 keypoints in and about it. */
struct synthetic_spec {
    uint64_t seed;
    uint32_t n_objects, n_backgrounds;
    int32_t object_least, object_most; /* px, each side by itself */
    int32_t background_least, background_most;
    bool strokes;
};
/* [h][w][4] straight RGBA or [h][w][3] RGB; the caller frees. */
uint8_t *synthetic_draw_object(const struct synthetic_spec *spec, uint32_t i,
                               int32_t *out_width, int32_t *out_height);
uint8_t *synthetic_draw_background(const struct synthetic_spec *spec,
                                   uint32_t i, int32_t *out_width,
                                   int32_t *out_height);
/* Init, and every image drawn. */
void synthetic_make(struct synthetic *s, const struct synthetic_spec *spec);

#endif
