/* The table for AVX-512 with VBMI and VNNI. Holds no kernel of its own but
 * those in plain C. */
#include "server/pixel/x86_v4.h"

#include "server/pixel/reference.h"
#include "server/pixel/rows.h"
#include "server/pixel/x86_v3.h"

const struct pixel_kernels pixel_kernels_x86_v4 = {
    .name = "x86-64-v4",
    ROWS_IN_PLAIN_C,
    .resample_prepare = v4_resample_prepare,
    .resample_rows = v4_resample_rows,
    .object_lines = v4_object_lines,
    .photo_row = v3_photo_row, /* loads bound it */
    .warp_row = v4_warp_row,
    .over_row = v4_over_row,
    .colour_row = v4_colour_row,
    .colour_stream = v4_colour_stream,
    .stream_bytes = v4_stream_bytes,
    .stream_end = v4_stream_end,
    .planes_f32 = v4_planes_f32,
};
