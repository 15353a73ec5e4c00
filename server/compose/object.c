/* Walks an object's rows: exact spans. Computes no pixel.
 * Source: NUMERICS.md "The object". */
#include "server/compose/object.h"

#define ONE 65536 /* a texel, 16.16 */

void object_walk_init(struct object_walk *w, const struct image_level *level,
                      const int64_t m[6], int32_t y, struct pixel_span within)
{
    const int64_t side[2] = {(int64_t)level->width * ONE,
                             (int64_t)level->height * ONE};
    w->within = within;
    w->du = m[0];
    w->dv = m[3];
    w->row_du = m[1];
    w->row_dv = m[4];
    w->u = m[1] * y + m[2];
    w->v = m[4] * y + m[5];
    for (int axis = 0; axis < 2; axis++) {
        /* Taps are texels floor(u) and floor(u) + 1. */
        const int64_t touch[2] = {-ONE, side[axis] - 1};
        const int64_t *row = m + 3 * axis;
        const int64_t origin = axis ? w->v : w->u;
        span_walk_init(&w->touched[axis], row[0], origin, row[1], touch);
    }
}

struct pixel_span object_walk_next(struct object_walk *w,
                                   struct pixel_line *out_line)
{
    struct pixel_span touched = span_walk_next(&w->touched[0], w->within);
    touched = span_walk_next(&w->touched[1], touched);
    const int32_t x = touched.begin, n = touched.end - x;
    *out_line = (struct pixel_line){
        (int32_t)(w->u + w->du * x),
        (int32_t)(w->v + w->dv * x),
        n > 1 ? (int32_t)w->du : 0,
        n > 1 ? (int32_t)w->dv : 0,
        n,
    };
    w->u += w->row_du;
    w->v += w->row_dv;
    return touched;
}
