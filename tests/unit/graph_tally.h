/* An independent recount of an epoch's edges for the graph's tests: a plain
 * matrix objects x backgrounds. Shares no code with graph_epoch_report. */
#ifndef PASTED_TESTS_UNIT_GRAPH_TALLY_H
#define PASTED_TESTS_UNIT_GRAPH_TALLY_H

#include <stdint.h>

#include "server/graph/graph.h"

#define SHAPE_MAX_CLASSES 400

/* A graph's shape with its own class table. */
struct shape {
    uint32_t class_first[SHAPE_MAX_CLASSES + 1];
    uint32_t *class_of; /* [nO] */
    uint32_t n_objects;
    struct graph_spec spec; /* spec.class_first points at class_first */
};

/* size > 0: every class; size 0: Zipf, the first class has n_objects / 4. */
struct shape *shape_create(uint32_t n_classes, uint32_t size,
                           uint32_t n_backgrounds, uint32_t per_background);
/* sizes: [n_classes] */
struct shape *shape_create_sizes(uint32_t n_classes, const uint32_t *sizes,
                                 uint32_t n_backgrounds,
                                 uint32_t per_background);
void shape_destroy(struct shape *s);
uint32_t shape_class_size(const struct shape *s, uint32_t c);

struct tally {
    uint64_t n_edges;
    struct graph_edge *edges; /* [n_edges] in emission order */
    uint8_t *matrix;          /* [nO][nB] how often the pair occurs */
    uint32_t *object_degree, *background_degree, *class_degree;
    uint32_t *on_background; /* [nB][K] edges of a class there */
};

struct tally *tally_create(const struct shape *s, uint64_t epoch);
void tally_destroy(struct tally *t);

/* Fails the running test with the shape, the seed and the epoch. */
void shape_expect(const struct shape *s, uint64_t epoch, int ok,
                  const char *what);

/* PASTED_TEST_SEED, or 1. */
uint64_t graph_test_seed(void);

#endif
