/* The kernels that stay plain C in every table, compiled once for each: loops
 * that compilers vectorise with what the instruction set has, the same bytes in
 * all. Include it only in the files of tables. */
#ifndef PASTED_PIXEL_ROWS_H
#define PASTED_PIXEL_ROWS_H

#include "server/pixel/rows_convert.h"
#include "server/pixel/rows_noise.h"
#include "server/pixel/rows_object.h"
#include "server/pixel/rows_texture.h"
#include "server/pixel/rows_thirds.h"

/* Members of struct pixel_kernels. */
#define ROWS_IN_PLAIN_C                                                        \
    .noise_row = noise_row, .normal_row = normal_row,                          \
    .gradient_row = gradient_row, .texture_row = texture_row,                  \
    .solid_row = solid_row, .harden_row = harden_row, .alpha_row = alpha_row,  \
    .blur_columns = blur_columns, .blur_row = blur_row,                        \
    .erode_row = erode_row, .fade_row = fade_row, .tint_row = tint_row,        \
    .planes_u8 = planes_u8, .row_f32 = row_f32, .third_row = third_row,        \
    .add_row = add_row, .grey_row = grey_row

#endif
