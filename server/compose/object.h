/* Which pixels of each row an object touches, and its rows where it is warped.
 * Pastes nothing. Threads: one walk belongs to one worker. */
#ifndef PASTED_COMPOSE_OBJECT_H
#define PASTED_COMPOSE_OBJECT_H

#include "server/pixel/kernels.h"
#include "server/pixel/span.h"
#include "server/plan/plan.h"

/* The level that the plan samples: of its object, or of the outline. */
static inline const struct image_level *object_level_of(const struct plan *p,
                                                        const struct catalog *c)
{
    const struct pool_object *o = &c->objects[p->object];
    return p->stroke.reach > 0 ? &o->stroke->level[p->object_level]
                               : &o->level[p->object_level];
}

#define OBJECT_LINES 4 /* u, v, u + v, u - v */

/* Row after row of a plan's object over the columns `within`. */
struct object_walk {
    struct pixel_span within;
    int64_t du, dv; /* along a row */
    int64_t u, v;   /* at column 0 of the next row */
    int64_t row_du, row_dv;
    int32_t y; /* of the next row */
    /* In row y nothing lies before from + y * step nor after to + y * step. */
    double from[OBJECT_LINES], to[OBJECT_LINES], step[OBJECT_LINES];
    /* Where double does not tell that, row by row in integers. */
    bool is_exact;
    int32_t first, last;         /* no row before or after them is touched */
    struct span_walk touched[2]; /* by u, by v */
};

/* The next row is frame row y (any sign). */
void object_walk_init(struct object_walk *w, const struct image_level *level,
                      const int64_t m[6], int32_t y, struct pixel_span within);
/* The columns of the next n_rows rows outside of which every tap is
 * transparent, and where their texels lie. */
void object_walk_rows(struct object_walk *w, int32_t n_rows,
                      struct pixel_span *out_span, struct pixel_line *out_line);

/* Samples frame row y along a plan's warp over the columns `within`: writes the
 * pixels of the span it returns, side by side, and nothing more. */
struct pixel_span object_warp_row(const struct pixel_kernels *kernels,
                                  const struct image_level *level,
                                  const struct pixel_warp *warp, int32_t y,
                                  struct pixel_span within, uint8_t *rgba);

#endif
