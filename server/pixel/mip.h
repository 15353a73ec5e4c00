/* The kernels that make a pool's pixels out of decoded ones: premultiplying,
 * halving, alpha boxes, coverage. They decide bytes, so each one is an equation
 * in integers. Knows no pool; allocates nothing. Threads: pure functions. */
#ifndef PASTED_PIXEL_MIP_H
#define PASTED_PIXEL_MIP_H

#include <stddef.h>
#include <stdint.h>

#include "server/pixel/image.h"

#define MIP_COVERAGE_CELLS 16

/* The side of the next level: ceil(n / 2). */
int32_t mip_half(int32_t n);
/* Levels of a width x height image down to and with 1 x 1; <= IMAGE_MAX_LEVELS
 * for sides up to IMAGE_MAX_SIDE. */
uint32_t mip_n_levels(int32_t width, int32_t height);

/* In place on [height][width][4] u8: c' = (c * a + 127) / 255 for R, G, B. */
void mip_premultiply(uint8_t *rgba, int32_t width, int32_t height,
                     ptrdiff_t stride_bytes);
/* In place on [height][width][4] u8 to [height][width][3] u8, packed: the
 * image over black, c' = (c * a + 127) / 255. Rows are tight before and
 * after. */
void mip_flatten_on_black(uint8_t *rgba, int32_t width, int32_t height);

/* out is [mip_half(h)][mip_half(w)][4 or 3] u8. Each value is the 2 x 2 box
 * (p00 + p01 + p10 + p11 + 2) >> 2; beyond an odd edge the last column or row
 * is repeated. out may not overlap in. */
void mip_halve_rgba(const struct image_level *in, uint8_t *out,
                    ptrdiff_t out_stride_bytes);
void mip_halve_rgb(const struct image_level *in, uint8_t *out,
                   ptrdiff_t out_stride_bytes);

/* The tight box of alpha > 0 of an RGBA8 level; x0 = y0 = x1 = y1 = 0 when
 * nothing is visible. */
struct image_box mip_alpha_box(const struct image_level *rgba);

/* Of alpha > 0 in an RGBA8 level; of one that is wholly transparent only
 * `left`, its width. */
struct image_trim mip_trim(const struct image_level *rgba);

/* Mean alpha of each cell of a 16 x 16 grid over a non-empty box of an RGBA8
 * level: (sum + n / 2) / n. Cell i of a side of length w covers
 * [x0 + i * w / 16, x0 + (i + 1) * w / 16) in integer division; where that is
 * empty (w < 16), the one pixel x0 + i * w / 16. */
void mip_coverage(const struct image_level *rgba, const struct image_box *box,
                  uint8_t out[MIP_COVERAGE_CELLS][MIP_COVERAGE_CELLS]);

#endif
