/* Brightness, contrast, saturation and hue as one matrix. Knows no pixels. */
#ifndef PASTED_PLAN_COLOUR_H
#define PASTED_PLAN_COLOUR_H

#include "server/plan/draws.h"
#include "server/plan/plan.h"

/* The 3 x 4 matrix in Q12 of, in this order: every channel times brightness;
 * (v - 128) * contrast + 128; luma + (v - luma) * saturation with luma .299,
 * .587, .114; rotation of (I, Q) by hue turns, red towards yellow. Clamping
 * happens once, after the matrix. Coefficients beyond 16 bits (|c| >= 8) are
 * held at +-32767. */
void colour_matrix(double brightness, double contrast, double saturation,
                   double hue, int32_t out[3][4]);

/* Draws four for the image, the background and the object, and writes their
 * matrices, whether they change anything, and what is told of them. */
void colour_to_plan(const struct draws *d, const struct recipe *recipe,
                    struct plan *out);
/* The object's alone. */
void object_colour_to_plan(const struct draws *d, const struct recipe *recipe,
                           struct plan *out);

#endif
