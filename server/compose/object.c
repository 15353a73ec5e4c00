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

/* Rows between which the corners of touch[axis] = {least, most} lie, and two
 * more where that is known to make up for rounding; else all rows. Decides
 * where to look, not what is touched. */
static void bound_rows(struct object_walk *w, const int64_t m[6],
                       const int64_t touch[2][2])
{
    const double a = (double)m[0], d = (double)m[3];
    const double det = a * (double)m[4] - d * (double)m[1];
    double low = 0, high = 0, most = 0;
    for (int corner = 0; corner < 4; corner++) {
        double u = (double)(touch[0][corner & 1] - m[2]);
        double v = (double)(touch[1][corner >> 1] - m[5]);
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

/* Where double resolves less than this part of a column, the diagonal is not
 * looked at. */
#define COLUMN_PART 0x1p-10
#define MOST_COLUMN 0x1p38 /* * 2^-52 * (four roundings) < COLUMN_PART / 2 */

/* Diagonal i of the row y = 0: least <= slope * x + origin <= most, where the
 * origin grows by step a row. */
static void bound_diagonal(struct object_walk *w, int i, const int64_t line[3],
                           const int64_t touch[2])
{
    const double inverse = line[0] ? 1 / (double)line[0] : 0;
    const double a = (double)(touch[0] - line[2]) * inverse;
    const double b = (double)(touch[1] - line[2]) * inverse;
    const double step = (double)-line[1] * inverse;
    w->from[i] = -2 * FRAME_MAX_SIDE;
    w->to[i] = 2 * FRAME_MAX_SIDE;
    w->from_step[i] = w->to_step[i] = 0;
    if (line[0] == 0 || magnitude(a) > MOST_COLUMN ||
        magnitude(b) > MOST_COLUMN ||
        magnitude(step) > MOST_COLUMN / FRAME_MAX_SIDE)
        return;
    w->from[i] = (a < b ? a : b) + (1 - COLUMN_PART);
    w->to[i] = (a < b ? b : a) + (1 + COLUMN_PART);
    w->from_step[i] = w->to_step[i] = step;
}

/* Taps are texels floor(u) and floor(u) + 1, of which one has to lie within
 * what is left of the level; of u + v and u - v alike. */
static void bound_columns(struct object_walk *w,
                          const struct image_level *level, const int64_t m[6])
{
    const struct image_trim *t = &level->trim;
    const int64_t wide = level->width - 1, high = level->height - 1;
    const int64_t sum[2] = {(t->upper_left - 2) * (int64_t)ONE,
                            (wide + high - t->lower_right + 2) * ONE - 1};
    const int64_t difference[2] = {(t->lower_left - high - 2) * ONE + 1,
                                   (wide - t->upper_right + 2) * ONE - 1};
    const int64_t add[3] = {m[0] + m[3], m[1] + m[4], m[2] + m[5]};
    const int64_t subtract[3] = {m[0] - m[3], m[1] - m[4], m[2] - m[5]};
    bound_diagonal(w, 0, add, sum);
    bound_diagonal(w, 1, subtract, difference);
}

void object_walk_init(struct object_walk *w, const struct image_level *level,
                      const int64_t m[6], int32_t y, struct pixel_span within)
{
    const struct image_trim *t = &level->trim;
    const int64_t touch[2][2] = {
        {(t->left - 1) * (int64_t)ONE,
         (int64_t)(level->width - t->right) * ONE - 1},
        {(t->top - 1) * (int64_t)ONE,
         (int64_t)(level->height - t->bottom) * ONE - 1},
    };
    bound_rows(w, m, touch);
    bound_columns(w, level, m);
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
        const int64_t *row = m + 3 * axis;
        const int64_t origin = axis ? w->v : w->u;
        span_walk_init(&w->touched[axis], row[0], origin, row[1], touch[axis]);
    }
}

/* floor, of what lies between columns of a frame or somewhat before. */
static int32_t column_of(double x)
{
    return (int32_t)(x + FRAME_MAX_SIDE) - FRAME_MAX_SIDE;
}

/* Columns of s that the diagonals leave. */
static struct pixel_span cut(const struct object_walk *w, int32_t y,
                             struct pixel_span s)
{
    for (int i = 0; i < 2; i++) {
        const double from = w->from[i] + y * w->from_step[i];
        const double to = w->to[i] + y * w->to_step[i];
        if (from > s.begin)
            s.begin = from < s.end ? column_of(from) : s.end;
        if (to < s.end)
            s.end = to > s.begin ? column_of(to) : s.begin;
    }
    return s;
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
    touched = cut(w, y, span_walk_next(&w->touched[1], touched));
    if (touched.begin >= touched.end)
        touched.end = touched.begin = w->within.begin;
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
