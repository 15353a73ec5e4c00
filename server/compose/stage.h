/* The two parts of a sample made whole before they meet, where a plan has
 * operations for them: those read the frame, not blocks of it. Computes no
 * pixel. Source: NUMERICS.md, "Operations on the object and its context". */
#ifndef PASTED_COMPOSE_STAGE_H
#define PASTED_COMPOSE_STAGE_H

#include "server/compose/render.h"

/* 0 for a recipe without operations on either part. */
size_t stage_scratch_bytes(const struct recipe *recipe);

/* After render_init, before the first row: sets staged_context, staged_object
 * or neither. scratch: 64-byte aligned, stage_scratch_bytes of the plan's
 * recipe, of this render until its last row. */
void stage_run(struct render *r, uint8_t *scratch);

#endif
