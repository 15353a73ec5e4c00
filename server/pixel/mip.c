/* The kernels that make a pool's pixels out of decoded ones, in portable C.
 * Does no I/O and no allocation; mip.h holds the equations. */
#include "server/pixel/mip.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

int32_t mip_half(int32_t n)
{
    return n / 2 + n % 2;
}

uint32_t mip_n_levels(int32_t width, int32_t height)
{
    uint32_t n = 1;

    while (width > 1 || height > 1) {
        width = mip_half(width);
        height = mip_half(height);
        n++;
    }
    return n;
}

static uint8_t scale(uint8_t colour, uint8_t alpha)
{
    return (uint8_t)(((uint32_t)colour * alpha + 127) / 255);
}

void mip_premultiply(uint8_t *rgba, int32_t width, int32_t height,
                     ptrdiff_t stride_bytes)
{
    for (int32_t y = 0; y < height; y++) {
        uint8_t *p = rgba + y * stride_bytes;

        for (int32_t x = 0; x < width; x++, p += 4) {
            p[0] = scale(p[0], p[3]);
            p[1] = scale(p[1], p[3]);
            p[2] = scale(p[2], p[3]);
        }
    }
}

void mip_flatten_on_black(uint8_t *rgba, int32_t width, int32_t height)
{
    const uint8_t *in = rgba;
    uint8_t *out = rgba;
    size_t n_px = (size_t)width * (size_t)height;

    for (size_t i = 0; i < n_px; i++, in += 4, out += 3) {
        const uint8_t a = in[3];
        const uint8_t r = scale(in[0], a), g = scale(in[1], a);

        out[2] = scale(in[2], a);
        out[0] = r;
        out[1] = g;
    }
}

/* One output row from two input rows; n channels are interleaved. */
static void halve_row(const uint8_t *top, const uint8_t *bottom, int32_t width,
                      int32_t n_channels, uint8_t *out)
{
    for (int32_t x = 0; x < width; x += 2) {
        int32_t right = x + 1 < width ? n_channels : 0;

        for (int32_t c = 0; c < n_channels; c++) {
            *out++ = (uint8_t)((top[c] + top[right + c] + bottom[c] +
                                bottom[right + c] + 2) >>
                               2);
        }
        top += 2 * n_channels;
        bottom += 2 * n_channels;
    }
}

static inline void halve(const struct image_level *in, int32_t n_channels,
                         uint8_t *out, ptrdiff_t out_stride_bytes)
{
    for (int32_t y = 0; y < in->height; y += 2) {
        const uint8_t *top = in->pixels + y * in->stride_bytes;
        const uint8_t *bottom =
            y + 1 < in->height ? top + in->stride_bytes : top;

        halve_row(top, bottom, in->width, n_channels, out);
        out += out_stride_bytes;
    }
}

void mip_halve_rgba(const struct image_level *in, uint8_t *out,
                    ptrdiff_t out_stride_bytes)
{
    halve(in, 4, out, out_stride_bytes);
}

void mip_halve_rgb(const struct image_level *in, uint8_t *out,
                   ptrdiff_t out_stride_bytes)
{
    halve(in, 3, out, out_stride_bytes);
}

/* First and last column of a row with alpha > 0; false when it has none. */
static bool find_ends(const struct image_level *rgba, int32_t y,
                      int32_t ends[2])
{
    const uint8_t *row = rgba->pixels + y * rgba->stride_bytes;
    int32_t first = 0, last = rgba->width - 1;

    while (first <= last && row[4 * first + 3] == 0)
        first++;
    if (first > last)
        return false;
    while (row[4 * last + 3] == 0)
        last--;
    ends[0] = first;
    ends[1] = last;
    return true;
}

static void keep_least(int32_t *least, int32_t v)
{
    *least = v < *least ? v : *least;
}

struct image_box mip_alpha_box(const struct image_level *rgba)
{
    struct image_box box = {rgba->width, rgba->height, 0, 0};

    for (int32_t y = 0; y < rgba->height; y++) {
        int32_t ends[2];

        if (!find_ends(rgba, y, ends))
            continue;
        keep_least(&box.x0, ends[0]);
        if (ends[1] + 1 > box.x1)
            box.x1 = ends[1] + 1;
        keep_least(&box.y0, y);
        box.y1 = y + 1;
    }
    if (box.x0 >= box.x1)
        memset(&box, 0, sizeof(box));
    return box;
}

struct image_trim mip_trim(const struct image_level *rgba)
{
    const int32_t w = rgba->width, h = rgba->height, most = w + h;
    struct image_trim t = {w, w, h, h, most, most, most, most};

    for (int32_t y = 0; y < h; y++) {
        int32_t ends[2];

        if (!find_ends(rgba, y, ends))
            continue;
        const int32_t right = w - 1 - ends[1], low = h - 1 - y;
        keep_least(&t.left, ends[0]);
        keep_least(&t.right, right);
        keep_least(&t.top, y);
        t.bottom = low;
        keep_least(&t.upper_left, ends[0] + y);
        keep_least(&t.lower_right, right + low);
        keep_least(&t.lower_left, ends[0] + low);
        keep_least(&t.upper_right, right + y);
    }
    return t.left < w ? t : (struct image_trim){.left = w};
}

/* Bounds of cell i of a side [from, from + length), never empty. */
static void cell_bounds(int32_t from, int32_t length, int32_t i, int32_t *first,
                        int32_t *end)
{
    *first = from + i * length / MIP_COVERAGE_CELLS;
    *end = from + (i + 1) * length / MIP_COVERAGE_CELLS;
    if (*end == *first)
        (*end)++;
}

static uint8_t cell_mean(const struct image_level *rgba, int32_t x0, int32_t x1,
                         int32_t y0, int32_t y1)
{
    uint64_t sum = 0;
    uint64_t n = (uint64_t)(x1 - x0) * (uint64_t)(y1 - y0);

    for (int32_t y = y0; y < y1; y++) {
        const uint8_t *row = rgba->pixels + y * rgba->stride_bytes;

        for (int32_t x = x0; x < x1; x++)
            sum += row[4 * x + 3];
    }
    return (uint8_t)((sum + n / 2) / n);
}

void mip_coverage(const struct image_level *rgba, const struct image_box *box,
                  uint8_t out[MIP_COVERAGE_CELLS][MIP_COVERAGE_CELLS])
{
    assert(box->x0 < box->x1 && box->y0 < box->y1);
    for (int32_t row = 0; row < MIP_COVERAGE_CELLS; row++) {
        int32_t y0, y1;

        cell_bounds(box->y0, box->y1 - box->y0, row, &y0, &y1);
        for (int32_t column = 0; column < MIP_COVERAGE_CELLS; column++) {
            int32_t x0, x1;

            cell_bounds(box->x0, box->x1 - box->x0, column, &x0, &x1);
            out[row][column] = cell_mean(rgba, x0, x1, y0, y1);
        }
    }
}
