/* The servers a client may use, in the order of trying. Resolves no names. */
#ifndef PASTED_CLIENT_LIB_SERVERS_H
#define PASTED_CLIENT_LIB_SERVERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

#define SERVERS_MAX          16
#define SERVERS_HOST_BYTES   256
#define SERVERS_PORT_BYTES   6
#define SERVERS_DEFAULT_PORT "7700"

struct server_address {
    char host[SERVERS_HOST_BYTES]; /* without the brackets of IPv6; or a path */
    char port[SERVERS_PORT_BYTES];
    bool is_unix; /* host is the path of a Unix socket, port is "" */
};

struct servers {
    uint32_t n; /* at least one once parsed */
    struct server_address address[SERVERS_MAX];
};

/* host[:port],... or [IPv6][:port],... or unix:/path,... of n_bytes.
 * -ERROR_BAD_ARGUMENT; *out is unchanged then. */
int servers_parse(const char *text, size_t n_bytes, struct servers *out,
                  struct fault *fault);
/* One Unix socket: its path of n_bytes. */
int servers_parse_path(const char *text, size_t n_bytes, struct servers *out,
                       struct fault *fault);
/* Puts the server's name before the sentence; its code as it is. */
void servers_prefix(const struct server_address *a, struct fault *fault);

#endif
