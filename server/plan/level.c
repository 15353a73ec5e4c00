/* The choice of mip levels. Knows steps, no images. */
#include "server/plan/level.h"

double level_scale(uint32_t level)
{
    return 1.0 / (double)(UINT64_C(1) << level);
}

uint32_t level_choose(double step, double max_step, uint32_t n_levels)
{
    uint32_t level = 0;
    while (level + 1 < n_levels && step * level_scale(level) >= max_step) {
        level++;
    }
    return level;
}
