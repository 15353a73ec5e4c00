/* The parts of the daemon, built in order and taken down in reverse.
 *
 *   tokens -> sockets -> workers -> store -> http -> [pools] -> streams -> tcp
 *
 * Threads: loop thread. */
#ifndef PASTED_DAEMON_PARTS_H
#define PASTED_DAEMON_PARTS_H

#include <uv.h>

#include "server/base/tokens.h"
#include "server/base/workers.h"
#include "server/daemon/config.h"
#include "server/daemon/loader.h"
#include "server/daemon/notify.h"
#include "server/groups/lease.h"
#include "server/http/http.h"
#include "server/serve/feedback_store.h"
#include "server/serve/store.h"
#include "server/tcp/tcp.h"
#include "server/tcp/unix_path.h"

struct parts {
    const struct config *config;
    uv_loop_t loop;
    struct tokens *tokens;
    struct notify_sockets sockets; /* until the servers own them */
    uint16_t tcp_port;
    struct unix_path unix_path; /* its name, where we made it */
    bool has_local;             /* there is a Unix socket */
    struct workers *workers;
    struct store *store;
    struct lease_store *leases; /* of groups */
    struct feedback_store *feedback;
    struct loader loader;
    struct http_pools pools;
    struct stream_set streams;
    struct http_server *http;
    struct tcp_server *tcp;
};

/* All that needs no pools: then HTTP answers. Zeroed caller's memory; p may be
 * taken down after a failure too. -ERROR_IO: cannot listen. */
int parts_open(struct parts *p, const struct config *config,
               struct fault *fault);
/* Once the loader is done: streams, then TCP. */
int parts_serve(struct parts *p, struct fault *fault);
/* No new clients find the Unix socket. */
void parts_hide(struct parts *p);
/* Closes and frees everything; runs the loop until its handles are gone. The
 * loader must be done, or never started. */
void parts_close(struct parts *p);

#endif
