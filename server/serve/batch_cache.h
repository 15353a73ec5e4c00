/* Batches in their arena: memory, lookup by key, references, LRU. Knows
 * nothing of requests or of composing. Threads: loop thread only. */
#ifndef PASTED_SERVE_BATCH_CACHE_H
#define PASTED_SERVE_BATCH_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "server/base/arena.h"
#include "server/serve/store.h"

/* What makes two requests ask for the same bytes. */
struct batch_key {
    const struct stream *stream;
    uint64_t first_position;
    uint32_t n_samples;                  /* positions */
    uint8_t dtype, layout, n_candidates; /* never 0 */
    struct digest feedback;              /* all zero: none */
};

uint32_t batch_key_hash(const struct batch_key *k);
bool batch_key_equal(const struct batch_key *a, const struct batch_key *b);

struct batch_part {
    struct arena *arena;                   /* NULL: there is no such part */
    struct batch *lru_oldest, *lru_newest; /* cached, without references */
};

/* Clients of this host may hold batches of the shared part for as long as they
 * like; nobody else waits for its room, so it is no part of what follows. */
struct batch_cache {
    struct batch_part own, shared;
    uint32_t n_buckets; /* a power of two */
    struct batch **bucket;
};

/* shared_bytes 0: no shared part. */
int batch_cache_init(struct batch_cache *c, uint64_t budget_bytes,
                     uint64_t shared_bytes, struct fault *fault);
/* Drops every batch; none may be referenced (asserted). */
void batch_cache_fini(struct batch_cache *c);

/* Where in our own arena a run may lie. An eighth at its end is kept for small
 * runs, of at most a 64th of it: what large ones hold, and slow readers of
 * them for as long as they like, never keeps all small ones from their turn.
 *
 *   | large, from the front -->        <-- small, from the end | reserve |
 *
 * An arena of less than 64 pages has no reserve, and all its runs are large. */
enum batch_share {
    BATCH_LARGE, /* anywhere but in the reserve */
    BATCH_SMALL, /* anywhere */
    BATCH_SPARE, /* in the reserve only: a small one while large ones wait */
};

uint64_t batch_reserve_bytes(uint64_t budget_bytes);
/* BATCH_LARGE or BATCH_SMALL. */
enum batch_share batch_share_of(uint64_t budget_bytes, uint64_t run_bytes);

/* A run of the arena, after dropping as many unreferenced batches as that
 * needs, the longest unused first; NULL when references hold the rest. */
void *batch_cache_alloc(struct batch_cache *c, enum batch_share share,
                        uint64_t n_bytes);
/* The same in the shared part, whose runs are all alike. */
void *batch_cache_alloc_shared(struct batch_cache *c, uint64_t n_bytes);
void batch_cache_free(struct batch_cache *c, void *run);

/* The batch of that key, without a new reference; NULL when there is none. */
struct batch *batch_cache_find(struct batch_cache *c,
                               const struct batch_key *k);
/* b is finished, has references and a key that is not there yet. */
void batch_cache_add(struct batch_cache *c, struct batch *b);
/* b lost its last reference: to the LRU, or away when it is not cached. */
void batch_cache_unused(struct batch_cache *c, struct batch *b);
/* b without references is about to get one. */
void batch_cache_used(struct batch_cache *c, struct batch *b);

#endif
