/* Owned rasters and the eight EXIF orientations. Reads no file. */
#include "server/pool/raster.h"

#include <stdbool.h>
#include <string.h>

#include "server/base/mem.h"
#include "server/pixel/image.h"

int pool_raster_init(struct pool_raster *r, int32_t width, int32_t height,
                     int32_t n_channels, struct fault *fault)
{
    memset(r, 0, sizeof(*r));
    if (width < 1 || height < 1 || width > IMAGE_MAX_SIDE ||
        height > IMAGE_MAX_SIDE)
        return fault_set(fault, ERROR_TOO_LARGE,
                         "%d x %d px; sides are 1 to %d px", width, height,
                         IMAGE_MAX_SIDE);
    r->pixels = mem_calloc((size_t)width * (size_t)height, (size_t)n_channels);
    if (!r->pixels)
        return fault_set(fault, ERROR_NO_MEMORY,
                         "no memory to decode %d x %d px", width, height);
    r->width = width;
    r->height = height;
    r->n_channels = n_channels;
    return 0;
}

void pool_raster_fini(struct pool_raster *r)
{
    mem_free(r->pixels);
    memset(r, 0, sizeof(*r));
}

/* How orientation n maps: the output pixel (x, y) comes from (x, y) of the
 * input after an optional swap of axes and optional mirrors. */
static const struct {
    bool swap, mirror_x, mirror_y;
} TURNS[9] = {
    [2] = {false, true, false}, [3] = {false, true, true},
    [4] = {false, false, true}, [5] = {true, false, false},
    [6] = {true, false, true},  [7] = {true, true, true},
    [8] = {true, true, false},
};

int pool_raster_orient(struct pool_raster *r, int orientation,
                       struct fault *fault)
{
    struct pool_raster out;
    int code;

    if (orientation < 2 || orientation > 8)
        return 0;
    const bool swap = TURNS[orientation].swap;
    code = pool_raster_init(&out, swap ? r->height : r->width,
                            swap ? r->width : r->height, r->n_channels, fault);
    if (code)
        return code;
    const size_t n = (size_t)r->n_channels;
    uint8_t *p = out.pixels;
    for (int32_t y = 0; y < out.height; y++) {
        for (int32_t x = 0; x < out.width; x++, p += n) {
            int32_t from_x = swap ? y : x, from_y = swap ? x : y;

            if (TURNS[orientation].mirror_x)
                from_x = r->width - 1 - from_x;
            if (TURNS[orientation].mirror_y)
                from_y = r->height - 1 - from_y;
            memcpy(p,
                   r->pixels +
                       ((size_t)from_y * (size_t)r->width + (size_t)from_x) * n,
                   n);
        }
    }
    pool_raster_fini(r);
    *r = out;
    return 0;
}
