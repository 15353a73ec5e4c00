/* The one conversion stage: rows of RGB bytes into the dtype and layout that a
 * trainer asked for. Computes no pixel. */
#ifndef PASTED_PIXEL_CONVERT_H
#define PASTED_PIXEL_CONVERT_H

#include <stddef.h>
#include <stdint.h>

/* Every value that an f32 image can hold: [channel][byte]. */
struct convert_table {
    float value[3][256];
};

/* value = float((v / 255 - mean) / std) in IEEE double, std > 0. */
void convert_table_init(struct convert_table *out, const float mean[3],
                        const float std[3]);

/* One image, [height][width][3] or [3][height][width], densely packed. */
struct convert_target {
    uint8_t dtype;  /* TENSOR_U8 | TENSOR_F32 */
    uint8_t layout; /* enum tensor_layout */
    int32_t width, height;
    const struct convert_table *table; /* TENSOR_F32 only */
    void *image;                       /* aligned for its dtype */
};

/* Writes row y from width RGB24 pixels. */
void convert_row(const struct convert_target *target, int32_t y,
                 const uint8_t *rgb);

#endif
