/* A ZIP archive of stored members in memory, of a size known before; every
 * member begins on a 64-byte boundary, and no time or user is in it. Knows
 * nothing of what is inside. Source: PKWARE APPNOTE 6.3.10. */
#ifndef PASTED_ENCODE_ZIP_H
#define PASTED_ENCODE_ZIP_H

#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"

#define ZIP_ALIGN_BYTES 64
#define ZIP_MAX_MEMBERS 16
/* Sizes and offsets from here on need zip64 records. */
#define ZIP_LIMIT_32 0xFFFFFFFFu

struct zip_member {
    char name[32];
    uint32_t crc32;
    uint64_t n_bytes;
    uint64_t header_offset;
};

/* Starts at the archive's first byte. With data NULL it only counts. */
struct zip_writer {
    uint8_t *data;
    uint64_t at;
    uint64_t limit; /* ZIP_LIMIT_32; lower in tests of zip64 */
    uint32_t n_members;
    struct zip_member member[ZIP_MAX_MEMBERS];
};

void zip_init(struct zip_writer *z, void *data);
/* Writes a member's header and gives room for n_bytes of content at a 64-byte
 * boundary (NULL while counting); zip_end_member takes its crc32. */
uint8_t *zip_begin_member(struct zip_writer *z, const char *name,
                          uint64_t n_bytes);
void zip_end_member(struct zip_writer *z);
/* Writes the directory; the archive's bytes. */
uint64_t zip_finish(struct zip_writer *z);

#endif
