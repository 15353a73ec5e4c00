/* Listening sockets: numeric addresses, port 0 for any free one. Knows no
 * protocol. */
#ifndef PASTED_HTTP_LISTEN_H
#define PASTED_HTTP_LISTEN_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"

/* Opens and binds a non-blocking, close-on-exec TCP socket; listens when
 * backlog > 0. *out_fd is the caller's. -ERROR_BAD_ARGUMENT (not a numeric
 * address), -ERROR_IO (the text says what the system said). */
int listen_open(const char *address, uint16_t port, int backlog, int *out_fd,
                struct fault *fault);
/* The port of a bound socket; 0 when it has none (a Unix socket). */
uint16_t listen_port(int fd);
/* True for text that is a numeric IPv4 or IPv6 address. */
bool listen_is_address(const char *address);
/* True for numeric loopback addresses; false for all others and for text that
 * is no address. */
bool listen_is_loopback(const char *address);
/* Of a bound socket; Unix sockets count as loopback. */
bool listen_fd_is_loopback(int fd);

#endif
