/* Over and colour with AVX-512, 16 pixels a register.
 * Source: NUMERICS.md "Over, colour"; equal to reference.c. */
#include "server/pixel/reference.h"
#include "server/pixel/x86_v4.h"

/* Byte b of the RGB24 or of the RGBX form of 16 pixels, four at a time. */
#define RGBX(i)  3 * (i), 3 * (i) + 1, 3 * (i) + 2, 0
#define RGBX4(i) RGBX(i), RGBX((i) + 1), RGBX((i) + 2), RGBX((i) + 3)
#define RGB(i)   4 * (i), 4 * (i) + 1, 4 * (i) + 2
#define RGB4(i)  RGB(i), RGB((i) + 1), RGB((i) + 2), RGB((i) + 3)

static const uint8_t rgbx_of_rgb[64] = {RGBX4(0), RGBX4(4), RGBX4(8),
                                        RGBX4(12)};
static const uint8_t rgb_of_rgbx[64] = {RGB4(0), RGB4(4), RGB4(8), RGB4(12)};

/* 16 pixels: d + ((128 - d * a') >> 8) + o, which is NUMERICS.md's equation;
 * the middle term is the rounded high product of d and -128 a'. */
static inline __m512i over_sixteen(__m512i under, __m512i rgba)
{
    const __m512i first = _mm512_broadcast_i32x4(
        _mm_setr_epi8(0, 1, 0, 1, 0, 1, 0, 1, 4, 5, 4, 5, 4, 5, 4, 5));
    const __m512i second = _mm512_broadcast_i32x4(
        _mm_setr_epi8(8, 9, 8, 9, 8, 9, 8, 9, 12, 13, 12, 13, 12, 13, 12, 13));
    const __m512i zero = _mm512_setzero_si512();
    __m512i alpha = _mm512_srli_epi32(rgba, 24);
    alpha = _mm512_add_epi32(alpha, _mm512_srli_epi32(alpha, 7));
    __m512i less = _mm512_sub_epi32(zero, _mm512_slli_epi32(alpha, 7));
    __m512i a = _mm512_unpacklo_epi8(under, zero);
    __m512i b = _mm512_unpackhi_epi8(under, zero);
    a = _mm512_add_epi16(
        a, _mm512_mulhrs_epi16(a, _mm512_shuffle_epi8(less, first)));
    b = _mm512_add_epi16(
        b, _mm512_mulhrs_epi16(b, _mm512_shuffle_epi8(less, second)));
    return _mm512_add_epi8(_mm512_packus_epi16(a, b), rgba);
}

/* 48 bytes in two stores: later loads cannot be served from masked ones. */
static inline void store48(uint8_t *p, __m512i v)
{
    _mm256_storeu_si256((void *)p, _mm512_castsi512_si256(v));
    _mm_storeu_si128((void *)(p + 32), _mm512_extracti32x4_epi32(v, 2));
}

uint8_t v4_over_row(uint8_t *rgb, const uint8_t *rgba, int32_t n, uint8_t *peak)
{
    const __m512i widen = _mm512_loadu_si512(rgbx_of_rgb);
    const __m512i narrow = _mm512_loadu_si512(rgb_of_rgbx);
    __m512i all = _mm512_setzero_si512();
    for (; n >= 16; n -= 16, rgb += 48, rgba += 64, peak += 64) {
        __m512i over = _mm512_loadu_si512(rgba);
        __m512i under = _mm512_permutexvar_epi8(
            widen, _mm512_maskz_loadu_epi8(v4_first(48), rgb));
        under = over_sixteen(under, over);
        store48(rgb, _mm512_permutexvar_epi8(narrow, under));
        _mm512_storeu_si512(peak,
                            _mm512_max_epu8(_mm512_loadu_si512(peak), over));
        all = _mm512_or_si512(all, over);
    }
    if (n > 0) {
        const __mmask64 some = v4_first(n * 3);
        const __mmask16 pixels = (__mmask16)v4_first(n);
        __m512i over = _mm512_maskz_loadu_epi32(pixels, rgba);
        __m512i under =
            _mm512_permutexvar_epi8(widen, _mm512_maskz_loadu_epi8(some, rgb));
        __m512i best = _mm512_maskz_loadu_epi32(pixels, peak);
        under = over_sixteen(under, over);
        _mm512_mask_storeu_epi8(rgb, some,
                                _mm512_permutexvar_epi8(narrow, under));
        _mm512_mask_storeu_epi32(peak, pixels, _mm512_max_epu8(best, over));
        all = _mm512_or_si512(all, over);
    }
    if (_mm512_movepi32_mask(all)) /* the highest bit of an alpha */
        return 128;
    return _mm512_cmpgt_epu32_mask(all, _mm512_set1_epi32(0xffffff)) ? 1 : 0;
}

/* The matrix for 16 pixels whose red and green, and whose blue, stand in
 * 16-bit halves. */
struct colour {
    __m512i red_green[3], blue[3], offset[3];
};

static struct colour colour_of(const int32_t m[3][4])
{
    struct colour c;
    for (int i = 0; i < 3; i++) {
        uint32_t pair = ((uint32_t)m[i][0] & 0xffff) | (uint32_t)m[i][1] << 16;
        c.red_green[i] = _mm512_set1_epi32((int32_t)pair);
        c.blue[i] = _mm512_set1_epi32(m[i][2] & 0xffff);
        c.offset[i] = _mm512_set1_epi32(m[i][3] + 2048);
    }
    return c;
}

#define RED_GREEN(i) 3 * (i), 0, 3 * (i) + 1, 0
#define RED_GREEN4(i)                                                          \
    RED_GREEN(i), RED_GREEN(i + 1), RED_GREEN(i + 2), RED_GREEN(i + 3)
#define BLUE(i)  3 * (i) + 2, 0, 0, 0
#define BLUE4(i) BLUE(i), BLUE(i + 1), BLUE(i + 2), BLUE(i + 3)

/* 16 pixels of RGB24 -> in each 128-bit lane the reds of four, their greens,
 * their blues twice. */
static inline __m512i colour_sixteen(const struct colour *c, __m512i rgb)
{
    static const uint8_t red_green_at[64] = {RED_GREEN4(0), RED_GREEN4(4),
                                             RED_GREEN4(8), RED_GREEN4(12)};
    static const uint8_t blue_at[64] = {BLUE4(0), BLUE4(4), BLUE4(8),
                                        BLUE4(12)};
    __m512i red_green = _mm512_maskz_permutexvar_epi8(
        0x5555555555555555, _mm512_loadu_si512(red_green_at), rgb);
    __m512i blue = _mm512_maskz_permutexvar_epi8(
        0x1111111111111111, _mm512_loadu_si512(blue_at), rgb);
    __m512i out[3];
    for (int i = 0; i < 3; i++) {
        __m512i sum =
            _mm512_dpwssd_epi32(c->offset[i], red_green, c->red_green[i]);
        sum = _mm512_dpwssd_epi32(sum, blue, c->blue[i]);
        out[i] = _mm512_srai_epi32(sum, 12);
    }
    return _mm512_packus_epi16(_mm512_packs_epi32(out[0], out[1]),
                               _mm512_packs_epi32(out[2], out[2]));
}

/* Where byte p of 64 pixels of RGB24 lies in two neighbours of the four
 * registers of colour_sixteen, the first being `from`. */
#define FROM(p, from)                                                          \
    ((p) / 48 - (from)) * 64 + (p) / 3 % 16 / 4 * 16 + (p) % 3 * 4 + (p) / 3 % 4
#define FROM4(p, from)                                                         \
    FROM(p, from), FROM((p) + 1, from), FROM((p) + 2, from), FROM((p) + 3, from)
#define FROM16(p, from)                                                        \
    FROM4(p, from), FROM4((p) + 4, from), FROM4((p) + 8, from),                \
        FROM4((p) + 12, from)
#define FROM64(p, from)                                                        \
    FROM16(p, from), FROM16((p) + 16, from), FROM16((p) + 32, from),           \
        FROM16((p) + 48, from)

static const uint8_t interleaved[3][64] = {
    {FROM64(0, 0)}, {FROM64(64, 1)}, {FROM64(128, 2)}};

/* 64 pixels in three registers of RGB24. */
static inline void colour_sixty_four(const struct colour *c, const uint8_t *in,
                                     __m512i out[3])
{
    __m512i part[4];
    for (int i = 0; i < 4; i++)
        part[i] = colour_sixteen(
            c, _mm512_maskz_loadu_epi8(v4_first(48), in + 48 * i));
    for (int i = 0; i < 3; i++)
        out[i] = _mm512_permutex2var_epi8(
            part[i], _mm512_loadu_si512(interleaved[i]), part[i + 1]);
}

static inline void colour_some(const struct colour *c, const uint8_t *in,
                               int32_t n, uint8_t *out)
{
    for (; n > 0; n -= 16, in += 48, out += 48) {
        const __mmask64 some = v4_first(n < 16 ? n * 3 : 48);
        __m512i part = colour_sixteen(c, _mm512_maskz_loadu_epi8(some, in));
        _mm512_mask_storeu_epi8(
            out, some,
            _mm512_permutexvar_epi8(_mm512_loadu_si512(interleaved[0]), part));
    }
}

void v4_colour_row(const uint8_t *in, const int32_t m[3][4], int32_t n,
                   uint8_t *out)
{
    const struct colour c = colour_of(m);
    for (; n >= 64; n -= 64, in += 192, out += 192) {
        __m512i rgb[3];
        colour_sixty_four(&c, in, rgb);
        for (int i = 0; i < 3; i++)
            _mm512_storeu_si512(out + 64 * i, rgb[i]);
    }
    colour_some(&c, in, n, out);
}

void v4_colour_stream(const uint8_t *in, const int32_t m[3][4], int32_t n,
                      uint8_t *out)
{
    const struct colour c = colour_of(m);
    const int32_t head = reference_pixels_to_line(out, n);
    colour_some(&c, in, head, out);
    n -= head, in += head * 3, out += head * 3;
    for (; n >= 64; n -= 64, in += 192, out += 192) {
        __m512i rgb[3];
        colour_sixty_four(&c, in, rgb);
        for (int i = 0; i < 3; i++)
            _mm512_stream_si512((void *)(out + 64 * i), rgb[i]);
    }
    colour_some(&c, in, n, out);
}

void v4_stream_bytes(const uint8_t *in, size_t n_bytes, uint8_t *out)
{
    const size_t to_line = -(uintptr_t)out % 64;
    const size_t head = to_line < n_bytes ? to_line : n_bytes;
    _mm512_mask_storeu_epi8(
        out, v4_first((int32_t)head),
        _mm512_maskz_loadu_epi8(v4_first((int32_t)head), in));
    in += head, out += head, n_bytes -= head;
    for (; n_bytes >= 64; in += 64, out += 64, n_bytes -= 64)
        _mm512_stream_si512((void *)out, _mm512_loadu_si512(in));
    const __mmask64 rest = v4_first((int32_t)n_bytes);
    _mm512_mask_storeu_epi8(out, rest, _mm512_maskz_loadu_epi8(rest, in));
}

void v4_stream_end(void)
{
    _mm_sfence();
}
