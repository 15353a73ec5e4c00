/* Contexts that a client sent for a batch: counted memory, within a budget that
 * all of them share. Knows no frames. Threads: loop thread; pixels are read by
 * the workers while a rendering holds a reference. */
#ifndef PASTED_SERVE_CONTEXTS_H
#define PASTED_SERVE_CONTEXTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/base/arena.h"

#define CONTEXTS_KEPT_BYTES ((size_t)2 << 20) /* a huge page */

/* What all contexts take, in whole pages of an arena, and may. */
struct contexts_budget {
    uint64_t used_bytes, max_bytes;
    struct arena *arena;
    bool is_touched; /* since it was last trimmed */
};

struct contexts {
    uint32_t refs;
    uint32_t n_samples;
    struct contexts_budget *budget; /* outlives them */
    uint64_t *held_bytes;           /* of who sends them; NULL: gone */
    size_t n_bytes, frame_bytes;
    uint8_t *front;  /* the sender's own, right before given */
    uint8_t *given;  /* [n_samples]: 0: none for this one */
    uint8_t *pixels; /* [n_samples][height][width][3], behind given */
};

/* Reserves address space for max_bytes; memory is taken when it is used. */
int contexts_budget_init(struct contexts_budget *b, uint64_t max_bytes,
                         struct fault *fault);
void contexts_budget_fini(struct contexts_budget *b); /* all unref'd */
/* Gives memory that was used back to the system, when nobody uses any, but for
 * CONTEXTS_KEPT_BYTES: small clients that come and go find it touched. */
void contexts_budget_trim(struct contexts_budget *b);

/* For n_samples frames with one reference, counted in *held_bytes too until
 * contexts_disown; undefined bytes. NULL: beyond the budget, or no room in one
 * piece within it. */
struct contexts *contexts_create(struct contexts_budget *budget,
                                 uint64_t *held_bytes, uint32_t n_samples,
                                 size_t frame_bytes, size_t front_bytes);
/* Bytes that such contexts count as. */
uint64_t contexts_bytes(uint32_t n_samples, size_t frame_bytes,
                        size_t front_bytes);
struct contexts *contexts_ref(struct contexts *c);
void contexts_unref(struct contexts *c); /* NULL is fine */
/* Its sender is going: it counts against the budget alone. */
void contexts_disown(struct contexts *c);
/* The frame of sample i, or NULL where it was not given. */
const uint8_t *contexts_of(const struct contexts *c, uint32_t i);

#endif
