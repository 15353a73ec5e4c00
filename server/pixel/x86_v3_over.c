/* Over and colour with AVX2, 8 pixels a register.
 * Source: NUMERICS.md "Over, colour"; equal to reference.c. */
#include "server/pixel/reference.h"
#include "server/pixel/x86_v3.h"

/* 8 pixels of RGB24: bytes 0..15 and 8..23. */
static inline __m256i load_24(const uint8_t *rgb)
{
    return v3_load_two(rgb, rgb + 8);
}

/* 8 pixels: d + ((128 - d * a') >> 8) + o, which is NUMERICS.md's equation;
 * the middle term is the rounded high product of d and -128 a'. */
static inline __m256i over_eight(__m256i under, __m256i rgba)
{
    const __m256i first = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 1, 0, 1, 0, 1, 0, 1, 4, 5, 4, 5, 4, 5, 4, 5));
    const __m256i second = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(8, 9, 8, 9, 8, 9, 8, 9, 12, 13, 12, 13, 12, 13, 12, 13));
    const __m256i zero = _mm256_setzero_si256();
    __m256i alpha = _mm256_srli_epi32(rgba, 24);
    alpha = _mm256_add_epi32(alpha, _mm256_srli_epi32(alpha, 7));
    __m256i less = _mm256_sub_epi32(zero, _mm256_slli_epi32(alpha, 7));
    __m256i a = _mm256_unpacklo_epi8(under, zero);
    __m256i b = _mm256_unpackhi_epi8(under, zero);
    a = _mm256_add_epi16(
        a, _mm256_mulhrs_epi16(a, _mm256_shuffle_epi8(less, first)));
    b = _mm256_add_epi16(
        b, _mm256_mulhrs_epi16(b, _mm256_shuffle_epi8(less, second)));
    return _mm256_add_epi8(_mm256_packus_epi16(a, b), rgba);
}

uint8_t v3_over_row(uint8_t *rgb, const uint8_t *rgba, int32_t n, uint8_t *peak)
{
    const __m256i widen = _mm256_setr_epi8(
        0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1, 4, 5, 6, -1, 7, 8,
        9, -1, 10, 11, 12, -1, 13, 14, 15, -1);
    const __m256i narrow = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1));
    __m256i all = _mm256_setzero_si256();
    for (; n >= 8; n -= 8, rgb += 24, rgba += 32, peak += 32) {
        __m256i *best = (__m256i *)(void *)peak;
        __m256i over = _mm256_loadu_si256((const __m256i *)(const void *)rgba);
        __m256i under = _mm256_shuffle_epi8(load_24(rgb), widen);
        under = over_eight(under, over);
        v3_store_24(rgb, _mm256_shuffle_epi8(under, narrow));
        _mm256_storeu_si256(best,
                            _mm256_max_epu8(_mm256_loadu_si256(best), over));
        all = _mm256_or_si256(all, over);
    }
    const uint8_t rest = n > 0 ? reference_over_row(rgb, rgba, n, peak) : 0;
    /* The highest bit of an alpha; any bit of one. */
    if (_mm256_movemask_ps(_mm256_castsi256_ps(all)) || rest == 128)
        return 128;
    all = _mm256_srli_epi32(all, 24);
    return !_mm256_testz_si256(all, all) || rest == 1;
}

struct colour {
    __m256i red_green[3], blue[3], offset[3];
};

static struct colour colour_of(const int32_t m[3][4])
{
    struct colour c;
    for (int i = 0; i < 3; i++) {
        uint32_t pair = ((uint32_t)m[i][0] & 0xffff) | (uint32_t)m[i][1] << 16;
        c.red_green[i] = _mm256_set1_epi32((int32_t)pair);
        c.blue[i] = _mm256_set1_epi32(m[i][2] & 0xffff);
        c.offset[i] = _mm256_set1_epi32(m[i][3] + 2048);
    }
    return c;
}

/* 8 pixels of RGB24 -> 12 bytes of RGB24 in each lane. */
static inline __m256i colour_eight(const struct colour *c, const uint8_t *in)
{
    const __m256i red_green_at = _mm256_setr_epi8(
        0, -1, 1, -1, 3, -1, 4, -1, 6, -1, 7, -1, 9, -1, 10, -1, 4, -1, 5, -1,
        7, -1, 8, -1, 10, -1, 11, -1, 13, -1, 14, -1);
    const __m256i blue_at = _mm256_setr_epi8(
        2, -1, -1, -1, 5, -1, -1, -1, 8, -1, -1, -1, 11, -1, -1, -1, 6, -1, -1,
        -1, 9, -1, -1, -1, 12, -1, -1, -1, 15, -1, -1, -1);
    const __m256i interleave = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11, -1, -1, -1, -1));
    __m256i rgb = load_24(in);
    __m256i red_green = _mm256_shuffle_epi8(rgb, red_green_at);
    __m256i blue = _mm256_shuffle_epi8(rgb, blue_at);
    __m256i out[3];
    for (int i = 0; i < 3; i++) {
        __m256i sum = _mm256_add_epi32(
            c->offset[i], _mm256_madd_epi16(red_green, c->red_green[i]));
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(blue, c->blue[i]));
        out[i] = _mm256_srai_epi32(sum, 12);
    }
    __m256i all = _mm256_packus_epi16(_mm256_packs_epi32(out[0], out[1]),
                                      _mm256_packs_epi32(out[2], out[2]));
    return _mm256_shuffle_epi8(all, interleave);
}

void v3_colour_row(const uint8_t *in, const int32_t m[3][4], int32_t n,
                   uint8_t *out)
{
    const struct colour c = colour_of(m);
    for (; n >= 10; n -= 8, in += 24, out += 24)
        v3_store_24_and_4(out, colour_eight(&c, in));
    if (n >= 8) {
        v3_store_24(out, colour_eight(&c, in));
        n -= 8, in += 24, out += 24;
    }
    if (n > 0)
        reference_colour_row(in, m, n, out);
}

/* Coloured before they are moved: far enough apart that no load waits for a
 * store that is still on its way. */
#define STREAM_PX 512
#define LINES_PX  64 /* 192 bytes: three cache lines */

void v3_colour_stream(const uint8_t *in, const int32_t m[3][4], int32_t n,
                      uint8_t *out)
{
    _Alignas(32) uint8_t some[STREAM_PX * 3];
    const int32_t head = reference_pixels_to_line(out, n);
    if (head > 0)
        v3_colour_row(in, m, head, out);
    n -= head, in += head * 3, out += head * 3;
    while (n >= LINES_PX) {
        const int32_t now = n < STREAM_PX ? n & -LINES_PX : STREAM_PX;
        v3_colour_row(in, m, now, some);
        for (int32_t i = 0; i < now * 3; i += 32)
            _mm256_stream_si256(
                (__m256i *)(void *)(out + i),
                _mm256_load_si256((const __m256i *)(const void *)(some + i)));
        n -= now, in += now * 3, out += now * 3;
    }
    if (n > 0)
        v3_colour_row(in, m, n, out);
}

/* Whole cache lines around the caches, the ends through them. */
void v3_stream_bytes(const uint8_t *in, size_t n_bytes, uint8_t *out)
{
    const size_t to_line = -(uintptr_t)out % 64;
    const size_t head = to_line < n_bytes ? to_line : n_bytes;
    __builtin_memcpy(out, in, head);
    in += head, out += head, n_bytes -= head;
    const size_t lines = n_bytes / 64 * 64;
    for (size_t i = 0; i < lines; i += 32)
        _mm256_stream_si256(
            (__m256i *)(void *)(out + i),
            _mm256_loadu_si256((const __m256i *)(const void *)(in + i)));
    __builtin_memcpy(out + lines, in + lines, n_bytes - lines);
}

void v3_stream_end(void)
{
    _mm_sfence();
}
