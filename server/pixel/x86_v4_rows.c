/* Context rows with AVX-512: the vertical lerp on raw bytes, then one byte
 * permute that fetches both taps of 64 output bytes at once.
 * Source: NUMERICS.md "Sample positions"; equal to reference.c. */
#include "server/pixel/reference.h"
#include "server/pixel/x86_v4.h"

static inline __m512i lerp_bytes(__m512i top, __m512i low, __m512i weight)
{
    __m512i first = _mm512_unpacklo_epi8(top, low);
    __m512i second = _mm512_unpackhi_epi8(top, low);
    first = v4_round7(_mm512_maddubs_epi16(first, weight));
    second = v4_round7(_mm512_maddubs_epi16(second, weight));
    return _mm512_packus_epi16(first, second);
}

/* One group makes 64 bytes of a row, or 48 where steps are long: 22 or 16
 * pixels, whose taps lie within 128 bytes. Output byte 16 l + j is word
 * 8 l + j of the first half for j < 8, word 8 l + j - 8 of the second for the
 * others, so that packing the halves gives them in order. */
struct group {
    __m512i tap[2];    /* bytes of both taps, from `base` on */
    __m512i weight[2]; /* of both taps */
    /* Those of the 128 bytes that hold texels that are read. */
    __mmask64 near, far;
    int32_t base; /* offset of the lowest tap, bytes */
    int32_t unused[11];
};

_Static_assert(sizeof(struct group) == 320, "pixel_resample_bytes knows");

static int32_t clamped(const struct pixel_resample *r, int32_t i)
{
    int64_t at = r->u + (int64_t)i * r->du;
    at = at < 0 ? 0 : at;
    return at > r->max_u ? r->max_u : (int32_t)at;
}

/* Both taps of 32 pixels from `first` on as words (left | right << 8), and
 * their weights alike. A right tap without weight is the left one, and both
 * count half: 128 would not fit a signed byte. */
static void pixels_at(const struct pixel_resample *r, int32_t first,
                      int32_t base, __m512i *out_tap, __m512i *out_weight)
{
    const __m512i ramp =
        _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    __m256i tap[2], weight[2];
    for (int h = 0; h < 2; h++) {
        __m512i i = _mm512_add_epi32(ramp, _mm512_set1_epi32(first + 16 * h));
        __m512i u =
            _mm512_add_epi32(_mm512_mullo_epi32(i, _mm512_set1_epi32(r->du)),
                             _mm512_set1_epi32(r->u));
        u = _mm512_max_epi32(u, _mm512_setzero_si512());
        u = _mm512_min_epi32(u, _mm512_set1_epi32(r->max_u));
        __m512i x = _mm512_srli_epi32(u, 16);
        __m512i left = _mm512_add_epi32(x, _mm512_slli_epi32(x, 1));
        left = _mm512_sub_epi32(left, _mm512_set1_epi32(base));
        __m512i f =
            _mm512_and_si512(_mm512_srli_epi32(u, 9), _mm512_set1_epi32(127));
        __mmask16 some = _mm512_test_epi32_mask(f, f);
        __m512i right =
            _mm512_mask_add_epi32(left, some, left, _mm512_set1_epi32(3));
        left = _mm512_and_si512(left, _mm512_set1_epi32(255));
        __m512i both = _mm512_or_si512(left, _mm512_slli_epi32(right, 8));
        /* 128 - f | f << 8 = 128 + 255 f */
        __m512i w = _mm512_sub_epi32(_mm512_slli_epi32(f, 8), f);
        w = _mm512_add_epi32(w, _mm512_set1_epi32(128));
        w = _mm512_mask_mov_epi32(_mm512_set1_epi32(64 << 8 | 64), some, w);
        tap[h] = _mm512_cvtepi32_epi16(both);
        weight[h] = _mm512_cvtepi32_epi16(w);
    }
    *out_tap = _mm512_inserti64x4(_mm512_castsi256_si512(tap[0]), tap[1], 1);
    *out_weight =
        _mm512_inserti64x4(_mm512_castsi256_si512(weight[0]), weight[1], 1);
}

/* From pixels to the bytes of the group, which starts `phase` bytes into the
 * first pixel. */
static void fill_group(struct group *g, int32_t phase, __m512i tap,
                       __m512i weight)
{
    const __m512i order = _mm512_set_epi16(
        55, 54, 53, 52, 51, 50, 49, 48, 39, 38, 37, 36, 35, 34, 33, 32, 23, 22,
        21, 20, 19, 18, 17, 16, 7, 6, 5, 4, 3, 2, 1, 0);
    for (int half = 0; half < 2; half++) {
        __m512i byte = _mm512_add_epi16(
            order, _mm512_set1_epi16((short)(phase + 8 * half)));
        /* byte / 3, for byte < 170 */
        __m512i pixel = _mm512_srli_epi16(
            _mm512_mullo_epi16(byte, _mm512_set1_epi16(171)), 9);
        __m512i channel = _mm512_sub_epi16(
            byte, _mm512_mullo_epi16(pixel, _mm512_set1_epi16(3)));
        channel = _mm512_or_si512(channel, _mm512_slli_epi16(channel, 8));
        g->tap[half] =
            _mm512_add_epi8(_mm512_permutexvar_epi16(pixel, tap), channel);
        g->weight[half] = _mm512_permutexvar_epi16(pixel, weight);
    }
}

/* Whether n pixels side by side have all taps within 128 bytes: at most
 * floor((n - 1) * step) + 1 texels from the first to the last, and five bytes
 * of the last two. */
static bool fits(int64_t du, int32_t n)
{
    return ((((n - 1) * (du < 0 ? -du : du)) >> 16) + 1) * 3 + 5 < 128;
}

void v4_resample_prepare(struct pixel_resample *r)
{
    r->n_groups = 0;
    if (!fits(r->du, 16))
        return; /* v4_resample_row leaves it to the reference */
    r->group_bytes = fits(r->du, 22) ? 64 : 48;
    r->n_groups = (r->n * 3 - 1) / r->group_bytes + 1;
    struct group *g = r->table;
    for (int32_t i = 0; i < r->n_groups; i++, g++) {
        int32_t first = i * r->group_bytes / 3;
        int32_t last = (i * r->group_bytes + r->group_bytes - 1) / 3;
        last = last < r->n ? last : r->n - 1;
        int32_t a = clamped(r, first) >> 16, b = clamped(r, last) >> 16;
        __m512i tap, weight;
        int32_t least = a < b ? a : b, most = (a < b ? b : a) + 1;
        most = most < r->max_u >> 16 ? most : r->max_u >> 16;
        g->base = least * 3;
        g->near = v4_first((most + 1 - least) * 3);
        g->far = v4_first(
            (most + 1 - least) * 3 - 64 > 0 ? (most + 1 - least) * 3 - 64 : 0);
        pixels_at(r, first, g->base, &tap, &weight);
        fill_group(g, i * r->group_bytes % 3, tap, weight);
    }
}

static inline __m512i sample_taps(const struct group *g, __m512i near,
                                  __m512i far)
{
    __m512i first = _mm512_permutex2var_epi8(near, g->tap[0], far);
    __m512i second = _mm512_permutex2var_epi8(near, g->tap[1], far);
    first = v4_round7(_mm512_maddubs_epi16(first, g->weight[0]));
    second = v4_round7(_mm512_maddubs_epi16(second, g->weight[1]));
    return _mm512_packus_epi16(first, second);
}

static inline __m512i resample_pair(const struct group *g, const uint8_t *top,
                                    const uint8_t *low, __m512i weight)
{
    top += g->base, low += g->base;
    __m512i near = lerp_bytes(_mm512_maskz_loadu_epi8(g->near, top),
                              _mm512_maskz_loadu_epi8(g->near, low), weight);
    if (g->far == 0)
        return sample_taps(g, near, near);
    __m512i far = lerp_bytes(_mm512_maskz_loadu_epi8(g->far, top + 64),
                             _mm512_maskz_loadu_epi8(g->far, low + 64), weight);
    return sample_taps(g, near, far);
}

static inline void resample_pair_row(const struct pixel_resample *r,
                                     const struct pixel_pair *p, uint8_t *rgb)
{
    const uint32_t f = p->f;
    /* Weights of both bytes of a pair, signed: f = 0 asks for 128, which is
     * the same as half of each of two equal bytes. */
    const __m512i weight =
        _mm512_set1_epi16((short)(f ? f << 8 | (128 - f) : 64 << 8 | 64));
    const uint8_t *low = f ? p->low : p->top;
    const struct group *g = r->table;
    const int32_t step = r->group_bytes;
    int32_t left = r->n * 3;
    /* Of shorter groups, the next one overwrites what is too much. */
    for (; left >= 64; left -= step, g++, rgb += step)
        _mm512_storeu_si512(rgb, resample_pair(g, p->top, low, weight));
    for (; left > 0; left -= step, g++, rgb += step)
        _mm512_mask_storeu_epi8(rgb, v4_first(left < step ? left : step),
                                resample_pair(g, p->top, low, weight));
}

void v4_resample_rows(const struct pixel_resample *r,
                      const struct pixel_pair *pairs, int32_t n_rows,
                      uint8_t *stage, uint8_t *rgb, ptrdiff_t stride_bytes)
{
    if (r->n_groups == 0) {
        reference_resample_rows(r, pairs, n_rows, stage, rgb, stride_bytes);
        return;
    }
    for (int32_t i = 0; i < n_rows; i++)
        resample_pair_row(r, &pairs[i], rgb + i * stride_bytes);
}
