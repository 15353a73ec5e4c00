/* The checksums a session can negotiate. crc32 is zlib's (IEEE 802.3,
 * reflected, initial and final complement), so any language's standard library
 * can verify it; xxh3 is XXH3_64bits with seed 0 (xxhash's own header). */
#ifndef PASTED_COMMON_CHECKSUM_H
#define PASTED_COMMON_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

enum checksum_kind {
    CHECKSUM_NONE = 0,
    CHECKSUM_CRC32 = 1,
    CHECKSUM_XXH3 = 2,
    CHECKSUM_N_KINDS = 3,
};

/* "none", "crc32", "xxh3"; NULL for an unknown kind. */
const char *checksum_name(enum checksum_kind kind);

uint32_t checksum_crc32(uint32_t previous, const void *data, size_t n_bytes);
/* Zero-extended to 64 bits for crc32; 0 for none. */
uint64_t checksum_of(enum checksum_kind kind, const void *data, size_t n_bytes);

#endif
