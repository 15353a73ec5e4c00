/* From a decoded raster to the block of levels that the pool keeps, its digest
 * and its measures. Decodes nothing. */
#include "server/pool/image.h"

#include <assert.h>
#include <string.h>

#include "server/base/mem.h"
#include "server/pixel/mip.h"
#include "server/pixel/stroke.h"

_Static_assert(MIP_COVERAGE_CELLS == POOL_COVERAGE_CELLS,
               "the coverage grids are the same");

static uint64_t level_bytes(int32_t width, int32_t height, int32_t n_channels)
{
    return (uint64_t)width * (uint64_t)height * (uint64_t)n_channels;
}

static uint64_t align_up(uint64_t n)
{
    return (n + POOL_IMAGE_ALIGN - 1) / POOL_IMAGE_ALIGN * POOL_IMAGE_ALIGN;
}

uint64_t pool_image_block_bytes(int32_t width, int32_t height,
                                int32_t n_channels)
{
    const uint32_t n_levels = mip_n_levels(width, height);
    uint64_t n = 2 * POOL_IMAGE_ALIGN; /* to align the block; the zero bytes */

    for (uint32_t i = 0; i < n_levels; i++) {
        n += align_up(level_bytes(width, height, n_channels));
        width = mip_half(width);
        height = mip_half(height);
    }
    return n;
}

uint64_t pool_image_level_bytes(int32_t width, int32_t height,
                                int32_t n_channels)
{
    const uint32_t n_levels = mip_n_levels(width, height);
    uint64_t n = 0;

    for (uint32_t i = 0; i < n_levels; i++) {
        n += level_bytes(width, height, n_channels);
        width = mip_half(width);
        height = mip_half(height);
    }
    return n;
}

/* Sides of the outline's level 0. */
static void stroke_sides(int32_t width, int32_t height, int32_t out[2])
{
    const int32_t reach = stroke_reach(width, height);

    out[0] = width + 2 * reach;
    out[1] = height + 2 * reach;
}

static uint64_t stroke_bytes(int32_t width, int32_t height, bool padded)
{
    const uint32_t n_levels = mip_n_levels(width, height);
    uint64_t n = 0;
    int32_t side[2];

    stroke_sides(width, height, side);
    for (uint32_t i = 0; i < n_levels; i++) {
        const uint64_t n_bytes = level_bytes(side[0], side[1], 4);

        n += padded ? align_up(n_bytes) : n_bytes;
        side[0] = mip_half(side[0]);
        side[1] = mip_half(side[1]);
    }
    return n;
}

uint64_t pool_image_stroke_bytes(int32_t width, int32_t height)
{
    return stroke_bytes(width, height, true) +
           align_up(sizeof(struct pool_stroke)) + POOL_IMAGE_ALIGN;
}

uint64_t pool_image_stroke_level_bytes(int32_t width, int32_t height)
{
    return stroke_bytes(width, height, false);
}

void pool_image_reduce(int32_t *width, int32_t *height, int32_t max_side)
{
    while (max_side > 0 && (*width > max_side || *height > max_side)) {
        *width = mip_half(*width);
        *height = mip_half(*height);
    }
}

struct digest pool_image_digest(const struct pool_raster *r)
{
    struct digest_state s;

    digest_init(&s);
    digest_update_u32(&s, (uint32_t)r->width);
    digest_update_u32(&s, (uint32_t)r->height);
    digest_update(&s, r->pixels,
                  level_bytes(r->width, r->height, r->n_channels));
    return digest_final(&s);
}

static int no_memory(const struct pool_raster *r, struct fault *fault)
{
    return fault_set(fault, ERROR_NO_MEMORY, "no memory to keep %d x %d px",
                     r->width, r->height);
}

/* The block, `more` bytes longer than the image alone needs. */
static int allocate(const struct pool_raster *r, uint64_t more,
                    struct pool_blocks *blocks, struct pool_image *out,
                    struct fault *fault)
{
    out->block_bytes =
        pool_image_block_bytes(r->width, r->height, r->n_channels) + more;
    out->memory = pool_blocks_take(blocks, out->block_bytes);
    if (!out->memory)
        out->memory = out->own = mem_calloc(1, out->block_bytes);
    return out->memory ? 0 : no_memory(r, fault);
}

/* Into the block, whose end it fills, from straight pixels. */
static int build_stroke(const struct pool_raster *r, struct pool_image *out,
                        struct fault *fault)
{
    const uint64_t before = pool_image_block_bytes(r->width, r->height, 4);
    const struct image_level straight = {.pixels = r->pixels,
                                         .width = r->width,
                                         .height = r->height,
                                         .stride_bytes =
                                             (ptrdiff_t)r->width * 4};
    struct pool_stroke *stroke =
        (struct pool_stroke *)(void *)align_up((uintptr_t)out->memory + before);
    uint8_t *at = (uint8_t *)stroke + align_up(sizeof(*stroke));
    void *scratch = mem_calloc(1, stroke_scratch_bytes(r->width, r->height));
    int32_t side[2];

    if (!scratch)
        return no_memory(r, fault);
    stroke->reach = stroke_reach(r->width, r->height);
    stroke_sides(r->width, r->height, side);
    stroke_plane(&straight, at, scratch);
    mem_free(scratch);
    for (uint32_t i = 0; i < mip_n_levels(r->width, r->height); i++) {
        const ptrdiff_t stride = (ptrdiff_t)side[0] * 4;

        stroke->level[i] = (struct image_level){.pixels = at,
                                                .width = side[0],
                                                .height = side[1],
                                                .stride_bytes = stride};
        if (i > 0)
            mip_halve_rgba(&stroke->level[i - 1], at, stride);
        at += align_up(level_bytes(side[0], side[1], 4));
        side[0] = mip_half(side[0]);
        side[1] = mip_half(side[1]);
    }
    out->stroke = stroke;
    return 0;
}

/* Copies level 0 into the block and makes the others. */
static void build_levels(const struct pool_raster *r, struct pool_image *out)
{
    int32_t width = r->width, height = r->height;

    out->width = width;
    out->height = height;
    out->n_levels = mip_n_levels(width, height);
    assert(out->n_levels <= IMAGE_MAX_LEVELS);
    uint8_t *at = (uint8_t *)align_up((uintptr_t)out->memory);

    memcpy(at, r->pixels, level_bytes(width, height, r->n_channels));
    for (uint32_t i = 0; i < out->n_levels; i++) {
        const ptrdiff_t stride = (ptrdiff_t)width * r->n_channels;

        out->level[i] = (struct image_level){.pixels = at,
                                             .width = width,
                                             .height = height,
                                             .stride_bytes = stride};
        if (i > 0 && r->n_channels == 4)
            mip_halve_rgba(&out->level[i - 1], at, stride);
        else if (i > 0)
            mip_halve_rgb(&out->level[i - 1], at, stride);
        if (r->n_channels == 4)
            out->level[i].trim = mip_trim(&out->level[i]);
        at += align_up(level_bytes(width, height, r->n_channels));
        width = mip_half(width);
        height = mip_half(height);
    }
}

int pool_image_object(struct pool_raster *raster, bool with_stroke,
                      struct pool_blocks *blocks, struct pool_image *out,
                      struct fault *fault)
{
    const ptrdiff_t stride = (ptrdiff_t)raster->width * 4;
    const int32_t width = raster->width, height = raster->height;
    const struct image_level level = {.pixels = raster->pixels,
                                      .width = width,
                                      .height = height,
                                      .stride_bytes = stride};
    int code;

    assert(raster->n_channels == 4);
    memset(out, 0, sizeof(*out));
    out->digest = pool_image_digest(raster);
    out->alpha_box = mip_alpha_box(&level); /* alpha stays as it is */
    if (out->alpha_box.x0 >= out->alpha_box.x1) {
        memset(out, 0, sizeof(*out));
        return fault_set(fault, ERROR_BAD_FILE, "nothing of it is visible");
    }
    code = allocate(raster,
                    with_stroke ? pool_image_stroke_bytes(width, height) : 0,
                    blocks, out, fault);
    if (!code && with_stroke)
        code = build_stroke(raster, out, fault);
    if (code) {
        pool_image_fini(out);
        return code;
    }
    mip_premultiply(raster->pixels, width, height, stride);
    mip_coverage(&level, &out->alpha_box, out->coverage);
    build_levels(raster, out);
    return 0;
}

static int halve_raster(struct pool_raster *raster, struct fault *fault)
{
    const struct image_level in = {.pixels = raster->pixels,
                                   .width = raster->width,
                                   .height = raster->height,
                                   .stride_bytes =
                                       (ptrdiff_t)raster->width * 3};
    struct pool_raster half;
    int code = pool_raster_init(&half, mip_half(raster->width),
                                mip_half(raster->height), 3, fault);

    if (code)
        return code;
    mip_halve_rgb(&in, half.pixels, (ptrdiff_t)half.width * 3);
    pool_raster_fini(raster);
    *raster = half;
    return 0;
}

int pool_image_background(struct pool_raster *raster, const struct digest *full,
                          int32_t max_side, struct pool_blocks *blocks,
                          struct pool_image *out, struct fault *fault)
{
    int32_t width = raster->width, height = raster->height;
    int code = 0;

    assert(raster->n_channels == 3);
    memset(out, 0, sizeof(*out));
    pool_image_reduce(&width, &height, max_side);
    const bool reduced = width != raster->width || height != raster->height;

    while (!code && (raster->width != width || raster->height != height))
        code = halve_raster(raster, fault);
    if (!code)
        code = allocate(raster, 0, blocks, out, fault);
    if (code) {
        memset(out, 0, sizeof(*out));
        return code;
    }
    build_levels(raster, out);
    out->digest = reduced ? pool_image_digest(raster) : *full;
    return 0;
}

void pool_image_fini(struct pool_image *image)
{
    mem_free(image->own);
    memset(image, 0, sizeof(*image));
}
