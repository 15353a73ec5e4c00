/* One filled message of every type, and what encodes and decodes it: what the
 * tests of the wire work on. */
#ifndef PASTED_TESTS_WIRE_SAMPLES_H
#define PASTED_TESTS_WIRE_SAMPLES_H

#include "common/wire.h"

#define SAMPLE_MAX_BYTES 4096

extern const int sample_types[];
extern const int sample_n_types;

/* The whole frame of a control message; its bytes. */
size_t sample_frame(int type, uint32_t request, uint8_t *out, size_t n_bytes);

/* Decodes the payload of any control message and compares it with the sample
 * when `equal`: 0, the decoder's code, or 1 for a difference. */
int sample_decode(int type, const uint8_t *payload, size_t n_bytes, bool equal);
/* The decoder's code, of a block of exactly n_bytes: a sanitizer sees a byte
 * too far. */
int sample_decode_exact(int type, const uint8_t *payload, size_t n_bytes);

/* The bytes that pairs of hexadecimal digits stand for; how many. */
size_t sample_from_hex(const char *hex, uint8_t *out);

#endif
