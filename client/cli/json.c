/* A scanner over JSON text. Knows nothing of what the text means. */
#include "client/cli/json.h"

#include <stdlib.h>
#include <string.h>

static const struct json none;

static const char *skip_spaces(const char *at)
{
    return at + strspn(at, " \t\r\n");
}

/* Behind the string that begins here, or NULL. */
static const char *end_of_string(const char *at)
{
    for (at++; *at != '"'; at++) {
        if (*at == '\\')
            at++;
        if (*at == '\0')
            return NULL;
    }
    return at + 1;
}

/* Behind the object or array that begins here, or NULL. */
static const char *end_of_nest(const char *at)
{
    size_t depth = 0;
    while (*at != '\0') {
        if (*at == '"') {
            at = end_of_string(at);
            if (at == NULL)
                return NULL;
            continue;
        }
        depth += *at == '{' || *at == '[';
        depth -= *at == '}' || *at == ']';
        at++;
        if (depth == 0)
            return at;
    }
    return NULL;
}

struct json json_read(const char *text)
{
    struct json value = {.at = skip_spaces(text)};
    if (*value.at == '"')
        value.end = end_of_string(value.at);
    else if (*value.at == '{' || *value.at == '[')
        value.end = end_of_nest(value.at);
    else
        value.end = value.at + strcspn(value.at, ",:]} \t\r\n");
    return value.end != NULL && value.end > value.at ? value : none;
}

/* What follows `last` in a list: behind the separator, or behind the opening
 * bracket where last is none. */
static struct json next_in(struct json list, struct json last, char separator)
{
    const char *at = last.at != NULL ? skip_spaces(last.end) : list.at + 1;
    if (last.at != NULL && *at++ != separator)
        return none;
    at = skip_spaces(at);
    return at < list.end - 1 ? json_read(at) : none;
}

struct json json_next(struct json array, struct json last)
{
    return array.at != NULL && *array.at == '[' ? next_in(array, last, ',')
                                                : none;
}

struct json json_member(struct json object, const char *key)
{
    struct json value = none;
    if (object.at == NULL || *object.at != '{')
        return none;
    for (;;) {
        struct json name = next_in(object, value, ',');
        if (name.at == NULL)
            return none;
        value = next_in(object, name, ':');
        if (value.at == NULL)
            return none;
        size_t n = (size_t)(name.end - name.at);
        if (n == strlen(key) + 2 && memcmp(name.at + 1, key, n - 2) == 0)
            return value;
    }
}

bool json_given(struct json value)
{
    return value.at != NULL && strncmp(value.at, "null", 4) != 0;
}

/* The character of an escape; *at stands on what follows the backslash and
 * moves to its last character. */
static char unescape(const char **at)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    char digits[5] = "";
    const char *found = strchr(from, **at);
    if (found != NULL)
        return to[found - from];
    if (**at != 'u')
        return **at;
    for (int i = 0; i < 4 && (*at)[1] != '"'; i++)
        digits[i] = *++*at;
    unsigned long code = strtoul(digits, NULL, 16);
    return code < 128 ? (char)code : '?';
}

const char *json_text(struct json value, char *out, size_t out_bytes)
{
    size_t n = 0;
    bool quoted = value.at != NULL && *value.at == '"';
    const char *end = quoted ? value.end - 1 : value.end;
    for (const char *at = value.at + quoted; value.at != NULL && at < end;
         at++) {
        char c = *at;
        if (quoted && c == '\\') {
            at++;
            c = unescape(&at);
        }
        if (n + 1 < out_bytes)
            out[n++] = c;
    }
    out[n] = '\0';
    return out;
}
