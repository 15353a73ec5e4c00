/* The insides of the store, shared by store.c (requests) and store_queue.c
 * (renderings). Not for others. Threads: loop thread only. */
#ifndef PASTED_SERVE_STORE_PRIVATE_H
#define PASTED_SERVE_STORE_PRIVATE_H

#include "server/serve/batch_cache.h"
#include "server/serve/demand.h"
#include "server/serve/epochs.h"
#include "server/serve/rendering.h"
#include "server/serve/store.h"

#define STORE_BUCKETS 1024
/* Renderings begun and not finished. Two batches keep all workers busy; more
 * hide builds of epochs and let small batches fill the parts of large ones. */
#define STORE_MAX_RUNNING 32
/* Of these of the small class, so that they cannot shut bulk out. */
#define STORE_MAX_RUNNING_SMALL 16

struct rendering_list {
    struct rendering *head, *tail;
};

struct store {
    struct workers *workers;
    struct store_config config;
    struct batch_cache cache;
    struct epoch_shelf *shelf;
    struct scratch *scratch; /* for the largest frame so far; NULL before */
    uint32_t n_waiting, n_running;
    uint32_t n_running_small; /* of n_running */
    struct rendering_list free;
    /* By BATCH_LARGE, BATCH_SMALL: these do not wait for each other's room. */
    struct rendering_list waiting[2][WORKER_N_CLASSES];
    struct rendering_list epochs; /* state EPOCHS */
    struct rendering *chained;    /* with a chain, begun and not composed */
    struct rendering *bucket[STORE_BUCKETS]; /* all that may be joined */
    struct rendering *renderings;            /* the memory of all lists */
    struct consumer *consumers;
};

/* store_queue.c */

/* A cleared rendering of that key; NULL when all are in use. */
struct rendering *store_take_rendering(struct store *s,
                                       const struct store_request *request,
                                       const struct batch_key *key);
/* Gives everything back but a batch somebody may still hold; the caller calls
 * store_pump. No waiters (asserted). */
void store_free_rendering(struct rendering *r);
/* One that may be joined, and is: it is not abandoned from now on. NULL when
 * there is none. */
struct rendering *store_find_rendering(struct store *s,
                                       const struct batch_key *k);
/* r with its one waiter goes to the end of its queue. */
void store_enqueue(struct rendering *r);
void store_dequeue(struct rendering *r);
/* r with its one waiter computes checksums of a finished batch. */
void store_begin_sums(struct rendering *r, struct batch *batch);
/* Starts what can be started: small before bulk, in the order of arrival. The
 * head waits for room rather than be overtaken for ever. Calls nobody back. */
void store_pump(struct store *s);
/* An epoch was built, failed or let go. */
void store_epochs_changed(void *context);
/* Scratch for a stream's frames, with one more user; NULL when memory is
 * short. */
struct scratch *store_scratch(struct store *s, const struct stream *stream);

#endif
