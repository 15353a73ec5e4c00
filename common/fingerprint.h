/* The parts of a stream's fingerprint, and which of them two fingerprints do
 * not share. Computes no digest (server/serve/stream.c does).
 *
 *    0  u16  engine version, big-endian
 *    2  [6]  of the seed        first bytes of SHA-256
 *    8 [12]  of the catalog: decoded pixels, ordered class names, ...
 *   20 [12]  of the canonical recipe
 *
 * Source: PROTOCOL.md, "Fingerprints". */
#ifndef PASTED_COMMON_FINGERPRINT_H
#define PASTED_COMMON_FINGERPRINT_H

#include <stdint.h>

#define FINGERPRINT_BYTES      32
#define FINGERPRINT_SEED_AT    2
#define FINGERPRINT_CATALOG_AT 8
#define FINGERPRINT_RECIPE_AT  20

#define FINGERPRINT_TEXT_BYTES 128

/* "the seed and the recipe differ"; "the engine differs (version 1, expected
 * 2)"; "nothing differs". */
void fingerprint_explain(const uint8_t found[FINGERPRINT_BYTES],
                         const uint8_t expected[FINGERPRINT_BYTES],
                         char out[FINGERPRINT_TEXT_BYTES]);

#endif
