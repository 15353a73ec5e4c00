/* Every kernel of every table that this CPU can run against the slow oracle:
 * random and worst-case rows, unaligned, padded, between guard pages. With
 * --bench, their times instead. A failure prints the seed; PASTED_TEST_SEED=...
 * replays it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/kernel/bench.h"
#include "tests/kernel/guard.h"
#include "tests/kernel/oracle.h"

#define MAX_N       2048 /* pixels: a frame's widest row */
#define N_ROUNDS    400
#define ROW_BYTES   (MAX_N * 12) /* the widest row: f32 RGB */
#define N_BLUR_ROWS (2 * PIXEL_MAX_BLUR_RADIUS + 1)

/* One round of one kernel. */
struct round {
    const struct pixel_kernels *k;
    uint64_t seed, random; /* of this round; the generator's state */
    int32_t n;
    struct guard in[3], out;
    uint8_t *expected; /* ROW_BYTES */
};

static uint64_t next(struct round *t)
{
    uint64_t z = (t->random += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}

static int32_t between(struct round *t, int32_t lo, int32_t hi)
{
    return lo + (int32_t)(next(t) % (uint64_t)((int64_t)hi - lo + 1));
}

/* Lengths around every vector width, the shortest and the longest. */
static int32_t row_length(struct round *t)
{
    static const int32_t edge[] = {1,  2,  3,  4,  7,  8,  9,   15,  16,  17,
                                   31, 32, 33, 63, 64, 65, 127, 128, 129, 2048};
    if (t->seed % 2) /* consecutive seeds: every width */
        return 1 + (int32_t)(t->seed / 2 % 200);
    if (next(t) % 2)
        return edge[next(t) % (sizeof edge / sizeof edge[0])];
    return between(t, 1, 300);
}

/* Random, constant, or only the extremes. */
static void fill(struct round *t, uint8_t *p, size_t n_bytes)
{
    uint64_t kind = next(t) % 5;
    for (size_t i = 0; i < n_bytes; i++) {
        uint8_t r = (uint8_t)(next(t) >> 56);
        p[i] = kind == 0   ? 0
               : kind == 1 ? 255
               : kind == 2 ? (r & 1 ? 255 : 0)
                           : r;
    }
}

static uint8_t *input(struct round *t, int which, size_t n_bytes)
{
    uint8_t *p = guard_place(&t->in[which], n_bytes, next(t) % 2);
    fill(t, p, n_bytes);
    return p;
}

static void premultiply(uint8_t *rgba, size_t n_pixels)
{
    for (size_t i = 0; i < n_pixels * 4; i++)
        if (rgba[i] > rgba[i / 4 * 4 + 3])
            rgba[i] = rgba[i / 4 * 4 + 3];
}

static uint8_t *premultiplied(struct round *t, int which, size_t n_pixels)
{
    uint8_t *p = input(t, which, n_pixels * 4);
    premultiply(p, n_pixels);
    return p;
}

static uint8_t *output(struct round *t, size_t n_bytes)
{
    return guard_place(&t->out, n_bytes, next(t) % 2);
}

/* For kernels in place: n random pixels in out and in expected. */
static size_t same_pixels(struct round *t)
{
    size_t bytes = (size_t)t->n * 4;
    memcpy(t->expected, premultiplied(t, 0, (size_t)t->n), bytes);
    memcpy(output(t, bytes), t->expected, bytes);
    return bytes;
}

static void expect_equal(struct round *t, const char *kernel, size_t n_bytes)
{
    bool equal = memcmp(t->out.placed, t->expected, n_bytes) == 0;
    if (equal && guard_is_intact(&t->out))
        return;
    size_t at = 0;
    while (!equal && t->out.placed[at] == t->expected[at])
        at++;
    fail_msg("%s %s: %s at byte %zu of n = %d; PASTED_TEST_SEED=%" PRIu64,
             t->k->name, kernel,
             equal ? "wrote outside its row" : "differs from the oracle", at,
             t->n, t->seed);
}

static void round_lerp_rows(struct round *t)
{
    int32_t n = t->n * 3;
    const uint8_t *a = input(t, 0, (size_t)n), *b = input(t, 1, (size_t)n);
    uint32_t f = (uint32_t)between(t, 0, 127);
    t->k->lerp_rows(a, b, f, n, output(t, (size_t)n));
    oracle_kernels.lerp_rows(a, b, f, n, t->expected);
    expect_equal(t, "lerp_rows", (size_t)n);
}

/* Steps: about one texel as in real crops, or to anywhere. */
static int32_t resample_step(struct round *t, int32_t u, int32_t max_u)
{
    int32_t to = between(t, -(3 << 16), max_u + (3 << 16));
    int32_t du = (to - u) / t->n;
    if (next(t) % 8 == 0) /* as far as 32 bits go */
        return (int32_t)(((next(t) % 2 ? (int64_t)INT32_MAX : INT32_MIN) - u) /
                         t->n);
    if (next(t) % 2)
        return du;
    du = between(t, 40000, 170000);
    return next(t) % 2 ? du : -du;
}

static void round_resample_row(struct round *t)
{
    int32_t width = between(t, 1, next(t) % 8 ? 60 : 4000);
    /* One texel without weight and what may be read after it. */
    const uint8_t *texels =
        input(t, 0, (size_t)(width + 1) * 3 + PIXEL_SLACK_BYTES);
    struct pixel_resample r = {.max_u = (width - 1) << 16, .n = t->n};
    r.u = between(t, -(3 << 16), r.max_u + (3 << 16));
    r.du = resample_step(t, r.u, r.max_u);
    size_t bytes = (size_t)t->n * 3, table = pixel_resample_bytes(t->n);
    oracle_kernels.resample_row(&r, texels, t->expected);
    r.table = aligned_alloc(64, (table + 63) / 64 * 64);
    assert_non_null(r.table);
    t->k->resample_prepare(&r);
    t->k->resample_row(&r, texels, output(t, bytes));
    expect_equal(t, "resample_row", bytes);
    free(r.table);
}

static void round_noise_row(struct round *t)
{
    uint64_t key = next(t);
    uint8_t lo = (uint8_t)between(t, 0, 255);
    uint8_t hi = (uint8_t)between(t, lo, 255);
    if (next(t) % 3 == 0)
        lo = 0, hi = 255;
    uint32_t y = (uint32_t)between(t, 0, 2047);
    size_t bytes = (size_t)t->n * 3;
    t->k->noise_row(key, y, lo, hi, t->n, output(t, bytes));
    oracle_kernels.noise_row(key, y, lo, hi, t->n, t->expected);
    expect_equal(t, "noise_row", bytes);
    int32_t amplitude = between(t, 0, (1 << 19) - 1);
    t->k->normal_row(key, y, amplitude, t->n, output(t, bytes));
    oracle_kernels.normal_row(key, y, amplitude, t->n, t->expected);
    expect_equal(t, "normal_row", bytes);
}

static void round_solid_row(struct round *t)
{
    const uint8_t *colour = input(t, 0, 3);
    t->k->solid_row(colour, t->n, output(t, (size_t)t->n * 3));
    oracle_kernels.solid_row(colour, t->n, t->expected);
    expect_equal(t, "solid_row", (size_t)t->n * 3);
}

/* A padded level whose last texel touches a guard page. */
static struct image_level level_of(struct round *t, int32_t least)
{
    struct image_level l = {.width = between(t, least, 40),
                            .height = between(t, least, 40)};
    int32_t padding = next(t) % 2 ? 0 : between(t, 0, 13);
    l.stride_bytes = l.width * 4 + padding;
    size_t bytes =
        (size_t)(l.height - 1) * (size_t)l.stride_bytes + (size_t)l.width * 4;
    uint8_t *pixels = input(t, 0, bytes);
    for (int32_t y = 0; y < l.height; y++)
        premultiply(pixels + y * l.stride_bytes, (size_t)l.width);
    l.pixels = pixels;
    return l;
}

/* A line whose n pixels stay within [lo, hi] in each axis. */
static struct pixel_line line_within(struct round *t, int32_t lo, int32_t hi_u,
                                     int32_t hi_v)
{
    struct pixel_line line = {between(t, lo, hi_u), between(t, lo, hi_v), 0, 0,
                              t->n};
    if (next(t) % 4 == 0)
        line.u = next(t) % 2 ? lo : hi_u;
    if (next(t) % 4 == 0)
        line.v = next(t) % 2 ? lo : hi_v;
    int32_t steps = t->n > 1 ? t->n - 1 : 1;
    line.du = (between(t, lo, hi_u) - line.u) / steps;
    line.dv = (between(t, lo, hi_v) - line.v) / steps;
    return line;
}

#define MOST_LINES 40

/* Lines of t->n pixels in all, some of them empty. */
static void check_lines(struct round *t, const struct image_level *l,
                        const int32_t range[3])
{
    struct pixel_line line[MOST_LINES];
    const int32_t all = t->n;
    int32_t n_lines = between(t, 1, MOST_LINES), left = all;
    for (int32_t i = 0; i < n_lines; i++) {
        t->n = i == n_lines - 1 ? left : between(t, 0, left / 3);
        line[i] = line_within(t, range[0], range[1], range[2]);
        left -= t->n;
    }
    t->n = all;
    size_t bytes = (size_t)all * 4;
    uint8_t *out = output(t, bytes + PIXEL_SLACK_BYTES);
    t->k->object_lines(l, line, n_lines, out);
    oracle_kernels.object_lines(l, line, n_lines, t->expected);
    expect_equal(t, "object_lines", bytes);
}

static void round_object_inside(struct round *t)
{
    struct image_level l = level_of(t, 2);
    const int32_t range[3] = {0, ((l.width - 1) << 16) - 1,
                              ((l.height - 1) << 16) - 1};
    check_lines(t, &l, range);
}

static void round_object_border(struct round *t)
{
    struct image_level l = level_of(t, 1);
    const int32_t range[3] = {-(3 << 16), (l.width + 2) << 16,
                              (l.height + 2) << 16};
    check_lines(t, &l, range);
}

static void round_warp_row(struct round *t)
{
    struct image_level l = level_of(t, 1);
    const int32_t far = next(t) % 2 ? 3 << 16 : 1 << 29;
    static int32_t u[MAX_N], v[MAX_N];
    for (int32_t i = 0; i < t->n; i++) {
        u[i] = between(t, -far, (l.width << 16) + far);
        v[i] = between(t, -far, (l.height << 16) + far);
    }
    t->k->warp_row(&l, u, v, t->n, output(t, (size_t)t->n * 4));
    oracle_kernels.warp_row(&l, u, v, t->n, t->expected);
    expect_equal(t, "warp_row", (size_t)t->n * 4);
}

static void round_harden_row(struct round *t)
{
    size_t bytes = same_pixels(t);
    t->k->harden_row(t->out.placed, t->n);
    oracle_kernels.harden_row(t->expected, t->n);
    expect_equal(t, "harden_row", bytes);
}

static void round_alpha_row(struct round *t)
{
    const uint8_t *rgba = premultiplied(t, 0, (size_t)t->n);
    t->k->alpha_row(rgba, t->n, output(t, (size_t)t->n));
    oracle_kernels.alpha_row(rgba, t->n, t->expected);
    expect_equal(t, "alpha_row", (size_t)t->n);
}

/* Weights that sum to 65536 exactly; anything from one tap to flat. */
static uint32_t weights(struct round *t, uint32_t *weight)
{
    uint32_t radius = (uint32_t)between(t, 0, PIXEL_MAX_BLUR_RADIUS);
    uint32_t left = 65536;
    for (uint32_t i = radius; i >= 1; i--) {
        weight[i] = (uint32_t)between(t, 0, (int32_t)(left / 2 / i));
        left -= 2 * weight[i];
    }
    weight[0] = left;
    return radius;
}

static void round_blur_columns(struct round *t)
{
    uint32_t weight[PIXEL_MAX_BLUR_RADIUS + 1];
    uint32_t radius = weights(t, weight);
    const uint8_t *rows[N_BLUR_ROWS];
    size_t n = (size_t)t->n;
    uint8_t *all = input(t, 0, n * N_BLUR_ROWS);
    for (size_t i = 0; i < N_BLUR_ROWS; i++)
        rows[i] = all + (N_BLUR_ROWS - 1 - i) * n;
    t->k->blur_columns(rows, weight, radius, t->n, output(t, n));
    oracle_kernels.blur_columns(rows, weight, radius, t->n, t->expected);
    expect_equal(t, "blur_columns", n);
}

static void round_blur_row(struct round *t)
{
    uint32_t weight[PIXEL_MAX_BLUR_RADIUS + 1];
    uint32_t radius = weights(t, weight);
    const uint8_t *in = input(t, 0, (size_t)t->n + 2 * radius);
    t->k->blur_row(in, weight, radius, t->n, output(t, (size_t)t->n));
    oracle_kernels.blur_row(in, weight, radius, t->n, t->expected);
    expect_equal(t, "blur_row", (size_t)t->n);
}

static void round_erode_row(struct round *t)
{
    const uint8_t *rows[7];
    const uint8_t *all = input(t, 0, ((size_t)t->n + 6) * 7);
    for (int32_t i = 0; i < 7; i++)
        rows[i] = all + (6 - i) * (t->n + 6);
    t->k->erode_row(rows, t->n, output(t, (size_t)t->n));
    oracle_kernels.erode_row(rows, t->n, t->expected);
    expect_equal(t, "erode_row", (size_t)t->n);
}

static void round_fade_row(struct round *t)
{
    size_t bytes = same_pixels(t);
    const uint8_t *factor = input(t, 1, (size_t)t->n);
    t->k->fade_row(t->out.placed, factor, t->n);
    oracle_kernels.fade_row(t->expected, factor, t->n);
    expect_equal(t, "fade_row", bytes);
}

static void round_over_row(struct round *t)
{
    size_t n = (size_t)t->n;
    const uint8_t *rgba = premultiplied(t, 0, n);
    const uint8_t *under = input(t, 1, n * 3);
    uint8_t *peak = input(t, 2, n * 4), *rgb = output(t, n * 3);
    uint8_t *expected_peak = malloc(n * 4);
    assert_non_null(expected_peak);
    memcpy(expected_peak, peak, n * 4);
    memcpy(rgb, under, n * 3);
    memcpy(t->expected, under, n * 3);
    uint8_t highest = t->k->over_row(rgb, rgba, t->n, peak);
    uint8_t expected =
        oracle_kernels.over_row(t->expected, rgba, t->n, expected_peak);
    expect_equal(t, "over_row", n * 3);
    assert_int_equal(highest, expected);
    assert_memory_equal(peak, expected_peak, n * 4);
    assert_true(guard_is_intact(&t->in[2]));
    free(expected_peak);
}

static void random_matrix(struct round *t, int32_t m[3][4])
{
    int32_t reach = next(t) % 2 ? 8192 : 32767;
    for (int i = 0; i < 12; i++)
        m[i / 4][i % 4] = between(t, -reach, reach) *
                          (i % 4 == 3 && reach > 8192 ? 32768 : 1);
}

static void round_tint_row(struct round *t)
{
    int32_t m[3][4];
    random_matrix(t, m);
    size_t bytes = same_pixels(t);
    t->k->tint_row(t->out.placed, (const int32_t(*)[4])m, t->n);
    oracle_kernels.tint_row(t->expected, (const int32_t(*)[4])m, t->n);
    expect_equal(t, "tint_row", bytes);
}

static void round_colour_row(struct round *t)
{
    int32_t m[3][4];
    random_matrix(t, m);
    size_t bytes = (size_t)t->n * 3;
    uint8_t *in = input(t, 0, bytes);
    t->k->colour_row(in, (const int32_t(*)[4])m, t->n, output(t, bytes));
    oracle_kernels.colour_row(in, (const int32_t(*)[4])m, t->n, t->expected);
    expect_equal(t, "colour_row", bytes);
    t->k->colour_stream(in, (const int32_t(*)[4])m, t->n, output(t, bytes));
    t->k->stream_end();
    expect_equal(t, "colour_stream", bytes);
}

static void round_planes_u8(struct round *t)
{
    const uint8_t *rgb = input(t, 0, (size_t)t->n * 3);
    t->k->planes_u8(rgb, t->n, t->n, output(t, (size_t)t->n * 3));
    oracle_kernels.planes_u8(rgb, t->n, t->n, t->expected);
    expect_equal(t, "planes_u8", (size_t)t->n * 3);
}

static void round_f32(struct round *t)
{
    float table[3][256];
    for (int i = 0; i < 768; i++)
        table[i / 256][i % 256] = (float)between(t, -99999, 99999) / 77.0f;
    const uint8_t *rgb = input(t, 0, (size_t)t->n * 3);
    const float(*values)[256] = (const float(*)[256])table;
    size_t bytes = (size_t)t->n * 12;
    t->k->row_f32(rgb, values, t->n, (float *)(void *)output(t, bytes));
    oracle_kernels.row_f32(rgb, values, t->n, (float *)(void *)t->expected);
    expect_equal(t, "row_f32", bytes);
    t->k->planes_f32(rgb, values, t->n, t->n,
                     (float *)(void *)output(t, bytes));
    oracle_kernels.planes_f32(rgb, values, t->n, t->n,
                              (float *)(void *)t->expected);
    expect_equal(t, "planes_f32", bytes);
}

struct kernel_case {
    const char *name;
    void (*run)(struct round *t);
};

static void equals_the_oracle(void **state)
{
    const struct kernel_case *c = *state;
    struct round t = {.expected = malloc(ROW_BYTES)};
    assert_non_null(t.expected);
    for (int i = 0; i < 3; i++)
        guard_init(&t.in[i], MAX_N * N_BLUR_ROWS);
    guard_init(&t.out, ROW_BYTES);
    const char *text = getenv("PASTED_TEST_SEED");
    uint64_t seed = text ? strtoull(text, NULL, 0) : (uint64_t)time(NULL) << 20;
    for (uint32_t i = 0; (t.k = pixel_kernels_at(i)); i++)
        for (uint64_t r = 0; r < N_ROUNDS; r++) {
            t.seed = t.random = seed + r;
            t.n = row_length(&t);
            c->run(&t);
        }
    for (int i = 0; i < 3; i++)
        guard_fini(&t.in[i]);
    guard_fini(&t.out);
    free(t.expected);
}

static void selection_knows_its_names(void **state)
{
    struct fault fault = {0};
    assert_int_equal(pixel_kernels_select("reference", &fault), 0);
    assert_string_equal(pixel_kernels()->name, "reference");
    assert_int_equal(pixel_kernels_select("abacus", &fault), -ERROR_BAD_CONFIG);
    assert_non_null(strstr(fault.text, "reference"));
    assert_string_equal(pixel_kernels()->name, "reference");
    assert_int_equal(pixel_kernels_select(NULL, &fault), 0);
    assert_non_null(pixel_kernels());
}

/* Each table of kernels runs through all of them. */
static struct kernel_case cases[] = {
    {"lerp_rows", round_lerp_rows},
    {"resample_row", round_resample_row},
    {"noise_row, normal_row", round_noise_row},
    {"solid_row", round_solid_row},
    {"object_lines inside", round_object_inside},
    {"object_lines at the border", round_object_border},
    {"warp_row", round_warp_row},
    {"harden_row", round_harden_row},
    {"alpha_row", round_alpha_row},
    {"blur_columns", round_blur_columns},
    {"blur_row", round_blur_row},
    {"erode_row", round_erode_row},
    {"fade_row", round_fade_row},
    {"over_row", round_over_row},
    {"colour_row", round_colour_row},
    {"tint_row", round_tint_row},
    {"planes_u8", round_planes_u8},
    {"row_f32, planes_f32", round_f32},
};
#define N_CASES (sizeof cases / sizeof cases[0])

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--bench") == 0) {
        bench_kernels();
        return 0;
    }
    struct CMUnitTest tests[N_CASES + 1] = {
        cmocka_unit_test(selection_knows_its_names)};
    for (size_t i = 0; i < N_CASES; i++) {
        tests[i + 1].name = cases[i].name;
        tests[i + 1].test_func = equals_the_oracle;
        tests[i + 1].initial_state = &cases[i];
    }
    return cmocka_run_group_tests_name("kernels equal the oracle", tests, NULL,
                                       NULL);
}
