/* Every operation's function, for a file that names the instruction set. */
#ifndef PASTED_PIXEL_OPERATION_FUNCTIONS_H
#define PASTED_PIXEL_OPERATION_FUNCTIONS_H

#include "server/pixel/operation/blur.h"
#include "server/pixel/operation/histogram.h"
#include "server/pixel/operation/jitter.h"
#include "server/pixel/operation/jpeg.h"
#include "server/pixel/operation/mean.h"
#include "server/pixel/operation/noise.h"
#include "server/pixel/operation/place.h"
#include "server/pixel/operation/sharpen.h"
#include "server/pixel/operation/tone.h"

#define OPERATION_FUNCTIONS                                                    \
    {                                                                          \
        [OPERATION_BOX_BLUR] = box_blur,                                       \
        [OPERATION_GAUSSIAN_BLUR] = gaussian_blur,                             \
        [OPERATION_GAUSSIAN_NOISE] = gaussian_noise,                           \
        [OPERATION_EXPOSURE] = exposure, [OPERATION_GAMMA] = gamma_curve,      \
        [OPERATION_CHANNEL_GAIN] = channel_gain,                               \
        [OPERATION_GREYSCALE] = greyscale, [OPERATION_INVERT] = invert,        \
        [OPERATION_POSTERIZE] = posterize, [OPERATION_SOLARIZE] = solarize,    \
        [OPERATION_AUTOCONTRAST] = autocontrast,                               \
        [OPERATION_EQUALIZE] = equalize,                                       \
        [OPERATION_UNIFORM_NOISE] = uniform_noise,                             \
        [OPERATION_SALT_PEPPER] = salt_pepper, [OPERATION_SHARPEN] = sharpen,  \
        [OPERATION_CHANNEL_SHUFFLE] = channel_shuffle,                         \
        [OPERATION_WHITE_BALANCE] = channel_gain,                              \
        [OPERATION_SHOT_NOISE] = shot_noise,                                   \
        [OPERATION_MOTION_BLUR] = motion_blur,                                 \
        [OPERATION_DOWNSCALE] = downscale,                                     \
        [OPERATION_COARSE_DROPOUT] = coarse_dropout, [OPERATION_JPEG] = jpeg,  \
        [OPERATION_LIGHT] = light, [OPERATION_DEFOCUS] = defocus,              \
        [OPERATION_BRIGHTNESS] = brightness, [OPERATION_CONTRAST] = contrast,  \
        [OPERATION_SATURATION] = saturation, [OPERATION_HUE] = hue,            \
        [OPERATION_JITTER] = jitter, [OPERATION_THRESHOLD] = threshold,        \
        [OPERATION_OFFSET] = offset,                                           \
    }

#endif
