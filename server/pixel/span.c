/* Solves linear inequalities over the integers. Touches no pixels. */
#include "server/pixel/span.h"

/* floor(a / b), b > 0. */
static int64_t floor_div(int64_t a, int64_t b)
{
    int64_t q = a / b;
    return q - (a % b < 0);
}

/* ceil(a / b), b > 0. */
static int64_t ceil_div(int64_t a, int64_t b)
{
    int64_t q = a / b;
    return q + (a % b > 0);
}

struct pixel_span span_solve(int64_t slope, int64_t origin, int64_t lo,
                             int64_t hi, struct pixel_span within)
{
    const struct pixel_span none = {within.begin, within.begin};
    if (slope == 0)
        return lo <= origin && origin <= hi ? within : none;
    int64_t first, last; /* inclusive */
    if (slope > 0) {
        first = ceil_div(lo - origin, slope);
        last = floor_div(hi - origin, slope);
    } else {
        first = ceil_div(origin - hi, -slope);
        last = floor_div(origin - lo, -slope);
    }
    if (first < within.begin)
        first = within.begin;
    if (last > (int64_t)within.end - 1)
        last = (int64_t)within.end - 1;
    if (first > last)
        return none;
    return (struct pixel_span){(int32_t)first, (int32_t)last + 1};
}

/* floor(n / divisor), and what it grows by when n grows by step. */
static struct span_end end_at(int64_t n, int64_t divisor, int64_t step)
{
    struct span_end e;
    e.quotient = floor_div(n, divisor);
    e.remainder = n - e.quotient * divisor;
    e.step_quotient = floor_div(step, divisor);
    e.step_remainder = step - e.step_quotient * divisor;
    return e;
}

void span_walk_init(struct span_walk *w, int64_t slope, int64_t origin,
                    int64_t step, const int64_t range[2])
{
    const int64_t lo = range[0], hi = range[1];
    *w = (struct span_walk){
        .slope = slope,
        .divisor = slope < 0 ? -slope : slope,
        .origin = origin,
        .step = step,
        .lo = lo,
        .hi = hi,
    };
    /* ceil(a / b) = floor((a + b - 1) / b) */
    if (slope > 0) {
        w->first = end_at(lo - origin + slope - 1, slope, -step);
        w->last = end_at(hi - origin, slope, -step);
    } else if (slope < 0) {
        w->first = end_at(origin - hi - slope - 1, -slope, step);
        w->last = end_at(origin - lo, -slope, step);
    }
}
