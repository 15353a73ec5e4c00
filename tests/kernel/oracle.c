/* The slow oracle: one channel at a time, division where the text divides.
 * Nothing here is fast, and nothing is shared with what it checks.
 * Source: server/pixel/NUMERICS.md. */
#include "tests/kernel/oracle.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/philox.h"

static int lerp7(int a, int b, int f)
{
    return (a * (128 - f) + b * f + 64) / 128;
}

/* floor(v / 65536) and the top seven bits of the rest. */
static int whole(int64_t v)
{
    return (int)(v >= 0 ? v / 65536 : -((-v + 65535) / 65536));
}

static int part(int64_t v)
{
    return (int)((v - (int64_t)whole(v) * 65536) / 512);
}

static void resample_prepare(struct pixel_resample *r)
{
    r->table = NULL; /* nothing may be read from it */
}

/* Down, rounded, then across. */
static int texel_at(const struct pixel_pair *pair, int32_t byte)
{
    return lerp7(pair->top[byte], pair->low[byte], (int)pair->f);
}

static void resample_rows(const struct pixel_resample *r,
                          const struct pixel_pair *pairs, int32_t n_rows,
                          uint8_t *stage, uint8_t *rgb, ptrdiff_t stride_bytes)
{
    (void)stage;
    for (int32_t i = 0; i < n_rows * r->n; i++) {
        const struct pixel_pair *pair = &pairs[i / r->n];
        int64_t at = (int64_t)r->u + (int64_t)(i % r->n) * r->du;
        if (at < 0)
            at = 0;
        if (at > r->max_u)
            at = r->max_u;
        for (int c = 0; c < 3; c++) {
            const int32_t byte = whole(at) * 3 + c;
            const int left = texel_at(pair, byte);
            const int right = part(at) ? texel_at(pair, byte + 3) : 0;
            rgb[i / r->n * stride_bytes + i % r->n * 3 + c] =
                (uint8_t)lerp7(left, right, part(at));
        }
    }
}

static void noise_row(uint64_t key, uint32_t y, uint8_t lo, uint8_t hi,
                      int32_t n, uint8_t *rgb)
{
    const uint32_t keys[2] = {(uint32_t)key, (uint32_t)(key >> 32)};
    for (int32_t i = 0; i < n * 3; i++) {
        const uint32_t counter[4] = {(uint32_t)i / 8, y, 0, 0};
        struct philox_block block = philox4x32_10(keys, counter);
        uint32_t word = block.word[i % 8 / 2];
        uint32_t bits = i % 2 ? word / 65536 : word % 65536;
        rgb[i] = (uint8_t)(lo + bits * (uint32_t)(hi - lo + 1) / 65536);
    }
}

/* 256 times the bits that are set in the word's high half, and two bytes. */
static void normal_row(uint64_t key, uint32_t y, int32_t amplitude, int32_t n,
                       uint8_t *rgb)
{
    const uint32_t keys[2] = {(uint32_t)key, (uint32_t)(key >> 32)};
    for (int32_t i = 0; i < n * 3; i++) {
        const uint32_t counter[4] = {(uint32_t)i / 4, y, 0, 0};
        struct philox_block block = philox4x32_10(keys, counter);
        uint32_t word = block.word[i % 4];
        int64_t d = (int64_t)(word % 256) + word / 256 % 256 - 2303;
        for (int bit = 16; bit < 32; bit++)
            d += 256 * (word >> bit & 1);
        int64_t v = d * amplitude + word % 256 * 256 + 128;
        rgb[i] = (uint8_t)((whole(v) % 256 + 256) % 256);
    }
}

static void gradient_row(const struct pixel_gradient *g, int32_t y, int32_t n,
                         uint8_t *rgb)
{
    for (int32_t i = 0; i < n * 3; i++) {
        int64_t t = g->at + (int64_t)(i / 3) * g->dx + (int64_t)y * g->dy;
        t = t < 0 ? 0 : t > 16777216 ? 16777216 : t;
        rgb[i] = (uint8_t)((g->from[i % 3] * (16777216 - t) + g->to[i % 3] * t +
                            8388608) /
                           16777216);
    }
}

static uint32_t lattice(const struct pixel_texture *t, uint64_t i, uint64_t j,
                        uint64_t k)
{
    uint64_t h = i % 65536 * 2654435769u + j % 65536 * 3144134277u +
                 k * 3266489917u + t->key % (1ull << 32);
    h %= 1ull << 32;
    h = ((h ^ h / 32768 ^ t->key >> 32) * 3528531795u) % (1ull << 32);
    h = ((h ^ h / 8192) * 3449720151u) % (1ull << 32);
    return (uint32_t)(h / 16777216);
}

/* Each of the four corners of each octave afresh. */
static uint64_t noise_way(const struct pixel_texture *t, uint32_t u, uint32_t v)
{
    uint64_t sum = 0;
    for (uint32_t k = 0; k < t->n_octaves; k++) {
        const uint32_t a = u << k, b = v << k;
        const uint64_t f = a / 256 % 256, g = b / 256 % 256;
        const uint64_t s = f * f * (768 - 2 * f) / 65536;
        const uint64_t d = g * g * (768 - 2 * g) / 65536;
        uint64_t octave = 0;
        for (uint32_t c = 0; c < 4; c++)
            octave += lattice(t, a / 65536 + c % 2, b / 65536 + c / 2, k) *
                      (c % 2 ? s : 256 - s) * (c / 2 ? d : 256 - d);
        sum += octave << (t->n_octaves - 1 - k);
    }
    return sum / (255u * ((1u << t->n_octaves) - 1));
}

static int64_t stripe(const struct pixel_texture *t, uint32_t s)
{
    int64_t way = s % 131072;
    way = way < 65536 ? way : 131072 - way;
    way = whole((way - 32768) * t->sharp * 256) + 32768;
    return way < 0 ? 0 : way > 65536 ? 65536 : way;
}

static void texture_row(const struct pixel_texture *t, int32_t y, int32_t n,
                        uint8_t *rgb)
{
    for (int32_t i = 0; i < n * 3; i++) {
        const int64_t x = i / 3;
        const uint32_t u =
            (uint32_t)(t->at[0] + x * t->dx + (int64_t)y * t->dy);
        const uint32_t v =
            (uint32_t)(t->at[1] - x * t->dy + (int64_t)y * t->dx);
        int64_t way = (int64_t)noise_way(t, u, v);
        if (t->kind != TEXTURE_NOISE)
            way = stripe(t, u);
        if (t->kind == TEXTURE_CHECKER)
            way =
                (way * (65536 - stripe(t, v)) + (65536 - way) * stripe(t, v)) /
                65536;
        rgb[i] = (uint8_t)((t->from[i % 3] * (65536 - way) +
                            t->to[i % 3] * way + 32768) /
                           65536);
    }
}

static void solid_row(const uint8_t colour[3], int32_t n, uint8_t *rgb)
{
    for (int32_t i = 0; i < n * 3; i++)
        rgb[i] = colour[i % 3];
}

static void photo_row(const struct image_level *level, const int32_t *u,
                      const int32_t *v, int32_t n, uint8_t *rgb)
{
    for (int32_t i = 0; i < n * 3; i++) {
        const int32_t x = whole(u[i / 3]), y = whole(v[i / 3]);
        int value[2];
        for (int k = 0; k < 2; k++) {
            const int32_t at = x + k < level->width ? x + k : x;
            const uint8_t *top =
                level->pixels + y * level->stride_bytes + at * 3 + i % 3;
            const uint8_t *low =
                y + 1 < level->height ? top + level->stride_bytes : top;
            value[k] = lerp7(*top, *low, part(v[i / 3]));
        }
        rgb[i] = (uint8_t)lerp7(value[0], value[1], part(u[i / 3]));
    }
}

static int texel(const struct image_level *l, int x, int y, int c)
{
    if (x < 0 || y < 0 || x >= l->width || y >= l->height)
        return 0;
    return l->pixels[y * l->stride_bytes + x * 4 + c];
}

static void object_line(const struct image_level *level, struct pixel_line line,
                        uint8_t *rgba)
{
    for (int32_t i = 0; i < line.n * 4; i++) {
        int64_t u = line.u + (int64_t)(i / 4) * line.du;
        int64_t v = line.v + (int64_t)(i / 4) * line.dv;
        int x = whole(u), y = whole(v), c = i % 4;
        int left =
            lerp7(texel(level, x, y, c), texel(level, x, y + 1, c), part(v));
        int right = lerp7(texel(level, x + 1, y, c),
                          texel(level, x + 1, y + 1, c), part(v));
        rgba[i] = (uint8_t)lerp7(left, right, part(u));
    }
}

static void object_lines(const struct image_level *level,
                         const struct pixel_line *lines, int32_t n_lines,
                         uint8_t *rgba)
{
    for (; n_lines > 0; n_lines--, lines++) {
        object_line(level, *lines, rgba);
        rgba += lines->n * 4;
    }
}

static void warp_row(const struct image_level *level, const int32_t *u,
                     const int32_t *v, int32_t n, uint8_t *rgba)
{
    for (int32_t i = 0; i < n; i++) {
        const struct pixel_line line = {u[i], v[i], 0, 0, 1};
        object_lines(level, &line, 1, rgba + i * 4);
    }
}

static void harden_row(uint8_t *rgba, int32_t n)
{
    for (int32_t i = 0; i < n; i++) {
        uint8_t *p = rgba + i * 4;
        uint64_t a = p[3];
        for (int c = 0; c < 3; c++) {
            uint64_t q = a ? (255 * 65536 + a / 2) / a : 0;
            uint64_t v = (p[c] * q + 32768) / 65536;
            p[c] = (uint8_t)(a < 128 ? 0 : v > 255 ? 255 : v);
        }
        p[3] = a < 128 ? 0 : 255;
    }
}

static void alpha_row(const uint8_t *rgba, int32_t n, uint8_t *out)
{
    for (int32_t i = 0; i < n; i++)
        out[i] = rgba[i * 4 + 3];
}

static void blur_columns(const uint8_t *const *rows, const uint32_t *weight,
                         uint32_t radius, int32_t n, uint8_t *out)
{
    for (int32_t i = 0; i < n; i++) {
        uint64_t sum = 0;
        for (uint32_t k = 0; k <= 2 * radius; k++) {
            uint32_t away = k > radius ? k - radius : radius - k;
            sum += (uint64_t)rows[k][i] * weight[away];
        }
        out[i] = (uint8_t)((sum + 32768) / 65536);
    }
}

static void blur_row(const uint8_t *in, const uint32_t *weight, uint32_t radius,
                     int32_t n, uint8_t *out)
{
    for (int32_t i = 0; i < n; i++) {
        uint64_t sum = 0;
        for (uint32_t k = 0; k <= 2 * radius; k++) {
            uint32_t away = k > radius ? k - radius : radius - k;
            sum += (uint64_t)in[(uint32_t)i + k] * weight[away];
        }
        out[i] = (uint8_t)((sum + 32768) / 65536);
    }
}

static void erode_row(const uint8_t *const *rows, int32_t n, uint8_t *out)
{
    for (int32_t i = 0; i < n; i++) {
        int sum = 0;
        for (int k = 1; k <= 3; k++) {
            int least = 255;
            for (int y = 3 - k; y <= 3 + k; y++)
                for (int x = i + 3 - k; x <= i + 3 + k; x++)
                    least = rows[y][x] < least ? rows[y][x] : least;
            sum += least;
        }
        out[i] = (uint8_t)((sum + 1) / 3);
    }
}

static void fade_row(uint8_t *rgba, const uint8_t *factor, int32_t n)
{
    for (int32_t i = 0; i < n * 4; i++) /* to nearest; no ties: 255 is odd */
        rgba[i] = (uint8_t)((2 * rgba[i] * factor[i / 4] + 255) / 510);
}

static uint8_t over_row(uint8_t *rgb, const uint8_t *rgba, int32_t n,
                        uint8_t *peak)
{
    uint8_t highest = 0;
    for (int32_t i = 0; i < n * 3; i++) {
        const uint8_t *p = rgba + i / 3 * 4;
        int keep = 256 - (p[3] >= 128 ? p[3] + 1 : p[3]);
        rgb[i] = (uint8_t)(p[i % 3] + (rgb[i] * keep + 128) / 256);
    }
    for (int32_t i = 0; i < n * 4; i++) {
        peak[i] = peak[i] > rgba[i] ? peak[i] : rgba[i];
        if (i % 4 == 3 && rgba[i] > highest)
            highest = rgba[i];
    }
    return highest >= 128 ? 128 : highest > 0;
}

static void third_row(uint8_t *rgb, int32_t n)
{
    for (int32_t i = 0; i < n * 3; i++)
        rgb[i] = (uint8_t)((rgb[i] * 2 + 3) / 6);
}

static uint8_t add_row(uint8_t *rgb, const uint8_t *rgba, int32_t n,
                       uint8_t *peak)
{
    uint8_t *sum = malloc((size_t)n * 3);
    for (int32_t i = 0; i < n * 3; i++)
        sum[i] = (uint8_t)(rgb[i] + rgba[i / 3 * 4 + i % 3]);
    const uint8_t highest = over_row(rgb, rgba, n, peak);
    memcpy(rgb, sum, (size_t)n * 3);
    free(sum);
    return highest;
}

static void grey_row(const uint8_t *in, int32_t n, uint8_t *rgb)
{
    for (int32_t i = 0; i < n; i++)
        memset(rgb + i * 3, in[i], 3);
}

static void colour_row(const uint8_t *in, const int32_t m[3][4], int32_t n,
                       uint8_t *out)
{
    for (int32_t i = 0; i < n * 3; i++) {
        const int32_t *row = m[i % 3];
        int64_t sum = (int64_t)row[3] + 2048;
        for (int c = 0; c < 3; c++)
            sum += (int64_t)row[c] * in[i / 3 * 3 + c];
        sum = sum < 0 ? 0 : sum / 4096;
        out[i] = (uint8_t)(sum > 255 ? 255 : sum);
    }
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a >= 0 ? a / b : -((-a + b - 1) / b);
}

static void tint_row(uint8_t *rgba, const int32_t m[3][4], int32_t n)
{
    for (int32_t i = 0; i < n; i++) {
        uint8_t *p = rgba + i * 4, in[3] = {p[0], p[1], p[2]};
        const int64_t share = p[3] >= 128 ? p[3] + 1 : p[3];
        for (int c = 0; c < 3; c++) {
            int64_t sum = floor_div(m[c][3] * share, 256) + 2048;
            for (int j = 0; j < 3; j++)
                sum += (int64_t)m[c][j] * in[j];
            sum = floor_div(sum, 4096);
            p[c] = (uint8_t)(sum < 0 ? 0 : sum > p[3] ? p[3] : sum);
        }
    }
}

static void stream_bytes(const uint8_t *in, size_t n_bytes, uint8_t *out)
{
    for (size_t i = 0; i < n_bytes; i++)
        out[i] = in[i];
}

static void planes_u8(const uint8_t *rgb, int32_t n, ptrdiff_t plane_stride,
                      uint8_t *out)
{
    for (int32_t i = 0; i < n * 3; i++)
        out[i % 3 * plane_stride + i / 3] = rgb[i];
}

static void row_f32(const uint8_t *rgb, const float table[3][256], int32_t n,
                    float *out)
{
    for (int32_t i = 0; i < n * 3; i++)
        out[i] = table[i % 3][rgb[i]];
}

static void planes_f32(const uint8_t *rgb, const float table[3][256], int32_t n,
                       ptrdiff_t plane_stride, float *out)
{
    for (int32_t i = 0; i < n * 3; i++)
        out[i % 3 * plane_stride + i / 3] = table[i % 3][rgb[i]];
}

const struct pixel_kernels oracle_kernels = {
    .name = "oracle",
    .resample_prepare = resample_prepare,
    .resample_rows = resample_rows,
    .noise_row = noise_row,
    .normal_row = normal_row,
    .gradient_row = gradient_row,
    .texture_row = texture_row,
    .solid_row = solid_row,
    .object_lines = object_lines,
    .photo_row = photo_row,
    .warp_row = warp_row,
    .harden_row = harden_row,
    .alpha_row = alpha_row,
    .blur_columns = blur_columns,
    .blur_row = blur_row,
    .erode_row = erode_row,
    .fade_row = fade_row,
    .over_row = over_row,
    .third_row = third_row,
    .add_row = add_row,
    .grey_row = grey_row,
    .colour_row = colour_row,
    .colour_stream = colour_row,
    .tint_row = tint_row,
    .stream_bytes = stream_bytes,
    .planes_u8 = planes_u8,
    .row_f32 = row_f32,
    .planes_f32 = planes_f32,
};
