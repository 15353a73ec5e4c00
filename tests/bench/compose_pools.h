/* The pools that benchmarks of composing read. Test code only. */
#ifndef PASTED_TESTS_BENCH_COMPOSE_POOLS_H
#define PASTED_TESTS_BENCH_COMPOSE_POOLS_H

#include "tests/unit/synthetic.h"

#define POOLS_MOST_IMAGES 20000

struct pools {
    const struct catalog *catalog;
    const char *kind; /* "synthetic", "demo" or "files" */
    uint64_t pool_bytes, cache_bytes;
    void *made; /* what pools_close frees */
};

/* Cut-outs of 128-256 px, each its own class, and backgrounds of 256-512 px:
 * n_images of each, or as many as hold over four times the last-level cache
 * when it is 0. */
void pools_synthetic(struct pools *p, uint32_t n_images);
/* Folders, or the demo pools when objects is NULL. Ends the program with a
 * sentence when they cannot be read. */
void pools_load(struct pools *p, const char *objects, const char *backgrounds);
void pools_close(struct pools *p);

/* The images of pools_synthetic as PNG files in two new folders of `folder`,
 * objects and backgrounds: the same pools for a daemon. Ends the program with a
 * sentence when they cannot be written. */
void pools_write(const struct pools *p, const char *folder);

#define POOLS_DRAWN 100 /* of each kind, as tools of others have */
/* What is drawn; image i of a pool is the drawn one i % POOLS_DRAWN. */
extern const struct synthetic_spec pools_spec;

#endif
