/* A stream: a named catalog + graph + recipe + seed, with its fingerprint and
 * the epochs that are in memory. Threads: immutable but for its epochs, which
 * the loop thread owns. */
#ifndef PASTED_SERVE_STREAM_H
#define PASTED_SERVE_STREAM_H

#include <stdint.h>

#include "common/error.h"
#include "common/wire.h"
#include "server/base/digest.h"
#include "server/graph/graph.h"
#include "server/plan/chain.h"
#include "server/pool/catalog.h"
#include "server/recipe/recipe.h"
#include "server/serve/demand.h"

struct composites; /* serve/composites.h: what chains go on from */
struct epochs;     /* serve/epochs.h: built graphs, LRU, next built ahead */

struct stream {
    char name[WIRE_MAX_NAME_BYTES];
    struct catalog *catalog; /* one reference */
    struct recipe recipe;
    struct graph_spec graph;
    uint64_t edges_per_epoch;
    struct chain chain;            /* without slots: there is none */
    struct composites *composites; /* where it has, the loop thread's */
    uint32_t turns; /* epochs in a row with the same graph and scenes */
    /* Of engine version, catalog digest, canonical recipe without what only
     * slices and encodes, and seed: common/fingerprint.h. */
    struct digest fingerprint;
    char fingerprint_hex[DIGEST_HEX_BYTES];
    /* Of the rest of the recipe: which tensors, how the image is encoded. */
    uint64_t output;
    struct epochs *epochs;
    struct stream_load load; /* the loop thread's, as epochs are */
};

/* Takes its own reference to catalog. -ERROR_BAD_RECIPE when graph and catalog
 * do not fit, -ERROR_BAD_ARGUMENT for a bad name ([A-Za-z0-9_.-]{1,64}),
 * -ERROR_NO_MEMORY. */
int stream_create(const char *name, struct catalog *catalog,
                  const struct recipe *recipe, struct stream **out_stream,
                  struct fault *fault);
void stream_destroy(struct stream *s); /* NULL is fine */

#define STREAMS_MAX WIRE_MAX_STREAMS

/* The streams of the daemon, in the order of the configuration. */
struct stream_set {
    uint32_t n_streams;
    struct stream *stream[STREAMS_MAX];
};
struct stream *stream_find(const struct stream_set *set, const char *name);

/* One rank's slice of the step at global cursor p. */
struct stream_slice {
    uint64_t first_position;
    uint32_t n_samples;
};
/* rank r of W takes [p + r*G/W, p + (r+1)*G/W). -ERROR_BAD_ARGUMENT with a
 * sentence when W is 0 or does not divide G, r >= W, G is 0, or p + G
 * overflows 2^63; -ERROR_TOO_LARGE when G / W is over RECIPE_MAX_BATCH. */
int stream_slice(uint64_t position, uint32_t global_batch, uint32_t rank,
                 uint32_t world, struct stream_slice *out, struct fault *fault);
/* -ERROR_BAD_ARGUMENT with a sentence beyond PLAN_MAX_CANDIDATES. */
int stream_check_candidates(uint32_t n_candidates, struct fault *fault);

#endif
