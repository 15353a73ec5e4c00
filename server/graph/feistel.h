/* A keyed permutation of 0..n-1 in constant memory: an alternating Feistel
 * network over Z_a x Z_b with a * b >= n, and cycle walking for the few values
 * beyond n. For sampling, not for secrecy.
 * Source: Black & Rogaway, "Ciphers with Arbitrary Finite Domains" (2002). */
#ifndef PASTED_GRAPH_FEISTEL_H
#define PASTED_GRAPH_FEISTEL_H

#include <stdint.h>

#include "server/base/philox.h"

/* Eight rounds pass every test on large domains; small ones (a network over
 * 2 x 2) need some more, and the difference costs nothing here. */
#define FEISTEL_ROUNDS 12

struct feistel {
    uint64_t n;
    uint32_t a, b; /* a * b < n + a: a walk takes 1 + a/n steps on average */
    uint64_t round_key[FEISTEL_ROUNDS];
};

/* 1 <= n <= 2^32. The key is one Philox block. */
void feistel_init(struct feistel *f, uint64_t n, struct philox_block key);

/* x < n -> the image of x, < n. */
uint64_t feistel_permute(const struct feistel *f, uint64_t x);

#endif
