/* Objects of a class, dealt in laps: each lap gives every object of the class
 * once, in fresh order, and no row gets an object twice. Knows classes and
 * rows by number only; which class comes next is the dealer's choice. */
#ifndef PASTED_GRAPH_LAPS_H
#define PASTED_GRAPH_LAPS_H

#include "server/graph/draws.h"
#include "server/graph/epoch.h"

struct lap {
    uint32_t first, size;    /* the class's part of laps.order */
    uint32_t n_edges;        /* of the class in this epoch */
    uint32_t most_in_a_row;  /* ceil(n_edges / nB), at most size */
    uint32_t next;           /* place in the part; size: lap is over */
    uint32_t row_plus_1;     /* the row that took last; 0: none */
    uint32_t n_taken_by_row; /* by that row */
};

struct laps {
    struct lap *classes; /* [K] */
    uint32_t *order;     /* [nO] */
    struct draws draws;
};

/* Sets the epoch's totals: n_edges of each class. The epoch begins with a
 * partial lap: of the objects whose turn it is to have one edge more. Needs
 * the epoch's spec, epoch and counts only. On failure nothing is kept. */
int laps_init(struct laps *l, const struct graph_epoch *e, struct fault *fault);
void laps_fini(struct laps *l);

/* The next object of class c, for this row. Rows come in rising order, and a
 * row takes at most most_in_a_row. */
uint32_t laps_take(struct laps *l, uint32_t c, uint32_t row);

#endif
