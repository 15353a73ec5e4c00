/* The cache of finished batches. A batch and all that belongs to it lie in one
 * run of the arena that begins with its payload. Decides nothing about who
 * gets one. Threads: loop thread only. */
#include "server/serve/batch_cache.h"

#include <assert.h>
#include <string.h>

#include "server/base/mem.h"
#include "server/base/metrics.h"

#define MAX_BUCKETS 65536

uint32_t batch_key_hash(const struct batch_key *k)
{
    uint64_t h = (uint64_t)(uintptr_t)k->stream >> 4;

    /* Multiply and fold; the odd constant is 2^64 / golden ratio. */
    h = (h ^ k->first_position) * UINT64_C(0x9E3779B97F4A7C15);
    h ^= h >> 32;
    for (int i = 0; i < 8; i++)
        h ^= (uint64_t)k->feedback.bytes[i] << 8 * i;
    h ^= (uint64_t)k->n_samples << 24 | (uint64_t)k->n_candidates << 16 |
         (uint64_t)k->dtype << 8 | k->layout;
    h *= UINT64_C(0x9E3779B97F4A7C15);
    return (uint32_t)(h >> 32);
}

bool batch_key_equal(const struct batch_key *a, const struct batch_key *b)
{
    return a->stream == b->stream && a->first_position == b->first_position &&
           a->n_samples == b->n_samples && a->dtype == b->dtype &&
           a->layout == b->layout && a->n_candidates == b->n_candidates &&
           memcmp(&a->feedback, &b->feedback, sizeof(a->feedback)) == 0;
}

static struct batch_key key_of(const struct batch *b)
{
    return (struct batch_key){
        .stream = b->stream,
        .first_position = b->first_position,
        .n_samples = b->layout.n_samples / b->layout.n_candidates,
        .n_candidates = (uint8_t)b->layout.n_candidates,
        .dtype = b->layout.format.dtype,
        .layout = b->layout.format.layout,
        .feedback = b->feedback,
    };
}

static void show_used(const struct batch_cache *c)
{
    uint64_t n_bytes = arena_used_bytes(c->own.arena);

    if (c->shared.arena)
        n_bytes += arena_used_bytes(c->shared.arena);
    metric_set(METRIC_BUDGET_USED_BYTES, (int64_t)n_bytes);
}

static struct batch_part *part_of(struct batch_cache *c, const void *run)
{
    uint64_t offset;

    return c->shared.arena && arena_offset(c->shared.arena, run, &offset)
               ? &c->shared
               : &c->own;
}

int batch_cache_init(struct batch_cache *c, uint64_t budget_bytes,
                     uint64_t shared_bytes, struct fault *fault)
{
    uint64_t n_pages = (budget_bytes + shared_bytes) / ARENA_PAGE_BYTES + 1;
    int rc;

    *c = (struct batch_cache){.n_buckets = 16};
    while (c->n_buckets < n_pages && c->n_buckets < MAX_BUCKETS)
        c->n_buckets *= 2;
    c->bucket = mem_calloc(c->n_buckets, sizeof(*c->bucket));
    if (!c->bucket)
        return fault_set(fault, ERROR_NO_MEMORY, "no memory for a cache");
    rc = arena_create(budget_bytes, &c->own.arena, fault);
    if (rc == 0 && shared_bytes > 0)
        rc = arena_create_shared(shared_bytes, &c->shared.arena, fault);
    if (rc < 0) {
        arena_destroy(c->own.arena);
        mem_free(c->bucket);
        return rc;
    }
    metric_set(METRIC_BUDGET_BYTES,
               (int64_t)(arena_capacity_bytes(c->own.arena) + shared_bytes));
    show_used(c);
    return 0;
}

static void lru_remove(struct batch_cache *c, struct batch *b)
{
    struct batch_part *part = part_of(c, b->payload);

    if (b->lru_prev)
        b->lru_prev->lru_next = b->lru_next;
    else
        part->lru_oldest = b->lru_next;
    if (b->lru_next)
        b->lru_next->lru_prev = b->lru_prev;
    else
        part->lru_newest = b->lru_prev;
}

/* Drops a cached batch that nobody references. */
static void drop(struct batch_cache *c, struct batch *b)
{
    struct batch **at = &c->bucket[b->hash & (c->n_buckets - 1)];

    assert(b->refs == 0 && b->cached);
    while (*at != b)
        at = &(*at)->hash_next;
    *at = b->hash_next;
    lru_remove(c, b);
    batch_cache_free(c, (void *)(uintptr_t)b->payload);
}

void batch_cache_fini(struct batch_cache *c)
{
    while (c->own.lru_oldest)
        drop(c, c->own.lru_oldest);
    while (c->shared.lru_oldest)
        drop(c, c->shared.lru_oldest);
    arena_destroy(c->own.arena); /* asserts that nothing is left */
    arena_destroy(c->shared.arena);
    mem_free(c->bucket);
}

uint64_t batch_reserve_bytes(uint64_t budget_bytes)
{
    uint64_t n_pages = budget_bytes / ARENA_PAGE_BYTES;

    return n_pages < 64 ? 0 : n_pages / 8 * ARENA_PAGE_BYTES;
}

enum batch_share batch_share_of(uint64_t budget_bytes, uint64_t run_bytes)
{
    return batch_reserve_bytes(budget_bytes) > 0 &&
                   run_bytes <= budget_bytes / 64
               ? BATCH_SMALL
               : BATCH_LARGE;
}

static void *alloc(struct batch_cache *c, enum batch_share share,
                   uint64_t n_bytes)
{
    struct arena *arena = c->own.arena;
    uint64_t capacity = arena_capacity_bytes(arena);
    uint64_t shared = capacity - batch_reserve_bytes(capacity);

    if (share == BATCH_LARGE)
        return arena_alloc_within(arena, 0, shared, false, n_bytes);
    return arena_alloc_within(arena, share == BATCH_SPARE ? shared : 0,
                              capacity, true, n_bytes);
}

void *batch_cache_alloc(struct batch_cache *c, enum batch_share share,
                        uint64_t n_bytes)
{
    void *run = alloc(c, share, n_bytes);

    while (!run && c->own.lru_oldest) {
        drop(c, c->own.lru_oldest);
        metric_add(METRIC_BATCH_EVICTIONS, 1);
        run = alloc(c, share, n_bytes);
    }
    show_used(c);
    return run;
}

void *batch_cache_alloc_shared(struct batch_cache *c, uint64_t n_bytes)
{
    struct batch_part *part = &c->shared;
    void *run;

    if (!part->arena)
        return NULL;
    run = arena_alloc(part->arena, n_bytes);
    while (!run && part->lru_oldest) {
        drop(c, part->lru_oldest);
        metric_add(METRIC_BATCH_EVICTIONS, 1);
        run = arena_alloc(part->arena, n_bytes);
    }
    show_used(c);
    return run;
}

void batch_cache_free(struct batch_cache *c, void *run)
{
    if (run)
        arena_free(part_of(c, run)->arena, run);
    show_used(c);
}

struct batch *batch_cache_find(struct batch_cache *c, const struct batch_key *k)
{
    uint32_t hash = batch_key_hash(k);
    struct batch *b = c->bucket[hash & (c->n_buckets - 1)];

    for (; b; b = b->hash_next) {
        struct batch_key key = key_of(b);

        if (b->hash == hash && batch_key_equal(&key, k))
            return b;
    }
    return NULL;
}

void batch_cache_add(struct batch_cache *c, struct batch *b)
{
    struct batch_key key = key_of(b);
    struct batch **bucket;

    assert(b->refs > 0 && !b->cached);
    b->hash = batch_key_hash(&key);
    bucket = &c->bucket[b->hash & (c->n_buckets - 1)];
    b->hash_next = *bucket;
    *bucket = b;
    b->cached = true;
}

void batch_cache_unused(struct batch_cache *c, struct batch *b)
{
    struct batch_part *part = part_of(c, b->payload);

    if (!b->cached) {
        batch_cache_free(c, (void *)(uintptr_t)b->payload);
        return;
    }
    b->lru_prev = part->lru_newest;
    b->lru_next = NULL;
    if (part->lru_newest)
        part->lru_newest->lru_next = b;
    else
        part->lru_oldest = b;
    part->lru_newest = b;
}

void batch_cache_used(struct batch_cache *c, struct batch *b)
{
    if (b->cached)
        lru_remove(c, b);
}
