/* A growing text with a sticky failure: write everything, check once. Knows
 * numbers and strings, no JSON. */
#ifndef PASTED_RECIPE_TEXT_H
#define PASTED_RECIPE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#define TEXT_NUMBER_BYTES 32 /* "-1.7976931348623157e+308" and its NUL */

struct text {
    char *bytes; /* NUL-terminated; NULL while empty */
    size_t n_bytes, n_room;
    bool failed;
};

void text_put(struct text *t, const char *string);
void text_printf(struct text *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void text_put_number(struct text *t, double x);
/* The text, owned by the caller (mem_free), or NULL when memory was short. */
char *text_take(struct text *t);

/* Shortest decimal that strtod reads back as x (finite). */
void text_number(double x, char out[TEXT_NUMBER_BYTES]);
/* The same for a float that is read as a double and then narrowed. */
void text_float(float x, char out[TEXT_NUMBER_BYTES]);

#endif
