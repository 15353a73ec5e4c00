/* A fixed arena for batches: one mapping made at start, of our own or of a file
 * in memory that others may map to read; page runs handed out and taken back.
 * No growth, no system call on the batch path. Threads: loop thread only
 * (contents are filled by workers). */
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
/* The same in a memfd, whose pages others can map but neither write nor take
 * away: sealed against shrinking, growing and all later writers. -ERROR_IO
 * where the kernel (before 5.1) has no such seals. */
int arena_create_shared(size_t n_bytes, struct arena **out_arena,
                        struct fault *fault);
int arena_fd(const struct arena *a); /* -1: not shared */
/* Where p lies in the arena; false when it does not. */
bool arena_offset(const struct arena *a, const void *p, uint64_t *out_offset);
void arena_destroy(struct arena *a); /* every run must have been freed */

/* 64 KiB-aligned; NULL when no run is long enough. Contents undefined. */
void *arena_alloc(struct arena *a, size_t n_bytes);
/* The same inside bytes [from, to) of the arena, whole pages: in the first
 * place there, or in the last. */
void *arena_alloc_within(struct arena *a, size_t from, size_t to, bool last,
                         size_t n_bytes);
void arena_free(struct arena *a, void *p); /* NULL is fine */
/* Gives the system back, while no run is used, what lies behind the first
 * keep_bytes (whole pages): it is touched anew when it is handed out next. Not
 * of a shared one. */
void arena_trim(struct arena *a, size_t keep_bytes);
size_t arena_capacity_bytes(const struct arena *a);
size_t arena_used_bytes(const struct arena *a); /* whole pages */

#endif
