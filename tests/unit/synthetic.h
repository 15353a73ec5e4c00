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
/* Copies [h][w][4] straight RGBA; makes mips, alpha box and coverage. */
void synthetic_set_object(struct synthetic *s, uint32_t i, int32_t width,
                          int32_t height, const uint8_t *rgba);
/* Copies [h][w][3] RGB; makes mips. */
void synthetic_set_background(struct synthetic *s, uint32_t i, int32_t width,
                              int32_t height, const uint8_t *rgb);

#endif
