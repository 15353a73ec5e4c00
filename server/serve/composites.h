/* What the latest samples of a stream with a chain handed on, for the samples
 * that are pasted on them. A miss costs pastes, never a byte. Composes nothing.
 * Threads: loop thread only; pixels of an entry in use are read, or written by
 * whoever reserved it, on workers.
 *
 *   (empty) --reserve--> being written --finish--> ready --oldest--> reserved
 *                            +--finish, not whole--> (empty)
 *
 * An entry that somebody uses stays. */
#ifndef PASTED_SERVE_COMPOSITES_H
#define PASTED_SERVE_COMPOSITES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "server/base/digest.h"
#include "server/recipe/recipe.h"

/* Entries for each slot: the round being pasted on, the one being made, and as
 * many for a second reader at another place of the stream. */
#define COMPOSITES_A_SLOT 4

struct composite {
    uint64_t position;
    struct digest feedback;
    uint8_t *pixels; /* [h][w][3] u8, 64-byte aligned */
    /* Private to composites.c. */
    uint32_t n_users;
    bool is_ready;
    struct composite *hash_next, *older, *newer;
};

struct composites;

/* What the composites of a stream of this recipe take; 0 without a chain. */
uint64_t composites_bytes(const struct recipe *recipe);
int composites_create(const struct recipe *recipe,
                      struct composites **out_composites, struct fault *fault);
/* Nobody uses an entry; NULL is fine. */
void composites_destroy(struct composites *c);

/* The ready entry of a position under a feedback table (all zero: none), with
 * one more user; NULL: there is none. */
struct composite *composites_take(struct composites *c, uint64_t position,
                                  const struct digest *feedback);
/* One fewer; NULL is fine. */
void composites_return(struct composites *c, struct composite *e);
/* An entry to write a position's pixels to, in the place of the one unused for
 * longest; NULL: all are in use, or that position is ready. */
struct composite *composites_reserve(struct composites *c, uint64_t position,
                                     const struct digest *feedback);
/* It is written, or never will be; NULL is fine. */
void composites_finish(struct composites *c, struct composite *e, bool whole);

#endif
