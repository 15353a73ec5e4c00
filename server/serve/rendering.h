/* One rendering: a batch on its way through the workers, and who waits for it.
 * Knows no cache and no queue. Threads: the loop owns everything but what
 * rendering.c's run functions write (payload, checksums) while a job runs.
 *
 *   FREE -> WAITING (for room) -> EPOCHS (for graphs) -> RUNNING -> FREE
 *      \______ only checksums are missing _______________/  ^
 *                                              again, when a waiter needs
 *                                              another kind of checksum */
#ifndef PASTED_SERVE_RENDERING_H
#define PASTED_SERVE_RENDERING_H

#include <stdatomic.h>
#include <stdint.h>

#include "server/base/workers.h"
#include "server/serve/batch_cache.h"
#include "server/serve/parents.h"
#include "server/serve/store.h"

enum rendering_state {
    RENDERING_FREE,
    RENDERING_WAITING,
    RENDERING_EPOCHS,
    RENDERING_RUNNING,
};

/* What the job on the workers does. */
enum rendering_task {
    TASK_COMPOSE, /* samples, and checksums of the asked kinds */
    TASK_SUMS,    /* checksums of a finished batch */
    TASK_FAIL,    /* nothing: brings a failure to the loop */
};

/* Whether anybody waits. The loop moves between WANTED and ABANDONED as waiters
 * go and come; a worker that comes to a part of what is ABANDONED leaves it
 * out, and from then on there is no way back.
 *
 *   WANTED <-> ABANDONED -> SKIPPED */
enum rendering_interest {
    INTEREST_WANTED,
    INTEREST_ABANDONED,
    INTEREST_SKIPPED, /* samples are missing: nobody may have the batch */
};

/* Memory for composing, one slice a worker. Replaced by a larger one when a
 * stream with a larger frame comes; freed with its last user. */
struct scratch {
    uint32_t n_users, n_workers;
    size_t slice_bytes; /* a multiple of 64 */
    uint8_t *slices;    /* 64-byte aligned, inside this allocation */
};

/* NULL when memory is short. */
struct scratch *scratch_create(uint32_t n_workers, size_t slice_bytes);

struct rendering {
    struct worker_job job; /* first: the job is the rendering */
    struct store *store;
    enum rendering_state state;
    enum rendering_task task;
    struct batch_key key;
    uint32_t hash;
    bool hashed;
    struct rendering *hash_next;
    struct rendering *next; /* of the free, waiting or epochs list */
    struct store_request *waiters, *last_waiter;

    struct stream *stream;
    struct feedback *feedback; /* one reference; NULL: none */
    struct contexts *contexts; /* one reference; NULL: none */
    struct batch_layout layout;
    uint64_t run_bytes;     /* of the arena */
    enum batch_share share; /* BATCH_LARGE or BATCH_SMALL */
    bool shared;            /* better in the shared part */
    uint64_t first_epoch, n_epochs, n_ready;
    bool holds_epochs;
    struct graph_epoch **graphs;    /* [n_epochs], in the arena run */
    uint32_t n_columns;             /* compose/chained.h; 0: has no chain */
    struct parents parents;         /* likewise, from TASK_COMPOSE on */
    struct rendering *chained_next; /* of those begun */
    bool is_chained;                /* stands among them */
    struct scratch *scratch;

    struct batch *batch;              /* one reference; NULL before */
    uint8_t *payload;                 /* writable, of batch */
    uint64_t *sums[CHECKSUM_N_KINDS]; /* writable, in the arena run */
    uint32_t kinds;                   /* bit per kind to compute */
    uint32_t units_a_part;            /* samples, or of TASK_COMPOSE columns */
    uint32_t n_units;
    _Atomic uint32_t parts_left;
    _Atomic uint32_t n_begun, n_ending; /* parts; on their last sample */
    _Atomic uint64_t compose_ns;        /* of all workers together */
    _Atomic uint64_t n_composed;        /* samples */
    _Atomic uint64_t n_again;           /* of these for others' sake alone */
    _Atomic int interest;               /* enum rendering_interest */
    int status;                         /* of TASK_FAIL */
    struct fault fault;
};

/* Bytes of the arena run that holds payload, struct batch, checksums of both
 * kinds, the table of graphs and those of the parents. */
uint64_t rendering_run_bytes(const struct batch_layout *layout,
                             uint64_t n_epochs, uint32_t n_columns);
/* Lays batch, sums and graphs out in a run; the batch has one reference. */
void rendering_place(struct rendering *r, void *run);
/* Takes over one reference to a finished batch, to add checksums to it. */
void rendering_resume(struct rendering *r, struct batch *batch);
/* Fills in r->job for r->task; the caller submits it. */
void rendering_prepare(struct rendering *r,
                       void (*done)(struct worker_job *job));

/* Somebody waits again; false when it is too late for this rendering. */
bool rendering_revive(struct rendering *r);
/* Nobody waits any more: parts that no worker has begun may be left out. */
void rendering_abandon(struct rendering *r);

void rendering_add_waiter(struct rendering *r, struct store_request *request);
void rendering_remove_waiter(struct rendering *r,
                             struct store_request *request);

#endif
