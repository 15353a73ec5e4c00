/* The store: requests for batches in, immutable batches out. Shares one
 * rendering among all who ask for the same batch (finished or in flight),
 * inside one byte budget. Threads: loop thread only; composing runs on the
 * workers.
 *
 *   store_get --hit--> batch            (now)
 *             --join-> waits on a running rendering
 *             --miss-> epochs -> arena -> chunks on workers -> done(batch)
 */
#ifndef PASTED_SERVE_STORE_H
#define PASTED_SERVE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/checksum.h"
#include "common/error.h"
#include "server/base/workers.h"
#include "server/compose/compose.h"
#include "server/plan/feedback.h"
#include "server/serve/contexts.h"
#include "server/serve/stream.h"

struct store;

/* Immutable once handed out. Holders keep a reference and never write. */
struct batch {
    struct stream *stream;
    uint64_t first_position;
    struct digest feedback; /* all zero: none */
    struct batch_layout layout;
    const uint8_t *payload; /* layout.tensors_bytes, as BATCH carries it but
                               with checksum kind 0 in its head */
    /* Per kind: n_samples + 1 values (one per sample's image bytes, then one
     * over payload [0, image_offset_bytes) as it is here, with kind 0 in the
     * head); NULL until somebody asked for that kind. */
    const uint64_t *checksums[CHECKSUM_N_KINDS];
    /* Private to the store. */
    struct store *store;
    uint32_t refs;
    bool cached;
    struct batch *hash_next, *lru_prev, *lru_next;
    uint32_t hash;
};

struct batch *batch_ref(struct batch *b);
void batch_unref(struct batch *b); /* NULL is fine */

/* Caller's memory, alive until done or store_cancel. */
struct store_request {
    struct stream *stream;
    uint64_t first_position;
    uint32_t n_samples;    /* positions */
    uint32_t n_candidates; /* of each; 0 is 1 */
    uint8_t dtype, layout; /* 0 = the recipe's */
    /* Of the stream's classes, held until done or store_cancel; NULL: none. */
    struct feedback *feedback;
    /* What the slice's samples are pasted on, where their chains go on; held
     * likewise. Such a batch is nobody else's and not kept. NULL: none. The
     * stream has a chain. */
    struct contexts *contexts;
    enum checksum_kind checksum; /* batch->checksums[checksum] will be there */
    enum worker_class class;     /* WORKER_SMALL for previews */
    bool shared; /* where a client may map it, when there is room */
    /* status 0: batch carries one reference for the callee; else a negative
     * code, batch NULL, fault says why. Called once, from the loop. */
    void (*done)(struct store_request *request, int status, struct batch *batch,
                 const struct fault *fault);
    void *context; /* the caller's */
    /* Private to the store. */
    struct store_request *next;
    void *rendering;
};

struct store_config {
    uint64_t budget_bytes;       /* arena */
    uint64_t shared_bytes;       /* of these, for clients that map them */
    uint64_t epoch_budget_bytes; /* built graphs of all streams */
    uint32_t max_queued;  /* renderings waiting; beyond: -ERROR_OVERLOADED */
    uint32_t max_samples; /* of one request */
};

int store_create(struct workers *workers, const struct store_config *config,
                 struct store **out_store, struct fault *fault);
/* Every request must be done or cancelled and every batch returned, and the
 * workers must have nothing pending: call it after workers_destroy. */
void store_destroy(struct store *s);

/* 1: *out_batch holds a reference, done is not called. 0: done will be called
 * later. Negative: refused (-ERROR_TOO_LARGE, -ERROR_OVERLOADED,
 * -ERROR_BAD_ARGUMENT, -ERROR_NO_MEMORY), done is not called. A request that
 * finds the budget held by references of others waits for its turn. */
int store_get(struct store *s, struct store_request *request,
              struct batch **out_batch, struct fault *fault);
/* done will not be called any more. Where nobody else waits for the rendering,
 * the parts of it that no worker has begun are left out; who asks for it before
 * that has it whole. */
void store_cancel(struct store *s, struct store_request *request);

/* The largest payload (tensors and checksums) the budget can hold twice;
 * larger ones are refused. */
uint64_t store_max_batch_bytes(const struct store *s);
/* What a sentence about too large a batch ends with: where a part of the budget
 * is for clients that map it, that it is and how to change it. */
const char *store_limit_hint(const struct store *s);
/* The most samples of one request; more are refused. */
uint32_t store_max_samples(const struct store *s);

/* The memory that clients of this host may map, whole: any of them can read
 * every stream's batches in it. -1 and 0 where there is none. */
int store_shared_fd(const struct store *s);
uint64_t store_shared_bytes(const struct store *s);
/* Where p, of a batch, lies in that memory; false when it does not. */
bool store_shared_offset(const struct store *s, const void *p,
                         uint64_t *out_offset);

/* The edge at a position, when its epoch is in memory now; else builds it and
 * calls done as above. For plan JSON and /graph, small class. */
struct epoch_request {
    struct stream *stream;
    uint64_t epoch;
    /* graph is borrowed: valid until done returns unless pinned with
     * epoch_pin / epoch_unpin (serve/epochs.h). */
    void (*done)(struct epoch_request *request, int status,
                 struct graph_epoch *graph, const struct fault *fault);
    void *context;
    struct epoch_request *next; /* private */
};
/* done is always called, perhaps before this returns; negative: refused and
 * done is not called. */
int store_epoch(struct store *s, struct epoch_request *request,
                struct fault *fault);

#endif
