/* Divides a projective map and adds a bilinear grid of displacements. Touches
 * no pixels. */
#include "server/pixel/warp.h"

/* floor(numerator / w) held within the limits; both are finite, w > 0. */
static int32_t divide(double numerator, double w)
{
    const double q = numerator / w;
    if (q <= WARP_MIN_COORDINATE)
        return WARP_MIN_COORDINATE;
    if (q >= WARP_MAX_COORDINATE)
        return WARP_MAX_COORDINATE;
    const int32_t towards_zero = (int32_t)q;
    return towards_zero - (q < towards_zero);
}

/* Where on the grid: the cell, and 0..256 within it. */
struct grid_place {
    int32_t cell, part;
};

static struct grid_place place_on(const struct pixel_warp *w, int axis,
                                  int32_t coordinate)
{
    int64_t along = (int64_t)coordinate - w->first[axis];
    along = along < 0 ? 0 : along;
    along = along > w->span[axis] ? w->span[axis] : along;
    const int32_t at = (int32_t)(along * w->per_span[axis] >> 20);
    const int32_t last = (int32_t)w->n_points - 2;
    const int32_t cell = at >> 16 < last ? at >> 16 : last;
    return (struct grid_place){cell, (at - (cell << 16)) >> 8};
}

static int32_t lerp_grid(const int32_t grid[WARP_MAX_POINTS][WARP_MAX_POINTS],
                         struct grid_place x, struct grid_place y)
{
    int64_t side[2];
    for (int i = 0; i < 2; i++) {
        const int32_t *row = grid[y.cell + i] + x.cell;
        side[i] = (int64_t)row[0] * (256 - x.part) + (int64_t)row[1] * x.part;
    }
    return (int32_t)((side[0] * (256 - y.part) + side[1] * y.part + 32768) >>
                     16);
}

int32_t warp_displacement(const struct pixel_warp *w, int axis, int32_t u,
                          int32_t v)
{
    if (w->n_points == 0)
        return 0;
    return lerp_grid(w->displace[axis], place_on(w, 0, u), place_on(w, 1, v));
}

/* Of a row's columns those with a * x + c >= 0. */
static struct pixel_span clip_span(int64_t a, int64_t c,
                                   struct pixel_span within)
{
    const int64_t begin = within.begin, end = within.end;
    int64_t at;
    if (a == 0)
        return (struct pixel_span){within.begin,
                                   c < 0 ? within.begin : within.end};
    if (a > 0) { /* x >= -c / a, rounded up */
        at = c > 0 ? -(c / a) : (-c + a - 1) / a;
        at = at < begin ? begin : at > end ? end : at;
        return (struct pixel_span){(int32_t)at, within.end};
    }
    /* x <= c / -a, rounded down */
    at = (c >= 0 ? c / -a : -((-c - a - 1) / -a)) + 1;
    at = at < begin ? begin : at > end ? end : at;
    return (struct pixel_span){within.begin, (int32_t)at};
}

struct pixel_span warp_span(const struct pixel_warp *w, int32_t y,
                            struct pixel_span within)
{
    if (y < w->box.y0 || y >= w->box.y1)
        return (struct pixel_span){within.begin, within.begin};
    const int32_t x0 = w->box.x0, x1 = w->box.x1;
    within.begin = x0 > within.begin ? x0 : within.begin;
    within.end = x1 < within.end ? x1 : within.end;
    if (within.begin >= within.end)
        within.end = within.begin;
    for (uint32_t i = 0; i < w->n_clips; i++)
        within =
            clip_span(w->clip[i][0], w->clip[i][1] * y + w->clip[i][2], within);
    return within;
}

void warp_coordinates(const struct pixel_warp *w, int32_t x, int32_t y,
                      int32_t n, int32_t *out_u, int32_t *out_v)
{
    double row[3], step[3];
    for (int i = 0; i < 3; i++) {
        step[i] = (double)w->m[3 * i];
        row[i] = (double)w->m[3 * i + 1] * y + (double)w->m[3 * i + 2];
    }
    for (int32_t i = 0; i < n; i++) {
        const double depth = step[2] * (x + i) + row[2];
        const double numerator[2] = {step[0] * (x + i) + row[0],
                                     step[1] * (x + i) + row[1]};
        const int is_seen = depth > 0;
        out_u[i] = is_seen ? divide(numerator[0], depth) : WARP_MIN_COORDINATE;
        out_v[i] = is_seen ? divide(numerator[1], depth) : WARP_MIN_COORDINATE;
    }
    if (w->n_points == 0)
        return;
    for (int32_t i = 0; i < n; i++) {
        const int32_t u = out_u[i], v = out_v[i];
        const struct grid_place at[2] = {place_on(w, 0, u), place_on(w, 1, v)};
        out_u[i] = u + lerp_grid(w->displace[0], at[0], at[1]);
        out_v[i] = v + lerp_grid(w->displace[1], at[0], at[1]);
    }
}
