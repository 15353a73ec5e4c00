/* The one table of image operations: names, values, units, ranges, defaults,
 * what each equals and costs. Parser, plan, documentation and tests are made
 * from it; the pixels are server/pixel/operation's. Reads no JSON. */
#ifndef PASTED_RECIPE_OPERATION_H
#define PASTED_RECIPE_OPERATION_H

#include <stdbool.h>
#include <stdint.h>

#include "server/recipe/recipe.h"

struct operation_value {
    const char *name; /* the key; NULL ends the list */
    const char *unit; /* "" for none */
    double min, max;
    double initial[2]; /* the default: [lo, hi], or a constant where equal */
    /* What the plan makes of a draw x: round(x * scale), or, with scale 0, the
     * odd number 2 * floor(x / 2) + 1. */
    double scale;
    const char *text;
};

struct operation_rule {
    const char *name;
    struct operation_value value[RECIPE_OPERATION_VALUES];
    bool is_random; /* draws for each pixel: the plan appends a 64-bit key */
    /* Others' function and how near it is, with a full stop; or NULL. */
    const char *like;
    const char *cost; /* ns a pixel on one core: portable / AVX2 / AVX-512 */
    const char *text; /* one sentence */
};

extern const struct operation_rule operation_table[OPERATION_N];

uint32_t operation_n_values(enum operation_id id);
/* OPERATION_N when no operation has this name. */
enum operation_id operation_find(const char *name);
/* An operation with every value at its default. */
struct recipe_operation operation_default(enum operation_id id);

#endif
