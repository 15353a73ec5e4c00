/* A whole sample by brute force: pixel by pixel from NUMERICS.md through the
 * slow oracle, no spans, no rings. Test code only. */
#ifndef PASTED_TESTS_UNIT_BRUTE_H
#define PASTED_TESTS_UNIT_BRUTE_H

#include "server/compose/compose.h"

/* [height][width][3] u8, densely packed, and the box. */
void brute_sample(const struct catalog *catalog, const struct plan *plan,
                  uint8_t *rgb, struct image_box *out_box);

#endif
