/* Logarithms and powers of two as integers. Anyone can compute them anew: no
 * value lies so near a half that a double's rounding would matter. */
#ifndef PASTED_PIXEL_OPERATION_GAMMA_H
#define PASTED_PIXEL_OPERATION_GAMMA_H

#include <stdint.h>

extern const uint32_t gamma_log[256]; /* 2^16 log2(255 / v); [0] is 0 */
extern const uint32_t gamma_exp[257]; /* 2^30 2^(-i / 256) */

#endif
