/* Makes pools larger than the caches, quickly: some images are drawn, the rest
 * are copies of them, packed as a daemon's are (server/pool/blocks.h). Measures
 * nothing. */
#include "tests/bench/compose_pools.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/base/host.h"
#include "server/pool/blocks.h"
#include "tests/unit/synthetic.h"

const struct synthetic_spec pools_spec = {
    .seed = 1,
    .n_objects = POOLS_DRAWN,
    .n_backgrounds = POOLS_DRAWN,
    .object_least = 128,
    .object_most = 256,
    .background_least = 256,
    .background_most = 512,
};

struct made {
    struct synthetic drawn, all;
    struct pool_blocks blocks; /* of all the pixels of `all` */
};

static void *allocate(size_t n, size_t size)
{
    void *p = calloc(n, size);
    if (!p)
        abort();
    return p;
}

/* Of one core's last-level cache: what the kernel says, else the C library,
 * which on some processors counts other sockets' too. */
static uint64_t cache_bytes(void)
{
    unsigned kib = 0;
    FILE *f = fopen("/sys/devices/system/cpu/cpu0/cache/index3/size", "r");
    if (f) {
        if (fscanf(f, "%uK", &kib) != 1)
            kib = 0;
        fclose(f);
    }
    long other = sysconf(_SC_LEVEL3_CACHE_SIZE);
    return kib ? (uint64_t)kib << 10 : other > 0 ? (uint64_t)other : 0;
}

static uint64_t levels_bytes(const struct image_level *level, uint32_t n_levels)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < n_levels; i++)
        total += (uint64_t)level[i].height * (uint64_t)level[i].stride_bytes;
    return total;
}

/* Own memory for all levels, the same pixels. */
static void copy_levels(struct image_level *level, uint32_t n_levels,
                        struct pool_blocks *blocks)
{
    for (uint32_t i = 0; i < n_levels; i++) {
        uint64_t n_bytes = levels_bytes(&level[i], 1);
        uint8_t *pixels = pool_blocks_take(blocks, n_bytes);
        if (!pixels)
            abort();
        memcpy(pixels, level[i].pixels, n_bytes);
        level[i].pixels = pixels;
    }
}

/* Object and background i of the pools to be. */
static uint64_t images_bytes(const struct synthetic *drawn, uint32_t i)
{
    const struct pool_object *o = &drawn->objects[i % POOLS_DRAWN];
    const struct pool_background *b = &drawn->backgrounds[i % POOLS_DRAWN];
    return levels_bytes(o->level, o->n_levels) +
           levels_bytes(b->level, b->n_levels);
}

static void copy_images(struct made *m, uint32_t i)
{
    struct synthetic *to = &m->all;
    const struct synthetic *from = &m->drawn;
    const char *name = to->objects[i].name;
    to->objects[i] = from->objects[i % POOLS_DRAWN];
    to->objects[i].name = name;
    to->objects[i].class_id = i;
    const struct pool_keypoint *points = to->objects[i].keypoints;
    to->objects[i].keypoints = NULL; /* the other's */
    if (points)
        synthetic_set_keypoints(to, i, points, to->objects[i].n_keypoints);
    to->backgrounds[i] = from->backgrounds[i % POOLS_DRAWN];
    copy_levels(to->objects[i].level, to->objects[i].n_levels, &m->blocks);
    copy_levels(to->backgrounds[i].level, to->backgrounds[i].n_levels,
                &m->blocks);
}

void pools_synthetic(struct pools *p, uint32_t n_images)
{
    struct made *m = allocate(1, sizeof *m);
    *p = (struct pools){.kind = "synthetic",
                        .cache_bytes = cache_bytes(),
                        .made = m,
                        .catalog = &m->all.catalog};
    synthetic_make(&m->drawn, &pools_spec);
    uint32_t n = 0;
    while (n_images
               ? n < n_images
               : n < POOLS_MOST_IMAGES &&
                     (n < POOLS_DRAWN || p->pool_bytes <= 4 * p->cache_bytes))
        p->pool_bytes += images_bytes(&m->drawn, n++);
    synthetic_init(&m->all, n, n);
    /* Each level is padded by itself. */
    uint64_t n_levels = (uint64_t)n * 2 * IMAGE_MAX_LEVELS;
    struct fault fault = {0};
    if (pool_blocks_init(&m->blocks,
                         p->pool_bytes + n_levels * pool_blocks_padded(1),
                         &fault) < 0)
        abort();
    for (uint32_t i = 0; i < n; i++)
        copy_images(m, i);
}

void pools_load(struct pools *p, const char *objects, const char *backgrounds)
{
    struct pool_config config = {
        .demo = !objects,
        .objects_path = objects,
        .backgrounds_path = backgrounds,
        .n_threads = host_cpus(),
        .limits = pool_limits_default(),
    };
    struct catalog *c;
    struct fault fault = {0};
    if (catalog_load(&config, &c, &fault) < 0) {
        fprintf(stderr, "compose: %s\n", fault.text);
        exit(1);
    }
    *p = (struct pools){.kind = objects ? "files" : "demo",
                        .cache_bytes = cache_bytes(),
                        .pool_bytes = c->image_bytes,
                        .catalog = c};
}

void pools_close(struct pools *p)
{
    struct made *m = p->made;
    if (!m) {
        catalog_unref((struct catalog *)p->catalog);
        return;
    }
    synthetic_fini(&m->drawn);
    for (uint32_t i = 0; i < m->all.catalog.n_objects; i++) {
        m->all.objects[i].n_levels = 0; /* they lie in the blocks */
        m->all.backgrounds[i].n_levels = 0;
    }
    synthetic_fini(&m->all);
    pool_blocks_fini(&m->blocks);
    free(m);
}
