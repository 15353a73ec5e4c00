/* What a rendering of a stream with a chain takes from earlier samples and
 * leaves to later ones. Decides nothing about when. Threads: loop thread; the
 * tables are read by the workers between begin and end. */
#ifndef PASTED_SERVE_PARENTS_H
#define PASTED_SERVE_PARENTS_H

#include "server/plan/chain.h"
#include "server/serve/batch_cache.h"
#include "server/serve/composites.h"

/* Of a batch's columns (compose/chained.h); n_columns 0: has no chain. */
struct parents {
    uint32_t n_columns;
    /* [n_columns] each; entries may be NULL. */
    struct composite **taken, **reserved;
    const uint8_t **context; /* pixels of taken */
    uint8_t **target;        /* pixels of reserved */
};

/* The tables' bytes, and where they lie: 8-byte aligned. */
uint64_t parents_bytes(uint32_t n_columns);
void parents_place(struct parents *p, uint32_t n_columns, void *memory);

/* Of the batch of a key. */
void parents_begin(struct parents *p, struct composites *c,
                   const struct chain *chain, const struct batch_key *key);
/* Once, after begin: gives all back. whole: every target is written. */
void parents_end(struct parents *p, struct composites *c, bool whole);

/* Does one batch need what another one leaves? Then the other's first position
 * is the lower. */
bool parents_are_made_by(const struct chain *chain, const struct batch_key *of,
                         const struct batch_key *other);

#endif
