/* Which image operations a sample gets, in which order, with which integers.
 * Knows no pixels. */
#ifndef PASTED_PLAN_OPERATIONS_H
#define PASTED_PLAN_OPERATIONS_H

#include "server/plan/draws.h"
#include "server/plan/plan.h"

/* Draws and writes every list of operations; out has its frame's size. */
void operations_to_plan(const struct draws *d, const struct recipe *recipe,
                        struct plan *out);
/* The object's list alone: of the distractor where d->slot is its. */
void object_operations_to_plan(const struct draws *d,
                               const struct recipe *recipe, struct plan *out);

#endif
