/* A fixed arena for batches: one mapping made at start, page runs handed out
 * and taken back. No growth, no system call on the batch path.
 * Threads: loop thread only (contents are filled by workers). */
#ifndef PASTED_BASE_ARENA_H
#define PASTED_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

#define ARENA_PAGE_BYTES 65536

struct arena;

/* n_bytes is rounded up to whole pages. Memory is reserved, touched lazily. */
int arena_create(size_t n_bytes, struct arena **out_arena, struct fault *fault);
void arena_destroy(struct arena *a); /* every run must have been freed */

/* 64 KiB-aligned; NULL when no run is long enough. Contents undefined. */
void *arena_alloc(struct arena *a, size_t n_bytes);
/* The same inside bytes [from, to) of the arena, whole pages: in the first
 * place there, or in the last. */
void *arena_alloc_within(struct arena *a, size_t from, size_t to, bool last,
                         size_t n_bytes);
void arena_free(struct arena *a, void *p); /* NULL is fine */
size_t arena_capacity_bytes(const struct arena *a);
size_t arena_used_bytes(const struct arena *a); /* whole pages */

#endif
