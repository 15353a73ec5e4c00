/* Inside of server/graph: what a built epoch holds, and the arithmetic of its
 * rows. A row is a background's place in dealing order ("rank"); the edges of
 * row r are consecutive in that order. Not for other folders: see graph.h. */
#ifndef PASTED_GRAPH_EPOCH_H
#define PASTED_GRAPH_EPOCH_H

#include "server/graph/feistel.h"
#include "server/graph/graph.h"

struct graph_epoch {
    struct graph_spec spec; /* class_first is borrowed */
    uint64_t epoch;
    uint32_t n_edges;
    uint32_t degree;  /* floor(E / nB) */
    uint32_t n_extra; /* rows 0 .. n_extra - 1 have degree + 1 */
    bool decked;      /* rounds of K: each class once */

    uint32_t *objects; /* [n_edges] in dealing order; NULL if independent */
    /* [n_edges / K][K]: where in its round a class's edge lies. Only for mixed
     * order of decks, else NULL. K <= 65536, so a place fits. */
    uint16_t *places;

    /* [nB] of each row; correlated: of each place, where the classes' own lie
     * side by side; NULL if independent */
    uint32_t *backgrounds;

    /* Keyed permutations of the emission order: of the edges if shuffled, of
     * the rounds (with a key for each class) if mixed. */
    struct feistel edge_order, round_order;
};

uint32_t graph_n_objects(const struct graph_spec *spec);

/* Whether rounds of K cards are dealt: balance by class, or by object where
 * all classes have the same size, which is the same thing. */
bool graph_spec_is_decked(const struct graph_spec *spec);

/* The class of an object of a checked spec. */
uint32_t graph_class_of(const struct graph_spec *spec, uint32_t object);

static inline uint32_t graph_row_degree(const struct graph_epoch *e,
                                        uint32_t row)
{
    return e->degree + (row < e->n_extra);
}

static inline uint32_t graph_row_of(const struct graph_epoch *e, uint32_t edge)
{
    uint64_t n_in_extra = (uint64_t)e->n_extra * (e->degree + 1ull);
    if (edge < n_in_extra)
        return edge / (e->degree + 1);
    return e->n_extra + (uint32_t)((edge - n_in_extra) / e->degree);
}

#endif
