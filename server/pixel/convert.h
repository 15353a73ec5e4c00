/* The one conversion stage: rows of RGB bytes into the channels, dtype and
 * layout that a trainer asked for. Computes no pixel and no statistic. */
#ifndef PASTED_PIXEL_CONVERT_H
#define PASTED_PIXEL_CONVERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Every value that a float image can hold: [channel][byte], channels in the
 * image's order; of grey only the first. */
struct convert_table {
    union {
        float f32[3][256];
        uint16_t half[3][256]; /* f16 or bf16 */
    };
};

/* What an image is made into. */
struct convert_format {
    uint8_t dtype;    /* TENSOR_U8, F16, BF16 or F32 */
    uint8_t layout;   /* enum tensor_layout */
    uint8_t channels; /* enum tensor_channels */
};

/* Whether all three are known ones that an image may have. */
bool convert_possible(const struct convert_format *format);
/* u8, NHWC, RGB: as the kernels make it. */
bool convert_is_plain(const struct convert_format *format);

/* value = float((v / 255 - mean) / std) in IEEE double, std > 0; rounded from
 * there to nearest even for f16 and bf16. mean and std are of R, G, B whatever
 * the order of channels; grey takes the first. Does nothing for u8. */
void convert_table_init(struct convert_table *out,
                        const struct convert_format *format,
                        const float mean[3], const float std[3]);

/* To nearest, ties to even, infinite above the largest finite f16; not for
 * NaN. */
uint16_t convert_f16(float value);
uint16_t convert_bf16(float value);

/* In place: n RGB24 pixels in the order of channels; for grey the first n
 * bytes are the luma. */
void convert_channels(uint8_t channels, uint8_t *rgb, int32_t n);

/* One image, [height][width][c] or [c][height][width], densely packed. */
struct convert_target {
    struct convert_format format;
    int32_t width, height;
    const struct convert_table *table; /* but for TENSOR_U8 */
    void *image;                       /* aligned for its dtype */
};

/* Writes row y from a row that convert_channels has ordered. */
void convert_row(const struct convert_target *target, int32_t y,
                 const uint8_t *row);

#endif
