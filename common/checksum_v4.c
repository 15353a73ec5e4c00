/* xxhash's XXH3 with AVX-512. Does not ask whether the CPU has it. Threads:
 * pure function. */
#include "common/checksum_xxh3.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t checksum_xxh3_v4(const void *data, size_t n_bytes)
{
    return XXH3_64bits(data, n_bytes);
}
