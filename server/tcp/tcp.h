/* The binary protocol's listener and its sessions (PROTOCOL.md). */
#ifndef PASTED_TCP_TCP_H
#define PASTED_TCP_TCP_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "common/error.h"
#include "server/base/tokens.h"
#include "server/groups/lease.h"
#include "server/serve/feedback_store.h"
#include "server/serve/store.h"

struct tcp_server;

struct tcp_config {
    const char *address;         /* numeric IPv4 or IPv6 */
    uint16_t port;               /* 0: any free one */
    int inherited_fd;            /* a listening socket from systemd, or -1 */
    int unix_fd;                 /* a bound Unix socket too, or -1 */
    const struct tokens *tokens; /* NULL: anonymous */
    struct lease_store *leases;  /* NULL: no groups; outlives the server */
    struct feedback_store *feedback; /* NULL: no tables; likewise */
    uint32_t max_sessions;
    uint32_t idle_timeout_ms;  /* no frame and nothing under way */
    uint32_t write_stall_ms;   /* bytes waiting and none taken */
    uint32_t hello_timeout_ms; /* from accept to OPEN */
    uint32_t max_credit_batches;
    uint64_t max_credit_bytes;
};
struct tcp_config tcp_config_default(void);

/* Takes over both descriptors of config, also when it fails. */
int tcp_server_create(uv_loop_t *loop, struct store *store,
                      const struct stream_set *streams,
                      const struct tcp_config *config,
                      struct tcp_server **out_server, struct fault *fault);
uint16_t tcp_server_port(const struct tcp_server *s);
/* Stops accepting, sends DRAIN to every session; they close within grace_ms. */
void tcp_server_drain(struct tcp_server *s, uint32_t grace_ms);
/* Sessions that something is still to be sent to; not those that only read
 * what they hold in place. */
uint32_t tcp_server_sessions(const struct tcp_server *s);
/* Closes everything; run the loop until its handles are gone, then destroy. */
void tcp_server_close(struct tcp_server *s);
void tcp_server_destroy(struct tcp_server *s); /* NULL is fine */

#endif
