/* The two ways to deal an epoch's edges into e->objects (and e->places, where
 * there is one), in dealing order. They decide classes; laps decide objects;
 * which background a row is, and when an edge is emitted, is decided
 * elsewhere. Errors: -ERROR_NO_MEMORY, with what was dealt unspecified. */
#ifndef PASTED_GRAPH_DEAL_H
#define PASTED_GRAPH_DEAL_H

#include "server/graph/laps.h"

/* Rounds of K: each class once; a row gets floor or ceil of degree / K of each
 * class. */
int deal_decks(struct graph_epoch *e, struct laps *laps, struct fault *fault);

/* Class c has laps->classes[c].n_edges edges in all, and a row floor or ceil
 * of its share n_edges / nB. */
int deal_shares(struct graph_epoch *e, struct laps *laps, struct fault *fault);

#endif
