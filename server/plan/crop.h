/* Which part of the background fills the frame. Knows its size, no pixels. */
#ifndef PASTED_PLAN_CROP_H
#define PASTED_PLAN_CROP_H

#include "server/plan/draws.h"
#include "server/plan/plan.h"

/* Draws the crop and writes crop_level, crop_u/v/du/dv or turn, and what is
 * told of it. */
void crop_to_plan(const struct draws *d, const struct recipe *recipe,
                  const struct pool_background *background, struct plan *out);

#endif
