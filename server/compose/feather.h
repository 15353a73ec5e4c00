/* The edges of an object that read the rows around (feathered, eroded, in
 * motion), made through a ring of these. Pastes nothing. Threads: one feather
 * belongs to one worker. */
#ifndef PASTED_COMPOSE_FEATHER_H
#define PASTED_COMPOSE_FEATHER_H

#include "server/compose/object.h"

#define FEATHER_MAX_ROWS (2 * PLAN_MAX_EDGE_RADIUS + 1)

/* Rows y - radius .. y + radius of the object, in slots by y modulo their
 * number; columns -radius .. width + radius. */
struct feather {
    const struct pixel_kernels *kernels;
    const struct plan *plan;
    const struct image_level *level;
    struct object_walk object;
    int32_t radius, n_rows, columns;
    int32_t next_y; /* the next row to sample */
    struct pixel_span span[FEATHER_MAX_ROWS];
    uint8_t *rgba;  /* [n_rows][columns][4], and slack after each row */
    uint8_t *alpha; /* [n_rows][columns], 0 outside the span */
    uint8_t *sums;  /* [columns] after the vertical blur */
    uint8_t *factor;
    uint16_t *smear; /* [columns][4], EDGE_MOTION only */
};

/* Does the plan's edge need the rows around? */
static inline bool feather_is_asked(const struct plan *p)
{
    return p->edge == EDGE_FEATHER || p->edge == EDGE_ERODED ||
           p->edge == EDGE_MOTION;
}

/* Takes 64-byte aligned scratch of feather_scratch_bytes(width). */
size_t feather_scratch_bytes(int32_t width);
void feather_init(struct feather *f, const struct pixel_kernels *kernels,
                  const struct image_level *level, const struct plan *plan,
                  uint8_t *scratch);
/* Rows in order from y = 0. Writes the pixels of the span it returns (frame
 * columns), the first of them to rgba[0..3]. */
struct pixel_span feather_row(struct feather *f, int32_t y, uint8_t *rgba);

#endif
