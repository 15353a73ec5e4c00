/* A rendered sample into a batch's image tensor: operations, normalisation,
 * channels, dtype, layout. Plans nothing and renders nothing but through
 * render.h. Threads: scratch belongs to one worker. */
#ifndef PASTED_COMPOSE_OUTPUT_H
#define PASTED_COMPOSE_OUTPUT_H

#include "server/compose/render.h"

/* Scratch of output_image beside the render's; a multiple of 64. */
size_t output_scratch_bytes(const struct recipe *recipe);
/* Renders all rows and writes l->sample_bytes to image: block by block while a
 * block is in the cache, or, where something reads the whole frame, frame by
 * frame. render->is_streamed is a wish. */
void output_image(const struct batch_layout *l, struct render *render,
                  uint8_t *scratch, uint8_t *image);

/* Renders all rows to rgb, [h][w][3], and runs the plan's image operations on
 * them: the image as u8 RGB, or the composite where the plan has neither colour
 * nor operations. */
void output_frame(struct render *render, uint8_t *scratch, uint8_t *rgb);

#endif
