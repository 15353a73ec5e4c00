/* Object rows and turned photographs with AVX2. Texels at arbitrary addresses
 * are fetched by 64-bit loads, a pair of neighbours at once; the lerps then run
 * on 8 pixels. Source: NUMERICS.md "The object", "The context row"; equal to
 * reference.c. */
#include <stdbool.h>

#include "server/pixel/reference.h"
#include "server/pixel/x86_v3.h"

#define AT_ONCE     8
#define MOST_GROUPS 16 /* of which the taps are found before any is read */

/* Where to read the taps of 8 pixels: the pairs nearest to them within the
 * level; and by how many bits to shift a pair that is not quite the right one:
 * a texel's 32 where it is half outside, all 64 where it is wholly. */
struct taps {
    __m256i left_top, left_low, right;  /* shifts, bits */
    int32_t top[AT_ONCE], low[AT_ONCE]; /* offsets, bytes */
    bool are_inside;                    /* no shift at all */
};

/* Two neighbours [left, right] of 8 pixels of one row, in halves of pixels
 * 0, 1, 4, 5 and 2, 3, 6, 7. */
struct fetched {
    __m256i half[2];
};

static inline __m256i clamp(__m256i v, int32_t most)
{
    v = _mm256_max_epi32(v, _mm256_setzero_si256());
    return _mm256_min_epi32(v, _mm256_set1_epi32(most));
}

/* All ones where v was moved. */
static inline __m256i differ(__m256i v, __m256i moved)
{
    return _mm256_xor_si256(_mm256_cmpeq_epi32(v, moved),
                            _mm256_set1_epi32(-1));
}

static inline void find_taps(const struct image_level *level, __m256i u,
                             __m256i v, struct taps *t)
{
    const int32_t w = level->width, h = level->height;
    const __m256i stride = _mm256_set1_epi32((int32_t)level->stride_bytes);
    const __m256i texel = _mm256_set1_epi32(32), pair = _mm256_set1_epi32(64);
    __m256i x = _mm256_srai_epi32(u, 16), y = _mm256_srai_epi32(v, 16);
    __m256i below = _mm256_add_epi32(y, _mm256_set1_epi32(1));
    __m256i near_y = clamp(y, h - 1), near_below = clamp(below, h - 1);
    __m256i near_x = clamp(x, w - 2);
    __m256i top = _mm256_add_epi32(_mm256_slli_epi32(near_x, 2),
                                   _mm256_mullo_epi32(near_y, stride));
    __m256i moves = differ(near_y, near_below);
    __m256i low = _mm256_add_epi32(top, _mm256_and_si256(moves, stride));
    _mm256_storeu_si256((__m256i *)(void *)t->top, top);
    _mm256_storeu_si256((__m256i *)(void *)t->low, low);
    /* Beyond -1..w - 1 nothing is left of a pair. */
    __m256i reach = _mm256_max_epi32(x, _mm256_set1_epi32(-1));
    reach = _mm256_min_epi32(reach, _mm256_set1_epi32(w - 1));
    __m256i away = differ(x, reach);
    __m256i top_out = _mm256_or_si256(away, differ(y, near_y));
    __m256i low_out = _mm256_or_si256(away, differ(below, near_below));
    __m256i left = _mm256_and_si256(_mm256_srai_epi32(x, 31), texel);
    t->left_top = _mm256_or_si256(left, _mm256_and_si256(top_out, pair));
    t->left_low = _mm256_or_si256(left, _mm256_and_si256(low_out, pair));
    t->right = _mm256_and_si256(_mm256_cmpgt_epi32(x, near_x), texel);
    __m256i any =
        _mm256_or_si256(_mm256_or_si256(t->left_top, t->left_low), t->right);
    t->are_inside = _mm256_testz_si256(any, any);
}

static inline __m128i load_two(const uint8_t *from, const int32_t *offset)
{
    __m128i v =
        _mm_loadl_epi64((const __m128i *)(const void *)(from + offset[0]));
    return _mm_castps_si128(_mm_loadh_pi(
        _mm_castsi128_ps(v), (const __m64 *)(const void *)(from + offset[1])));
}

static inline __m256i load_four(const uint8_t *from, const int32_t *offset)
{
    return _mm256_inserti128_si256(
        _mm256_castsi128_si256(load_two(from, offset)),
        load_two(from, offset + 4), 1);
}

static inline struct fetched fetch(const uint8_t *from, const int32_t *offset)
{
    return (struct fetched){
        {load_four(from, offset), load_four(from, offset + 2)}};
}

/* Shifts that leave no bit give 0. */
static inline void correct(struct fetched *f, __m256i left, __m256i right)
{
    const __m256i zero = _mm256_setzero_si256();
    f->half[0] =
        _mm256_sllv_epi64(f->half[0], _mm256_unpacklo_epi32(left, zero));
    f->half[1] =
        _mm256_sllv_epi64(f->half[1], _mm256_unpackhi_epi32(left, zero));
    f->half[0] =
        _mm256_srlv_epi64(f->half[0], _mm256_unpacklo_epi32(right, zero));
    f->half[1] =
        _mm256_srlv_epi64(f->half[1], _mm256_unpackhi_epi32(right, zero));
}

/* Weights of both taps of 8 pixels: 128 - f | f << 8 = 128 + 255 f. */
static inline __m256i weights_of(__m256i at)
{
    __m256i f =
        _mm256_and_si256(_mm256_srli_epi32(at, 9), _mm256_set1_epi32(127));
    return _mm256_add_epi32(_mm256_sub_epi32(_mm256_slli_epi32(f, 8), f),
                            _mm256_set1_epi32(128));
}

/* Four pixels -> 4 words a pixel less 128; pair says where each channel of
 * both neighbours lies. Bytes are held less 128, since
 * weights reach 128 and only one factor of the multiply-add is unsigned. */
static inline __m256i lerp_half(__m256i top, __m256i low, int half,
                                __m256i down, __m256i across, __m128i pair)
{
    const __m256i pairs = _mm256_broadcastsi128_si256(pair);
    const __m256i first = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1));
    const __m256i both = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 1, 0, 1, 0, 1, 0, 1, 4, 5, 4, 5, 4, 5, 4, 5));
    const __m256i bias = _mm256_set1_epi8((char)0x80);
    const __m256i move = _mm256_set1_epi8((char)(8 * half));
    const __m256i next = _mm256_set1_epi8((char)(8 * half + 4));
    top = _mm256_xor_si256(top, bias);
    low = _mm256_xor_si256(low, bias);
    __m256i even = _mm256_unpacklo_epi8(top, low);
    __m256i odd = _mm256_unpackhi_epi8(top, low);
    even = v3_round7(_mm256_maddubs_epi16(
        _mm256_shuffle_epi8(down, _mm256_add_epi8(first, move)), even));
    odd = v3_round7(_mm256_maddubs_epi16(
        _mm256_shuffle_epi8(down, _mm256_add_epi8(first, next)), odd));
    __m256i sides = _mm256_packs_epi16(even, odd);
    sides = _mm256_shuffle_epi8(sides, pairs);
    return v3_round7(_mm256_maddubs_epi16(
        _mm256_shuffle_epi8(across, _mm256_add_epi8(both, move)), sides));
}

/* Coordinates of 8 pixels from `first` on. */
static inline __m256i ramp_of(int32_t origin, int32_t step, int32_t first)
{
    const __m256i ramp = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    uint32_t begin = (uint32_t)origin + (uint32_t)step * (uint32_t)first;
    return _mm256_add_epi32(_mm256_mullo_epi32(ramp, _mm256_set1_epi32(step)),
                            _mm256_set1_epi32((int32_t)begin));
}

static inline __m256i sample_eight(const struct image_level *level, __m256i u,
                                   __m256i v, const struct taps *t)
{
    struct fetched top = fetch(level->pixels, t->top);
    struct fetched low = fetch(level->pixels, t->low);
    if (!t->are_inside) {
        correct(&top, t->left_top, t->right);
        correct(&low, t->left_low, t->right);
    }
    const __m128i pair =
        _mm_setr_epi8(0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15);
    __m256i down = weights_of(v), across = weights_of(u);
    __m256i packed = _mm256_packs_epi16(
        lerp_half(top.half[0], low.half[0], 0, down, across, pair),
        lerp_half(top.half[1], low.half[1], 1, down, across, pair));
    return _mm256_xor_si256(packed, _mm256_set1_epi8((char)0x80));
}

/* Lines are short where frames are small, so their pixels are sampled side by
 * side, whole groups at a time. */
#define MOST_PX (MOST_GROUPS * AT_ONCE)

struct coordinates {
    _Alignas(32) int32_t u[MOST_PX + AT_ONCE];
    _Alignas(32) int32_t v[MOST_PX + AT_ONCE];
};

static inline __m256i load_at(const int32_t *p, int32_t group)
{
    return _mm256_load_si256(
        (const __m256i *)(const void *)(p + group * AT_ONCE));
}

/* All taps are found before any is read: addresses then never wait for the
 * arithmetic of the pixels before. */
static void sample_groups(const struct image_level *level,
                          const struct coordinates *c, int32_t n_groups,
                          uint8_t *rgba)
{
    struct taps taps[MOST_GROUPS];
    for (int32_t g = 0; g < n_groups; g++)
        find_taps(level, load_at(c->u, g), load_at(c->v, g), &taps[g]);
    /* Compilers would take offsets out of registers one by one, which costs
     * more than loads. */
    __asm__ volatile("" : : "r"(taps) : "memory");
    for (int32_t g = 0; g < n_groups; g++)
        _mm256_storeu_si256(
            (__m256i *)(void *)(rgba + (ptrdiff_t)g * AT_ONCE * 4),
            sample_eight(level, load_at(c->u, g), load_at(c->v, g), &taps[g]));
}

/* Appends at most MOST_PX - n pixels of the line from `from` on to the n that
 * are there, and up to 7 without meaning. Returns how many. */
static int32_t append(struct coordinates *c, int32_t n,
                      const struct pixel_line *line, int32_t from)
{
    const int32_t room = MOST_PX - n, left = line->n - from;
    const int32_t n_now = left < room ? left : room;
    __m256i u = ramp_of(line->u, line->du, from);
    __m256i v = ramp_of(line->v, line->dv, from);
    const __m256i step_u = _mm256_set1_epi32(line->du * AT_ONCE);
    const __m256i step_v = _mm256_set1_epi32(line->dv * AT_ONCE);
    for (int32_t i = 0; i < n_now; i += AT_ONCE) {
        _mm256_storeu_si256((__m256i *)(void *)(c->u + n + i), u);
        _mm256_storeu_si256((__m256i *)(void *)(c->v + n + i), v);
        u = _mm256_add_epi32(u, step_u);
        v = _mm256_add_epi32(v, step_v);
    }
    return n_now;
}

void v3_object_lines(const struct image_level *level,
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

void v3_warp_row(const struct image_level *level, const int32_t *u,
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

/* Of RGB24. A pair is 6 of the 8 bytes from its left texel on: false where
 * those do not all lie in the row. */
static inline bool find_photo_taps(const struct image_level *level, __m256i u,
                                   __m256i v, int32_t top[AT_ONCE],
                                   int32_t low[AT_ONCE])
{
    const __m256i stride = _mm256_set1_epi32((int32_t)level->stride_bytes);
    const __m256i x = _mm256_srai_epi32(u, 16), y = _mm256_srai_epi32(v, 16);
    const __m256i most_x = _mm256_set1_epi32(level->width - 3);
    const __m256i out = _mm256_cmpgt_epi32(x, most_x);
    if (!_mm256_testz_si256(out, out))
        return false;
    const __m256i first =
        _mm256_add_epi32(_mm256_add_epi32(x, _mm256_slli_epi32(x, 1)),
                         _mm256_mullo_epi32(y, stride));
    const __m256i moves =
        _mm256_cmpgt_epi32(_mm256_set1_epi32(level->height - 1), y);
    _mm256_storeu_si256((__m256i *)(void *)top, first);
    _mm256_storeu_si256(
        (__m256i *)(void *)low,
        _mm256_add_epi32(first, _mm256_and_si256(moves, stride)));
    return true;
}

static inline void photo_eight(const struct image_level *level,
                               const int32_t *u, const int32_t *v, uint8_t *rgb)
{
    const __m128i pair =
        _mm_setr_epi8(0, 3, 1, 4, 2, 5, 2, 5, 8, 11, 9, 12, 10, 13, 10, 13);
    const __m256i packs = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1));
    const __m256i at_u = _mm256_loadu_si256((const __m256i *)(const void *)u);
    const __m256i at_v = _mm256_loadu_si256((const __m256i *)(const void *)v);
    int32_t top_at[AT_ONCE], low_at[AT_ONCE];
    if (!find_photo_taps(level, at_u, at_v, top_at, low_at)) {
        reference_photo_row(level, u, v, AT_ONCE, rgb);
        return;
    }
    const struct fetched top = fetch(level->pixels, top_at);
    const struct fetched low = fetch(level->pixels, low_at);
    const __m256i down = weights_of(at_v), across = weights_of(at_u);
    __m256i packed = _mm256_packs_epi16(
        lerp_half(top.half[0], low.half[0], 0, down, across, pair),
        lerp_half(top.half[1], low.half[1], 1, down, across, pair));
    packed = _mm256_xor_si256(packed, _mm256_set1_epi8((char)0x80));
    v3_store_24(rgb, _mm256_shuffle_epi8(packed, packs));
}

void v3_photo_row(const struct image_level *level, const int32_t *u,
                  const int32_t *v, int32_t n, uint8_t *rgb)
{
    int32_t i = 0;
    for (; i + AT_ONCE <= n; i += AT_ONCE)
        photo_eight(level, u + i, v + i, rgb + (ptrdiff_t)i * 3);
    reference_photo_row(level, u + i, v + i, n - i, rgb + (ptrdiff_t)i * 3);
}
