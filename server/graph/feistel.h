/* A keyed permutation of 0..n-1 in constant memory: an alternating Feistel
 * network over Z_a x Z_b with a * b >= n, and cycle walking for the few values
 * beyond n. For sampling, not for secrecy.
 * Source: Black & Rogaway, "Ciphers with Arbitrary Finite Domains" (2002). */
#ifndef PASTED_GRAPH_FEISTEL_H
#define PASTED_GRAPH_FEISTEL_H

#include <stdint.h>

#include "server/base/philox.h"

struct feistel {
    uint64_t n;
    uint64_t key[2];
    uint32_t a, b; /* a * b < n + a: a walk takes 1 + a/n steps on average */
    uint32_t n_rounds;
};

/* 1 <= n <= 2^32. The key is one Philox block. */
void feistel_init(struct feistel *f, uint64_t n, struct philox_block key);

/* The same domain under another key; cheaper than feistel_init. */
struct feistel feistel_rekey(const struct feistel *f, struct philox_block key);

/* x < n -> the image of x, < n. */
uint64_t feistel_permute(const struct feistel *f, uint64_t x);

#endif
