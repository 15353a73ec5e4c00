/* A cursor over the Philox draws of one purpose of one epoch, and the shuffles
 * that consume it. Holds no randomness of its own: the same (seed, epoch,
 * purpose) gives the same sequence. */
#ifndef PASTED_GRAPH_DRAWS_H
#define PASTED_GRAPH_DRAWS_H

#include <stdint.h>

#include "server/base/philox.h"

struct draws {
    uint64_t seed, epoch;
    uint32_t purpose_word;
    uint32_t next_draw;
    uint32_t n_left; /* words of the block not used yet */
    struct philox_block block;
};

void draws_init(struct draws *d, uint64_t seed, uint64_t epoch,
                enum philox_purpose purpose);

/* Uniform in [0, n), 1 <= n < 2^32, from one 32-bit word: bias < n / 2^32. */
uint32_t draws_below(struct draws *d, uint32_t n);

/* Fisher-Yates: uniform over all orders. */
void draws_shuffle(struct draws *d, uint32_t *items, uint32_t n);

/* Fills the first n_first of n items with a uniform choice, in uniform order,
 * among the first n_from (n_first <= n_from <= n); the rest stays behind, in
 * no particular order. */
void draws_choose(struct draws *d, uint32_t *items, uint32_t n_from,
                  uint32_t n_first);

#endif
