/* How much memory a load will take, from the headers alone. Measures nothing.
 *
 * What stays: each image's block (pool_image_block_bytes, and where strokes are
 * asked for pool_image_stroke_bytes) and its entry in the catalog. What is
 * needed for a while: the scratch of as many of the largest images as there are
 * decoding threads. A split keeps a share of the backgrounds that only their
 * pixels decide; it is predicted as 9 or 1 tenth, and load.c also counts what
 * is really kept. Address space is reserved for twice as much of them, or all:
 * with few images chance moves the share. */
#include <stdio.h>
#include <string.h>

#include "server/pixel/stroke.h"
#include "server/pool/load.h"

struct prediction {
    uint64_t objects, backgrounds, scratch; /* bytes */
    uint64_t both_splits;                   /* of the backgrounds */
    uint32_t n_images;
};

/* Bytes of scratch a pixel beside the decoder's: flood marks and stack, a copy
 * (matte.c); a mask and its file (RGBA before it is flattened). */
#define CORNERS_SCRATCH 9
#define MASK_SCRATCH    8

static uint64_t object_bytes(const struct load *l, const struct load_item *item)
{
    const int32_t width = item->header.width, height = item->header.height;

    return strlen(item->entry->name) + 1 + sizeof(struct pool_object) +
           pool_image_block_bytes(width, height, 4) +
           (l->config->strokes ? pool_image_stroke_bytes(width, height) : 0);
}

static uint64_t background_bytes(const struct load_item *item, int32_t max_side)
{
    int32_t width = item->header.width, height = item->header.height;
    uint64_t n = strlen(item->entry->name) + 1;

    pool_image_reduce(&width, &height, max_side);
    return n + sizeof(struct pool_background) +
           pool_image_block_bytes(width, height, 3);
}

static uint64_t scratch_bytes(const struct load *l,
                              const struct load_item *item)
{
    const int32_t width = item->header.width, height = item->header.height;
    const uint64_t n_px = (uint64_t)width * (uint64_t)height;
    uint64_t n = item->header.scratch_bytes;

    if (item->is_object && l->config->strokes)
        n += stroke_scratch_bytes(width, height);
    if (!item->is_object || item->entry->matte == POOL_MATTE_ALPHA)
        return n;
    return n + n_px * (item->entry->matte == POOL_MATTE_CORNERS
                           ? CORNERS_SCRATCH
                           : MASK_SCRATCH);
}

static struct prediction predict(const struct load *l, int32_t max_side)
{
    struct prediction p = {0};
    uint64_t largest = 0;

    for (uint32_t i = 0; i < l->n_items; i++) {
        const struct load_item *item = &l->items[i];

        if (item->problem)
            continue;
        p.n_images++;
        if (item->is_object)
            p.objects += object_bytes(l, item);
        else
            p.backgrounds += background_bytes(item, max_side);
        if (scratch_bytes(l, item) > largest)
            largest = scratch_bytes(l, item);
    }
    p.both_splits = p.backgrounds;
    if (l->config->split == POOL_SPLIT_TRAIN)
        p.backgrounds -= p.backgrounds / 10;
    else if (l->config->split == POOL_SPLIT_VAL)
        p.backgrounds /= 10;
    const uint32_t n_threads =
        l->config->n_threads > 1 ? l->config->n_threads : 1;

    p.scratch = largest * (n_threads < p.n_images ? n_threads : p.n_images);
    return p;
}

static uint64_t total(const struct prediction *p)
{
    return p->objects + p->backgrounds + p->scratch;
}

static unsigned long long mib(uint64_t n_bytes)
{
    return (n_bytes + (1u << 20) - 1) >> 20;
}

/* The largest power of two for max_side that fits, or 0. */
static int32_t fitting_max_side(const struct load *l, uint64_t limit)
{
    const int32_t now = l->config->max_side;

    for (int32_t side = IMAGE_MAX_SIDE / 2; side >= 64; side /= 2) {
        const struct prediction p = predict(l, side);

        if ((now == 0 || side < now) && total(&p) <= limit)
            return side;
    }
    return 0;
}

static int too_large(const struct load *l, const struct prediction *p,
                     struct fault *fault)
{
    const uint64_t limit = l->config->memory_limit_bytes;
    const int32_t side = fitting_max_side(l, limit);
    char advice[160];

    if (side > 0)
        snprintf(advice, sizeof(advice), "with max_side %d it would fit", side);
    else if (p->scratch < limit)
        snprintf(
            advice, sizeof(advice), "about %llu of the %u images would fit",
            (unsigned long long)((limit - p->scratch) /
                                 ((p->objects + p->backgrounds) / p->n_images +
                                  1)),
            p->n_images);
    else
        snprintf(advice, sizeof(advice),
                 "decoding alone takes more; fewer decoders take less");
    return fault_set(fault, ERROR_TOO_LARGE,
                     "the pools need %llu MiB (objects %llu, backgrounds %llu, "
                     "decoding %llu), the memory limit is %llu MiB; %s",
                     mib(total(p)), mib(p->objects), mib(p->backgrounds),
                     mib(p->scratch), (unsigned long long)(limit >> 20),
                     advice);
}

int load_predict(struct load *l, struct fault *fault)
{
    const struct prediction p = predict(l, l->config->max_side);
    const uint64_t limit = l->config->memory_limit_bytes;

    l->predicted_bytes = p.objects + p.backgrounds;
    l->reserve_bytes =
        p.objects +
        (2 * p.backgrounds < p.both_splits ? 2 * p.backgrounds : p.both_splits);
    if (limit > 0 && total(&p) > limit)
        return too_large(l, &p, fault);
    return 0;
}
