/* One sample, a few rows at a time: context, object, over, colour. Knows no
 * batch and draws nothing at random. Threads: one render belongs to one
 * worker. */
#ifndef PASTED_COMPOSE_RENDER_H
#define PASTED_COMPOSE_RENDER_H

#include "server/compose/ahead.h"
#include "server/compose/compose.h"
#include "server/compose/feather.h"
#include "server/compose/layers.h"
#include "server/compose/object.h"
#include "server/pixel/kernels.h"

struct render {
    const struct pixel_kernels *kernels;
    const struct plan *plan;
    const struct image_level *context; /* CONTEXT_BACKGROUND only */
    struct image_box crop;             /* texels of it that are read */
    struct pixel_resample resample;
    const struct image_level *object_level;
    struct object_walk object; /* but where feather_is_asked */
    struct feather feather;    /* feather_is_asked only */
    struct ahead ahead;
    uint8_t *stage;       /* RGB24: background rows, lerped vertically */
    uint8_t *block;       /* RGB24: rows before their colour */
    uint8_t *photo;       /* RGB24: a background's rows before its own */
    uint8_t *object_rows; /* RGBA, of a block, touched pixels only */
    uint8_t *two_thirds;  /* of 255, a row of them: not of BLEND_OVER */
    uint8_t *feather_scratch;
    /* RGBA, the highest of each column, of even and of odd rows: a row's loads
     * need not wait for the stores of the row before. */
    uint8_t *peak[2];
    /* Rows with alpha >= 128 and with alpha > 0, half-open. */
    int32_t solid_y[2], any_y[2];
    /* Set after render_init: what is written will not be read soon. */
    bool is_streamed;
    struct layers layers; /* likewise: where else rows are wanted */
    /* Likewise, by match.h: what the object's colour is matched by, Q12. */
    bool has_match;
    int32_t match[3][4];
    /* By stage.h: whole frames; NULL: rows are made when due. The context also
     * where the plan's is CONTEXT_GIVEN. */
    const uint8_t *staged_context; /* [h][w][3] */
    uint8_t *staged_object;        /* [h][w][4], premultiplied */
};

/* Rows are rendered in blocks: short rows cost more one by one, long blocks
 * leave the first cache and ask for too many of the next sample's lines at
 * once. (448 to 1024 px are alike at 32 px; at 224 px the longest loses 8 %.)
 */
#define RENDER_BLOCK_PX   512
#define RENDER_BLOCK_ROWS 64
int32_t render_block_rows(int32_t width); /* >= 1 */

/* given: [h][w][3] u8 of a plan whose context is CONTEXT_GIVEN, read until the
 * last row; else NULL. scratch: 64-byte aligned, compose_scratch_bytes of the
 * plan's frame. next: the plan of the sample after this one, or NULL; need not
 * outlive the call. */
void render_init(struct render *r, const struct catalog *catalog,
                 const struct plan *plan, const uint8_t *given,
                 const struct plan *next, void *scratch);
/* n_rows <= render_block_rows rows from y on, in order from y = 0; writes
 * width * 3 bytes of each. */
void render_rows(struct render *r, int32_t y, int32_t n_rows, uint8_t *rgb,
                 ptrdiff_t stride_bytes);
/* All rows, block by block. */
void render_whole(struct render *r, uint8_t *rgb, ptrdiff_t stride_bytes);
/* Parts of the above, for stage.h: the context's rows, of any y; the object's
 * with edge and colour, in order from y = 0, the pixels of the spans side by
 * side in object_rows (returns how many). */
void render_context_rows(const struct render *r, int32_t y, int32_t n_rows,
                         uint8_t *rgb, ptrdiff_t stride_bytes);
int32_t render_object_rows(struct render *r, int32_t y, int32_t n_rows,
                           struct pixel_span *span);
/* The same for match.h, staged or not: what is pasted on, and what is pasted
 * before its match and its blend. */
void render_put_context(const struct render *r, int32_t y, int32_t n_rows,
                        uint8_t *rgb, ptrdiff_t stride_bytes);
uint8_t *render_take_object(struct render *r, int32_t y, int32_t n_rows,
                            struct pixel_span *span, int32_t *out_n_px);
/* The object's rows begin anew. */
void render_rewind(struct render *r);
/* After the last row. */
struct compose_facts render_facts(const struct render *r);

#endif
