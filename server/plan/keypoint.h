/* Where a point of the object is seen in the frame. Reads no pixel. Exact: IEEE
 * double in a written order. Source: NUMERICS.md "Labels from pixels". */
#ifndef PASTED_PLAN_KEYPOINT_H
#define PASTED_PLAN_KEYPOINT_H

#include <stdbool.h>

#include "server/plan/plan.h"

/* The frame point (px, pixel i covers [i, i + 1), held within 2^20 of it) where
 * the plan's map reads that point of its object. False, and (0, 0), where none
 * does: beyond the horizon of a perspective. */
bool keypoint_seen(const struct plan *plan, const struct pool_keypoint *point,
                   float out[2]);

#endif
