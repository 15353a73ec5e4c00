/* The catalog's references, and the words of its options. Loads nothing
 * (load.c).
 *
 * Threads: the count is atomic; everything else never changes. */
#include "server/pool/catalog.h"

#include <malloc.h>
#include <string.h>

#include "server/base/mem.h"
#include "server/pool/load.h"

static int find_word(const char *const *words, int n, const char *word)
{
    for (int i = 0; i < n; i++)
        if (!strcmp(words[i], word))
            return i;
    return -1;
}

int pool_matte_from_name(const char *name)
{
    static const char *const WORDS[] = {
        [POOL_MATTE_ALPHA] = "alpha",
        [POOL_MATTE_CORNERS] = "corners",
        [POOL_MATTE_MASK] = "mask",
        [POOL_MATTE_MASK_INVERTED] = "mask-inverted",
    };

    return find_word(WORDS, sizeof(WORDS) / sizeof(WORDS[0]), name);
}

int pool_split_from_name(const char *name)
{
    static const char *const WORDS[] = {
        [POOL_SPLIT_ALL] = "all",
        [POOL_SPLIT_TRAIN] = "train",
        [POOL_SPLIT_VAL] = "val",
    };

    return find_word(WORDS, sizeof(WORDS) / sizeof(WORDS[0]), name);
}

struct pool_limits pool_limits_default(void)
{
    return (struct pool_limits){
        .max_file_bytes = 256ull << 20,
        .max_pixels = 64ull << 20,
        .max_png_chunk_bytes = 8u << 20,
        .max_png_chunks = 1000,
        .max_jpeg_scans = 100,
        .max_files = 4000000,
        .max_depth = 16,
    };
}

struct catalog *catalog_ref(struct catalog *c)
{
    struct catalog_store *s = c->private_state;

    atomic_fetch_add_explicit(&s->n_references, 1, memory_order_relaxed);
    return c;
}

void catalog_unref(struct catalog *c)
{
    if (!c)
        return;
    struct catalog_store *s = c->private_state;

    if (atomic_fetch_sub_explicit(&s->n_references, 1, memory_order_acq_rel) ==
        1)
        catalog_store_destroy(s);
}

void catalog_store_destroy(struct catalog_store *s)
{
    if (!s)
        return;
    pool_blocks_fini(&s->blocks);
    for (uint32_t i = 0; i < s->n_own; i++)
        mem_free(s->own[i]);
    for (uint32_t i = 0; s->objects && i < s->public.n_objects; i++) {
        mem_free((void *)s->objects[i].name);
        mem_free((void *)s->objects[i].keypoints);
    }
    for (uint32_t i = 0; s->backgrounds && i < s->public.n_backgrounds; i++)
        mem_free((void *)s->backgrounds[i].name);
    for (uint32_t i = 0; s->classes && i < s->public.n_classes; i++)
        mem_free(s->classes[i]);
    for (uint32_t i = 0; i < s->public.n_skips; i++) {
        mem_free((void *)s->skips[i].path);
        mem_free((void *)s->skips[i].reason);
    }
    mem_free(s->own);
    mem_free(s->objects);
    mem_free(s->backgrounds);
    mem_free(s->classes);
    mem_free(s->class_first);
    mem_free(s->skips);
    mem_free(s);
    malloc_trim(0); /* what was freed among what stays, page by page */
}
