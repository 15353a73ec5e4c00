/* Which mip level to read, and how its coordinates relate to level 0.
 *
 * Level l + 1 is level l halved, sides rounded up (pixel/NUMERICS.md), so that
 * texel i of level l always covers [i, i + 1) * 2^l of level 0: a level-0
 * coordinate c is u = c / 2^l - 0.5 there, with texel centres at integers. */
#ifndef PASTED_PLAN_LEVEL_H
#define PASTED_PLAN_LEVEL_H

#include <stdint.h>

/* 2^-level, exact. */
double level_scale(uint32_t level);

/* The lowest level whose step (level-0 texels per output pixel / 2^level) is
 * below max_step, but never beyond n_levels - 1. The step is then at least
 * max_step / 2, unless level 0 is already finer. n_levels >= 1. */
uint32_t level_choose(double step, double max_step, uint32_t n_levels);

#endif
