/* Splits a URL and hands its parts to the options. Resolves no names, knows no
 * key but the one that it refuses. */
#include "client/lib/url.h"

#include <stdbool.h>
#include <string.h>

#include "common/digits.h"

#define SCHEME      "pasted://"
#define UNIX_SCHEME "pasted+unix://"

/* Decodes %XX of n bytes into out, NUL-terminated. */
static bool decode(const char *text, size_t n, char *out, size_t out_bytes)
{
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        char c = text[i];
        if (c == '%') {
            if (n - i < 3)
                return false;
            int high = digits_hex_value(text[i + 1]);
            int low = digits_hex_value(text[i + 2]);
            if (high < 0 || low < 0 || (high == 0 && low == 0))
                return false;
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (used + 1 >= out_bytes)
            return false;
        out[used++] = c;
    }
    out[used] = '\0';
    return true;
}

/* One KEY=VALUE of n bytes. */
static int parse_pair(const char *text, size_t n, struct options *o,
                      struct fault *fault)
{
    char key[64], value[OPTIONS_PATH_BYTES];
    const char *equals = memchr(text, '=', n);
    size_t key_bytes = equals != NULL ? (size_t)(equals - text) : 0;
    if (key_bytes == 0 || !decode(text, key_bytes, key, sizeof key) ||
        !decode(equals + 1, n - key_bytes - 1, value, sizeof value))
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "'%.*s' in the URL is not KEY=VALUE",
                         n > 80 ? 80 : (int)n, text);
    if (strcmp(key, "token") == 0)
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "a token does not belong in a URL, which others may "
                         "see; set token or token_file");
    return options_set(o, key, value, fault);
}

static int parse_query(const char *text, struct options *o, struct fault *fault)
{
    while (*text != '\0') {
        size_t n = strcspn(text, "&");
        int rc = parse_pair(text, n, o, fault);
        if (rc != 0)
            return rc;
        text += n;
        if (*text == '&')
            text++;
    }
    return 0;
}

/* The whole path is the socket's; the stream is a key of the query. */
static int parse_unix(const char *at, struct options *o, struct fault *fault)
{
    struct options parsed = *o;
    char path[SERVERS_HOST_BYTES];
    size_t n = strcspn(at, "?");
    if (!decode(at, n, path, sizeof path))
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "the socket's path in the URL is malformed");
    int rc = servers_parse_path(path, strlen(path), &parsed.servers, fault);
    if (rc == 0 && at[n] == '?')
        rc = parse_query(at + n + 1, &parsed, fault);
    if (rc == 0)
        *o = parsed;
    return rc;
}

int url_parse(const char *url, struct options *o, struct fault *fault)
{
    if (strncmp(url, UNIX_SCHEME, strlen(UNIX_SCHEME)) == 0)
        return parse_unix(url + strlen(UNIX_SCHEME), o, fault);
    if (strncmp(url, SCHEME, strlen(SCHEME)) != 0)
        return fault_set(
            fault, ERROR_BAD_ARGUMENT,
            "'%.80s' does not begin with " SCHEME " or " UNIX_SCHEME, url);
    struct options parsed = *o;
    const char *at = url + strlen(SCHEME);
    size_t n = strcspn(at, "/?");
    int rc = servers_parse(at, n, &parsed.servers, fault);
    if (rc != 0)
        return rc;
    at += n;
    if (*at == '/') {
        char stream[WIRE_MAX_NAME_BYTES];
        n = strcspn(++at, "?");
        if (!decode(at, n, stream, sizeof stream))
            return fault_set(fault, ERROR_BAD_ARGUMENT,
                             "the stream's name in the URL is malformed");
        if (n > 0)
            rc = options_set(&parsed, "stream", stream, fault);
        at += n;
    }
    if (rc == 0 && *at == '?')
        rc = parse_query(at + 1, &parsed, fault);
    if (rc == 0)
        *o = parsed;
    return rc;
}
