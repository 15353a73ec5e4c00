/* Chains: which sample a position is pasted on. The parent of p is p - slots,
 * unless a chain begins at p. Pure: reads no pixels and draws nothing but what
 * draws.h lists. Source: Jin & Rinard, arXiv 2005.14707, "superimposition". */
#ifndef PASTED_PLAN_CHAIN_H
#define PASTED_PLAN_CHAIN_H

#include "server/plan/plan.h"

/* A recipe's chain on a catalog. */
struct chain {
    uint64_t seed;
    uint32_t slots, max_length; /* slots 0: there is none */
    struct value reset;
    /* The share of positions that begin for another reason than the draw. */
    double forced;
};

void chain_init(struct chain *out, const struct recipe *recipe,
                const struct catalog *catalog);

/* Whether position p is pasted on p - slots; if not, the first reason that
 * holds, in this order: there is no such position; the chain would be longer
 * than max_length; a reset is drawn; both have the same class. earlier_class:
 * of p - slots, not read where p < slots. The chain has slots. */
enum plan_link chain_link(const struct chain *c, uint64_t position,
                          uint32_t class_id, uint32_t earlier_class);
/* The same of classes that edges tell, of which none is asked for where another
 * reason holds. edge_of: of `source`, at p and p - slots. */
enum plan_link chain_link_of(const struct chain *c,
                             const struct catalog *catalog,
                             struct graph_edge (*edge_of)(const void *source,
                                                          uint64_t position),
                             const void *source, uint64_t position);
/* As above but for the classes: LINK_PARENT says "unless they are alike". */
enum plan_link chain_may_link(const struct chain *c, uint64_t position);

/* What the plan says of it; one with a parent gets a given context. */
void chain_to_plan(const struct chain *c, enum plan_link link,
                   struct plan *plan);

/* The earliest position that a sample from `first` on can depend on. */
uint64_t chain_reach(const struct chain *c, uint64_t first);

#endif
