/* One sample, row by row: context, object, over, colour. Knows no batch and
 * draws nothing at random. Threads: one render belongs to one worker. */
#ifndef PASTED_COMPOSE_RENDER_H
#define PASTED_COMPOSE_RENDER_H

#include "server/compose/compose.h"
#include "server/compose/feather.h"
#include "server/pixel/kernels.h"

struct render {
    const struct pixel_kernels *kernels;
    const struct plan *plan;
    const struct image_level *context; /* CONTEXT_BACKGROUND only */
    const struct image_level *object;
    struct feather feather; /* EDGE_FEATHER only */
    uint8_t *stage;         /* RGB24: two background rows lerped to one */
    uint8_t *row;           /* RGBX: the sample's row */
    uint8_t *object_row;    /* RGBA, a frame's width */
    /* Tight so far over alpha >= 128 and over alpha > 0. */
    struct image_box solid_box, any_box;
};

/* scratch: 64-byte aligned, compose_scratch_bytes of the plan's frame. */
void render_init(struct render *r, const struct catalog *catalog,
                 const struct plan *plan, void *scratch);
/* Rows in order from y = 0; writes width * 3 bytes. */
void render_row(struct render *r, int32_t y, uint8_t *rgb);
/* After the last row. */
struct compose_facts render_facts(const struct render *r);

#endif
