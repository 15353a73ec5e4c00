/* Fuzz target: bytes as a PNG. What is accepted has pixels of the size that its
 * header promised; what is not says why and leaves nothing. */
#include <stdlib.h>

#include "server/pool/png.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    struct pool_limits limits = pool_limits_default();
    struct pool_raster rgba, rgb;
    struct fault fault = {0};
    uint32_t width = 0, height = 0;
    int code, code_rgb;

    limits.max_pixels = 1 << 16; /* so that a run takes no seconds */
    code = pool_png_decode(data, n_bytes, true, &limits, &rgba, &fault);
    code_rgb = pool_png_decode(data, n_bytes, false, &limits, &rgb, NULL);
    if (code != code_rgb)
        abort();
    if (code && (!fault.text[0] || rgba.pixels || rgb.pixels))
        abort();
    if (!code && (pool_png_size(data, n_bytes, &width, &height, NULL) ||
                  (uint32_t)rgba.width != width ||
                  (uint32_t)rgb.height != height || rgb.n_channels != 3))
        abort();
    pool_raster_fini(&rgba);
    pool_raster_fini(&rgb);
    return 0;
}
