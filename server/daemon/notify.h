/* systemd's two small protocols, without its library: readiness datagrams and
 * inherited sockets. Does nothing where systemd did not start us.
 * Source: sd_notify(3), sd_listen_fds(3). */
#ifndef PASTED_DAEMON_NOTIFY_H
#define PASTED_DAEMON_NOTIFY_H

#include <stdint.h>

#include "common/error.h"

/* Sends one datagram of "KEY=value" lines to NOTIFY_SOCKET. Failures are
 * nobody's business: the daemon serves all the same. */
void notify_send(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Microseconds between which WATCHDOG=1 is expected; 0: no watchdog. */
uint64_t notify_watchdog_us(void);

/* Sockets from systemd by LISTEN_FDNAMES ("http", "tcp", "unix"), else by
 * order: HTTP first. -1 where there is none. */
struct notify_sockets {
    int http, tcp, local; /* local: a Unix socket */
};
/* -ERROR_BAD_CONFIG where the environment names a descriptor that is no
 * listening socket of its kind: that may be anything of ours, so it is left
 * alone. *out is written either way, on failure with none. */
int notify_take_sockets(struct notify_sockets *out, struct fault *fault);

#endif
