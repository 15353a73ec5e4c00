/* Bearer tokens from a file: one a line, '#' comments; several valid at once;
 * compared in constant time. */
#ifndef PASTED_BASE_TOKENS_H
#define PASTED_BASE_TOKENS_H

#include <stdbool.h>

#include "common/error.h"

struct tokens;

/* At most 64 tokens of 16..1023 printable ASCII characters. -ERROR_NOT_FOUND,
 * -ERROR_BAD_CONFIG (path:line: what), -ERROR_NO_MEMORY. */
int tokens_load(const char *path, struct tokens **out_tokens,
                struct fault *fault);
void tokens_destroy(struct tokens *t); /* wipes; NULL is fine */
/* NULL tokens accept everybody. NULL or wrong text: false. */
bool tokens_accept(const struct tokens *t, const char *text);

#endif
