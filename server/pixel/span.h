/* Where along an output row a linear coordinate stays within bounds, exactly.
 * Knows no pixels. */
#ifndef PASTED_PIXEL_SPAN_H
#define PASTED_PIXEL_SPAN_H

#include <stdint.h>

/* Half-open; empty when begin >= end. */
struct pixel_span {
    int32_t begin, end;
};

/* The x of `within` for which lo <= slope * x + origin <= hi, which are always
 * contiguous. Magnitudes below 2^61 throughout, so that differences fit. */
struct pixel_span span_solve(int64_t slope, int64_t origin, int64_t lo,
                             int64_t hi, struct pixel_span within);

/* The same for row after row without dividing: the origin grows by `step` a
 * row, and both ends move as Bresenham's lines do. */
struct span_end {
    int64_t quotient, remainder; /* of what is divided by |slope| */
    int64_t step_quotient, step_remainder;
};
struct span_walk {
    int64_t slope, divisor; /* |slope| */
    int64_t origin, step, lo, hi;
    struct span_end first, last; /* inclusive */
};

/* For the row whose origin this is. Magnitudes as above, over all rows. */
void span_walk_init(struct span_walk *w, int64_t slope, int64_t origin,
                    int64_t step, const int64_t range[2]);

static inline void span_end_next(struct span_end *e, int64_t divisor)
{
    e->quotient += e->step_quotient;
    e->remainder += e->step_remainder;
    const int64_t carry = -(int64_t)(e->remainder >= divisor);
    e->quotient -= carry;
    e->remainder -= divisor & carry;
}

/* The current row's span_solve; the walk is then one row on. */
static inline struct pixel_span span_walk_next(struct span_walk *w,
                                               struct pixel_span within)
{
    if (w->slope == 0) {
        const int all = w->lo <= w->origin && w->origin <= w->hi;
        w->origin += w->step;
        within.end = all ? within.end : within.begin;
        return within;
    }
    int64_t begin = w->first.quotient, end = w->last.quotient + 1;
    begin = begin > within.begin ? begin : within.begin;
    end = end < within.end ? end : within.end;
    span_end_next(&w->first, w->divisor);
    span_end_next(&w->last, w->divisor);
    if (begin >= end)
        return (struct pixel_span){within.begin, within.begin};
    return (struct pixel_span){(int32_t)begin, (int32_t)end};
}

#endif
