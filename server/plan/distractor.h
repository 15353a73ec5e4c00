/* The second object of a sample: another class, pasted on the context before
 * the object is, so that it lies under or beside it. Reads no pixels. */
#ifndef PASTED_PLAN_DISTRACTOR_H
#define PASTED_PLAN_DISTRACTOR_H

#include <stdbool.h>

#include "server/plan/feedback.h"
#include "server/plan/plan.h"

/* Whether `plan` (of plan_make, with the same recipe and catalog) has one, and
 * then the plan by which it is pasted: the same context with its operations,
 * the other object, nothing of the image's. feedback: of as many classes as
 * the catalog, or NULL, which is uniform over the other classes. */
bool distractor_make(const struct recipe *recipe, const struct catalog *catalog,
                     const struct feedback *feedback, const struct plan *plan,
                     struct plan *out);

#endif
