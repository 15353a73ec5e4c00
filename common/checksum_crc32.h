/* crc32 by table and by carry-less multiplication; both give the same sum, and
 * checksum.c asks the CPU before it calls the second. For checksum.c and its
 * test only. */
#ifndef PASTED_COMMON_CHECKSUM_CRC32_H
#define PASTED_COMMON_CHECKSUM_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* As checksum_crc32; the specification of the other. */
uint32_t checksum_crc32_plain(uint32_t previous, const void *data,
                              size_t n_bytes);
#ifdef __x86_64__
#define CHECKSUM_CLMUL_BYTES 64 /* what checksum_crc32_clmul takes at least */
uint32_t checksum_crc32_clmul(uint32_t previous, const void *data,
                              size_t n_bytes);
#endif

#endif
