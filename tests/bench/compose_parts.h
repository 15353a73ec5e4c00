/* What single keys of a recipe cost beside the same recipe without them. Test
 * code only. */
#ifndef PASTED_TESTS_BENCH_COMPOSE_PARTS_H
#define PASTED_TESTS_BENCH_COMPOSE_PARTS_H

#include <stdbool.h>

/* Rows of the compose benchmark's table: an edge, a stroke, a context, ...,
 * side px wide, one core, every table of kernels; as JSON the members of an
 * array. Ends the program with a sentence when it cannot. */
void parts_print(int side, double seconds, bool as_json);

#endif
