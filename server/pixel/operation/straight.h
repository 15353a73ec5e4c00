/* Between premultiplied RGBA and the straight RGB that operations work on.
 * Runs none. Threads: pure. Source: NUMERICS.md, "Operations on the object and
 * its context". */
#ifndef PASTED_PIXEL_OPERATION_STRAIGHT_H
#define PASTED_PIXEL_OPERATION_STRAIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* n pixels, n <= FRAME_MAX_SIDE^2: the colour where alpha is above 0, the mean
 * colour, weighted by alpha, elsewhere. False, and nothing written, where all
 * are transparent. */
bool straight_from(const uint8_t *rgba, size_t n, uint8_t *rgb);
/* rgb times the alpha of rgba, which stays. What straight_from wrote gives the
 * same rgba again. */
void straight_into(const uint8_t *rgb, size_t n, uint8_t *rgba);

#endif
