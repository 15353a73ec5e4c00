/* The fake server's inside: itself and one of its connections. */
#ifndef PASTED_TESTS_FAKE_PEER_H
#define PASTED_TESTS_FAKE_PEER_H

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/wire.h"
#include "tests/unit/fake_server.h"

struct fake_server {
    int listener, stop_fd;
    uint16_t port;
    struct fake_behaviour plans[FAKE_MAX_PLANS];
    uint32_t n_plans;
    pthread_t thread;
    sem_t release;
    pthread_mutex_t mutex; /* guards counts */
    struct fake_counts counts;
};

/* One connection. */
struct peer {
    struct fake_server *server;
    const struct fake_behaviour *plan;
    int fd;
    uint8_t payload[WIRE_MAX_CLIENT_BYTES];
    struct wire_header header;
    struct wire_open open;
    uint32_t serial, credit, sent, n_damaged;
    uint64_t cursor;
    bool then_done, silent;
};

/* Talks until the connection or the server ends. */
void fake_peer_converse(struct peer *p);

#endif
