/* Object rows with AVX-512. Texels at arbitrary addresses are fetched by
 * scalar loads, a pair of neighbours at once, into two short rows (gather
 * instructions are slower); the two lerps then run on 16 pixels a register.
 * Source: NUMERICS.md "The object"; equal to reference.c. */
#include <string.h>

#include "server/pixel/reference.h"
#include "server/pixel/x86_v4.h"

#define AT_ONCE 16
/* Pixels fetched before they are lerped: far enough apart that no load waits
 * for a store that is still on its way. */
#define CHUNK 64

/* Two neighbours [left, right] of each pixel, of its upper and lower row. */
struct fetched {
    _Alignas(64) uint64_t top[CHUNK];
    _Alignas(64) uint64_t low[CHUNK];
};

static inline uint64_t load64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* Where the upper left tap of each of 16 pixels lies. */
static inline void offsets_of(__m512i u, __m512i v, int32_t stride_bytes,
                              int32_t out[AT_ONCE])
{
    __m512i y = _mm512_mullo_epi32(_mm512_srai_epi32(v, 16),
                                   _mm512_set1_epi32(stride_bytes));
    __m512i x = _mm512_slli_epi32(_mm512_srai_epi32(u, 16), 2);
    _mm512_store_si512(out, _mm512_add_epi32(y, x));
}

static void fetch_inside(const struct image_level *level, __m512i u, __m512i v,
                         struct fetched *f, int32_t at)
{
    _Alignas(64) int32_t offset[AT_ONCE];
    const uint8_t *top = level->pixels, *low = top + level->stride_bytes;
    offsets_of(u, v, (int32_t)level->stride_bytes, offset);
#pragma GCC unroll 16
    for (int i = 0; i < AT_ONCE; i++) {
        f->top[at + i] = load64(top + offset[i]);
        f->low[at + i] = load64(low + offset[i]);
    }
}

/* Two neighbours from x on of row y, 0 where they lie outside; width >= 2. */
static inline uint64_t pair_at(const struct image_level *level, int32_t x,
                               int32_t y)
{
    const int32_t most = level->width - 2;
    if (y < 0 || y >= level->height || x < -1 || x > most + 1)
        return 0;
    const uint8_t *row = level->pixels + y * level->stride_bytes;
    return x < 0      ? load64(row) << 32
           : x > most ? load64(row + most * 4) >> 32
                      : load64(row + (ptrdiff_t)x * 4);
}

static void fetch_border(const struct image_level *level,
                         struct pixel_line line, int32_t from, int32_t to,
                         struct fetched *f, int32_t chunk)
{
    for (int32_t i = from; i < to; i++) {
        int32_t x = (line.u + i * line.du) >> 16;
        int32_t y = (line.v + i * line.dv) >> 16;
        f->top[i - chunk] = pair_at(level, x, y);
        f->low[i - chunk] = pair_at(level, x, y + 1);
    }
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
static inline __m512i lerp_eight(const struct fetched *f, int32_t at,
                                 const __m512i weight[3])
{
    const __m512i pairs = _mm512_broadcast_i32x4(
        _mm_setr_epi8(0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15));
    const __m512i bias = _mm512_set1_epi8((char)0x80);
    __m512i top = _mm512_xor_si512(_mm512_load_si512(f->top + at), bias);
    __m512i low = _mm512_xor_si512(_mm512_load_si512(f->low + at), bias);
    __m512i even = _mm512_unpacklo_epi8(top, low);
    __m512i odd = _mm512_unpackhi_epi8(top, low);
    even = v4_round7(_mm512_maddubs_epi16(weight[0], even));
    odd = v4_round7(_mm512_maddubs_epi16(weight[1], odd));
    __m512i across = _mm512_packs_epi16(even, odd);
    across = _mm512_shuffle_epi8(across, pairs);
    return v4_round7(_mm512_maddubs_epi16(weight[2], across));
}

static inline __m512i lerp_sixteen(const struct fetched *f, int32_t at,
                                   __m512i u, __m512i v)
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
        half[h] = lerp_eight(f, at + 8 * h, weight);
    }
    const __m512i order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
    __m512i packed = _mm512_packs_epi16(half[0], half[1]);
    packed = _mm512_xor_si512(packed, _mm512_set1_epi8((char)0x80));
    return _mm512_permutexvar_epi64(order, packed);
}

static int32_t smaller(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static int32_t larger(int32_t a, int32_t b)
{
    return a > b ? a : b;
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

/* Pixels [from, to) of the row, all inside. Whole sixteens are fetched while
 * they stay inside; the rest one by one. */
static void fetch_run(const struct image_level *level, struct pixel_line line,
                      int32_t from, int32_t to, struct fetched *f,
                      int32_t chunk)
{
    for (; from + AT_ONCE <= to; from += AT_ONCE)
        fetch_inside(level, ramp_of(line.u, line.du, from),
                     ramp_of(line.v, line.dv, from), f, from - chunk);
    const uint8_t *top = level->pixels, *low = top + level->stride_bytes;
    for (; from < to; from++) {
        ptrdiff_t x = (line.u + from * line.du) >> 16;
        ptrdiff_t y = (line.v + from * line.dv) >> 16;
        ptrdiff_t offset = y * level->stride_bytes + x * 4;
        f->top[from - chunk] = load64(top + offset);
        f->low[from - chunk] = load64(low + offset);
    }
}

void v4_object_row(const struct image_level *level, struct pixel_line line,
                   int32_t n, struct pixel_span inside, uint8_t *rgba)
{
    if (level->width < 2) {
        reference_object_row(level, line, n, inside, rgba);
        return;
    }
    struct fetched f;
    for (int32_t chunk = 0; chunk < n; chunk += CHUNK) {
        int32_t end = smaller(n, chunk + CHUNK);
        int32_t begin_inside = smaller(larger(inside.begin, chunk), end);
        int32_t end_inside = larger(smaller(inside.end, end), begin_inside);
        fetch_border(level, line, chunk, begin_inside, &f, chunk);
        fetch_run(level, line, begin_inside, end_inside, &f, chunk);
        fetch_border(level, line, end_inside, end, &f, chunk);
        for (int32_t at = chunk; at < end; at += AT_ONCE) {
            __m512i pixels =
                lerp_sixteen(&f, at - chunk, ramp_of(line.u, line.du, at),
                             ramp_of(line.v, line.dv, at));
            _mm512_mask_storeu_epi32(rgba + (ptrdiff_t)at * 4,
                                     (__mmask16)v4_first(end - at), pixels);
        }
    }
}
