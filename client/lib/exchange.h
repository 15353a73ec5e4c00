/* What the caller's thread and the receiver's thread hand each other: finished
 * batches one way, wishes the other. No sockets, no frames.
 *
 *   caller                      exchange                      receiver
 *   next, next_into   <---  ready: b -> b -> b        <---  push
 *   next_into         --->  into (caller's buffers)   --->  image of a batch
 *   pull              --->  pull.position             --->  PULL
 *                     <---  pull.batch or fault       <---  BATCH, ERROR
 *   refine            --->  refine[]                  --->  REFINE
 *   refined           <---  its batch or fault        <---  BATCH, ERROR
 *   seek              --->  seek_wanted, cursor       --->  SEEK
 *   destroy           --->  stop                      --->  thread ends
 *
 * Everything behind `mutex`; the receiver is woken through wake_fd (it sleeps
 * in poll), the caller through `changed`. */
#ifndef PASTED_CLIENT_LIB_EXCHANGE_H
#define PASTED_CLIENT_LIB_EXCHANGE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "client/include/pasted.h"
#include "client/lib/batch.h"
#include "client/lib/options.h"
#include "common/error.h"

/*   OPENING --> STREAMING <--> LOST --> DOWN
 *      |            |           ^        |
 *      `--> DOWN <--'           `--------'  (the caller asks again)         */
enum exchange_state {
    EXCHANGE_OPENING,   /* pasted_open waits */
    EXCHANGE_STREAMING, /* connected and open */
    EXCHANGE_LOST,      /* reconnecting */
    EXCHANGE_DOWN,      /* given up; fault says why */
};

enum pull_state { PULL_IDLE, PULL_WANTED, PULL_SENT, PULL_DONE, PULL_FAILED };

struct pull {
    enum pull_state state;
    uint64_t position;
    int64_t not_before_ns;      /* WANTED: the server had no room */
    struct pasted_batch *batch; /* DONE */
    struct fault fault;         /* FAILED; WANTED: why it waits */
};

#define EXCHANGE_MAX_REFINES 4

/* A pull on contexts of the caller's, whose copy it owns; in order. */
struct refine {
    struct pull pull;
    uint32_t request; /* SENT: its id */
    bool is_read;     /* the receiver reads payload */
    uint8_t *payload; /* of the REFINE; whatever server it goes to */
    size_t payload_bytes;
    uint32_t crc; /* of the payload */
};

/* The buffers of a next_into that waits. `active`: the receiver writes into
 * them; the caller must not return before it is false again. */
struct into {
    const struct pasted_buffer *buffers; /* NULL: nobody waits */
    size_t n_buffers;
    bool active, abandoned;
};

/* What a member of a group holds and owes (member.c). */
struct membership {
    bool joined;   /* the client is of a group; fixed */
    bool ended;    /* all steps of the group are done */
    bool paused;   /* a lease was lost: no more until the caller wants one */
    uint64_t held; /* lease of the batch that the caller works on; 0: none */
    uint64_t acks[OPTIONS_MAX_PREFETCH + 8]; /* to be sent */
    uint32_t n_acks;
    /* The ACK that a call of pasted_ack waits for. */
    uint64_t awaited; /* its lease; 0: none */
    int answer;       /* of `answered` */
    bool answered;
};

struct exchange {
    int wake_fd;
    pthread_cond_t changed;
    pthread_mutex_t mutex; /* guards everything below */
    enum exchange_state state;
    struct fault fault; /* DOWN: why; LOST: the last trouble */
    bool fault_told;    /* DOWN: a call has returned it */
    bool stop, interrupted, retry;
    bool waiting;         /* a call waits for the next batch */
    bool reads;           /* the receiver is in the middle of a BATCH */
    bool short_of_slots;  /* the last batch was a copy, in spite of a ring */
    uint64_t cursor;      /* of the batch that the caller gets next */
    bool seek_wanted;     /* to cursor */
    uint64_t replay_from; /* where the caller's round begins */
    struct pasted_batch *ready, *last_ready;
    uint32_t n_ready;
    struct pull pull;
    struct refine refine[EXCHANGE_MAX_REFINES]; /* a ring */
    uint32_t first_refine, n_refines;
    struct into into;
    struct membership member;
    struct wire_credit pace; /* since the CREDIT before; batches is not used */
    bool found_ready;        /* the call of next that goes on */
    int64_t opened_ns, called_ns, returned_ns; /* of next; 0: not yet */
    struct pasted_stats stats;
};

/* -ERROR_IO, -ERROR_NO_MEMORY. */
int exchange_init(struct exchange *x, uint64_t cursor, struct fault *fault);
void exchange_fini(struct exchange *x); /* both threads are done */

void exchange_lock(struct exchange *x);
void exchange_unlock(struct exchange *x);
/* The caller then finds the lock free, and sleeps once and not twice. */
void exchange_unlock_and_tell(struct exchange *x);
/* Wakes the receiver out of poll; needs no lock. */
void exchange_wake(struct exchange *x);

/* With the lock held: */

/* Asserts that the move is allowed; tells the caller. */
void exchange_move(struct exchange *x, enum exchange_state to);
/* To DOWN with this reason. */
void exchange_give_up(struct exchange *x, const struct fault *why);
/* The caller is to be told. */
void exchange_push(struct exchange *x, struct pasted_batch *b);
struct pasted_batch *exchange_pop(struct exchange *x); /* NULL when empty */
/* The ith of those not taken; the oldest is 0. */
struct refine *exchange_refine(struct exchange *x, uint32_t i);
/* Whether each buffer is of a tensor and holds it: -ERROR_NOT_FOUND,
 * -ERROR_BAD_ARGUMENT. Needs no lock. */
int exchange_check_buffers(const struct pasted_buffer *buffers,
                           size_t n_buffers, const struct pasted_batch *b,
                           struct fault *fault);
/* The tensor's buffer among the caller's; NULL when it has none. */
const struct pasted_buffer *exchange_buffer(const struct into *into,
                                            const char *name);

#endif
