/* crc32 as zlib has it, by table eight bytes a step (by multiplication it is
 * checksum_clmul.c's), and xxh3 from xxhash's header. Knows nothing of frames.
 * Threads: pure functions.
 * Source: M. Kounavis, F. Berry, "A Systematic Approach to Building High
 * Performance, Software-based, CRC Generators" (slicing-by-8). */
#include "common/checksum.h"

#include <string.h>

#include "common/checksum_crc32.h"
#include "common/checksum_xxh3.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

/* A crc is linear over GF(2): the entry at i is the xor of the entries at the
 * powers of two in i. So eight constants for each of the eight slices say the
 * whole table, and the compiler fills it. Slice 0 is 0xedb88320 shifted through
 * 8 bits; slice k is slice k - 1 moved on by one zero byte. */
#define ENTRY(i, b0, b1, b2, b3, b4, b5, b6, b7)                               \
    (((i)&1 ? b0 : 0) ^ ((i)&2 ? b1 : 0) ^ ((i)&4 ? b2 : 0) ^                  \
     ((i)&8 ? b3 : 0) ^ ((i)&16 ? b4 : 0) ^ ((i)&32 ? b5 : 0) ^                \
     ((i)&64 ? b6 : 0) ^ ((i)&128 ? b7 : 0))
#define SLICE_0(i)                                                             \
    ENTRY(i, 0x77073096u, 0xee0e612cu, 0x076dc419u, 0x0edb8832u, 0x1db71064u,  \
          0x3b6e20c8u, 0x76dc4190u, 0xedb88320u)
#define SLICE_1(i)                                                             \
    ENTRY(i, 0x191b3141u, 0x32366282u, 0x646cc504u, 0xc8d98a08u, 0x4ac21251u,  \
          0x958424a2u, 0xf0794f05u, 0x3b83984bu)
#define SLICE_2(i)                                                             \
    ENTRY(i, 0x01c26a37u, 0x0384d46eu, 0x0709a8dcu, 0x0e1351b8u, 0x1c26a370u,  \
          0x384d46e0u, 0x709a8dc0u, 0xe1351b80u)
#define SLICE_3(i)                                                             \
    ENTRY(i, 0xb8bc6765u, 0xaa09c88bu, 0x8f629757u, 0xc5b428efu, 0x5019579fu,  \
          0xa032af3eu, 0x9b14583du, 0xed59b63bu)
#define SLICE_4(i)                                                             \
    ENTRY(i, 0x3d6029b0u, 0x7ac05360u, 0xf580a6c0u, 0x30704bc1u, 0x60e09782u,  \
          0xc1c12f04u, 0x58f35849u, 0xb1e6b092u)
#define SLICE_5(i)                                                             \
    ENTRY(i, 0xcb5cd3a5u, 0x4dc8a10bu, 0x9b914216u, 0xec53826du, 0x03d6029bu,  \
          0x07ac0536u, 0x0f580a6cu, 0x1eb014d8u)
#define SLICE_6(i)                                                             \
    ENTRY(i, 0xa6770bb4u, 0x979f1129u, 0xf44f2413u, 0x33ef4e67u, 0x67de9cceu,  \
          0xcfbd399cu, 0x440b7579u, 0x8816eaf2u)
#define SLICE_7(i)                                                             \
    ENTRY(i, 0xccaa009eu, 0x4225077du, 0x844a0efau, 0xd3e51bb5u, 0x7cbb312bu,  \
          0xf9766256u, 0x299dc2edu, 0x533b85dau)

#define FOUR(slice, i) slice(i), slice((i) + 1), slice((i) + 2), slice((i) + 3)
#define SIXTEEN(slice, i)                                                      \
    FOUR(slice, i), FOUR(slice, (i) + 4), FOUR(slice, (i) + 8),                \
        FOUR(slice, (i) + 12)
#define SIXTY_FOUR(slice, i)                                                   \
    SIXTEEN(slice, i), SIXTEEN(slice, (i) + 16), SIXTEEN(slice, (i) + 32),     \
        SIXTEEN(slice, (i) + 48)
#define WHOLE(slice)                                                           \
    {                                                                          \
        SIXTY_FOUR(slice, 0), SIXTY_FOUR(slice, 64), SIXTY_FOUR(slice, 128),   \
            SIXTY_FOUR(slice, 192)                                             \
    }

static const uint32_t slices[8][256] = {
    WHOLE(SLICE_0), WHOLE(SLICE_1), WHOLE(SLICE_2), WHOLE(SLICE_3),
    WHOLE(SLICE_4), WHOLE(SLICE_5), WHOLE(SLICE_6), WHOLE(SLICE_7),
};

static const char *const names[CHECKSUM_N_KINDS] = {
    [CHECKSUM_NONE] = "none",
    [CHECKSUM_CRC32] = "crc32",
    [CHECKSUM_XXH3] = "xxh3",
};

const char *checksum_name(enum checksum_kind kind)
{
    return (unsigned)kind < CHECKSUM_N_KINDS ? names[kind] : NULL;
}

static uint32_t load_u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

uint32_t checksum_crc32_plain(uint32_t previous, const void *data,
                              size_t n_bytes)
{
    const uint8_t *p = data;
    uint32_t crc = ~previous;
    for (; n_bytes >= 8; p += 8, n_bytes -= 8) {
        uint32_t lo = crc ^ load_u32(p);
        uint32_t hi = load_u32(p + 4);
        crc = slices[7][lo & 255] ^ slices[6][lo >> 8 & 255] ^
              slices[5][lo >> 16 & 255] ^ slices[4][lo >> 24] ^
              slices[3][hi & 255] ^ slices[2][hi >> 8 & 255] ^
              slices[1][hi >> 16 & 255] ^ slices[0][hi >> 24];
    }
    for (; n_bytes > 0; p++, n_bytes--)
        crc = crc >> 8 ^ slices[0][(crc ^ *p) & 255];
    return ~crc;
}

uint32_t checksum_crc32(uint32_t previous, const void *data, size_t n_bytes)
{
#ifdef __x86_64__
    if (n_bytes >= CHECKSUM_CLMUL_BYTES && __builtin_cpu_supports("pclmul"))
        return checksum_crc32_clmul(previous, data, n_bytes);
#endif
    return checksum_crc32_plain(previous, data, n_bytes);
}

uint64_t checksum_xxh3_plain(const void *data, size_t n_bytes)
{
    return XXH3_64bits(data, n_bytes);
}

/* Asked anew for each call: that is a load, beside the bytes of a sample. */
static uint64_t xxh3(const void *data, size_t n_bytes)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512f"))
        return checksum_xxh3_v4(data, n_bytes);
    if (__builtin_cpu_supports("avx2"))
        return checksum_xxh3_v3(data, n_bytes);
#endif
    return checksum_xxh3_plain(data, n_bytes);
}

uint64_t checksum_of(enum checksum_kind kind, const void *data, size_t n_bytes)
{
    switch (kind) {
    case CHECKSUM_CRC32:
        return checksum_crc32(0, data, n_bytes);
    case CHECKSUM_XXH3:
        return xxh3(data, n_bytes);
    default:
        return 0;
    }
}
