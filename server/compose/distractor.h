/* The context of a sample with a second object on it, made whole before the
 * sample is rendered. Draws nothing itself (plan/distractor.h) and computes no
 * pixel. Source: NUMERICS.md "The distractor". */
#ifndef PASTED_COMPOSE_DISTRACTOR_H
#define PASTED_COMPOSE_DISTRACTOR_H

#include "server/compose/compose.h"

/* 0 for a recipe without distractors. */
size_t distractor_scratch_bytes(const struct recipe *recipe);

/* Of a plan's context, or of the given pixels where it has none (NULL: it has
 * one). own: compose_scratch_bytes and stage_scratch_bytes, free again
 * afterwards; frame: distractor_scratch_bytes, both 64-byte aligned. Returns
 * the frame, [h][w][3] u8, with the class of its object, or `given` and -1
 * where the sample has none. */
const uint8_t *distractor_paste(const struct batch_composer *c,
                                const struct plan *plan, const uint8_t *given,
                                uint8_t *own, uint8_t *frame,
                                int32_t *out_class);

#endif
