/* What the tests of serve stand on: a small catalog, a loop, workers, a store
 * and requests that remember their answer. Checks nothing of its own but that
 * setting up works. */
#ifndef PASTED_TESTS_UNIT_SERVE_RIG_H
#define PASTED_TESTS_UNIT_SERVE_RIG_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "server/base/metrics.h"
#include "server/serve/store.h"

#define RIG_CLASSES     7
#define RIG_BACKGROUNDS 5
/* 5 backgrounds * 4 objects, rounded up to a multiple of 7 classes. */
#define RIG_EDGES 21

/* 8 x 8 px, RIG_EDGES edges an epoch. */
#define RIG_RECIPE                                                             \
    "{\"size\": [8, 8], \"seed\": 11, \"graph\": "                             \
    "{\"objects_per_background\": 4, \"order\": \"shuffled\"}}"

struct rig {
    uv_loop_t loop;
    struct workers *workers;
    struct store *store;
};

/* Before and after all tests of a program. */
int rig_make_catalog(void **state);
int rig_drop_catalog(void **state);
struct catalog *rig_catalog(void);
/* The caller destroys it, after rig_stop. */
struct stream *rig_stream(const char *recipe);
/* One of RIG_RECIPE, from rig_make_usual to rig_drop_usual, which go around a
 * test or a group. */
extern struct stream *rig_usual;
int rig_make_usual(void **state);
int rig_drop_usual(void **state);

/* 4 MiB of batches, 1 MiB of epochs, 64 queued, 256 samples. */
struct store_config rig_config(void);
void rig_start(struct rig *rig, uint32_t n_workers,
               const struct store_config *config);
/* Every batch returned and every request answered or cancelled. */
void rig_stop(struct rig *rig);
/* Turns the loop until the workers have nothing left. */
void rig_settle(struct rig *rig);

struct ask {
    struct store_request request;
    bool answered;
    int status;
    struct batch *batch; /* the reference that done or store_get gave */
    struct fault fault;
};

/* n samples at first of the stream, defaults else. */
void ask_init(struct ask *a, struct stream *stream, uint64_t first,
              uint32_t n_samples);
/* store_get; a hit counts as answered. Returns what store_get returned. */
int ask_send(struct rig *rig, struct ask *a);
/* Sends and turns the loop until there is an answer, which must be a batch. */
struct batch *ask_batch(struct rig *rig, struct ask *a);
/* Composes one sample and lets go of it: the epoch is built then. */
void rig_warm(struct rig *rig, struct stream *stream, uint64_t position);

/* The payload composed here and now, sample by sample, without the store;
 * free() it. */
uint8_t *rig_direct(struct stream *stream, uint64_t first, uint32_t n_samples,
                    const struct batch_layout *layout);
/* Payload and every checksum that is there, against rig_direct. */
void rig_check_batch(const struct batch *b);

#endif
