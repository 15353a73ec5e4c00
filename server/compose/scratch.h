/* How composing divides its scratch: parts that each begin on a cache line.
 * Allocates nothing. */
#ifndef PASTED_COMPOSE_SCRATCH_H
#define PASTED_COMPOSE_SCRATCH_H

#include <stddef.h>

#define SCRATCH_ALIGN 64

/* Rounded up: the next part is aligned where this one is. */
static inline size_t scratch_aligned(size_t n_bytes)
{
    return (n_bytes + SCRATCH_ALIGN - 1) / SCRATCH_ALIGN * SCRATCH_ALIGN;
}

#endif
