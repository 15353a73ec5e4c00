/* A batch of known content: item i (counted over the whole tensor) is
 *   i64  i * 1000003 - 5      i32  7 - 3 * i
 *   f32  i / 8 - 2            u8   (i * i / 8) mod 256
 * test_encode_numpy.py computes the same. Composes nothing. */
#ifndef PASTED_TESTS_UNIT_ENCODE_PATTERN_H
#define PASTED_TESTS_UNIT_ENCODE_PATTERN_H

#include "server/compose/compose.h"

/* The payload; free() it. */
uint8_t *pattern_make(struct batch_layout *out, int32_t height, int32_t width,
                      uint32_t n_samples, uint8_t dtype);

#endif
