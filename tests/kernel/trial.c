/* What every trial of a kernel needs: random rows, guard pages, a verdict. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <string.h>

#include "tests/kernel/trial.h"

uint64_t trial_next(struct trial *t)
{
    uint64_t z = (t->random += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}

int32_t trial_between(struct trial *t, int32_t lo, int32_t hi)
{
    return (int32_t)(lo + (int64_t)(trial_next(t) %
                                    (uint64_t)((int64_t)hi - lo + 1)));
}

/* Lengths around every vector width, the shortest and the longest. */
int32_t trial_row_length(struct trial *t)
{
    static const int32_t edge[] = {1,  2,  3,  4,  7,  8,  9,   15,  16,  17,
                                   31, 32, 33, 63, 64, 65, 127, 128, 129, 2048};
    if (t->seed % 2) /* consecutive seeds: every width */
        return 1 + (int32_t)(t->seed / 2 % 200);
    if (trial_next(t) % 2)
        return edge[trial_next(t) % (sizeof edge / sizeof edge[0])];
    return trial_between(t, 1, 300);
}

/* Random, constant, or only the extremes. */
void trial_fill(struct trial *t, uint8_t *p, size_t n_bytes)
{
    uint64_t kind = trial_next(t) % 5;
    for (size_t i = 0; i < n_bytes; i++) {
        uint8_t r = (uint8_t)(trial_next(t) >> 56);
        p[i] = kind == 0   ? 0
               : kind == 1 ? 255
               : kind == 2 ? (r & 1 ? 255 : 0)
                           : r;
    }
}

uint8_t *trial_input(struct trial *t, int which, size_t n_bytes)
{
    uint8_t *p = guard_place(&t->in[which], n_bytes, trial_next(t) % 2);
    trial_fill(t, p, n_bytes);
    return p;
}

void trial_premultiply(uint8_t *rgba, size_t n_pixels)
{
    for (size_t i = 0; i < n_pixels * 4; i++)
        if (rgba[i] > rgba[i / 4 * 4 + 3])
            rgba[i] = rgba[i / 4 * 4 + 3];
}

uint8_t *trial_premultiplied(struct trial *t, int which, size_t n_pixels)
{
    uint8_t *p = trial_input(t, which, n_pixels * 4);
    trial_premultiply(p, n_pixels);
    return p;
}

uint8_t *trial_output(struct trial *t, size_t n_bytes)
{
    return guard_place(&t->out, n_bytes, trial_next(t) % 2);
}

/* For kernels in place: n random pixels in out and in expected. */
size_t trial_same_pixels(struct trial *t)
{
    size_t bytes = (size_t)t->n * 4;
    memcpy(t->expected, trial_premultiplied(t, 0, (size_t)t->n), bytes);
    memcpy(trial_output(t, bytes), t->expected, bytes);
    return bytes;
}

void trial_expect_equal(struct trial *t, const char *kernel, size_t n_bytes)
{
    bool equal = memcmp(t->out.placed, t->expected, n_bytes) == 0;
    if (equal && guard_is_intact(&t->out))
        return;
    size_t at = 0;
    while (!equal && t->out.placed[at] == t->expected[at])
        at++;
    fail_msg("%s %s: %s at byte %zu of n = %d; PASTED_TEST_SEED=%" PRIu64,
             t->k->name, kernel,
             equal ? "wrote outside its row" : "differs from the oracle", at,
             t->n, t->seed);
}
