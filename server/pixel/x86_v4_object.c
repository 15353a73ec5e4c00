/* Object rows with AVX-512. Texels at arbitrary addresses are fetched by
 * 64-bit loads, a pair of neighbours at once (gather instructions are
 * slower); the lerps then run on 16 pixels.
 * Source: NUMERICS.md "The object"; equal to reference.c. */
#include "server/pixel/reference.h"
#include "server/pixel/x86_v4.h"

#define AT_ONCE 16

/* Two neighbours [left, right] of 16 pixels, of their upper and lower row. */
struct fetched {
    __m512i top[2], low[2];
};

/* Eight pairs. A masked broadcast is a load and a blend, where inserts would
 * crowd the one port that shuffles. */
static inline __m512i fetch_eight(const uint8_t *from, const int32_t *offset)
{
    __m512i v = _mm512_broadcastq_epi64(
        _mm_loadl_epi64((const void *)(from + offset[0])));
#pragma GCC unroll 8
    for (int i = 1; i < 8; i++)
        v = _mm512_mask_broadcastq_epi64(
            v, (__mmask8)(1 << i),
            _mm_loadl_epi64((const void *)(from + offset[i])));
    return v;
}

/* All taps of all 16 lie inside. */
static inline struct fetched fetch_inside(const struct image_level *level,
                                          __m512i u, __m512i v)
{
    _Alignas(64) int32_t offset[AT_ONCE];
    const uint8_t *top = level->pixels, *low = top + level->stride_bytes;
    __m512i y =
        _mm512_mullo_epi32(_mm512_srai_epi32(v, 16),
                           _mm512_set1_epi32((int32_t)level->stride_bytes));
    __m512i x = _mm512_slli_epi32(_mm512_srai_epi32(u, 16), 2);
    _mm512_store_si512(offset, _mm512_add_epi32(y, x));
    return (struct fetched){
        {fetch_eight(top, offset), fetch_eight(top, offset + 8)},
        {fetch_eight(low, offset), fetch_eight(low, offset + 8)},
    };
}

static inline __m512i clamp(__m512i v, int32_t most)
{
    v = _mm512_max_epi32(v, _mm512_setzero_si512());
    return _mm512_min_epi32(v, _mm512_set1_epi32(most));
}

/* Where the taps of 16 pixels fall off the level. */
struct outside {
    __mmask16 left, right; /* one tap of each pair, horizontally */
    __mmask16 top, low;    /* rows of which something lies inside */
};

/* Eight pairs fetched from where they are nearest: a pair half outside is
 * moved by a texel, one wholly outside is cleared. */
static inline __m512i fetch_eight_border(const uint8_t *from,
                                         const int32_t *offset,
                                         const struct outside *o, __mmask16 row,
                                         int half)
{
    __m512i v = fetch_eight(from, offset);
    v = _mm512_mask_slli_epi64(v, (__mmask8)(o->left >> half), v, 32);
    v = _mm512_mask_srli_epi64(v, (__mmask8)(o->right >> half), v, 32);
    return _mm512_maskz_mov_epi64((__mmask8)(row >> half), v);
}

/* Any tap may lie outside; width >= 2. Reads only texels of the level. */
static inline struct fetched fetch_border(const struct image_level *level,
                                          __m512i u, __m512i v)
{
    _Alignas(64) int32_t top[AT_ONCE], low[AT_ONCE];
    const int32_t w = level->width, h = level->height;
    const __m512i one = _mm512_set1_epi32(1);
    const __m512i stride = _mm512_set1_epi32((int32_t)level->stride_bytes);
    __m512i x = _mm512_srai_epi32(u, 16), y = _mm512_srai_epi32(v, 16);
    __m512i below = _mm512_add_epi32(y, one);
    __m512i column = _mm512_slli_epi32(clamp(x, w - 2), 2);
    _mm512_store_si512(
        top,
        _mm512_add_epi32(column, _mm512_mullo_epi32(clamp(y, h - 1), stride)));
    _mm512_store_si512(
        low, _mm512_add_epi32(column,
                              _mm512_mullo_epi32(clamp(below, h - 1), stride)));
    /* -1 <= x < w, as unsigned numbers */
    const __mmask16 near =
        _mm512_cmple_epu32_mask(_mm512_add_epi32(x, one), _mm512_set1_epi32(w));
    const struct outside o = {
        .left = _mm512_movepi32_mask(x),
        .right = _mm512_cmpgt_epi32_mask(x, _mm512_set1_epi32(w - 2)),
        .top = near & _mm512_cmplt_epu32_mask(y, _mm512_set1_epi32(h)),
        .low = near & _mm512_cmplt_epu32_mask(below, _mm512_set1_epi32(h)),
    };
    const uint8_t *p = level->pixels;
    return (struct fetched){
        {fetch_eight_border(p, top, &o, o.top, 0),
         fetch_eight_border(p, top + 8, &o, o.top, 8)},
        {fetch_eight_border(p, low, &o, o.low, 0),
         fetch_eight_border(p, low + 8, &o, o.low, 8)},
    };
}

/* Weights of both taps of 16 pixels: 128 - f | f << 8 = 128 + 255 f. */
static inline __m512i weights_of(__m512i at)
{
    __m512i f =
        _mm512_and_si512(_mm512_srli_epi32(at, 9), _mm512_set1_epi32(127));
    return _mm512_add_epi32(_mm512_sub_epi32(_mm512_slli_epi32(f, 8), f),
                            _mm512_set1_epi32(128));
}

/* Words of the index vector below: the weights (every other word) of pixel p
 * of 16, for each 16-bit lane. */
#define W4(p)           2 * (p), 2 * (p), 2 * (p), 2 * (p)
#define W16(a, b, c, d) W4(a), W4(b), W4(c), W4(d)

/* Eight pixels [left, right] of two rows -> 4 words a pixel less 128, before
 * rounding. Bytes are held less 128, since weights reach 128 and only one
 * factor of the multiply-add is unsigned. */
static inline __m512i lerp_eight(__m512i top, __m512i low,
                                 const __m512i weight[3])
{
    const __m512i pairs = _mm512_broadcast_i32x4(
        _mm_setr_epi8(0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15));
    const __m512i bias = _mm512_set1_epi8((char)0x80);
    top = _mm512_xor_si512(top, bias);
    low = _mm512_xor_si512(low, bias);
    __m512i even = _mm512_unpacklo_epi8(top, low);
    __m512i odd = _mm512_unpackhi_epi8(top, low);
    even = v4_round7(_mm512_maddubs_epi16(weight[0], even));
    odd = v4_round7(_mm512_maddubs_epi16(weight[1], odd));
    __m512i across = _mm512_packs_epi16(even, odd);
    across = _mm512_shuffle_epi8(across, pairs);
    return v4_round7(_mm512_maddubs_epi16(weight[2], across));
}

static inline __m512i lerp_sixteen(const struct fetched *f, __m512i u,
                                   __m512i v)
{
    static const uint16_t even[2][32] = {
        {W16(0, 0, 2, 2), W16(4, 4, 6, 6)},
        {W16(8, 8, 10, 10), W16(12, 12, 14, 14)},
    };
    static const uint16_t odd[2][32] = {
        {W16(1, 1, 3, 3), W16(5, 5, 7, 7)},
        {W16(9, 9, 11, 11), W16(13, 13, 15, 15)},
    };
    static const uint16_t each[2][32] = {
        {W16(0, 1, 2, 3), W16(4, 5, 6, 7)},
        {W16(8, 9, 10, 11), W16(12, 13, 14, 15)},
    };
    const __m512i down = weights_of(v), across = weights_of(u);
    __m512i half[2];
    for (int h = 0; h < 2; h++) {
        const __m512i weight[3] = {
            _mm512_permutexvar_epi16(_mm512_loadu_si512(even[h]), down),
            _mm512_permutexvar_epi16(_mm512_loadu_si512(odd[h]), down),
            _mm512_permutexvar_epi16(_mm512_loadu_si512(each[h]), across),
        };
        half[h] = lerp_eight(f->top[h], f->low[h], weight);
    }
    const __m512i order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
    __m512i packed = _mm512_packs_epi16(half[0], half[1]);
    packed = _mm512_xor_si512(packed, _mm512_set1_epi8((char)0x80));
    return _mm512_permutexvar_epi64(order, packed);
}

/* Coordinates of 16 pixels from `first` on. */
static inline __m512i ramp_of(int32_t origin, int32_t step, int32_t first)
{
    const __m512i ramp =
        _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    uint32_t begin = (uint32_t)origin + (uint32_t)step * (uint32_t)first;
    return _mm512_add_epi32(_mm512_mullo_epi32(ramp, _mm512_set1_epi32(step)),
                            _mm512_set1_epi32((int32_t)begin));
}

/* Whether all taps of all 16 lie inside. */
static inline bool are_inside(const struct image_level *level, __m512i u,
                              __m512i v)
{
    const __m512i w = _mm512_set1_epi32(level->width - 1);
    const __m512i h = _mm512_set1_epi32(level->height - 1);
    __mmask16 x = _mm512_cmplt_epu32_mask(_mm512_srai_epi32(u, 16), w);
    __mmask16 y = _mm512_cmplt_epu32_mask(_mm512_srai_epi32(v, 16), h);
    return (x & y) == 0xffff;
}

void v4_object_row(const struct image_level *level, struct pixel_line line,
                   int32_t n, uint8_t *rgba)
{
    if (level->width < 2) {
        reference_object_row(level, line, n, rgba);
        return;
    }
    for (int32_t i = 0; i < n; i += AT_ONCE) {
        const __m512i u = ramp_of(line.u, line.du, i);
        const __m512i v = ramp_of(line.v, line.dv, i);
        const struct fetched f = are_inside(level, u, v)
                                     ? fetch_inside(level, u, v)
                                     : fetch_border(level, u, v);
        __m512i pixels = lerp_sixteen(&f, u, v);
        if (i + AT_ONCE <= n)
            _mm512_storeu_si512(rgba + (ptrdiff_t)i * 4, pixels);
        else
            _mm512_mask_storeu_epi32(rgba + (ptrdiff_t)i * 4,
                                     (__mmask16)v4_first(n - i), pixels);
    }
}
