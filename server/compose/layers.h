/* What a sample is put together from, as tensors of a batch: the object's
 * plane, its mask, and the context under it. Computes no pixel. Threads: each
 * sample has its own. */
#ifndef PASTED_COMPOSE_LAYERS_H
#define PASTED_COMPOSE_LAYERS_H

#include <stddef.h>
#include <stdint.h>

#include "server/compose/keypoints.h"
#include "server/pixel/span.h"

/* Of one sample, dense; NULL for what the batch has not. */
struct layers {
    uint8_t *mask;    /* [h][w], the plane's alpha */
    uint8_t *plane;   /* [h][w][4], premultiplied */
    uint8_t *context; /* [h][w][3] */
    /* [h][w][3], for who pastes on it next: the sample before its image colour
     * and operations, or (output.h) after them. */
    uint8_t *composite, *finished;
    struct keypoints keypoints;
};

/* n_rows rows from y on; rgb rows stride_bytes apart. */
void layers_put_context(const struct layers *l, int32_t width, int32_t y,
                        int32_t n_rows, const uint8_t *rgb,
                        ptrdiff_t stride_bytes);
/* The same once the object is pasted. */
void layers_put_composite(const struct layers *l, int32_t width, int32_t y,
                          int32_t n_rows, const uint8_t *rgb,
                          ptrdiff_t stride_bytes);
/* The same once the image is finished; rgb dense. */
void layers_put_finished(const struct layers *l, int32_t width, int32_t y,
                         int32_t n_rows, const uint8_t *rgb);
/* rgba: the pixels of the spans (begin < end, or empty) side by side; all
 * others are transparent. span NULL: all are. */
void layers_put_object(const struct layers *l, int32_t width, int32_t y,
                       int32_t n_rows, const struct pixel_span *span,
                       const uint8_t *rgba);

#endif
