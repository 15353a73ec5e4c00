/* Operations on a finished frame: colour and degradation, in place. Knows no
 * recipe: parameters are the plan's integers. The equations are in NUMERICS.md,
 * "Operations"; what each is called and takes, in server/recipe/operation.h.
 * Threads: pure; each caller brings its own scratch. */
#ifndef PASTED_PIXEL_OPERATION_OPERATION_H
#define PASTED_PIXEL_OPERATION_OPERATION_H

#include <stddef.h>
#include <stdint.h>

/* The order is that of the recipe's table; no byte depends on it. */
enum operation_id {
    OPERATION_BOX_BLUR,
    OPERATION_GAUSSIAN_BLUR,
    OPERATION_GAUSSIAN_NOISE,
    OPERATION_EXPOSURE,
    OPERATION_GAMMA,
    OPERATION_CHANNEL_GAIN,
    OPERATION_GREYSCALE,
    OPERATION_INVERT,
    OPERATION_POSTERIZE,
    OPERATION_SOLARIZE,
    OPERATION_AUTOCONTRAST,
    OPERATION_EQUALIZE,
    OPERATION_UNIFORM_NOISE,
    OPERATION_SALT_PEPPER,
    OPERATION_SHARPEN,
    OPERATION_CHANNEL_SHUFFLE,
    OPERATION_WHITE_BALANCE,
    OPERATION_SHOT_NOISE,
    OPERATION_MOTION_BLUR,
    OPERATION_DOWNSCALE,
    OPERATION_COARSE_DROPOUT,
    OPERATION_JPEG,
    OPERATION_LIGHT,
    OPERATION_DEFOCUS,
    OPERATION_BRIGHTNESS,
    OPERATION_CONTRAST,
    OPERATION_SATURATION,
    OPERATION_HUE,
    OPERATION_JITTER,
    OPERATION_THRESHOLD,
    OPERATION_OFFSET,
    OPERATION_N,
};

#define OPERATION_MAX_BOX        31 /* taps: 31 * 31 * 255 fits the reciprocal */
#define OPERATION_MAX_DEFOCUS    6  /* px: 113 pixels */
#define OPERATION_MAX_HOLES      8
#define OPERATION_MAX_RADIUS     16 /* of gaussian_blur */
#define OPERATION_MAX_PARAMETERS (OPERATION_MAX_RADIUS + 2)

/* [height][width][3] u8, dense. */
struct operation_frame {
    uint8_t *rgb;
    int32_t width, height; /* 1..FRAME_MAX_SIDE */
    uint8_t *scratch;      /* 64-byte aligned, operation_scratch_bytes */
    /* RGBA of the same pixels, or NULL: statistics are then taken where alpha
     * is at least 128. */
    const uint8_t *covered;
};

size_t operation_scratch_bytes(int32_t width, int32_t height);

/* p: the operation's own parameters as NUMERICS.md lists them, within the
 * limits of the recipe's table. */
void operation_apply(const struct operation_frame *f, enum operation_id id,
                     const int32_t p[OPERATION_MAX_PARAMETERS]);

#endif
