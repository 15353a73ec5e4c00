/* What the listener and its sessions share; private to server/tcp. */
#ifndef PASTED_TCP_SERVER_H
#define PASTED_TCP_SERVER_H

#include "server/tcp/tcp.h"

struct session;

/* What clients may be uploading at once, all together. */
#define SERVER_MAX_LARGE_BYTES (64ull << 20)

/* A listening socket. */
struct listener {
    union { /* tcp or pipe by is_unix */
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } socket;
    struct tcp_server *server;
    bool is_unix;
    bool waits; /* memory was short: the tick tries to accept again */
};
#define MAX_LISTENERS 2 /* TCP, and a Unix socket where one is configured */

struct tcp_server {
    struct tcp_config config;
    uv_loop_t *loop;
    struct store *store;
    const struct stream_set *streams;
    struct listener listeners[MAX_LISTENERS];
    uint32_t n_listeners;
    uv_timer_t tick;
    uv_idle_t soon;     /* the loop's next turn: members of groups are pumped,
                         * and who rests is read on */
    uint32_t n_handles; /* of those above, not yet closed */
    uint16_t port;
    bool draining, closing;
    bool stillborn;    /* never served: freed with its last handle */
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
    uint64_t large_bytes; /* of long FEEDBACKs that come in now */
    uint64_t slot_bytes;  /* that all sessions' slots hold */
    struct contexts_budget contexts;
    uint64_t last_slot; /* ids are never used again */
};

/* In the loop's next turn: reads on from the sessions that rest, and pumps
 * those of groups. */
void tcp_server_soon(struct tcp_server *server);

#endif
