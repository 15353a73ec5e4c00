/* From a path to pixels: reads a bounded regular file, tells PNG from JPEG by
 * content, decodes. Knows no pool. Threads: any. */
#ifndef PASTED_POOL_DECODE_H
#define PASTED_POOL_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "server/pool/catalog.h"
#include "server/pool/raster.h"

struct pool_file {
    uint8_t *bytes; /* mem_free */
    size_t n_bytes;
    uint64_t total_bytes; /* of the file, also where a part was read */
};

/* The first max_bytes of a regular file when `partial`; else all of it, and a
 * file longer than max_bytes is -ERROR_TOO_LARGE. Also -ERROR_BAD_FILE (empty,
 * not a regular file), -ERROR_NOT_FOUND, -ERROR_IO, -ERROR_NO_MEMORY. */
int pool_file_read(const char *path, uint64_t max_bytes, bool partial,
                   struct pool_file *out, struct fault *fault);
void pool_file_fini(struct pool_file *f);

/* What the header promises; width and height as stored (an orientation may
 * swap them). */
struct pool_header {
    int32_t width, height;
    /* Bytes that decoding takes for a while, beside the image that is kept:
     * the file, a raster of 4 bytes a pixel, a progressive JPEG's
     * coefficients, a turned copy. */
    uint64_t scratch_bytes;
};

/* Errors: those of pool_file_read, -ERROR_BAD_FILE, -ERROR_TOO_LARGE. */
int pool_probe(const char *path, const struct pool_limits *limits,
               struct pool_header *out, struct fault *fault);

/* As pool_png_decode and pool_jpeg_decode. */
int pool_decode(const uint8_t *bytes, size_t n_bytes, bool want_alpha,
                const struct pool_limits *limits, struct pool_raster *out,
                struct fault *fault);
int pool_decode_file(const char *path, bool want_alpha,
                     const struct pool_limits *limits, struct pool_raster *out,
                     struct fault *fault);

#endif
