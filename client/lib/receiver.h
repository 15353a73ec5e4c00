/* The receiver: a client's own thread. Connects, receives batches ahead of the
 * caller, reconnects. Talks to the caller through an exchange only. */
#ifndef PASTED_CLIENT_LIB_RECEIVER_H
#define PASTED_CLIENT_LIB_RECEIVER_H

#include <stdbool.h>
#include <stdint.h>

#include "client/lib/exchange.h"
#include "client/lib/options.h"
#include "client/lib/session.h"

/* What the first OPENED said; written before the exchange leaves OPENING,
 * read-only from then on. */
struct stream_facts {
    struct wire_welcome welcome;
    struct wire_opened opened;
    char stream[WIRE_MAX_NAME_BYTES];
    struct class_names classes;
    bool has_feedback; /* with this table */
    uint8_t feedback[FEEDBACK_DIGEST_BYTES];
};

struct receiver {
    struct exchange *exchange;
    const struct options *options; /* timeout_ms is the caller's, not read */
    struct batch_pool *pool;
    struct stream_facts *facts;
    struct session session;
    bool opened_once;
    uint32_t stream_request; /* even: id of the latest OPEN or SEEK */
    uint32_t pull_request;   /* odd: id of the latest PULL or REFINE */
    uint32_t plain_request;  /* of the latest PULL */
    uint64_t cursor;         /* of the batch that must come next */
    uint64_t replay_from;    /* where the round of a replay begins */
    uint64_t pull_position;
    struct pull *pulled;     /* the exchange's, of the BATCH that is read */
    struct wire_lease lease; /* of the BATCH that comes next; lease 0: none */
    uint32_t outstanding;    /* batches that the server may still send */
    uint32_t n_refetched;    /* in a row, for a checksum */
    bool draining;
    uint64_t drain_cursor;
    bool progress; /* this connection brought a good batch */
    /* Reconnecting (failover.c). */
    uint32_t server;      /* index of the one in use or to try next */
    uint32_t address;     /* which of its name's; reduced modulo their number */
    uint32_t n_strikes;   /* malformed frames since the last good batch */
    int64_t connected_ns; /* when this connection was opened */
    int64_t lost_ns;      /* since when there is none */
    uint32_t backoff_ms;
    uint64_t random;
};

void receiver_init(struct receiver *r, struct exchange *x,
                   const struct options *options, struct batch_pool *pool,
                   struct stream_facts *facts);
void receiver_fini(struct receiver *r);

/* The thread: opens (each server once), then streams until x->stop. */
void *receiver_main(void *receiver);

/* HELLO and OPEN over the connected s->connection, at the receiver's cursor or
 * where the caller wants it by now. */
int receiver_handshake(struct receiver *r, int64_t deadline_ns,
                       struct fault *fault);
/* Sends wishes and handles frames until the connection ends, with the reason;
 * -ERROR_CANCELLED when the caller stops. *out_final: trying again would not
 * help. */
int receiver_pump(struct receiver *r, bool *out_final, struct fault *fault);

/* The pull that this id was sent for and that waits, or NULL. With the lock
 * held. */
struct pull *receiver_pull_of(struct receiver *r, uint32_t request);
/* The BATCH whose header was just read (receive_batch.c). */
int receiver_batch(struct receiver *r, bool *out_final, struct fault *fault);
/* A batch begins to come: asks for those that its place makes room for. One
 * that goes straight to a caller who waits takes none of what is prefetched, so
 * that the server composes while the batch is on its way. */
int receiver_ask_ahead(struct receiver *r, struct pasted_batch *b,
                       struct fault *fault);
/* Sends SEEK to the receiver's cursor. */
int receiver_seek(struct receiver *r, struct fault *fault);
/* Until when the peer must show some life. */
int64_t receiver_stall_ns(const struct receiver *r);

/* When to ask again of a server that was overloaded (failover.c). */
int64_t failover_again_ns(uint32_t retry_after_ms);
/* Opens at each server once. */
int failover_open(struct receiver *r, struct fault *fault);
/* One attempt, or a pause between rounds of attempts; moves the exchange to
 * STREAMING or DOWN when the one or the other is reached. */
void failover_step(struct receiver *r);
/* The connection ended for that reason: to LOST or DOWN. */
void failover_lost(struct receiver *r, bool final, const struct fault *why);

#endif
