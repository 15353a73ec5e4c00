/* What a sample is pasted on: a background, noise, a colour, a gradient, a
 * texture. Makes no pixel. */
#ifndef PASTED_PLAN_CONTEXT_H
#define PASTED_PLAN_CONTEXT_H

#include "server/plan/draws.h"
#include "server/plan/plan.h"

/* Draws the kind by weight and writes it with its own members; the background
 * is that of the edge. out has its frame's size. */
void context_to_plan(const struct draws *d, const struct recipe *recipe,
                     const struct pool_background *background,
                     struct plan *out);

#endif
