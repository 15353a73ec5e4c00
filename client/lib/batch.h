/* Batches in memory that is used again, and the reading of one BATCH payload
 * in pieces as it arrives, with its checksums. Knows no sockets.
 *
 * Threads: acquire and release from any; a batch that is being filled belongs
 * to one thread, a finished one is read-only.
 *
 *   acquire -> begin -> payload bytes arrive -> advance ... -> finish
 *           \                                             \-> release
 *            `-- the image may lie in the caller's memory (image_at)
 */
#ifndef PASTED_CLIENT_LIB_BATCH_H
#define PASTED_CLIENT_LIB_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/include/pasted.h"
#include "client/lib/ring.h"
#include "common/checksum.h"
#include "common/error.h"
#include "common/wire.h"

struct batch_pool;

struct pasted_batch {
    uint32_t magic;
    struct batch_pool *pool; /* one reference */
    uint8_t *own;            /* aligned to TENSOR_ALIGN_BYTES */
    size_t capacity_bytes;
    uint8_t *payload;        /* own, or in the ring: not to be written then */
    size_t n_bytes;          /* of the payload */
    const uint8_t *table;    /* of checksums */
    enum checksum_kind kind; /* of the table */
    struct ring *ring;       /* NULL: the payload is our own */
    uint64_t slot;           /* in the ring */
    bool is_replaced;        /* the server was asked for the one after it */
    struct wire_batch_head head;
    struct tensor_desc tensors[TENSOR_MAX_COUNT];
    const struct tensor_desc *image; /* the last one */
    uint8_t *image_at;               /* in payload, or the caller's memory */
    uint32_t n_candidates;           /* of each sample; set by who fills it */
    uint64_t cursor;                 /* global cursor of the step */
    struct wire_lease lease;         /* of a group's step; else zero */
    uint64_t *sums;                  /* [capacity_sums], one per sample */
    uint32_t capacity_sums;
    uint32_t n_sums; /* samples whose checksum is computed */
    struct pasted_batch *next;
};

/* Keeps up to max_free released batches for use again. NULL: out of memory. */
struct batch_pool *batch_pool_create(uint32_t max_free);
/* Drops the owner's reference; the pool goes with its last batch. */
void batch_pool_unref(struct batch_pool *pool);

/* A batch with room for n_bytes of payload; NULL: out of memory. */
struct pasted_batch *batch_acquire(struct batch_pool *pool, size_t n_bytes);
void batch_release(struct pasted_batch *b); /* NULL is fine */

/* How many bytes of a payload `begin` wants to see. */
size_t batch_head_bytes(uint64_t payload_bytes);
/* Reads head and descriptors of b->payload, whose first batch_head_bytes are
 * there. opened and kind are what the session agreed on.
 * -ERROR_BAD_FRAME with a sentence; -ERROR_NO_MEMORY. */
int batch_begin(struct pasted_batch *b, const struct wire_opened *opened,
                enum checksum_kind kind, struct fault *fault);
/* The same of a payload that lies in a ring, whole: from here on it is held,
 * and released with the batch. b was acquired with no bytes. */
int batch_map(struct pasted_batch *b, struct ring *ring,
              const struct wire_slot *slot, const struct wire_opened *opened,
              enum checksum_kind kind, struct fault *fault);
/* Where payload byte `at` belongs, and how many from there on lie together. */
uint8_t *batch_place(struct pasted_batch *b, size_t at, size_t *out_bytes);
/* Payload bytes [0, received) are in place: computes what checksums it can,
 * while they are in cache. */
void batch_advance(struct pasted_batch *b, size_t received);
/* The whole payload is there. -ERROR_CORRUPT when a checksum differs. */
int batch_finish(struct pasted_batch *b, struct fault *fault);

/* The tensor of that name, or NULL; and its bytes. */
const struct tensor_desc *batch_find(const struct pasted_batch *b,
                                     const char *name);
const uint8_t *batch_data(const struct pasted_batch *b,
                          const struct tensor_desc *t);

#endif
