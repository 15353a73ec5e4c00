/* The table for AVX2. Holds no kernel itself. */
#include "server/pixel/x86_v3.h"

#include "server/pixel/reference.h"

const struct pixel_kernels pixel_kernels_x86_v3 = {
    .name = "x86-64-v3",
    .resample_prepare = v3_resample_prepare,
    .resample_rows = v3_resample_rows,
    .noise_row = reference_noise_row,
    .normal_row = reference_normal_row,
    .gradient_row = reference_gradient_row,
    .texture_row = reference_texture_row,
    .solid_row = reference_solid_row,
    .object_lines = v3_object_lines,
    .photo_row = reference_photo_row,
    .warp_row = reference_warp_row,
    .harden_row = reference_harden_row,
    .alpha_row = reference_alpha_row,
    .blur_columns = reference_blur_columns,
    .blur_row = reference_blur_row,
    .erode_row = reference_erode_row,
    .fade_row = reference_fade_row,
    .over_row = v3_over_row,
    .third_row = reference_third_row,
    .add_row = reference_add_row,
    .grey_row = reference_grey_row,
    .colour_row = v3_colour_row,
    .colour_stream = v3_colour_stream,
    .stream_end = v3_stream_end,
    .tint_row = reference_tint_row,
    .planes_u8 = reference_planes_u8,
    .row_f32 = reference_row_f32,
    .planes_f32 = reference_planes_f32,
};
