/* What the listener and its sessions share; private to server/tcp. */
#ifndef PASTED_TCP_SERVER_H
#define PASTED_TCP_SERVER_H

#include "server/tcp/tcp.h"

struct session;

struct tcp_server {
    struct tcp_config config;
    uv_loop_t *loop;
    struct store *store;
    const struct stream_set *streams;
    uv_tcp_t listener;
    uv_timer_t tick;
    uint32_t n_handles; /* of the two above, not yet closed */
    uint16_t port;
    bool draining, closing;
    bool accept_waits; /* memory was short: the tick tries again */
    uint32_t grace_ms; /* while draining */
    struct session *first_session;
    uint32_t n_sessions;
    uint64_t next_session; /* number for the log */
    /* Bytes that sessions hold or ask for beyond one batch each, and how many
     * they may: the other half of the budget always serves first batches, so
     * that no session waits for what another composes ahead. Each of the
     * n_holders sessions that hold anything may have an equal part of it. */
    uint64_t ahead_bytes;
    uint64_t max_ahead_bytes;
    uint32_t n_holders;
};

#endif
