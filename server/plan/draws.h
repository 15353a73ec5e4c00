/* The random draws of one sample. Every decision reads its own Philox block,
 * so that no decision shifts another, whether it is drawn or constant.
 *
 *   purpose                   draw           decision
 *   PHILOX_BACKGROUND_CROP    0              scale of the crop
 *                             1, 2           its x, its y
 *                             3              its aspect
 *                             4              its rotation
 *                             5, 6, 7        colour of what lies beyond
 *   PHILOX_BACKGROUND_FLIP    0              mirror image?
 *   PHILOX_OBJECT_POSE        16 k + 0       attempt k: scale
 *                             16 k + 1       rotate
 *                             16 k + 2       shear
 *                             16 k + 3, 4    translate x, y
 *                             16 k + 5, 6    stretch, shear_y
 *                             16 k + 7       perspective
 *                             16 k + 8 ..    insets x, y of the four corners,
 *                                            clockwise from the upper left
 *   PHILOX_OBJECT_ELASTIC     64 k + 63      attempt k: deviation
 *                             64 k + 2 i     x of control point i (by rows)
 *                             64 k + 2 i + 1 its y
 *   PHILOX_OBJECT_FLIP        0              mirror image? (every attempt)
 *   PHILOX_OBJECT_EDGE        0              which of a choice of edges
 *                             1              sigma of the feather
 *   PHILOX_OBJECT_MOTION      0, 1           length, angle of edge motion
 *   PHILOX_OBJECT_MATCH       0              strength of the colour match
 *   PHILOX_OBJECT_STROKE      0              px of the stroke (every attempt)
 *   PHILOX_IMAGE_COLOUR       0, 1, 2, 3     brightness, contrast, saturation,
 *                                            hue
 *   PHILOX_OBJECT_COLOUR      the same four
 *   PHILOX_BACKGROUND_COLOUR  the same four
 *   PHILOX_CONTEXT_KIND       0              which of plan.h's list
 *   PHILOX_CONTEXT_NOISE      0              key of the noise (first 64 bits)
 *   PHILOX_CONTEXT_COLOUR     0, 1, 2        red, green, blue
 *   PHILOX_CONTEXT_GRADIENT   0 .. 5, 6      two colours, angle
 *   PHILOX_CONTEXT_TEXTURE    0 .. 5, 6, 7   two colours, scale, angle
 *                             8, 9, 10       kind, place, key
 *   PHILOX_OBJECT_CANDIDATE   16 k + 0       attempt k: rotate beyond the pose
 *                             16 k + 1, 2    x, y beyond it
 *   PHILOX_OPERATION_CHANCE   0              entry `slot` of the list: at all?
 *   PHILOX_OPERATION_CHOICE   0              entry `slot`: which alternative
 *   PHILOX_OPERATION_VALUE    0, 1, ...      operation `slot`: its values
 *   PHILOX_OPERATION_KEY      0              operation `slot`: its key
 *   PHILOX_OPERATION_ORDER    n - 1 .. 1     random order of n entries: swap
 *                                            with which of the first draw + 1
 *   PHILOX_CHAIN_RESET        0              begins a chain?
 *   PHILOX_CHAIN_OFFSET       0              of a slot of the chain, in the
 *                                            place of the position
 *   PHILOX_DISTRACTOR         0, 1, 2        at all? its class, its object
 *
 * The distractor's own draws (all PHILOX_OBJECT_ above and the last row) have
 * slot 1. Of operations the slot is an index, alternatives counted one by one,
 * from DRAWS_SLOT_* of its list on (of an order that alone); else the slot is
 * 0. The candidate is 0 but for PHILOX_OBJECT_CANDIDATE. Of a block, words 0
 * and 1 (low half first) are the first 64 bits, words 2 and 3 the second; only
 * `normal` reads the second. This table is part of the byte contract: append,
 * never reassign. */
#ifndef PASTED_PLAN_DRAWS_H
#define PASTED_PLAN_DRAWS_H

#include <stdbool.h>
#include <stdint.h>

#include "server/base/philox.h"
#include "server/recipe/recipe.h"

#define DRAWS_PER_POSE_ATTEMPT 16

#define DRAWS_SLOT_IMAGE      0u
#define DRAWS_SLOT_BACKGROUND 64u
#define DRAWS_SLOT_OBJECT     128u
/* The second object: of all its decisions, and of its list of operations. */
#define DRAWS_SLOT_DISTRACTOR            1u
#define DRAWS_SLOT_DISTRACTOR_OPERATIONS 192u

struct draws {
    uint64_t seed, position;
    uint32_t slot;      /* 0 but for operations and the distractor */
    uint32_t candidate; /* 0 but for the pose of one */
};

uint64_t draws_bits(const struct draws *d, enum philox_purpose purpose,
                    uint32_t draw);
/* [0, 1) */
double draws_unit(const struct draws *d, enum philox_purpose purpose,
                  uint32_t draw);
/* True with this probability at the position: 0 never, 1 always. */
bool draws_chance(const struct draws *d, enum philox_purpose purpose,
                  uint32_t draw, const struct value *probability);
/* Within v->min .. v->max. A value that moves is drawn, from the same block,
 * as it is at the position. */
double draws_value(const struct draws *d, enum philox_purpose purpose,
                   uint32_t draw, const struct value *v);

#endif
