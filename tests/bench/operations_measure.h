/* The cost of one image operation at its defaults. Compares it with nothing. */
#ifndef PASTED_TESTS_BENCH_OPERATIONS_MEASURE_H
#define PASTED_TESTS_BENCH_OPERATIONS_MEASURE_H

#include <stdint.h>

/* Nanoseconds a pixel of operation_table[id] on frames of side x side that are
 * in the cache, with the kernels in use. */
double operations_measure(uint32_t id, int32_t side);

#endif
