/* Perspective and elastic poses: what is drawn beyond the affine map, as the
 * warp that compose walks. Reads no pixels. */
#ifndef PASTED_PLAN_WARP_H
#define PASTED_PLAN_WARP_H

#include "server/plan/draws.h"
#include "server/plan/pose.h"

/* Draws perspective and elastic of an attempt into p; does recipe ask for
 * either? */
void warp_draw(const struct draws *d, const struct recipe *recipe,
               uint32_t attempt, struct pose *p);

/* After the affine part of p: is_warped, level_scaled, outward and warp. */
void warp_set(struct pose *p, const struct recipe *recipe,
              const struct pool_object *object);

/* Where a level-0 point of the object's alpha box is seen, frame px. */
void warp_forward(const struct pose *p, double x, double y, double out[2]);

#endif
