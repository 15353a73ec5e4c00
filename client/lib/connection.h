/* One TCP or Unix socket with deadlines, woken from outside by an eventfd.
 * Knows no frames and never retries.
 *
 * Every function gives 0 or -ERROR_TIMEOUT (deadline), -ERROR_CLOSED (the peer
 * or the network ended it), -ERROR_CANCELLED (the owner stops), with a
 * sentence in fault where there is one. */
#ifndef PASTED_CLIENT_LIB_CONNECTION_H
#define PASTED_CLIENT_LIB_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "client/lib/servers.h"
#include "common/error.h"

#define CONNECTION_MAX_ADDRESSES 16 /* of one name */

struct connection {
    int fd;      /* -1 while closed */
    int wake_fd; /* eventfd of the owner, or -1; drained here */
    bool is_unix;
    bool takes_fd;  /* a descriptor that comes with the bytes is kept */
    int passed_fd;  /* the last such one, or -1; closed with the socket */
    int wake_bytes; /* the socket's SO_RCVLOWAT; 0: not set */
    /* Asked after each wake: must the owner's thread stop? May be NULL. */
    bool (*stopping)(void *context);
    void *context;
};

void connection_init(struct connection *c, int wake_fd,
                     bool (*stopping)(void *context), void *context);
void connection_close(struct connection *c); /* may be closed already */

/* What a server's name stands for now. */
struct addresses {
    uint32_t n;
    struct connection_address {
        struct sockaddr_storage at;
        socklen_t at_bytes;
    } address[CONNECTION_MAX_ADDRESSES];
};

/* Asks the system's resolver, which may block; a Unix socket is one address. A
 * name that does not resolve is -ERROR_CLOSED too: names come and go with
 * their servers. Addresses beyond the most are left out. */
int connection_resolve(const struct server_address *server,
                       struct addresses *out, struct fault *fault);
int connection_open(struct connection *c, const struct connection_address *a,
                    int64_t deadline_ns, struct fault *fault);
/* The part of the time until the deadline that address i may take, so that a
 * silent one leaves time to those behind it. */
int64_t connection_share_ns(const struct addresses *a, uint32_t i,
                            int64_t deadline_ns);
/* Takes over a connected socket. */
int connection_adopt(struct connection *c, int fd);

/* Bytes that are there, at least one; *out_bytes 0 after a wake. */
int connection_read_some(struct connection *c, void *data, size_t n_bytes,
                         int64_t deadline_ns, size_t *out_bytes,
                         struct fault *fault);
/* All n_bytes, across wakes. */
int connection_read(struct connection *c, void *data, size_t n_bytes,
                    int64_t deadline_ns, struct fault *fault);
int connection_write(struct connection *c, const void *data, size_t n_bytes,
                     int64_t deadline_ns, struct fault *fault);
/* Until there is something to read, a wake or the deadline; *out_readable
 * says which of the first two. */
int connection_wait(struct connection *c, int64_t deadline_ns,
                    bool *out_readable);

#endif
