/* Buffers between two inaccessible pages, so that a kernel that reads or writes
 * one byte too far dies at once. Test code only. */
#ifndef PASTED_TESTS_KERNEL_GUARD_H
#define PASTED_TESTS_KERNEL_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct guard {
    uint8_t *usable; /* between the two guard pages */
    size_t usable_bytes;
    uint8_t *placed; /* what guard_place gave out last */
    size_t placed_bytes;
};

/* Aborts when memory is short. */
void guard_init(struct guard *g, size_t n_bytes);
void guard_fini(struct guard *g);
/* n_bytes that touch the guard page behind (at_end) or before; everything
 * around is filled with a canary. */
uint8_t *guard_place(struct guard *g, size_t n_bytes, bool at_end);
/* Whether the canary around the placed bytes is as it was. */
bool guard_is_intact(const struct guard *g);

#endif
