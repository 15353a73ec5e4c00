/* Alpha for objects that bring none: the corner flood, and mask files.
 * Decodes nothing. Threads: any, one at a time per raster.
 *
 * matte_corners, for pictures of an object on a white surround, W = white:
 *
 * 1. Background is every pixel with R + G + B > 382 (1.5 * 255, as in Jin and
 *    Rinard's make_mask) that is 4-connected, through such pixels, to one of
 *    the four corners. Its alpha becomes 0, the object's 255.
 * 2. Along the cut-out's edge the surround shines through: a pixel C there is
 *    a F + (1 - a) W, with F the object's own colour. Kept opaque it would be
 *    a white halo on a dark background. F is the darkest object pixel (least
 *    R + G + B, the first in reading order) within 2 columns and rows of C.
 *    With d(X) = 765 - (R + G + B) of X, the distance from white:
 *        a = (255 * d(C) + d(F) / 2) / d(F)              at most 255
 * 3. An object pixel with R + G + B <= 382 and background among its 8
 *    neighbours takes this a (128 at least, as d(C) >= 383 there) and the
 *    colour that C must have had before it was mixed:
 *        c' = max(0, 255 - ((255 - c) * 255 + a / 2) / a)   for R, G, B
 *    A lighter one lies behind a thin diagonal line and stays as it is.
 * 4. A background pixel with an object pixel among its 8 neighbours takes
 *    this a and the colour F when a >= 64, and so continues the edge
 *    outwards, smooth instead of stepped. Below 64 are the surround's own
 *    shades and the noise of JPEG: they stay transparent.
 *
 * Steps 2 to 4 read the picture as it was decoded; divisions truncate. */
#ifndef PASTED_POOL_MATTE_H
#define PASTED_POOL_MATTE_H

#include <stdbool.h>

#include "common/error.h"
#include "server/pool/raster.h"

#define MATTE_WHITE_SUM  382 /* brighter than this is surround */
#define MATTE_REACH_PX   2
#define MATTE_LEAST_HALO 64 /* alpha */

/* Sets the alpha of an RGBA raster (what it had is ignored) and un-mixes the
 * colours along the edge. -ERROR_NO_MEMORY leaves the raster as it was. */
int matte_corners(struct pool_raster *rgba, struct fault *fault);

/* Multiplies the alpha of an RGBA raster with a mask of the same size (RGB,
 * white = object; black = object when inverted): a' = (a * m + 127) / 255,
 * m = (R + G + B + 1) / 3. -ERROR_BAD_FILE when the sizes differ. */
int matte_mask(struct pool_raster *rgba, const struct pool_raster *mask,
               bool inverted, struct fault *fault);

#endif
