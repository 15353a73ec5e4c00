/* PNG of every kind to straight 8-bit pixels, by libpng's low-level reader.
 * Reads no files: it is given bytes. Threads: any. */
#ifndef PASTED_POOL_PNG_H
#define PASTED_POOL_PNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "server/pool/catalog.h"
#include "server/pool/raster.h"

bool pool_png_is(const uint8_t *bytes, size_t n_bytes); /* by its signature */

/* Width and height from the first 33 bytes, whose checksum is not looked at.
 * -ERROR_BAD_FILE. */
int pool_png_size(const uint8_t *bytes, size_t n_bytes, uint32_t *out_width,
                  uint32_t *out_height, struct fault *fault);

/* The fixed policy: palettes, tRNS and 1, 2 and 4 bits are expanded; grey is
 * repeated into R, G and B; 16 bits keep their high byte; gamma, colour
 * profiles and significant bits are ignored; interlacing is undone. RGBA with
 * want_alpha (255 where the file has none); else RGB, an image with alpha being
 * composited over black.
 *
 * A file is bad when libpng reports an error for it: a warning (a damaged
 * ancillary chunk is dropped) is not one, except about tRNS, which decides
 * pixels. Beyond that, only a file whose first chunk is not IHDR is bad.
 * Errors: -ERROR_BAD_FILE, -ERROR_TOO_LARGE, -ERROR_NO_MEMORY; *out is then
 * empty. */
int pool_png_decode(const uint8_t *bytes, size_t n_bytes, bool want_alpha,
                    const struct pool_limits *limits, struct pool_raster *out,
                    struct fault *fault);

#endif
