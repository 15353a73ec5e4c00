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

#endif
