/* Reads JSON that a server made: finds members, walks arrays, unquotes strings.
 * Builds no tree and allocates nothing; text that is no JSON ends a walk. */
#ifndef PASTED_CLIENT_CLI_JSON_H
#define PASTED_CLIENT_CLI_JSON_H

#include <stdbool.h>
#include <stddef.h>

/* One value: [at, end), without spaces around it. at NULL: none. */
struct json {
    const char *at, *end;
};

/* The value that the text begins with. */
struct json json_read(const char *text);
/* The member of an object; none when it has no such key. */
struct json json_member(struct json object, const char *key);
/* The item of an array that follows `last` (none: the first); none after the
 * last. */
struct json json_next(struct json array, struct json last);
/* Whether there is a value that is not null. */
bool json_given(struct json value);
/* A string without its quotes and escapes (\\u only below 128, else '?'),
 * another value as it stands; cut to fit. Returns out. */
const char *json_text(struct json value, char *out, size_t out_bytes);

#endif
