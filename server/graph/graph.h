/* The balanced sampling graph: position -> (object, background). Knows counts
 * and classes only. An epoch's graph is a pure function of (spec, epoch).
 * Source: Jin & Rinard, arXiv 2005.14707. */
#ifndef PASTED_GRAPH_GRAPH_H
#define PASTED_GRAPH_GRAPH_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"

#define GRAPH_MAX_EDGES   (1ull << 30) /* of one epoch */
#define GRAPH_MAX_CLASSES 65536

/* dealt: a background's edges together. mixed: aligned blocks of K hold each
 * class once, from rounds all over the epoch; by object with unequal class
 * sizes there are no such rounds, and mixed is shuffled. */
enum graph_order { GRAPH_DEALT, GRAPH_MIXED, GRAPH_SHUFFLED };
/* balanced: the biregular graph. independent: every edge by itself. correlated:
 * objects as balanced deals them, but each class keeps to backgrounds of its
 * own, floor or ceil of nB / K of them, the same in all epochs: what balance
 * is there to prevent, for comparison. */
enum graph_pairing { GRAPH_BALANCED, GRAPH_INDEPENDENT, GRAPH_CORRELATED };
enum graph_balance { GRAPH_BY_CLASS, GRAPH_BY_OBJECT };

struct graph_spec {
    uint32_t n_classes; /* K */
    /* [n_classes + 1] prefix sums: objects of class c are class_first[c] ..
     * class_first[c + 1] - 1. Borrowed: outlives every graph made of it. */
    const uint32_t *class_first;
    uint32_t n_backgrounds;
    uint32_t objects_per_background; /* dB, 1..nO */
    enum graph_order order;
    enum graph_pairing pairing;
    enum graph_balance balance;
    bool strict;
    uint64_t seed;
};

struct graph_edge {
    uint32_t object;
    uint32_t background;
};

/* Refuses impossible specs with a sentence (-ERROR_BAD_RECIPE): no class, an
 * empty class, dB > nO, a class too small for floor/ceil(dB/K), correlated with
 * fewer backgrounds than classes, strict without exact degrees, more than
 * GRAPH_MAX_EDGES. Exact: E is nB * dB, and objects have equal degrees, within
 * their class or, by object, all. */
int graph_spec_check(const struct graph_spec *spec, struct fault *fault);

/* Whether each aligned block of K positions holds every class once, in an order
 * of its own. */
bool graph_has_blocks(const struct graph_spec *spec);

/* E of a checked spec: nB * dB rounded up to a multiple of K. (By object with
 * unequal class sizes never more than the full product nB * nO.) */
uint64_t graph_edges_per_epoch(const struct graph_spec *spec);

/* Bytes that one built epoch will take. */
uint64_t graph_epoch_bytes(const struct graph_spec *spec);

struct graph_epoch;

/* Builds one epoch's graph; O(E) time. Errors: -ERROR_NO_MEMORY. Any thread;
 * the result is immutable. */
int graph_epoch_create(const struct graph_spec *spec, uint64_t epoch,
                       struct graph_epoch **out_epoch, struct fault *fault);
void graph_epoch_destroy(struct graph_epoch *e); /* NULL is fine */

/* Edge at index (0 <= index < E) in emission order. Pure, any thread. */
struct graph_edge graph_epoch_edge(const struct graph_epoch *e, uint64_t index);

/* What was achieved, counted from the edges themselves; O(E log E) at most. */
struct graph_report {
    uint64_t n_edges;
    uint32_t object_degree_min, object_degree_max;
    uint32_t background_degree_min, background_degree_max;
    uint32_t class_degree_min, class_degree_max;
    uint32_t classes_per_background_min, classes_per_background_max;
    double classes_per_background_mean;
    uint64_t n_duplicate_edges;
    /* Variance / mean of the number of backgrounds on which a pair of classes
     * (objects of different classes) meets; 0 when not computed: more than
     * 4096 classes (objects), or too many pairs to count in a second. */
    double class_pair_dispersion;
    double object_pair_dispersion;
    uint64_t n_class_pairs_never_met;
};
int graph_epoch_report(const struct graph_epoch *e,
                       struct graph_report *out_report, struct fault *fault);

#endif
