/* Plans and a catalog that no recipe and no pool would make: any pose, any
 * crop, extreme pixels. What is drawn follows from *random alone. */
#ifndef PASTED_TESTS_UNIT_RANDOM_PLAN_H
#define PASTED_TESTS_UNIT_RANDOM_PLAN_H

#include <stdint.h>

#include "server/plan/plan.h"
#include "tests/unit/synthetic.h"

#define RANDOM_MAX_SIDE 48 /* of frames and images, px */

/* One object and one background of random or extreme pixels; synthetic_fini
 * ends it. */
void random_catalog(struct synthetic *s, uint64_t *random);
/* A plan of that catalog. */
void random_plan(struct plan *p, const struct synthetic *s, uint64_t *random);

#endif
