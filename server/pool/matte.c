/* The corner flood with clean edges, and mask files. Decodes nothing; matte.h
 * holds the equations. */
#include "server/pool/matte.h"

#include <assert.h>
#include <string.h>

#include "server/base/mem.h"

struct flood {
    const struct pool_raster *image;
    uint8_t *is_surround; /* [height][width] */
    uint32_t *stack;      /* pixels still to look around from; each pixel is
                             pushed once at most, so n_px entries suffice */
    size_t n_stacked;
};

static int32_t sum_at(const struct pool_raster *image, size_t pixel)
{
    const uint8_t *p = image->pixels + pixel * 4;

    return p[0] + p[1] + p[2];
}

static void push_if_white(struct flood *f, int32_t x, int32_t y)
{
    const size_t pixel = (size_t)y * (size_t)f->image->width + (size_t)x;

    if (f->is_surround[pixel] || sum_at(f->image, pixel) <= MATTE_WHITE_SUM)
        return;
    f->is_surround[pixel] = 1;
    f->stack[f->n_stacked++] = (uint32_t)pixel;
}

static void flood_from_corners(struct flood *f)
{
    const int32_t width = f->image->width, height = f->image->height;

    push_if_white(f, 0, 0);
    push_if_white(f, width - 1, 0);
    push_if_white(f, 0, height - 1);
    push_if_white(f, width - 1, height - 1);
    while (f->n_stacked > 0) {
        const uint32_t pixel = f->stack[--f->n_stacked];
        const int32_t x = (int32_t)(pixel % (uint32_t)width);
        const int32_t y = (int32_t)(pixel / (uint32_t)width);

        if (x > 0)
            push_if_white(f, x - 1, y);
        if (x + 1 < width)
            push_if_white(f, x + 1, y);
        if (y > 0)
            push_if_white(f, x, y - 1);
        if (y + 1 < height)
            push_if_white(f, x, y + 1);
    }
}

static int32_t largest(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

static int32_t least(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

/* True when a pixel of the other kind is among the 8 neighbours. */
static bool is_edge(const struct flood *f, int32_t x, int32_t y)
{
    const int32_t width = f->image->width;
    const int32_t x_end = least(x + 2, width);
    const int32_t y_end = least(y + 2, f->image->height);
    const uint8_t own = f->is_surround[(size_t)y * (size_t)width + (size_t)x];

    for (int32_t v = largest(y - 1, 0); v < y_end; v++) {
        const uint8_t *row = f->is_surround + (size_t)v * (size_t)width;

        for (int32_t u = largest(x - 1, 0); u < x_end; u++)
            if (row[u] != own)
                return true;
    }
    return false;
}

/* F of the equations. Surround and object touch through an object pixel that
 * was too dark to flood, so there is one here and d(F) >= 383. */
static size_t darkest_near(const struct flood *f, int32_t x, int32_t y)
{
    const int32_t width = f->image->width;
    const int32_t x_end = least(x + MATTE_REACH_PX + 1, width);
    const int32_t y_end = least(y + MATTE_REACH_PX + 1, f->image->height);
    int32_t least_sum = INT32_MAX;
    size_t darkest = 0;

    for (int32_t v = largest(y - MATTE_REACH_PX, 0); v < y_end; v++) {
        for (int32_t u = largest(x - MATTE_REACH_PX, 0); u < x_end; u++) {
            const size_t pixel = (size_t)v * (size_t)width + (size_t)u;
            const int32_t sum = sum_at(f->image, pixel);

            if (!f->is_surround[pixel] && sum < least_sum) {
                least_sum = sum;
                darkest = pixel;
            }
        }
    }
    assert(least_sum <= MATTE_WHITE_SUM);
    return darkest;
}

static uint8_t unmix(int32_t colour, int32_t alpha)
{
    return (uint8_t)largest(0,
                            255 - ((255 - colour) * 255 + alpha / 2) / alpha);
}

/* Steps 2 to 4 for one pixel of the edge. */
static void soften(const struct flood *f, int32_t x, int32_t y, uint8_t *out)
{
    const size_t pixel = (size_t)y * (size_t)f->image->width + (size_t)x;
    const size_t darkest = darkest_near(f, x, y);
    const uint8_t *colour = f->image->pixels + pixel * 4;
    const int32_t d_object = 765 - sum_at(f->image, darkest);
    const int32_t d_pixel = 765 - sum_at(f->image, pixel);
    const int32_t alpha = least(255, (255 * d_pixel + d_object / 2) / d_object);

    if (!f->is_surround[pixel]) {
        for (int c = 0; c < 3; c++)
            out[c] = unmix(colour[c], alpha);
        out[3] = (uint8_t)alpha;
    } else if (alpha >= MATTE_LEAST_HALO) {
        memcpy(out, f->image->pixels + darkest * 4, 3);
        out[3] = (uint8_t)alpha;
    }
}

static void cut_out(const struct flood *f, uint8_t *out)
{
    size_t pixel = 0;

    for (int32_t y = 0; y < f->image->height; y++) {
        for (int32_t x = 0; x < f->image->width; x++, pixel++, out += 4) {
            const bool is_surround = f->is_surround[pixel];

            memcpy(out, f->image->pixels + pixel * 4, 3);
            out[3] = is_surround ? 0 : 255;
            if ((is_surround || sum_at(f->image, pixel) <= MATTE_WHITE_SUM) &&
                is_edge(f, x, y))
                soften(f, x, y, out);
        }
    }
}

int matte_corners(struct pool_raster *rgba, struct fault *fault)
{
    const size_t n_px = (size_t)rgba->width * (size_t)rgba->height;
    struct flood f = {.image = rgba};
    uint8_t *out = NULL;
    int code = 0;

    assert(rgba->n_channels == 4);
    f.is_surround = mem_calloc(n_px, 1);
    f.stack = mem_calloc(n_px, sizeof(*f.stack));
    if (f.is_surround && f.stack) {
        flood_from_corners(&f);
        mem_free(f.stack);
        f.stack = NULL;
        out = mem_calloc(n_px, 4);
    }
    if (out) {
        cut_out(&f, out);
        mem_free(rgba->pixels);
        rgba->pixels = out;
    } else {
        code =
            fault_set(fault, ERROR_NO_MEMORY, "no memory to cut an object out");
    }
    mem_free(f.stack);
    mem_free(f.is_surround);
    return code;
}

int matte_mask(struct pool_raster *rgba, const struct pool_raster *mask,
               bool inverted, struct fault *fault)
{
    const size_t n_px = (size_t)rgba->width * (size_t)rgba->height;
    const uint8_t *m = mask->pixels;
    uint8_t *p = rgba->pixels;

    assert(rgba->n_channels == 4 && mask->n_channels == 3);
    if (mask->width != rgba->width || mask->height != rgba->height)
        return fault_set(fault, ERROR_BAD_FILE,
                         "its mask is %d x %d px, the image %d x %d px",
                         mask->width, mask->height, rgba->width, rgba->height);
    for (size_t i = 0; i < n_px; i++, p += 4, m += 3) {
        uint32_t weight = ((uint32_t)m[0] + m[1] + m[2] + 1) / 3;

        if (inverted)
            weight = 255 - weight;
        p[3] = (uint8_t)((p[3] * weight + 127) / 255);
    }
    return 0;
}
