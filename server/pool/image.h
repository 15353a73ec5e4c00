/* From a decoded raster to what the pool keeps: one block of memory an image,
 * with all its levels. Decodes nothing. Threads: any. */
#ifndef PASTED_POOL_IMAGE_H
#define PASTED_POOL_IMAGE_H

#include <stdint.h>

#include "common/error.h"
#include "server/base/digest.h"
#include "server/pool/blocks.h"
#include "server/pool/catalog.h"
#include "server/pool/raster.h"

/* Each level begins at a multiple of this; as many zero bytes follow the last
 * one, so that a kernel may read a vector beyond a row's end. */
#define POOL_IMAGE_ALIGN 64

struct pool_image {
    uint8_t *memory; /* the block */
    void *own;       /* the same where it lies in no pool_blocks; mem_free */
    uint64_t block_bytes; /* of it, as pool_image_block_bytes gives it */
    int32_t width, height;
    uint32_t n_levels;
    struct image_level level[IMAGE_MAX_LEVELS];
    struct digest digest;
    const struct pool_stroke *stroke; /* in the block, or NULL */
    struct image_box alpha_box;
    uint8_t coverage[POOL_COVERAGE_CELLS][POOL_COVERAGE_CELLS];
};

/* What one image will take, from its size alone. n_channels 3 or 4. */
uint64_t pool_image_block_bytes(int32_t width, int32_t height,
                                int32_t n_channels);
uint64_t pool_image_level_bytes(int32_t width, int32_t height,
                                int32_t n_channels); /* pixels only */
/* The same of an object's outline, and what making it takes for a while. */
uint64_t pool_image_stroke_bytes(int32_t width, int32_t height);
uint64_t pool_image_stroke_level_bytes(int32_t width, int32_t height);
/* Halves the size until no side is longer than max_side (0: never). */
void pool_image_reduce(int32_t *width, int32_t *height, int32_t max_side);

/* Of size and pixels. */
struct digest pool_image_digest(const struct pool_raster *raster);

/* Take the raster's pixels (RGBA straight, RGB) into a block of `blocks`, or
 * where that has no room into one of the heap; leave the raster with the
 * caller; it may have been premultiplied or halved. *out is zeroed on failure.
 * -ERROR_NO_MEMORY; an object of which nothing is visible is
 * -ERROR_BAD_FILE. */
int pool_image_object(struct pool_raster *raster, bool with_stroke,
                      struct pool_blocks *blocks, struct pool_image *out,
                      struct fault *fault);
/* `full` is the raster's digest; it is the image's unless that is halved. */
int pool_image_background(struct pool_raster *raster, const struct digest *full,
                          int32_t max_side, struct pool_blocks *blocks,
                          struct pool_image *out, struct fault *fault);
void pool_image_fini(struct pool_image *image);

#endif
