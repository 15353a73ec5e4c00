/* The feedback tables that trainers uploaded: immutable, found by digest,
 * bounded in bytes, number and lifetime. Draws nothing from them
 * (plan/feedback.h). Threads: loop thread only. */
#ifndef PASTED_SERVE_FEEDBACK_STORE_H
#define PASTED_SERVE_FEEDBACK_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "server/plan/feedback.h"
#include "server/serve/stream.h"

struct feedback_store;

/* Found one after the other, and all of them listed in one REPLY. */
#define FEEDBACK_STORE_MAX_TABLES 4096

struct feedback_limits {
    uint64_t max_bytes;   /* of all tables in memory */
    uint32_t max_tables;  /* 1..FEEDBACK_STORE_MAX_TABLES */
    uint32_t max_classes; /* of one; 1..FEEDBACK_MAX_CLASSES */
    uint64_t lifetime_ns; /* of a table that nobody asks for */
};
/* 64 MiB, 256 tables, FEEDBACK_MAX_CLASSES, an hour. */
struct feedback_limits feedback_limits_default(void);

int feedback_store_create(const struct feedback_limits *limits,
                          struct feedback_store **out_store,
                          struct fault *fault);
/* Tables that others hold live on. NULL is fine. */
void feedback_store_destroy(struct feedback_store *s);

/* A NULL store has no tables and takes none (-ERROR_NOT_FOUND).
 *
 * Keeps the table with these weights (little-endian u16, n_classes *
 * n_classes of them) for streams with classes like `stream`'s, and gives one
 * reference to it; a table that is there already counts as used now. What
 * nobody holds goes to make room, the longest unused first.
 * -ERROR_BAD_ARGUMENT: not as many classes as the stream's, a row of zeros;
 * -ERROR_TOO_LARGE: more than max_classes; -ERROR_OVERLOADED: all room is held;
 * -ERROR_NO_MEMORY. */
int feedback_store_put(struct feedback_store *s, const struct stream *stream,
                       uint32_t n_classes, const uint8_t *weights,
                       struct feedback **out_table, struct fault *fault);

/* The table of that digest for a stream, with one reference.
 * -ERROR_UNKNOWN_FEEDBACK; -ERROR_BAD_ARGUMENT: of other classes, or the
 * stream's recipe has no distractor. */
int feedback_store_find(struct feedback_store *s, const struct stream *stream,
                        const struct digest *digest,
                        struct feedback **out_table, struct fault *fault);
/* The same without a stream, and without counting as use; no new reference;
 * NULL when it is not there. */
const struct feedback *feedback_store_look(const struct feedback_store *s,
                                           const struct digest *digest);

/* Drops tables that nobody holds or asked for in their lifetime; put and find
 * do so too. */
void feedback_store_expire(struct feedback_store *s);

/* The i-th table, the latest used first; false from the end on. */
struct feedback_entry {
    const struct feedback *table;
    uint64_t unused_ns;
    bool is_held; /* by sessions or batches on their way */
};
bool feedback_store_entry(const struct feedback_store *s, uint32_t i,
                          struct feedback_entry *out);

#endif
