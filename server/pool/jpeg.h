/* JPEG (baseline, extended and progressive; grey and colour) to 8-bit pixels,
 * by libjpeg-turbo. Reads no files: it is given bytes. Threads: any. */
#ifndef PASTED_POOL_JPEG_H
#define PASTED_POOL_JPEG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "server/pool/catalog.h"
#include "server/pool/raster.h"

bool pool_jpeg_is(const uint8_t *bytes, size_t n_bytes); /* by its signature */

/* What the markers say, before any pixel is decoded. */
struct pool_jpeg_info {
    uint32_t width, height; /* as stored: not turned; 0 until SOF was seen */
    uint32_t n_components;
    bool progressive;
    int orientation;  /* 1..8; 1 when the file says nothing */
    uint32_t n_scans; /* those in the bytes that were given */
    bool whole;       /* the walk came to EOI */
};

/* Walks the markers of a whole file or of its beginning; stops quietly at the
 * first thing that is not a marker segment or an entropy-coded part. */
struct pool_jpeg_info pool_jpeg_scan(const uint8_t *bytes, size_t n_bytes);

/* RGBA with alpha 255 (want_alpha) or RGB, turned as the Exif orientation
 * says. Bad is what our walk over the markers does not follow to the same size
 * and to EOI, where libjpeg would guess. The exact integer DCT and smooth
 * chroma upsampling are used. Any warning of damaged data makes the file bad;
 * CMYK and YCCK are refused. Errors: -ERROR_BAD_FILE, -ERROR_UNSUPPORTED,
 * -ERROR_TOO_LARGE, -ERROR_NO_MEMORY; *out is then empty. */
int pool_jpeg_decode(const uint8_t *bytes, size_t n_bytes, bool want_alpha,
                     const struct pool_limits *limits, struct pool_raster *out,
                     struct fault *fault);

#endif
