/* The memory that the images of one load are packed into: one reservation, of
 * what the headers promise, on huge pages where the system gives them, because
 * composing reads it all over and would look up each 4 KiB anew. Knows no
 * image. Threads: pool_blocks_take from any. */
#ifndef PASTED_POOL_BLOCKS_H
#define PASTED_POOL_BLOCKS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

#define POOL_BLOCK_ALIGN 64 /* a block begins at a multiple */

struct pool_blocks {
    uint8_t *memory; /* mem_unmap; NULL: none */
    size_t n_bytes;
    _Atomic size_t n_used;
};

/* What a block of n_bytes takes of the reservation. */
uint64_t pool_blocks_padded(uint64_t n_bytes);
/* Reserves; what is not taken is never touched. -ERROR_NO_MEMORY. */
int pool_blocks_init(struct pool_blocks *b, uint64_t n_bytes,
                     struct fault *fault);
/* Zeroed; NULL where it has no room. Given back all together, by fini. */
void *pool_blocks_take(struct pool_blocks *b, uint64_t n_bytes);
/* To *to, which has none; *from is empty then. No thread may be taking. */
void pool_blocks_move(struct pool_blocks *to, struct pool_blocks *from);
void pool_blocks_fini(struct pool_blocks *b); /* an empty one is fine */

#endif
