/* Walks an object's rows: exact spans, and warped ones. Computes no pixel.
 * Source: NUMERICS.md "The object". */
#include "server/compose/object.h"

#define ONE 65536 /* a texel, 16.16 */

static double magnitude(double x)
{
    return x < 0 ? -x : x;
}

static int32_t row_of(double y)
{
    return y < -4 * FRAME_MAX_SIDE  ? -4 * FRAME_MAX_SIDE
           : y > 4 * FRAME_MAX_SIDE ? 4 * FRAME_MAX_SIDE
                                    : (int32_t)y;
}

/* Rows between which the level's corners lie, and two more where that is known
 * to make up for rounding; else all rows. Decides where to look, not what is
 * touched. */
static void bound_rows(struct object_walk *w, const int64_t m[6],
                       const int64_t side[2])
{
    const double a = (double)m[0], d = (double)m[3];
    const double det = a * (double)m[4] - d * (double)m[1];
    double low = 0, high = 0, most = 0;
    for (int corner = 0; corner < 4; corner++) {
        double u = (double)((corner & 1 ? side[0] : -ONE) - m[2]);
        double v = (double)((corner & 2 ? side[1] : -ONE) - m[5]);
        double y = a * v - d * u; /* times det */
        double size = magnitude(a * v) + magnitude(d * u);
        low = corner == 0 || y < low ? y : low;
        high = corner == 0 || y > high ? y : high;
        most = size > most ? size : most;
    }
    w->first = INT32_MIN;
    w->last = INT32_MAX;
    if (most * 0x1p-48 >= magnitude(det))
        return;
    const double inverse = 1 / det;
    low *= inverse;
    high *= inverse;
    w->first = row_of(low < high ? low : high) - 2;
    w->last = row_of(low < high ? high : low) + 2;
}

void object_walk_init(struct object_walk *w, const struct image_level *level,
                      const int64_t m[6], int32_t y, struct pixel_span within)
{
    const int64_t side[2] = {(int64_t)level->width * ONE,
                             (int64_t)level->height * ONE};
    bound_rows(w, m, side);
    w->y = y;
    y = y < w->first ? w->first : y; /* the first row that is looked at */
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
    const int32_t y = w->y++;
    if (y < w->first || y > w->last) {
        out_line->n = 0;
        return (struct pixel_span){w->within.begin, w->within.begin};
    }
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

struct pixel_span object_warp_row(const struct pixel_kernels *kernels,
                                  const struct image_level *level,
                                  const struct pixel_warp *warp, int32_t y,
                                  struct pixel_span within, uint8_t *rgba)
{
    enum { CHUNK = 128 };
    const struct pixel_span span = warp_span(warp, y, within);
    for (int32_t x = span.begin; x < span.end; x += CHUNK) {
        int32_t u[CHUNK], v[CHUNK];
        const int32_t n = span.end - x < CHUNK ? span.end - x : CHUNK;
        warp_coordinates(warp, x, y, n, u, v);
        kernels->warp_row(level, u, v, n,
                          rgba + (ptrdiff_t)(x - span.begin) * 4);
    }
    return span;
}
