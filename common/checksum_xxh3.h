/* XXH3_64bits compiled once for each instruction set; all give the same bytes,
 * and checksum.c asks the CPU before it calls one. For checksum.c and its test
 * only. */
#ifndef PASTED_COMMON_CHECKSUM_XXH3_H
#define PASTED_COMMON_CHECKSUM_XXH3_H

#include <stddef.h>
#include <stdint.h>

uint64_t checksum_xxh3_plain(const void *data, size_t n_bytes);
#ifdef __x86_64__
uint64_t checksum_xxh3_v3(const void *data, size_t n_bytes); /* AVX2 */
uint64_t checksum_xxh3_v4(const void *data, size_t n_bytes); /* AVX-512F */
#endif

#endif
