/* Splits a list of servers. Resolves no names. */
#include "client/lib/servers.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define UNIX "unix:"

static bool is_host_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || strchr("-._:%", c) != NULL;
}

static int bad_server(const char *text, size_t n, const char *why,
                      struct fault *fault)
{
    return fault_set(fault, ERROR_BAD_ARGUMENT,
                     "server '%.*s' %s; HOST, HOST:PORT, [IPv6]:PORT or "
                     "unix:/PATH is expected",
                     n > 80 ? 80 : (int)n, text, why);
}

static bool parse_port(const char *text, size_t n, char *out)
{
    if (n == 0 || n >= SERVERS_PORT_BYTES)
        return false;
    for (size_t i = 0; i < n; i++)
        if (text[i] < '0' || text[i] > '9')
            return false;
    memcpy(out, text, n);
    out[n] = '\0';
    long port = strtol(out, NULL, 10);
    return port >= 1 && port <= 65535;
}

static int parse_path(const char *text, size_t n, struct server_address *out,
                      struct fault *fault)
{
    struct server_address a = {.is_unix = true};
    if (n == 0 || text[0] != '/')
        return bad_server(text, n, "is no absolute path", fault);
    if (n >= sizeof((struct sockaddr_un *)0)->sun_path ||
        memchr(text, '\0', n) != NULL)
        return bad_server(text, n, "is too long a path", fault);
    memcpy(a.host, text, n);
    *out = a;
    return 0;
}

/* A URL's scheme is understood, and a URL that says more is refused. */
static const char *skip_scheme(const char *text, size_t n, const char *scheme)
{
    size_t n_scheme = strlen(scheme);
    return n >= n_scheme && memcmp(text, scheme, n_scheme) == 0
               ? text + n_scheme
               : NULL;
}

/* One server, without commas. */
static int parse_server(const char *text, size_t n, struct server_address *out,
                        struct fault *fault)
{
    const char *host = text;
    size_t host_bytes;
    const char *rest;
    const char *path = skip_scheme(text, n, UNIX);
    if (path == NULL)
        path = skip_scheme(text, n, "pasted+unix://");
    if (path != NULL)
        return parse_path(path, n - (size_t)(path - text), out, fault);
    const char *bare = skip_scheme(text, n, "pasted://");
    if (bare != NULL && memchr(bare, '/', n - (size_t)(bare - text)) != NULL)
        return bad_server(text, n, "is a URL that names more", fault);
    if (bare != NULL) {
        n -= (size_t)(bare - text);
        text = host = bare;
    }
    if (n > 0 && text[0] == '[') {
        const char *end = memchr(text, ']', n);
        if (end == NULL)
            return bad_server(text, n, "has no ]", fault);
        host = text + 1;
        host_bytes = (size_t)(end - host);
        rest = end + 1;
    } else {
        const char *colon = memchr(text, ':', n);
        host_bytes = colon != NULL ? (size_t)(colon - text) : n;
        rest = text + host_bytes;
    }
    if (host_bytes == 0 || host_bytes >= SERVERS_HOST_BYTES)
        return bad_server(text, n, "has no host or too long a one", fault);
    for (size_t i = 0; i < host_bytes; i++)
        if (host[i] == '\0' || !is_host_char(host[i]))
            return bad_server(text, n, "has an odd character", fault);
    struct server_address a = {.port = SERVERS_DEFAULT_PORT};
    memcpy(a.host, host, host_bytes);
    size_t rest_bytes = n - (size_t)(rest - text);
    if (rest_bytes > 0 &&
        (rest[0] != ':' || !parse_port(rest + 1, rest_bytes - 1, a.port)))
        return bad_server(text, n, "has no port from 1 to 65535", fault);
    *out = a;
    return 0;
}

int servers_parse(const char *text, size_t n_bytes, struct servers *out,
                  struct fault *fault)
{
    struct servers list = {0};
    for (;;) {
        const char *comma = memchr(text, ',', n_bytes);
        size_t one = comma != NULL ? (size_t)(comma - text) : n_bytes;
        if (list.n == SERVERS_MAX)
            return fault_set(fault, ERROR_BAD_ARGUMENT, "more than %d servers",
                             SERVERS_MAX);
        int rc = parse_server(text, one, &list.address[list.n], fault);
        if (rc != 0)
            return rc;
        list.n++;
        if (comma == NULL)
            break;
        text = comma + 1;
        n_bytes -= one + 1;
    }
    *out = list;
    return 0;
}

int servers_parse_path(const char *text, size_t n_bytes, struct servers *out,
                       struct fault *fault)
{
    struct servers list = {.n = 1};
    int rc = parse_path(text, n_bytes, &list.address[0], fault);
    if (rc == 0)
        *out = list;
    return rc;
}

void servers_prefix(const struct server_address *a, struct fault *fault)
{
    if (a->is_unix)
        fault_prefix(fault, "%s", a->host);
    else
        fault_prefix(fault, "%s:%s", a->host, a->port);
}
