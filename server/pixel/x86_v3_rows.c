/* Context rows with AVX2: the vertical lerp on raw bytes, then a byte shuffle
 * that fetches both taps of two pixels from 16 bytes.
 * Source: NUMERICS.md "Sample positions"; equal to reference.c. */
#include <stdbool.h>

#include "server/pixel/reference.h"
#include "server/pixel/x86_v3.h"

static inline void lerp_32(const uint8_t *a, const uint8_t *b, __m256i weight,
                           uint8_t *out)
{
    __m256i top = _mm256_loadu_si256((const __m256i *)(const void *)a);
    __m256i low = _mm256_loadu_si256((const __m256i *)(const void *)b);
    __m256i first = _mm256_unpacklo_epi8(top, low);
    __m256i second = _mm256_unpackhi_epi8(top, low);
    first = v3_round7(_mm256_maddubs_epi16(first, weight));
    second = v3_round7(_mm256_maddubs_epi16(second, weight));
    _mm256_storeu_si256((__m256i *)(void *)out,
                        _mm256_packus_epi16(first, second));
}

static void lerp_row(const uint8_t *a, const uint8_t *b, uint32_t f,
                     int32_t n_bytes, uint8_t *out)
{
    if (n_bytes < 32) {
        reference_lerp_rows(a, b, f, n_bytes, out);
        return;
    }
    /* Weights of both bytes of a pair, signed: f = 0 asks for 128, which is
     * the same as half of each of two equal bytes. */
    const __m256i weight =
        _mm256_set1_epi16((short)(f ? f << 8 | (128 - f) : 64 << 8 | 64));
    b = f ? b : a;
    int32_t i = 0;
    for (; i + 32 <= n_bytes; i += 32)
        lerp_32(a + i, b + i, weight, out + i);
    /* The last 32 once more: most are done already. */
    i = n_bytes - 32;
    lerp_32(a + i, b + i, weight, out + i);
}

/* Eight pixels: each 128-bit lane holds both taps of two, pixels 0, 1 and 4, 5
 * in the first half, 2, 3 and 6, 7 in the second. */
struct group {
    uint8_t tap[2][32]; /* of the 16 bytes from base on */
    uint8_t weight[2][32];
    int32_t base[4]; /* of both lanes of the first half, of the second */
};

_Static_assert(sizeof(struct group) <= 160, "pixel_resample_bytes knows");

#define PIXELS 8 /* of a group */

static int32_t clamped(const struct pixel_resample *r, int32_t i)
{
    i = i < r->n ? i : r->n - 1;
    int64_t at = r->u + (int64_t)i * r->du;
    at = at < 0 ? 0 : at;
    return at > r->max_u ? r->max_u : (int32_t)at;
}

/* A right tap without weight is the left one, and both count half: 128 would
 * not fit a signed byte. */
static void fill_pixel(uint8_t *tap, uint8_t *weight, int32_t at, int32_t base)
{
    const uint8_t f = (uint8_t)(at >> 9 & 127);
    const uint8_t left = (uint8_t)((at >> 16) * 3 - base);
    for (int c = 0; c < 3; c++) {
        tap[2 * c] = (uint8_t)(left + c);
        tap[2 * c + 1] = (uint8_t)(left + c + (f ? 3 : 0));
        weight[2 * c] = f ? (uint8_t)(128 - f) : 64;
        weight[2 * c + 1] = f ? f : 64;
    }
}

static void fill_group(const struct pixel_resample *r, int32_t first,
                       struct group *g)
{
    for (int pair = 0; pair < 4; pair++) { /* in the order of base */
        const int half = pair / 2, lane = pair % 2;
        const int32_t i = first + 4 * lane + 2 * half;
        const int32_t a = clamped(r, i), b = clamped(r, i + 1);
        uint8_t *tap = g->tap[half] + 16 * lane;
        uint8_t *weight = g->weight[half] + 16 * lane;
        g->base[pair] = ((a < b ? a : b) >> 16) * 3;
        fill_pixel(tap, weight, a, g->base[pair]);
        fill_pixel(tap + 6, weight + 6, b, g->base[pair]);
        for (int k = 12; k < 16; k++)
            tap[k] = weight[k] = 0;
    }
}

void v3_resample_prepare(struct pixel_resample *r)
{
    /* Both taps of neighbours lie in 16 bytes: at most three texels apart. */
    const bool fits = r->du > -(3 << 16) && r->du < 3 << 16;
    struct group *g = r->table;
    r->group_bytes = PIXELS * 3;
    r->n_groups = fits ? (r->n - 1) / PIXELS + 1 : 0;
    for (int32_t i = 0; i < r->n_groups; i++)
        fill_group(r, i * PIXELS, &g[i]);
}

static inline __m256i resample_half(const struct group *g, int half,
                                    const uint8_t *texels)
{
    const __m256i *tap = (const void *)g->tap[half];
    const __m256i *weight = (const void *)g->weight[half];
    __m256i v =
        v3_load_two(texels + g->base[2 * half], texels + g->base[2 * half + 1]);
    v = _mm256_shuffle_epi8(v, _mm256_loadu_si256(tap));
    return v3_round7(_mm256_maddubs_epi16(v, _mm256_loadu_si256(weight)));
}

/* 12 bytes of RGB24 in each lane. */
static inline __m256i resample_group(const struct group *g,
                                     const uint8_t *texels)
{
    const __m256i close = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13, -1, -1, -1, -1));
    __m256i both = _mm256_packus_epi16(resample_half(g, 0, texels),
                                       resample_half(g, 1, texels));
    return _mm256_shuffle_epi8(both, close);
}

static void resample_row(const struct pixel_resample *r, const uint8_t *texels,
                         uint8_t *rgb)
{
    if (r->n_groups == 0) {
        reference_resample_row(r, texels, rgb);
        return;
    }
    const struct group *g = r->table;
    int32_t n = r->n;
    for (; n >= PIXELS + 2; n -= PIXELS, g++, rgb += PIXELS * 3)
        v3_store_24_and_4(rgb, resample_group(g, texels));
    for (; n > 0; n -= PIXELS, g++, rgb += PIXELS * 3) {
        uint8_t last[PIXELS * 3];
        v3_store_24(last, resample_group(g, texels));
        __builtin_memcpy(rgb, last, (size_t)(n < PIXELS ? n : PIXELS) * 3);
    }
}

/* Stage by stage over several rows: a row's bytes are read well after they
 * were written, when a load that spans two stores need not wait for them. */
void v3_resample_rows(const struct pixel_resample *r,
                      const struct pixel_pair *pairs, int32_t n_rows,
                      uint8_t *stage, uint8_t *rgb, ptrdiff_t stride_bytes)
{
    const size_t row =
        ((size_t)(r->n_texels + 1) * 3 + PIXEL_SLACK_BYTES + 63) / 64 * 64;
    const int32_t most = (int32_t)(PIXEL_STAGE_BYTES / row);
    for (int32_t done = 0; done < n_rows;) {
        const int32_t n = n_rows - done < most ? n_rows - done : most;
        for (int32_t i = 0; i < n; i++)
            lerp_row(pairs[done + i].top, pairs[done + i].low,
                     pairs[done + i].f, r->n_texels * 3,
                     stage + (size_t)i * row);
        for (int32_t i = 0; i < n; i++)
            resample_row(r, stage + (size_t)i * row,
                         rgb + (done + i) * stride_bytes);
        done += n;
    }
}
