/* Every operation's function, for a file that names the instruction set. */
#ifndef PASTED_PIXEL_OPERATION_FUNCTIONS_H
#define PASTED_PIXEL_OPERATION_FUNCTIONS_H

#include "server/pixel/operation/blur.h"
#include "server/pixel/operation/noise.h"
#include "server/pixel/operation/tone.h"

#define OPERATION_FUNCTIONS                                                    \
    {                                                                          \
        [OPERATION_BOX_BLUR] = box_blur,                                       \
        [OPERATION_GAUSSIAN_BLUR] = gaussian_blur,                             \
        [OPERATION_GAUSSIAN_NOISE] = gaussian_noise,                           \
        [OPERATION_EXPOSURE] = exposure,                                       \
    }

#endif
