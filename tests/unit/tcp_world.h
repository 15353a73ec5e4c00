/* A whole server on a free loopback port, its loop in a thread of its own, and
 * plain blocking sockets that talk to it: what the tests of server/tcp stand
 * on. Aborts the test on anything unexpected. */
#ifndef PASTED_TESTS_TCP_WORLD_H
#define PASTED_TESTS_TCP_WORLD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/tcp/server.h"
#include "tests/unit/tcp_peer.h"

/* Streams of every world, over the demo pools: */
#define SMALL       "small" /* 16 px */
#define LARGE       "large" /* 64 px f32: more than a socket's buffers hold */
#define LARGE_BATCH 128     /* 6.3 MB */

struct world {
    uv_loop_t loop;
    pthread_t thread;
    uv_async_t wake;
    pthread_mutex_t mutex; /* guards call, argument and called */
    pthread_cond_t done;
    void (*call)(struct world *w, void *argument);
    void *argument;
    bool called;
    struct workers *workers;
    struct store *store;
    struct stream_set streams;
    struct tcp_server *server;
    uint16_t port;
};

/* Once for the whole program: the catalog. */
int world_setup_group(void **state);
int world_teardown_group(void **state);

/* Defaults, but for a free port. */
struct tcp_config world_config(void);
void world_start(struct world *w, const struct tcp_config *config);
/* Closes the server and everything; asserts that nothing was left behind. */
void world_stop(struct world *w);

/* Runs call on the loop's thread and waits for it. */
void world_call(struct world *w, void (*call)(struct world *w, void *argument),
                void *argument);
uint32_t world_sessions(struct world *w);
uint64_t world_ahead_bytes(struct world *w);
void world_drain(struct world *w, uint32_t grace_ms);
/* Waits until the server has n sessions; fails after 10 s. */
void world_wait_sessions(struct world *w, uint32_t n);
/* Waits until the server has composed n batches since `before`. */
void world_wait_composed(int64_t before, int64_t n);
void world_sleep_ms(unsigned ms);

#endif
