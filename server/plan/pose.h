/* Where and how the object lies in the frame: the geometry of one paste.
 * Knows sizes and coverage of an object, no pixels. */
#ifndef PASTED_PLAN_POSE_H
#define PASTED_PLAN_POSE_H

#include "server/plan/draws.h"
#include "server/plan/plan.h"

/* Level-0 coordinates have pixel i cover [i, i + 1); so have frame ones, with
 * y down. For a point p of the object, `pivot` the centre of its alpha box and
 * `place` the frame point it goes to:
 *
 *   q = place + R X Y F T k (p - pivot)
 *
 *   k  px per texel: scale * min(height, width) / longest side of the box
 *   T  diag(sqrt(stretch), 1 / sqrt(stretch))
 *   F  diag(-1, 1) when flipped
 *   Y  [1 0; tan(shear_y) 1]
 *   X  [1 tan(shear); 0 1]
 *   R  [cos sin; -sin cos] of rotate: counter-clockwise as seen, y down */
struct pose {
    /* Beyond the affine map (warp.h): insets of the box's corners in half
     * sides, displacements of the elastic grid in px. */
    bool is_warped;
    double perspective, inset[4][2];
    bool is_of_frame; /* PERSPECTIVE_OF_FRAME: insets of the frame's corners */
    double elastic_px;
    uint32_t n_points;
    double elastic[2][WARP_MAX_POINTS][WARP_MAX_POINTS];
    double outward[9];      /* level 0 -> frame, projective; is_warped only */
    struct pixel_warp warp; /* is_warped only */
    uint32_t level;         /* is_warped only */
    double scale, rotate_deg, shear_deg, x, y; /* as drawn */
    double shear_y_deg, stretch;
    double stroke_px; /* 0: the object as it is */
    int32_t reach;    /* texels that what is sampled begins before it */
    bool flip;
    double pivot_x, pivot_y; /* level 0 */
    double place_x, place_y; /* frame, px */
    double forward[4];       /* R X Y F T k, row by row */
    double inverse[4];
    double step; /* texels of level 0 a px, along both axes on average */
    uint32_t visible_q16;
};

/* What differs between the object and the distractor. */
struct pose_ranges {
    const struct value *scale, *x, *y;
};

/* The level where a step of one output pixel is in [0.7, 1.4) texels:
 * sharp enough, and little enough aliasing: half an octave each way about
 * 1. */
#define POSE_MAX_STEP 1.4

/* Draws poses until one shows min_visible of the object, at most
 * PLAN_POSE_ATTEMPTS; then the one that shows most. Returns the attempts. */
uint32_t pose_find(const struct draws *d, const struct recipe *recipe,
                   const struct pose_ranges *ranges,
                   const struct pool_object *object, struct pose *out);

/* From a sample's pose to that of one of its candidates: moved and turned by
 * what is drawn, again while it would show less than min_visible, as above. */
uint32_t pose_move(const struct draws *d, const struct recipe *recipe,
                   const struct pool_object *object, uint32_t candidate,
                   struct pose *p);

/* Writes object_level, m, visible_q16 and what is told of the pose. */
void pose_to_plan(const struct pose *pose, const struct pool_object *object,
                  struct plan *out);

#endif
