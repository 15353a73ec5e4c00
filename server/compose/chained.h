/* The samples of a batch whose recipe has a chain, slot after slot, each on
 * what the one before it handed on. What is not at hand is composed again from
 * where its chain begins. Threads: one belongs to one worker; different slots
 * of a batch may be composed at once. Source: NUMERICS.md, "Chains". */
#ifndef PASTED_COMPOSE_CHAINED_H
#define PASTED_COMPOSE_CHAINED_H

#include "server/compose/compose.h"
#include "server/plan/chain.h"

/* Bytes of a frame that is handed on, a multiple of 64. */
size_t chained_frame_bytes(const struct recipe *recipe);

/* A batch of n positions has min(n, slots) columns: positions i, i + slots, i +
 * 2 * slots, ... depend on each other and on no other column. */
uint32_t chained_columns(const struct chain *chain, uint32_t n_positions);

struct chained {
    struct batch_composer *composer; /* of a recipe with this chain */
    const struct chain *chain;
    uint64_t first_position;
    /* The edge of any position from chain_reach(first_position) on. */
    struct graph_edge (*edge_of)(const void *source, uint64_t position);
    const void *source;
    /* [columns], or NULL: what the sample `slots` before the column's first
     * handed on, or NULL where that is not at hand; where its last one shall
     * put what it hands on, or NULL. */
    const uint8_t *const *parent;
    uint8_t *const *handed_on;
    uint64_t n_again; /* counts samples that were composed for others alone */
    /* Private to chained.c. */
    uint32_t column, end, turn, candidate;
    uint64_t position; /* due next, of column */
    bool is_begun;     /* position is set */
    const uint8_t *context;
    uint8_t *target;
};

/* Composes columns [from, to) into the composer's payload. */
void chained_run(struct chained *c, uint32_t from, uint32_t to);

#endif
