/* Object rows with AVX-512. Texels at arbitrary addresses are fetched by
 * 64-bit loads, a pair of neighbours at once (gather instructions are
 * slower); the lerps then run on 16 pixels.
 * Source: NUMERICS.md "The object"; equal to reference.c. */
#include "server/pixel/reference.h"
#include "server/pixel/x86_v4.h"

#define AT_ONCE 16

/* Two neighbours [left, right] of 16 pixels, of their upper and lower row, in
 * halves of pixels 0, 1, 4, 5, 8, ... and 2, 3, 6, 7, 10, ... */
struct fetched {
    __m512i top[2], low[2];
};
/* The i-th pixel of half 0; two more is that of half 1. */
#define HALF_PIXEL(i) ((i) / 2 * 4 + (i) % 2)

/* Offsets go through memory: taking them out of a register one by one costs
 * more than the loads, which compilers do not see. */
struct offsets {
    _Alignas(64) int32_t at[AT_ONCE];
};

static inline void set_offsets(struct offsets *o, __m512i column, __m512i y,
                               const struct image_level *level)
{
    const __m512i stride = _mm512_set1_epi32((int32_t)level->stride_bytes);
    _mm512_store_si512(o->at,
                       _mm512_add_epi32(column, _mm512_mullo_epi32(y, stride)));
    __asm__("" : "+m"(*o));
}

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
            _mm_loadl_epi64((const void *)(from + offset[HALF_PIXEL(i)])));
    return v;
}

/* All taps of all 16 lie inside. */
static inline struct fetched fetch_inside(const struct image_level *level,
                                          __m512i u, __m512i v)
{
    const uint8_t *top = level->pixels, *low = top + level->stride_bytes;
    struct offsets o;
    set_offsets(&o, _mm512_slli_epi32(_mm512_srai_epi32(u, 16), 2),
                _mm512_srai_epi32(v, 16), level);
    return (struct fetched){
        {fetch_eight(top, o.at), fetch_eight(top, o.at + 2)},
        {fetch_eight(low, o.at), fetch_eight(low, o.at + 2)},
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

static inline __mmask8 half_mask(__mmask16 m, int half)
{
    return (__mmask8)_pext_u32(m, half ? 0xcccc : 0x3333);
}

/* Eight pairs fetched from where they are nearest: a pair half outside is
 * moved by a texel, one wholly outside is cleared. */
static inline __m512i fetch_eight_border(const uint8_t *from,
                                         const int32_t *offset,
                                         const struct outside *o, __mmask16 row,
                                         int half)
{
    __m512i v = fetch_eight(from, offset);
    v = _mm512_mask_slli_epi64(v, half_mask(o->left, half), v, 32);
    v = _mm512_mask_srli_epi64(v, half_mask(o->right, half), v, 32);
    return _mm512_maskz_mov_epi64(half_mask(row, half), v);
}

/* Any tap may lie outside; width >= 2. Reads only texels of the level. */
static inline struct fetched fetch_border(const struct image_level *level,
                                          __m512i u, __m512i v)
{
    struct offsets top, low;
    const int32_t w = level->width, h = level->height;
    const __m512i one = _mm512_set1_epi32(1);
    __m512i x = _mm512_srai_epi32(u, 16), y = _mm512_srai_epi32(v, 16);
    __m512i below = _mm512_add_epi32(y, one);
    __m512i column = _mm512_slli_epi32(clamp(x, w - 2), 2);
    set_offsets(&top, column, clamp(y, h - 1), level);
    set_offsets(&low, column, clamp(below, h - 1), level);
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
        {fetch_eight_border(p, top.at, &o, o.top, 0),
         fetch_eight_border(p, top.at + 2, &o, o.top, 1)},
        {fetch_eight_border(p, low.at, &o, o.low, 0),
         fetch_eight_border(p, low.at + 2, &o, o.low, 1)},
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

/* Each 128-bit lane of a half holds the pixels 4 lane + 2 half and the next
 * one, so that their weights stand in the same lane. */
static inline __m512i lerp_half(const struct fetched *f, int half, __m512i down,
                                __m512i across)
{
    const __m512i move = _mm512_set1_epi8((char)(8 * half));
    const __m512i first = _mm512_broadcast_i32x4(
        _mm_setr_epi8(0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1));
    const __m512i both = _mm512_broadcast_i32x4(
        _mm_setr_epi8(0, 1, 0, 1, 0, 1, 0, 1, 4, 5, 4, 5, 4, 5, 4, 5));
    const __m512i at = _mm512_add_epi8(first, move);
    const __m512i weight[3] = {
        _mm512_shuffle_epi8(down, at),
        _mm512_shuffle_epi8(down, _mm512_add_epi8(at, _mm512_set1_epi8(4))),
        _mm512_shuffle_epi8(across, _mm512_add_epi8(both, move)),
    };
    return lerp_eight(f->top[half], f->low[half], weight);
}

static inline __m512i lerp_sixteen(const struct fetched *f, __m512i u,
                                   __m512i v)
{
    const __m512i down = weights_of(v), across = weights_of(u);
    __m512i packed = _mm512_packs_epi16(lerp_half(f, 0, down, across),
                                        lerp_half(f, 1, down, across));
    return _mm512_xor_si512(packed, _mm512_set1_epi8((char)0x80));
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
