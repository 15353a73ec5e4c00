/* The texture of a sample's context, drawn and resolved to integers. Makes no
 * pixel (server/pixel does). */
#ifndef PASTED_PLAN_TEXTURE_H
#define PASTED_PLAN_TEXTURE_H

#include "server/plan/draws.h"
#include "server/plan/plan.h"

void texture_to_plan(const struct draws *d, const struct recipe *recipe,
                     struct plan *out);

#endif
