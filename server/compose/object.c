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

/* Double has to resolve this part of a column. */
#define COLUMN_PART 0x1p-10
#define MOST_COLUMN 0x1p38 /* * 2^-52 * (four roundings) < COLUMN_PART / 2 */
/* A pixel beside the object still has coordinates of 32 bits. */
#define MOST_STEP (1 << 24)

/* Line i of the row y = 0: least <= slope * x + origin <= most, where the
 * origin grows by step a row. Whether that could be said. Whole columns from
 * below. */
static bool bound_line(struct object_walk *w, int i, const int64_t line[3],
                       int64_t least, int64_t most)
{
    if (line[0] == 0)
        return false;
    const double inverse = 1 / (double)line[0];
    const double a = (double)(least - line[2]) * inverse;
    const double b = (double)(most - line[2]) * inverse;
    w->from[i] = (a < b ? a : b) + (1 - COLUMN_PART);
    w->to[i] = (a < b ? b : a) + (1 + COLUMN_PART);
    w->step[i] = (double)-line[1] * inverse;
    return magnitude(a) < MOST_COLUMN && magnitude(b) < MOST_COLUMN &&
           magnitude(w->step[i]) < MOST_COLUMN / FRAME_MAX_SIDE;
}

/* Taps are texels floor(u) and floor(u) + 1, of which one has to lie within
 * what is left of the level; of u + v and u - v alike. */
static bool bound_lines(struct object_walk *w, const struct image_level *level,
                        const int64_t m[6], const int64_t touch[2][2])
{
    const struct image_trim *t = &level->trim;
    const int64_t wide = level->width - 1, high = level->height - 1;
    const int64_t add[3] = {m[0] + m[3], m[1] + m[4], m[2] + m[5]};
    const int64_t subtract[3] = {m[0] - m[3], m[1] - m[4], m[2] - m[5]};
    return magnitude((double)m[0]) < MOST_STEP &&
           magnitude((double)m[3]) < MOST_STEP &&
           bound_line(w, 0, m, touch[0][0], touch[0][1]) &&
           bound_line(w, 1, m + 3, touch[1][0], touch[1][1]) &&
           bound_line(w, 2, add, (t->upper_left - 2) * (int64_t)ONE,
                      (wide + high - t->lower_right + 2) * ONE - 1) &&
           bound_line(w, 3, subtract, (t->lower_left - high - 2) * ONE + 1,
                      (wide - t->upper_right + 2) * ONE - 1);
}

static void init_exact(struct object_walk *w, const int64_t m[6],
                       const int64_t touch[2][2])
{
    bound_rows(w, m, touch);
    /* the first row that is looked at */
    const int64_t y = w->y < w->first ? w->first : w->y;
    w->u = m[1] * y + m[2];
    w->v = m[4] * y + m[5];
    span_walk_init(&w->touched[0], m[0], w->u, m[1], touch[0]);
    span_walk_init(&w->touched[1], m[3], w->v, m[4], touch[1]);
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
    w->y = y;
    w->within = within;
    w->du = m[0];
    w->dv = m[3];
    w->row_du = m[1];
    w->row_dv = m[4];
    w->u = m[1] * y + m[2];
    w->v = m[4] * y + m[5];
    w->is_exact = !bound_lines(w, level, m, touch);
    if (w->is_exact)
        init_exact(w, m, touch);
}

static struct pixel_span exact_span(struct object_walk *w, int32_t y)
{
    if (y < w->first || y > w->last)
        return (struct pixel_span){w->within.begin, w->within.begin};
    return span_walk_next(&w->touched[1],
                          span_walk_next(&w->touched[0], w->within));
}

/* floor, of what lies between columns of a frame or somewhat before. */
static inline int32_t column_of(double x)
{
    return (int32_t)(x + FRAME_MAX_SIDE) - FRAME_MAX_SIDE;
}

/* Without branches: where spans end is another column in each row. */
static inline struct pixel_span near_span(const struct object_walk *w, double y)
{
    const double begin = w->within.begin, end = w->within.end;
    double from = w->from[0] + y * w->step[0];
    double to = w->to[0] + y * w->step[0];
    for (int i = 1; i < OBJECT_LINES; i++) {
        const double other_from = w->from[i] + y * w->step[i];
        const double other_to = w->to[i] + y * w->step[i];
        from = other_from > from ? other_from : from;
        to = other_to < to ? other_to : to;
    }
    from = from > begin ? from : begin;
    from = from < end ? from : end;
    to = to < end ? to : end;
    to = to > from ? to : from; /* floor keeps that */
    return (struct pixel_span){column_of(from), column_of(to)};
}

void object_walk_rows(struct object_walk *w, int32_t n_rows,
                      struct pixel_span *out_span, struct pixel_line *out_line)
{
    for (int32_t i = 0; i < n_rows; i++) {
        const int32_t y = w->y + i;
        const bool is_looked_at =
            !w->is_exact || (y >= w->first && y <= w->last);
        const struct pixel_span s =
            w->is_exact ? exact_span(w, y) : near_span(w, y);
        const int32_t n = s.end - s.begin;
        out_span[i] = s;
        out_line[i] = (struct pixel_line){
            (int32_t)(w->u + w->du * s.begin),
            (int32_t)(w->v + w->dv * s.begin),
            n > 1 ? (int32_t)w->du : 0,
            n > 1 ? (int32_t)w->dv : 0,
            n,
        };
        w->u += is_looked_at ? w->row_du : 0;
        w->v += is_looked_at ? w->row_dv : 0;
    }
    w->y += n_rows;
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
