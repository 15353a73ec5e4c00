/* Loads a catalog: the steps in order, and the jobs of the decoding threads.
 * Knows no file format and no order of classes.
 *
 * Errors: what is wrong with one file ends that file (or, strict, the load);
 * want of memory always ends the load, since a catalog must not depend on it.
 */
#include "server/pool/load.h"

#include <malloc.h>
#include <string.h>

#include "server/base/mem.h"
#include "server/pool/demo.h"
#include "server/pool/matte.h"
#include "server/pool/parallel.h"

#define MMAP_THRESHOLD_BYTES (128 << 10) /* glibc's default */

/* Decides what one item's error means: 0 when only that item is lost. */
static int settle(const struct load *l, struct load_item *item, int code,
                  struct fault *fault)
{
    const struct pool_entry *e = item->entry;

    if (code == 0)
        return 0;
    if (code != -ERROR_NO_MEMORY && !l->config->strict) {
        item->problem = mem_strdup(fault->text);
        if (item->problem)
            return 0;
        code = fault_set(fault, ERROR_NO_MEMORY, "no memory for its problem");
    }
    if (code != -ERROR_NO_MEMORY)
        fault->code = ERROR_BAD_FILE;
    return fault_prefix(fault, "%s", e->path ? e->path : e->name);
}

static int probe_item(void *context, uint64_t job, struct fault *fault)
{
    struct load *l = context;
    struct load_item *item = &l->items[job];
    const struct pool_entry *e = item->entry;
    struct pool_header *h = &item->header;
    int code = 0;

    if (e->problem) {
        code = fault_set(fault, ERROR_BAD_FILE, "%s", e->problem);
    } else if (e->path) {
        code = pool_probe(e->path, &l->config->limits, h, fault);
    } else {
        if (item->is_object)
            demo_object_size(e->order, &h->width, &h->height);
        else
            demo_background_size(e->order, &h->width, &h->height);
        h->scratch_bytes = (uint64_t)h->width * (uint64_t)h->height * 4;
    }
    return settle(l, item, code, fault);
}

static int draw_demo(const struct load_item *item, struct pool_raster *r,
                     struct fault *fault)
{
    const int32_t n_channels = item->is_object ? 4 : 3;
    int code = pool_raster_init(r, item->header.width, item->header.height,
                                n_channels, fault);

    if (code)
        return code;
    const ptrdiff_t stride = (ptrdiff_t)r->width * n_channels;

    if (item->is_object)
        demo_draw_object(item->entry->order, r->pixels, stride);
    else
        demo_draw_background(item->entry->order, r->pixels, stride);
    return 0;
}

static int apply_mask(const struct load *l, const struct pool_entry *e,
                      struct pool_raster *r, struct fault *fault)
{
    struct pool_raster mask;
    int code =
        pool_decode_file(e->mask_path, false, &l->config->limits, &mask, fault);

    if (code)
        return fault_prefix(fault, "its mask %s", e->mask_path);
    code = matte_mask(r, &mask, e->matte == POOL_MATTE_MASK_INVERTED, fault);
    pool_raster_fini(&mask);
    return code;
}

static int build_object(struct load *l, struct load_item *item,
                        struct pool_raster *r, struct fault *fault)
{
    const struct pool_entry *e = item->entry;
    int code = 0;

    if (e->path && e->matte == POOL_MATTE_CORNERS)
        code = matte_corners(r, fault);
    else if (e->path && e->matte != POOL_MATTE_ALPHA)
        code = apply_mask(l, e, r, fault);
    return code ? code
                : pool_image_object(r, l->config->strokes, &l->blocks,
                                    &item->image, fault);
}

static bool is_validation(const struct digest *d)
{
    uint64_t v = 0;

    for (int i = 7; i >= 0; i--)
        v = v << 8 | d->bytes[i];
    return v % 10 == 0;
}

static int build_background(struct load *l, struct load_item *item,
                            struct pool_raster *r, struct fault *fault)
{
    const enum pool_split split = l->config->split;
    const struct digest full = pool_image_digest(r);

    item->left_out = split != POOL_SPLIT_ALL &&
                     is_validation(&full) != (split == POOL_SPLIT_VAL);
    return item->left_out
               ? 0
               : pool_image_background(r, &full, l->config->max_side,
                                       &l->blocks, &item->image, fault);
}

/* A split, or a file that grew since its header was read, may keep more than
 * was predicted. */
static int count_kept(struct load *l, const struct load_item *item,
                      struct fault *fault)
{
    const uint64_t limit = l->config->memory_limit_bytes;
    const uint64_t kept =
        atomic_fetch_add(&l->kept_bytes, item->image.block_bytes) +
        item->image.block_bytes;

    if (limit == 0 || kept <= limit)
        return 0;
    return fault_set(fault, ERROR_TOO_LARGE,
                     "the pools need more than the memory limit of %llu MiB",
                     (unsigned long long)(limit >> 20));
}

static int decode_item(void *context, uint64_t job, struct fault *fault)
{
    struct load *l = context;
    struct load_item *item = &l->items[job];
    struct pool_raster r = {0};
    int code;

    if (item->problem)
        return 0;
    if (item->entry->path)
        code = pool_decode_file(item->entry->path, item->is_object,
                                &l->config->limits, &r, fault);
    else
        code = draw_demo(item, &r, fault);
    if (!code && item->is_object)
        code = build_object(l, item, &r, fault);
    else if (!code)
        code = build_background(l, item, &r, fault);
    pool_raster_fini(&r);
    code = settle(l, item, code, fault);
    return code ? code : count_kept(l, item, fault);
}

static int run_steps(struct load *l, struct catalog **out_catalog,
                     struct fault *fault)
{
    struct parallel p = {.n_threads = l->config->n_threads, .context = l};
    int code = load_gather(l, fault);

    if (code)
        return code;
    p.n_jobs = l->n_items;
    p.run = probe_item;
    if ((code = parallel_run(&p, fault)) || (code = load_predict(l, fault)) ||
        (code = pool_blocks_init(&l->blocks, l->reserve_bytes, fault)))
        return code;
    p.run = decode_item;
    p.progress = l->config->progress;
    p.progress_context = l->config->progress_context;
    if ((code = parallel_run(&p, fault)))
        return code;
    return load_assemble(l, out_catalog, fault);
}

static void load_fini(struct load *l)
{
    for (uint32_t i = 0; i < l->n_items; i++) {
        mem_free(l->items[i].problem);
        pool_image_fini(&l->items[i].image);
    }
    mem_free(l->items);
    pool_blocks_fini(&l->blocks);
    pool_entries_fini(&l->objects);
    pool_entries_fini(&l->backgrounds);
    manifest_classes_fini(&l->manifest_classes);
    malloc_trim(0); /* whole free pages between what stays */
}

int catalog_load(const struct pool_config *config, struct catalog **out_catalog,
                 struct fault *fault)
{
    struct load l = {.config = config};
    struct fault unused = {0}; /* the steps always write one */

    /* Left alone, glibc raises this to 32 MiB as images are freed, and then
     * keeps up to twice that for each thread that decoded: memory that was not
     * predicted. */
    mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD_BYTES);
    int code = run_steps(&l, out_catalog, fault ? fault : &unused);

    load_fini(&l);
    return code;
}
