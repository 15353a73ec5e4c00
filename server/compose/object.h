/* The rows of an object as sampled, with no edge treatment. Pastes nothing.
 * Threads: one walk belongs to one worker. */
#ifndef PASTED_COMPOSE_OBJECT_H
#define PASTED_COMPOSE_OBJECT_H

#include "server/pixel/kernels.h"
#include "server/pixel/span.h"
#include "server/plan/plan.h"

/* Row after row of a plan's object over the columns `within`. */
struct object_walk {
    const struct pixel_kernels *kernels;
    const struct image_level *level;
    struct pixel_span within;
    int64_t du, dv; /* along a row */
    int64_t u, v;   /* at column 0 of the next row */
    int64_t row_du, row_dv;
    struct span_walk touched[2]; /* by u, by v */
};

/* The next row is frame row y (any sign). */
void object_walk_init(struct object_walk *w,
                      const struct pixel_kernels *kernels,
                      const struct image_level *level, const int64_t m[6],
                      int32_t y, struct pixel_span within);
/* Samples the next row: out[0] is the RGBA of within.begin. Writes only the
 * pixels of the span it returns, in which some tap lies inside the level; all
 * others are transparent. */
struct pixel_span object_walk_next(struct object_walk *w, uint8_t *out);

#endif
