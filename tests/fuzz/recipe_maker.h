/* Bytes -> a recipe's JSON by the table of its keys: mostly right, often at a
 * limit, now and then wrong. Knows what the parser's table knows; composes
 * nothing. */
#ifndef PASTED_TESTS_FUZZ_RECIPE_MAKER_H
#define PASTED_TESTS_FUZZ_RECIPE_MAKER_H

#include <stddef.h>
#include <stdint.h>

/* Bytes read one by one; 0 for ever after the last. */
struct feed {
    const uint8_t *data;
    size_t n_bytes, at;
};

uint32_t feed_byte(struct feed *f);

/* NUL-terminated, freed by the caller; NULL when memory is short. */
char *recipe_maker_json(struct feed *f);

#endif
