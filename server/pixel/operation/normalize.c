/* Statistics of a frame as exact integers, and the table of levels that
 * follows. Applies nothing by halves: a frame is read whole before the first
 * byte changes. */
#include "server/pixel/operation/normalize.h"

#include "server/base/fixmath.h"

/* Of autocontrast, in 1 / 256 percent. */
#define CUTOFF 256

/* n * sum of squares is below 2^64: n <= 3 * 2^22, squares < 2^16. */
_Static_assert(FRAME_MAX_SIDE <= 2048, "the variance fits 64 bits");

static void centre(int32_t side, double fraction, int32_t *out_first,
                   int32_t *out_end)
{
    int32_t n = (int32_t)fixmath_round(side * fraction);
    n = n < 1 ? 1 : n;
    n = n > side ? side : n;
    *out_first = (side - n) / 2;
    *out_end = *out_first + n;
}

struct image_box normalize_region(int32_t width, int32_t height,
                                  double fraction)
{
    struct image_box box;
    centre(width, fraction, &box.x0, &box.x1);
    centre(height, fraction, &box.y0, &box.y1);
    return box;
}

static void apply(const struct operation_frame *f, const uint8_t level[256])
{
    const size_t n = (size_t)f->width * (size_t)f->height * 3;
    for (size_t i = 0; i < n; i++)
        f->rgb[i] = level[f->rgb[i]];
}

static void spread_range(const struct operation_frame *f)
{
    const size_t n = (size_t)f->width * (size_t)f->height * 3;
    uint8_t lo = 255, hi = 0, level[256];
    for (size_t i = 0; i < n; i++) {
        lo = f->rgb[i] < lo ? f->rgb[i] : lo;
        hi = f->rgb[i] > hi ? f->rgb[i] : hi;
    }
    if (lo == hi)
        return;
    const uint32_t range = (uint32_t)(hi - lo);
    for (uint32_t v = lo; v <= hi; v++)
        level[v] = (uint8_t)(((v - lo) * 510 + range) / (2 * range));
    apply(f, level);
}

struct sums {
    uint64_t n, values, squares;
};

static struct sums sum(const struct operation_frame *f,
                       const struct image_box *box)
{
    const size_t row = (size_t)(box->x1 - box->x0) * 3;
    struct sums s = {.n = row * (size_t)(box->y1 - box->y0)};
    for (int32_t y = box->y0; y < box->y1; y++) {
        const uint8_t *p = f->rgb + ((ptrdiff_t)y * f->width + box->x0) * 3;
        uint32_t values = 0, squares = 0; /* 6144 * 255^2 < 2^32 */
        for (size_t i = 0; i < row; i++) {
            values += p[i];
            squares += (uint32_t)p[i] * p[i];
        }
        s.values += values;
        s.squares += squares;
    }
    return s;
}

static void centre_levels(const struct operation_frame *f,
                          const struct image_box *region)
{
    const struct sums s = sum(f, region);
    const double n = (double)s.n, mean = (double)s.values / n;
    const double sd =
        fixmath_sqrt((double)(s.n * s.squares - s.values * s.values)) / n;
    uint8_t level[256];
    for (int32_t v = 0; v < 256; v++) {
        double y = (v - mean) / (sd + 3.0) * 0.2 + 0.5;
        y = y < 0.0 ? 0.0 : y > 1.0 ? 1.0 : y;
        level[v] = (uint8_t)(int32_t)(255.0 * y + 0.5);
    }
    apply(f, level);
}

void normalize_frame(const struct operation_frame *f, enum normalize_mode mode,
                     const struct image_box *region)
{
    static const int32_t cutoff[OPERATION_MAX_PARAMETERS] = {CUTOFF};
    switch (mode) {
    case NORMALIZE_NONE:
        break;
    case NORMALIZE_MIN_MAX:
        spread_range(f);
        break;
    case NORMALIZE_MEAN_STD:
        centre_levels(f, region);
        break;
    case NORMALIZE_EQUALIZE:
        operation_apply(f, OPERATION_AUTOCONTRAST, cutoff);
        operation_apply(f, OPERATION_EQUALIZE, cutoff);
        break;
    }
}
