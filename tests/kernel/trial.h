/* One trial of one kernel: seeded inputs between guard pages, the row that the
 * oracle expects, and the comparison. Knows no kernel. */
#ifndef PASTED_TESTS_KERNEL_TRIAL_H
#define PASTED_TESTS_KERNEL_TRIAL_H

#include <stddef.h>
#include <stdint.h>

#include "server/pixel/kernels.h"
#include "tests/kernel/guard.h"

/* One round of one kernel. */
struct trial {
    const struct pixel_kernels *k;
    uint64_t seed, random; /* of this round; the generator's state */
    int32_t n;
    struct guard in[3], out;
    uint8_t *expected; /* ROW_BYTES */
};

uint64_t trial_next(struct trial *t);
/* lo..hi, both possible. */
int32_t trial_between(struct trial *t, int32_t lo, int32_t hi);
/* Lengths around every vector width, the shortest and the longest. */
int32_t trial_row_length(struct trial *t);
/* Random, constant, or only the extremes. */
void trial_fill(struct trial *t, uint8_t *p, size_t n_bytes);
/* n_bytes of in[which], filled; aligned or not, against a guard page. */
uint8_t *trial_input(struct trial *t, int which, size_t n_bytes);
/* The same, n_pixels of premultiplied RGBA. */
uint8_t *trial_premultiplied(struct trial *t, int which, size_t n_pixels);
/* Holds colours at their alpha. */
void trial_premultiply(uint8_t *rgba, size_t n_pixels);
uint8_t *trial_output(struct trial *t, size_t n_bytes);
/* For kernels in place: n random pixels in out and in expected; their bytes. */
size_t trial_same_pixels(struct trial *t);
/* Fails with the seed when out is not expected, or its surround was written. */
void trial_expect_equal(struct trial *t, const char *kernel, size_t n_bytes);

#endif
