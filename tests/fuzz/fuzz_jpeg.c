/* Fuzz target: bytes as a JPEG, and as the TIFF block of an Exif segment. What
 * is accepted has pixels of the size that its markers promised. */
#include <stdlib.h>

#include "server/pool/exif.h"
#include "server/pool/jpeg.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    struct pool_limits limits = pool_limits_default();
    const struct pool_jpeg_info info = pool_jpeg_scan(data, n_bytes);
    const int orientation = exif_orientation(data, n_bytes);
    struct pool_raster r;
    struct fault fault = {0};
    int code;

    if (orientation < 1 || orientation > 8 || info.orientation < 1 ||
        info.orientation > 8)
        abort();
    limits.max_pixels = 1 << 14; /* so that a run takes no seconds */
    limits.max_jpeg_scans = 20;
    code = pool_jpeg_decode(data, n_bytes, false, &limits, &r, &fault);
    if (code && (!fault.text[0] || r.pixels))
        abort();
    if (!code && (uint32_t)(r.width * r.height) != info.width * info.height)
        abort();
    pool_raster_fini(&r);
    return 0;
}
