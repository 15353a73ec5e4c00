/* Built epoch graphs: found, joined while being built, kept by LRU within one
 * byte budget, built ahead. Knows nothing of batches. Threads: loop thread
 * only; graphs are built on the workers.
 *
 *   (absent) --hold, request, ahead--> BUILDING --worker--> BUILT --evict-->
 *                                         +--worker, no memory--> FAILED
 *
 * A slot with pins stays. BUILT without pins stands in the LRU. */
#ifndef PASTED_SERVE_EPOCHS_H
#define PASTED_SERVE_EPOCHS_H

#include <stdint.h>

#include "common/error.h"
#include "server/base/workers.h"
#include "server/graph/graph.h"
#include "server/serve/store.h"
#include "server/serve/stream.h"

/* Epochs that one batch may straddle. */
#define EPOCHS_MAX_HELD 4096
/* Built epochs on one shelf, however small: beyond, finding one would take
 * long, and what the budget does not count would be much. */
#define EPOCHS_MAX_KEPT 16384
/* Builds on their way; beyond, epoch requests are refused and nothing is built
 * ahead. */
#define EPOCHS_MAX_BUILDS 64

/* The list of one stream's epochs; empty at first. */
int epochs_create(struct epochs **out_epochs, struct fault *fault);
/* Nothing pinned or being built; NULL is fine. */
void epochs_destroy(struct epochs *e);

/* One shelf for all streams of a store; a stream stands on one shelf. changed
 * is called from the loop after an epoch was built, failed or let go. */
struct epoch_shelf;
int epoch_shelf_create(struct workers *workers, uint64_t budget_bytes,
                       void (*changed)(void *context), void *context,
                       struct epoch_shelf **out_shelf, struct fault *fault);
/* Nothing pinned or being built (asserted); NULL is fine. */
void epoch_shelf_destroy(struct epoch_shelf *shelf);

/* -ERROR_TOO_LARGE when n epochs can never be held at once. */
int epochs_check(const struct epoch_shelf *shelf, const struct stream *stream,
                 uint64_t n, struct fault *fault);
/* Pins epochs first .. first + n - 1, all or none, and starts to build what is
 * missing. 0: held; 1: no room now, call again after changed; -ERROR_TOO_LARGE
 * (never possible), -ERROR_NO_MEMORY. */
int epochs_hold(struct epoch_shelf *shelf, struct stream *stream,
                uint64_t first, uint64_t n, struct fault *fault);
/* Takes the pins back; does not call changed. */
void epochs_release(struct epoch_shelf *shelf, struct stream *stream,
                    uint64_t first, uint64_t n);
/* Of a held epoch. 1: *out_graph is set; 0: still being built; negative: it
 * could not be built. */
int epochs_look(struct epoch_shelf *shelf, struct stream *stream,
                uint64_t epoch, struct graph_epoch **out_graph);
/* Starts to build an epoch nobody holds yet, where that costs no one else. */
void epochs_build_ahead(struct epoch_shelf *shelf, struct stream *stream,
                        uint64_t epoch);
/* What store_epoch does. */
int epochs_request(struct epoch_shelf *shelf, struct epoch_request *request,
                   struct fault *fault);

/* Keeps a built epoch in memory: from inside a done of store_epoch, or while
 * it is pinned already (asserted). Each pin needs one unpin. */
void epoch_pin(struct stream *stream, uint64_t epoch);
void epoch_unpin(struct stream *stream, uint64_t epoch);

#endif
