/* The table for AVX2. Holds no kernel of its own but those in plain C. */
#include "server/pixel/x86_v3.h"

#include "server/pixel/reference.h"
#include "server/pixel/rows.h"

const struct pixel_kernels pixel_kernels_x86_v3 = {
    .name = "x86-64-v3",
    ROWS_IN_PLAIN_C,
    .resample_prepare = v3_resample_prepare,
    .resample_rows = v3_resample_rows,
    .object_lines = v3_object_lines,
    .photo_row = v3_photo_row,
    .warp_row = v3_warp_row,
    .over_row = v3_over_row,
    .colour_row = v3_colour_row,
    .colour_stream = v3_colour_stream,
    .stream_bytes = v3_stream_bytes,
    .planes_f32 = reference_planes_f32,
    .stream_end = v3_stream_end,
};
