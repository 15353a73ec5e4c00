/* Where along an output row a perspective or elastic map reads an object.
 * Reads no pixel: what it computes goes to the kernel warp_row. Exact: integers
 * and IEEE double in a written order. Source: NUMERICS.md "The object". */
#ifndef PASTED_PIXEL_WARP_H
#define PASTED_PIXEL_WARP_H

#include "server/pixel/image.h"
#include "server/pixel/span.h"

#define WARP_MAX_POINTS 5 /* of the elastic grid, a side */
/* What base coordinates are held within: beyond every level by more than any
 * displacement reaches. */
#define WARP_MIN_COORDINATE (-(1 << 29))
#define WARP_MAX_COORDINATE (3 << 29)
#define WARP_MAX_DISPLACE   (1 << 28)

/* Output pixel (x, y) reads u = floor(U / W), v = floor(V / W), 16.16, where
 * (U, V, W) = m (x, y, 1) row by row; nothing where W <= 0. */
struct pixel_warp {
    int64_t m[9]; /* magnitudes <= 2^60 */
    /* The frame's pixels (of either sign) beyond which nothing is read. */
    struct image_box box;
    /* Pixels (x, y) with clip[i][0] * x + clip[i][1] * y + clip[i][2] < 0 for
     * some i < n_clips read nothing either. Magnitudes < 2^48. */
    uint32_t n_clips;
    int64_t clip[4][3];
    /* Elastic: displacements of n_points x n_points control points that lie
     * evenly over [first, first + span] of u and of v; 0 for none. */
    uint32_t n_points;
    int32_t first[2], span[2]; /* 16.16, span >= 1 */
    int64_t per_span[2];       /* ((n_points - 1) << 36) / span */
    int32_t displace[2][WARP_MAX_POINTS][WARP_MAX_POINTS]; /* [axis][row][] */
};

/* The displacement of axis 0 (u) or 1 (v) at base coordinates. */
int32_t warp_displacement(const struct pixel_warp *w, int axis, int32_t u,
                          int32_t v);

/* The columns of frame row y, of `within`, that may read something. */
struct pixel_span warp_span(const struct pixel_warp *w, int32_t y,
                            struct pixel_span within);

/* Coordinates of pixels x .. x + n - 1 of frame row y. */
void warp_coordinates(const struct pixel_warp *w, int32_t x, int32_t y,
                      int32_t n, int32_t *out_u, int32_t *out_v);

#endif
