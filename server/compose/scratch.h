/* How composing divides its scratch: parts that each begin on a cache line.
 * Allocates nothing. */
#ifndef PASTED_COMPOSE_SCRATCH_H
#define PASTED_COMPOSE_SCRATCH_H

#include <stddef.h>
#include <stdint.h>

#define SCRATCH_ALIGN 64

/* Rounded up: the next part is aligned where this one is. */
static inline size_t scratch_aligned(size_t n_bytes)
{
    return (n_bytes + SCRATCH_ALIGN - 1) / SCRATCH_ALIGN * SCRATCH_ALIGN;
}

/* Of rows [n_rows][width][3] u8. */
static inline size_t scratch_rgb_bytes(int32_t width, int32_t n_rows)
{
    return scratch_aligned((size_t)width * (size_t)n_rows * 3);
}

#endif
