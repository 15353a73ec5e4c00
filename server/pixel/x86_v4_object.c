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

/* Where to read the taps of 16 pixels: the pairs nearest to them within the
 * level, and what to do to a pair that is not quite the right one. */
struct taps {
    _Alignas(64) int32_t top[AT_ONCE], low[AT_ONCE]; /* offsets, bytes */
    bool are_inside;                                 /* nothing is to be done */
    /* The pair lies half outside, to the left or to the right. */
    __mmask16 left, right;
    /* Something of the pair lies inside. */
    __mmask16 top_in, low_in;
};

static inline __m512i clamp(__m512i v, int32_t most)
{
    v = _mm512_max_epi32(v, _mm512_setzero_si512());
    return _mm512_min_epi32(v, _mm512_set1_epi32(most));
}

static inline void find_taps(const struct image_level *level, __m512i u,
                             __m512i v, struct taps *t)
{
    const int32_t w = level->width, h = level->height;
    const __m512i stride = _mm512_set1_epi32((int32_t)level->stride_bytes);
    const __m512i one = _mm512_set1_epi32(1);
    __m512i x = _mm512_srai_epi32(u, 16), y = _mm512_srai_epi32(v, 16);
    __m512i below = _mm512_add_epi32(y, one);
    __m512i near_y = clamp(y, h - 1), near_below = clamp(below, h - 1);
    __m512i top = _mm512_add_epi32(_mm512_slli_epi32(clamp(x, w - 2), 2),
                                   _mm512_mullo_epi32(near_y, stride));
    __mmask16 moves = _mm512_cmpneq_epi32_mask(near_y, near_below);
    _mm512_store_si512(t->top, top);
    _mm512_store_si512(t->low, _mm512_mask_add_epi32(top, moves, top, stride));
    /* -1 <= x < w, as unsigned numbers; likewise the others */
    const __mmask16 near_x =
        _mm512_cmple_epu32_mask(_mm512_add_epi32(x, one), _mm512_set1_epi32(w));
    const __m512i inner_w = _mm512_set1_epi32(w - 1);
    t->left = _mm512_movepi32_mask(x);
    t->right = _mm512_cmpge_epi32_mask(x, inner_w);
    t->top_in = near_x & _mm512_cmplt_epu32_mask(y, _mm512_set1_epi32(h));
    t->low_in = near_x & _mm512_cmplt_epu32_mask(below, _mm512_set1_epi32(h));
    t->are_inside =
        (t->top_in & t->low_in & ~(t->left | t->right) & 0xffff) == 0xffff;
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

static inline struct fetched fetch(const uint8_t *from, const struct taps *t)
{
    return (struct fetched){
        {fetch_eight(from, t->top), fetch_eight(from, t->top + 2)},
        {fetch_eight(from, t->low), fetch_eight(from, t->low + 2)},
    };
}

static inline __mmask8 half_mask(__mmask16 m, int half)
{
    return (__mmask8)_pext_u32(m, half ? 0xcccc : 0x3333);
}

static inline __m512i correct_eight(__m512i v, const struct taps *t,
                                    __mmask16 row, int half)
{
    v = _mm512_mask_slli_epi64(v, half_mask(t->left, half), v, 32);
    v = _mm512_mask_srli_epi64(v, half_mask(t->right, half), v, 32);
    return _mm512_maskz_mov_epi64(half_mask(row, half), v);
}

static inline void correct(struct fetched *f, const struct taps *t)
{
    for (int half = 0; half < 2; half++) {
        f->top[half] = correct_eight(f->top[half], t, t->top_in, half);
        f->low[half] = correct_eight(f->low[half], t, t->low_in, half);
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

/* Lines are short where frames are small, so their pixels are sampled side by
 * side, whole groups at a time. */
#define MOST_GROUPS 16
#define MOST_PX     (MOST_GROUPS * AT_ONCE)

struct coordinates {
    _Alignas(64) int32_t u[MOST_PX + AT_ONCE];
    _Alignas(64) int32_t v[MOST_PX + AT_ONCE];
};

/* All taps are found before any is read: addresses then never wait for the
 * arithmetic of the pixels before. */
static void sample_groups(const struct image_level *level,
                          const struct coordinates *c, int32_t n_groups,
                          uint8_t *rgba)
{
    struct taps taps[MOST_GROUPS];
    for (int32_t g = 0; g < n_groups; g++)
        find_taps(level, _mm512_load_si512(c->u + g * AT_ONCE),
                  _mm512_load_si512(c->v + g * AT_ONCE), &taps[g]);
    /* Compilers would take offsets out of registers one by one, which costs
     * more than loads. */
    __asm__ volatile("" : : "r"(taps) : "memory");
    for (int32_t g = 0; g < n_groups; g++) {
        struct fetched f = fetch(level->pixels, &taps[g]);
        if (!taps[g].are_inside)
            correct(&f, &taps[g]);
        _mm512_storeu_si512(
            rgba + (ptrdiff_t)g * AT_ONCE * 4,
            lerp_sixteen(&f, _mm512_load_si512(c->u + g * AT_ONCE),
                         _mm512_load_si512(c->v + g * AT_ONCE)));
    }
}

/* Appends at most MOST_PX - n pixels of the line from `from` on to the n that
 * are there, and up to 15 without meaning. Returns how many. */
static int32_t append(struct coordinates *c, int32_t n,
                      const struct pixel_line *line, int32_t from)
{
    const int32_t room = MOST_PX - n, left = line->n - from;
    const int32_t n_now = left < room ? left : room;
    __m512i u = ramp_of(line->u, line->du, from);
    __m512i v = ramp_of(line->v, line->dv, from);
    const __m512i step_u = _mm512_set1_epi32(line->du * AT_ONCE);
    const __m512i step_v = _mm512_set1_epi32(line->dv * AT_ONCE);
    for (int32_t i = 0; i < n_now; i += AT_ONCE) {
        _mm512_storeu_si512(c->u + n + i, u);
        _mm512_storeu_si512(c->v + n + i, v);
        u = _mm512_add_epi32(u, step_u);
        v = _mm512_add_epi32(v, step_v);
    }
    return n_now;
}

void v4_object_lines(const struct image_level *level,
                     const struct pixel_line *lines, int32_t n_lines,
                     uint8_t *rgba)
{
    if (level->width < 2) {
        reference_object_lines(level, lines, n_lines, rgba);
        return;
    }
    struct coordinates c;
    int32_t n = 0;
    for (int32_t i = 0; i < n_lines; i++)
        for (int32_t from = 0; from < lines[i].n;) {
            const int32_t n_now = append(&c, n, &lines[i], from);
            n += n_now;
            from += n_now;
            if (n < MOST_PX)
                continue;
            sample_groups(level, &c, MOST_GROUPS, rgba);
            rgba += MOST_PX * 4;
            n = 0;
        }
    if (n == 0)
        return;
    /* Lanes without meaning still read texels, but of the level. */
    sample_groups(level, &c, (n - 1) / AT_ONCE + 1, rgba);
}

/* Groups of pixels that each have coordinates of their own; what is beyond n is
 * sampled where the last pixel is, and not written. */
static void warp_some(const struct image_level *level, struct coordinates *c,
                      int32_t n, uint8_t *rgba)
{
    uint8_t last[AT_ONCE * 4];
    const int32_t whole = n / AT_ONCE, rest = n % AT_ONCE;
    if (whole > 0)
        sample_groups(level, c, whole, rgba);
    if (rest == 0)
        return;
    struct coordinates end;
    for (int32_t i = 0; i < AT_ONCE; i++) {
        const int32_t at = whole * AT_ONCE + (i < rest ? i : rest - 1);
        end.u[i] = c->u[at];
        end.v[i] = c->v[at];
    }
    sample_groups(level, &end, 1, last);
    __builtin_memcpy(rgba + (ptrdiff_t)whole * AT_ONCE * 4, last,
                     (size_t)rest * 4);
}

void v4_warp_row(const struct image_level *level, const int32_t *u,
                 const int32_t *v, int32_t n, uint8_t *rgba)
{
    if (level->width < 2) {
        reference_warp_row(level, u, v, n, rgba);
        return;
    }
    for (int32_t done = 0; done < n; done += MOST_PX) {
        struct coordinates c;
        const int32_t now = n - done < MOST_PX ? n - done : MOST_PX;
        __builtin_memcpy(c.u, u + done, (size_t)now * sizeof *u);
        __builtin_memcpy(c.v, v + done, (size_t)now * sizeof *v);
        warp_some(level, &c, now, rgba + (ptrdiff_t)done * 4);
    }
}
