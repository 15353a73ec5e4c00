/* The whole table of composing speeds, for people or for programs. Test code
 * only. */
#ifndef PASTED_TESTS_BENCH_COMPOSE_TABLE_H
#define PASTED_TESTS_BENCH_COMPOSE_TABLE_H

#include <stdbool.h>

#include "tests/bench/compose_pools.h"

/* Sizes x presets x cores (one, all) x tables of kernels, to stdout; preset
 * NULL means every one, size 0 every size. */
void table_print(const struct pools *pools, const char *preset, int size,
                 double seconds, bool as_json);

#endif
