/* The HTTP interface on libmicrohttpd, driven by the loop through its epoll
 * descriptor. */
#ifndef PASTED_HTTP_HTTP_H
#define PASTED_HTTP_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "common/error.h"
#include "server/base/tokens.h"
#include "server/base/workers.h"
#include "server/groups/lease.h"
#include "server/serve/feedback_store.h"
#include "server/serve/store.h"

struct http_server;

/* The pools by name, for /v1/pools; filled by the daemon once they are loaded,
 * in the loop thread. */
struct http_pools {
    uint32_t n_pools;
    struct {
        const char *name;
        const struct catalog *catalog;
    } pool[STREAMS_MAX];
};

struct http_config {
    const char *address;         /* numeric IPv4 or IPv6 */
    uint16_t port;               /* 0: any free one */
    int inherited_fd;            /* a listening socket from systemd, or -1 */
    const struct tokens *tokens; /* NULL: anonymous */
    uint32_t max_connections;
    uint32_t max_connections_per_ip; /* 0: no limit */
    uint32_t idle_timeout_s;         /* for a whole request to arrive */
    uint32_t request_timeout_ms;     /* of work in progress: then 504 */
    uint64_t max_body_bytes; /* of all encoded answers under way; then 503 */
    const struct http_pools *pools;  /* NULL: none */
    struct lease_store *leases;      /* of groups; NULL: none */
    struct feedback_store *feedback; /* NULL: no tables */
};
struct http_config http_config_default(void);

/* streams and config->pools may be empty and are filled later, before
 * http_server_set_ready: until then what needs them answers 503. Both, tokens,
 * store and workers outlive the server. On failure inherited_fd stays open. */
int http_server_create(uv_loop_t *loop, struct workers *workers,
                       struct store *store, const struct stream_set *streams,
                       const struct http_config *config,
                       struct http_server **out_server, struct fault *fault);
uint16_t http_server_port(const struct http_server *s);
/* /readyz: 200 or 503. Set by the daemon. */
void http_server_set_ready(struct http_server *s, bool ready);
/* Requests that have begun and are not yet answered in full. */
uint32_t http_server_busy(const struct http_server *s);
/* Resumes every suspended connection with 503, stops MHD, closes handles; run
 * the loop until they are gone and the workers are done, then destroy. */
void http_server_close(struct http_server *s);
void http_server_destroy(struct http_server *s); /* NULL is fine */

#endif
