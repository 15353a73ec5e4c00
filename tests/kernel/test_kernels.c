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
#include "tests/kernel/oracle.h"
#include "tests/kernel/trial.h"

#define MAX_N       2048 /* pixels: a frame's widest row */
#define N_ROUNDS    400
#define ROW_BYTES   (MAX_N * 12) /* the widest row: f32 RGB */
#define N_BLUR_ROWS (2 * PIXEL_MAX_BLUR_RADIUS + 1)

/* Steps: about one texel as in real crops, or to anywhere. */
static int32_t resample_step(struct trial *t, int32_t u, int32_t max_u)
{
    int32_t to = trial_between(t, -(3 << 16), max_u + (3 << 16));
    int32_t du = (to - u) / t->n;
    if (trial_next(t) % 8 == 0) /* as far as 32 bits go */
        return (int32_t)(((trial_next(t) % 2 ? (int64_t)INT32_MAX : INT32_MIN) -
                          u) /
                         t->n);
    if (trial_next(t) % 2)
        return du;
    du = trial_between(t, 40000, 170000);
    return trial_next(t) % 2 ? du : -du;
}

#define MOST_PAIRS 5

/* Rows of texels side by side, the last against a guard page. */
static void random_pairs(struct trial *t, int32_t n_texels, int32_t n,
                         struct pixel_pair *pairs)
{
    const size_t row = (size_t)n_texels * 3;
    const uint8_t *texels = trial_input(t, 0, row * MOST_PAIRS);
    for (int32_t i = 0; i < n; i++) {
        pairs[i].top = texels + row * (trial_next(t) % MOST_PAIRS);
        pairs[i].low = texels + row * (trial_next(t) % MOST_PAIRS);
        pairs[i].f = (uint32_t)trial_between(t, 0, 127);
    }
}

static void round_resample_rows(struct trial *t)
{
    static uint8_t stage[PIXEL_STAGE_BYTES] __attribute__((aligned(64)));
    struct pixel_pair pairs[MOST_PAIRS];
    const int32_t width = trial_between(t, 1, trial_next(t) % 8 ? 60 : 4000);
    const int32_t n_rows = trial_between(t, 1, MOST_PAIRS);
    t->n = t->n / n_rows + 1;
    struct pixel_resample r = {
        .max_u = (width - 1) << 16, .n = t->n, .n_texels = width};
    random_pairs(t, width, n_rows, pairs);
    r.u = trial_between(t, -(3 << 16), r.max_u + (3 << 16));
    r.du = resample_step(t, r.u, r.max_u);
    size_t bytes = (size_t)(t->n * n_rows) * 3;
    size_t table = pixel_resample_bytes(t->n);
    const ptrdiff_t stride = (ptrdiff_t)t->n * 3;
    oracle_kernels.resample_rows(&r, pairs, n_rows, NULL, t->expected, stride);
    r.table = aligned_alloc(64, (table + 63) / 64 * 64);
    assert_non_null(r.table);
    t->k->resample_prepare(&r);
    t->k->resample_rows(&r, pairs, n_rows, stage, trial_output(t, bytes),
                        stride);
    trial_expect_equal(t, "resample_rows", bytes);
    free(r.table);
}

static void round_noise_row(struct trial *t)
{
    uint64_t key = trial_next(t);
    uint8_t lo = (uint8_t)trial_between(t, 0, 255);
    uint8_t hi = (uint8_t)trial_between(t, lo, 255);
    if (trial_next(t) % 3 == 0)
        lo = 0, hi = 255;
    uint32_t y = (uint32_t)trial_between(t, 0, 2047);
    size_t bytes = (size_t)t->n * 3;
    t->k->noise_row(key, y, lo, hi, t->n, trial_output(t, bytes));
    oracle_kernels.noise_row(key, y, lo, hi, t->n, t->expected);
    trial_expect_equal(t, "noise_row", bytes);
    int32_t amplitude = trial_between(t, 0, (1 << 19) - 1);
    t->k->normal_row(key, y, amplitude, t->n, trial_output(t, bytes));
    oracle_kernels.normal_row(key, y, amplitude, t->n, t->expected);
    trial_expect_equal(t, "normal_row", bytes);
}

static void round_solid_row(struct trial *t)
{
    const uint8_t *colour = trial_input(t, 0, 3);
    t->k->solid_row(colour, t->n, trial_output(t, (size_t)t->n * 3));
    oracle_kernels.solid_row(colour, t->n, t->expected);
    trial_expect_equal(t, "solid_row", (size_t)t->n * 3);
    struct pixel_gradient g = {trial_between(t, -(1 << 24), 1 << 25),
                               trial_between(t, -(1 << 20), 1 << 20),
                               777,
                               {9},
                               {250}};
    t->k->gradient_row(&g, 3, t->n, trial_output(t, (size_t)t->n * 3));
    oracle_kernels.gradient_row(&g, 3, t->n, t->expected);
    trial_expect_equal(t, "gradient_row", (size_t)t->n * 3);
}

static void round_texture_row(struct trial *t)
{
    struct pixel_texture texture = {
        .kind = (uint8_t)trial_between(t, 0, TEXTURE_N - 1),
        .n_octaves = (uint8_t)trial_between(t, 1, 6),
        .from = {0, 255, (uint8_t)trial_between(t, 0, 255)},
        .to = {255, 0, (uint8_t)trial_between(t, 0, 255)},
        .at = {(uint32_t)trial_between(t, INT32_MIN, INT32_MAX),
               (uint32_t)trial_between(t, -70000, 70000)},
        .dx = trial_between(t, -65536, 65536),
        .dy = trial_between(t, -65536, 65536),
        .sharp = trial_between(t, 256, 262144)};
    texture.key = (uint64_t)(uint32_t)trial_between(t, INT32_MIN, INT32_MAX)
                      << 32 |
                  (uint32_t)trial_between(t, INT32_MIN, INT32_MAX);
    texture.dy = texture.kind == TEXTURE_NOISE ? 0 : texture.dy;
    const int32_t y = trial_between(t, 0, 32767);
    t->k->texture_row(&texture, y, t->n, trial_output(t, (size_t)t->n * 3));
    oracle_kernels.texture_row(&texture, y, t->n, t->expected);
    trial_expect_equal(t, "texture_row", (size_t)t->n * 3);
}

/* A padded level whose last texel touches a guard page. */
static struct image_level level_of(struct trial *t, int32_t least)
{
    struct image_level l = {.width = trial_between(t, least, 40),
                            .height = trial_between(t, least, 40)};
    int32_t padding = trial_next(t) % 2 ? 0 : trial_between(t, 0, 13);
    l.stride_bytes = l.width * 4 + padding;
    size_t bytes =
        (size_t)(l.height - 1) * (size_t)l.stride_bytes + (size_t)l.width * 4;
    uint8_t *pixels = trial_input(t, 0, bytes);
    for (int32_t y = 0; y < l.height; y++)
        trial_premultiply(pixels + y * l.stride_bytes, (size_t)l.width);
    l.pixels = pixels;
    return l;
}

/* A line whose n pixels stay within [lo, hi] in each axis. */
static struct pixel_line line_within(struct trial *t, int32_t lo, int32_t hi_u,
                                     int32_t hi_v)
{
    struct pixel_line line = {trial_between(t, lo, hi_u),
                              trial_between(t, lo, hi_v), 0, 0, t->n};
    if (trial_next(t) % 4 == 0)
        line.u = trial_next(t) % 2 ? lo : hi_u;
    if (trial_next(t) % 4 == 0)
        line.v = trial_next(t) % 2 ? lo : hi_v;
    int32_t steps = t->n > 1 ? t->n - 1 : 1;
    line.du = (trial_between(t, lo, hi_u) - line.u) / steps;
    line.dv = (trial_between(t, lo, hi_v) - line.v) / steps;
    return line;
}

#define MOST_LINES 40

/* Lines of t->n pixels in all, some of them empty. */
static void check_lines(struct trial *t, const struct image_level *l,
                        const int32_t range[3])
{
    struct pixel_line line[MOST_LINES];
    const int32_t all = t->n;
    int32_t n_lines = trial_between(t, 1, MOST_LINES), left = all;
    for (int32_t i = 0; i < n_lines; i++) {
        t->n = i == n_lines - 1 ? left : trial_between(t, 0, left / 3);
        line[i] = line_within(t, range[0], range[1], range[2]);
        left -= t->n;
    }
    t->n = all;
    size_t bytes = (size_t)all * 4;
    uint8_t *out = trial_output(t, bytes + PIXEL_SLACK_BYTES);
    t->k->object_lines(l, line, n_lines, out);
    oracle_kernels.object_lines(l, line, n_lines, t->expected);
    trial_expect_equal(t, "object_lines", bytes);
}

static void round_object_inside(struct trial *t)
{
    struct image_level l = level_of(t, 2);
    const int32_t range[3] = {0, ((l.width - 1) << 16) - 1,
                              ((l.height - 1) << 16) - 1};
    check_lines(t, &l, range);
}

static void round_object_border(struct trial *t)
{
    struct image_level l = level_of(t, 1);
    const int32_t range[3] = {-(3 << 16), (l.width + 2) << 16,
                              (l.height + 2) << 16};
    check_lines(t, &l, range);
}

static void round_warp_row(struct trial *t)
{
    struct image_level l = level_of(t, 1);
    const int32_t far = trial_next(t) % 2 ? 3 << 16 : 1 << 29;
    static int32_t u[MAX_N], v[MAX_N];
    for (int32_t i = 0; i < t->n; i++) {
        u[i] = trial_between(t, -far, (l.width << 16) + far);
        v[i] = trial_between(t, -far, (l.height << 16) + far);
    }
    t->k->warp_row(&l, u, v, t->n, trial_output(t, (size_t)t->n * 4));
    oracle_kernels.warp_row(&l, u, v, t->n, t->expected);
    trial_expect_equal(t, "warp_row", (size_t)t->n * 4);
}

static void round_photo_row(struct trial *t)
{
    static int32_t u[MAX_N], v[MAX_N];
    struct image_level l = {.width = trial_between(t, 1, 40),
                            .height = trial_between(t, 1, 40)};
    l.stride_bytes = l.width * 3 + trial_between(t, 0, 5);
    l.pixels = trial_input(t, 0,
                           (size_t)(l.height - 1) * (size_t)l.stride_bytes +
                               (size_t)l.width * 3);
    /* Well within the rows, anywhere, or often at their ends. */
    const int32_t ends = trial_between(t, 0, 2);
    const int32_t most_u = ends == 0 && l.width > 2 ? l.width - 2 : l.width - 1;
    for (int32_t i = 0; i < t->n; i++) {
        u[i] = trial_between(t, 0, (most_u << 16) - (most_u < l.width - 1));
        v[i] = trial_between(t, 0, (l.height - 1) << 16);
        if (ends == 2 && trial_next(t) % 4 == 0)
            u[i] = (l.width - 1) << 16;
        if (trial_next(t) % 4 == 0)
            v[i] = (l.height - 1) << 16;
    }
    t->k->photo_row(&l, u, v, t->n, trial_output(t, (size_t)t->n * 3));
    oracle_kernels.photo_row(&l, u, v, t->n, t->expected);
    trial_expect_equal(t, "photo_row", (size_t)t->n * 3);
}

static void round_harden_row(struct trial *t)
{
    size_t bytes = trial_same_pixels(t);
    t->k->harden_row(t->out.placed, t->n);
    oracle_kernels.harden_row(t->expected, t->n);
    trial_expect_equal(t, "harden_row", bytes);
}

static void round_alpha_row(struct trial *t)
{
    const uint8_t *rgba = trial_premultiplied(t, 0, (size_t)t->n);
    t->k->alpha_row(rgba, t->n, trial_output(t, (size_t)t->n));
    oracle_kernels.alpha_row(rgba, t->n, t->expected);
    trial_expect_equal(t, "alpha_row", (size_t)t->n);
}

/* Weights that sum to 65536 exactly; anything from one tap to flat. */
static uint32_t weights(struct trial *t, uint32_t *weight)
{
    uint32_t radius = (uint32_t)trial_between(t, 0, PIXEL_MAX_BLUR_RADIUS);
    uint32_t left = 65536;
    for (uint32_t i = radius; i >= 1; i--) {
        weight[i] = (uint32_t)trial_between(t, 0, (int32_t)(left / 2 / i));
        left -= 2 * weight[i];
    }
    weight[0] = left;
    return radius;
}

static void round_blur_columns(struct trial *t)
{
    uint32_t weight[PIXEL_MAX_BLUR_RADIUS + 1];
    uint32_t radius = weights(t, weight);
    const uint8_t *rows[N_BLUR_ROWS];
    size_t n = (size_t)t->n;
    uint8_t *all = trial_input(t, 0, n * N_BLUR_ROWS);
    for (size_t i = 0; i < N_BLUR_ROWS; i++)
        rows[i] = all + (N_BLUR_ROWS - 1 - i) * n;
    t->k->blur_columns(rows, weight, radius, t->n, trial_output(t, n));
    oracle_kernels.blur_columns(rows, weight, radius, t->n, t->expected);
    trial_expect_equal(t, "blur_columns", n);
}

static void round_blur_row(struct trial *t)
{
    uint32_t weight[PIXEL_MAX_BLUR_RADIUS + 1];
    uint32_t radius = weights(t, weight);
    const uint8_t *in = trial_input(t, 0, (size_t)t->n + 2 * radius);
    t->k->blur_row(in, weight, radius, t->n, trial_output(t, (size_t)t->n));
    oracle_kernels.blur_row(in, weight, radius, t->n, t->expected);
    trial_expect_equal(t, "blur_row", (size_t)t->n);
}

static void round_erode_row(struct trial *t)
{
    const uint8_t *rows[7];
    const uint8_t *all = trial_input(t, 0, ((size_t)t->n + 6) * 7);
    for (int32_t i = 0; i < 7; i++)
        rows[i] = all + (6 - i) * (t->n + 6);
    t->k->erode_row(rows, t->n, trial_output(t, (size_t)t->n));
    oracle_kernels.erode_row(rows, t->n, t->expected);
    trial_expect_equal(t, "erode_row", (size_t)t->n);
}

static void round_fade_row(struct trial *t)
{
    size_t bytes = trial_same_pixels(t);
    const uint8_t *factor = trial_input(t, 1, (size_t)t->n);
    t->k->fade_row(t->out.placed, factor, t->n);
    oracle_kernels.fade_row(t->expected, factor, t->n);
    trial_expect_equal(t, "fade_row", bytes);
}

static void round_over_row(struct trial *t)
{
    size_t n = (size_t)t->n;
    const uint8_t *rgba = trial_premultiplied(t, 0, n);
    const uint8_t *under = trial_input(t, 1, n * 3);
    uint8_t *peak = trial_input(t, 2, n * 4), *rgb = trial_output(t, n * 3);
    uint8_t *expected_peak = malloc(n * 4);
    assert_non_null(expected_peak);
    memcpy(expected_peak, peak, n * 4);
    memcpy(rgb, under, n * 3);
    memcpy(t->expected, under, n * 3);
    uint8_t highest = t->k->over_row(rgb, rgba, t->n, peak);
    uint8_t expected =
        oracle_kernels.over_row(t->expected, rgba, t->n, expected_peak);
    trial_expect_equal(t, "over_row", n * 3);
    assert_int_equal(highest, expected);
    assert_memory_equal(peak, expected_peak, n * 4);
    assert_true(guard_is_intact(&t->in[2]));
    free(expected_peak);
}

static void round_thirds(struct trial *t)
{
    const size_t n = (size_t)t->n;
    uint8_t *rgba = trial_premultiplied(t, 0, n);
    const uint8_t *under = trial_input(t, 1, n * 3);
    uint8_t *peak = trial_input(t, 2, n * 4), *rgb = trial_output(t, n * 3);
    for (size_t i = 0; i < n * 4; i++)
        rgba[i] = (uint8_t)(rgba[i] * 2 / 3);
    uint8_t *expected_peak = malloc(n * 4);
    assert_non_null(expected_peak);
    memcpy(expected_peak, peak, n * 4);
    memcpy(rgb, under, n * 3);
    memcpy(t->expected, under, n * 3);
    t->k->third_row(rgb, t->n);
    oracle_kernels.third_row(t->expected, t->n);
    trial_expect_equal(t, "third_row", n * 3);
    assert_int_equal(
        t->k->add_row(rgb, rgba, t->n, peak),
        oracle_kernels.add_row(t->expected, rgba, t->n, expected_peak));
    trial_expect_equal(t, "add_row", n * 3);
    assert_memory_equal(peak, expected_peak, n * 4);
    free(expected_peak);
    t->k->grey_row(under, t->n, rgb);
    oracle_kernels.grey_row(under, t->n, t->expected);
    trial_expect_equal(t, "grey_row", n * 3);
}

static void random_matrix(struct trial *t, int32_t m[3][4])
{
    int32_t reach = trial_next(t) % 2 ? 8192 : 32767;
    for (int i = 0; i < 12; i++)
        m[i / 4][i % 4] = trial_between(t, -reach, reach) *
                          (i % 4 == 3 && reach > 8192 ? 32768 : 1);
}

static void round_tint_row(struct trial *t)
{
    int32_t m[3][4];
    random_matrix(t, m);
    size_t bytes = trial_same_pixels(t);
    t->k->tint_row(t->out.placed, (const int32_t(*)[4])m, t->n);
    oracle_kernels.tint_row(t->expected, (const int32_t(*)[4])m, t->n);
    trial_expect_equal(t, "tint_row", bytes);
}

static void round_colour_row(struct trial *t)
{
    int32_t m[3][4];
    random_matrix(t, m);
    size_t bytes = (size_t)t->n * 3;
    uint8_t *in = trial_input(t, 0, bytes);
    t->k->colour_row(in, (const int32_t(*)[4])m, t->n, trial_output(t, bytes));
    oracle_kernels.colour_row(in, (const int32_t(*)[4])m, t->n, t->expected);
    trial_expect_equal(t, "colour_row", bytes);
    t->k->colour_stream(in, (const int32_t(*)[4])m, t->n,
                        trial_output(t, bytes));
    t->k->stream_end();
    trial_expect_equal(t, "colour_stream", bytes);
}

static void round_planes_u8(struct trial *t)
{
    const uint8_t *rgb = trial_input(t, 0, (size_t)t->n * 3);
    t->k->planes_u8(rgb, t->n, t->n, trial_output(t, (size_t)t->n * 3));
    oracle_kernels.planes_u8(rgb, t->n, t->n, t->expected);
    trial_expect_equal(t, "planes_u8", (size_t)t->n * 3);
    t->k->stream_bytes(rgb, (size_t)t->n, trial_output(t, (size_t)t->n));
    t->k->stream_end();
    oracle_kernels.stream_bytes(rgb, (size_t)t->n, t->expected);
    trial_expect_equal(t, "stream_bytes", (size_t)t->n);
}

static void round_f32(struct trial *t)
{
    float table[3][256];
    for (int i = 0; i < 768; i++)
        table[i / 256][i % 256] =
            (float)trial_between(t, -99999, 99999) / 77.0f;
    const uint8_t *rgb = trial_input(t, 0, (size_t)t->n * 3);
    const float(*values)[256] = (const float(*)[256])table;
    size_t bytes = (size_t)t->n * 12;
    t->k->row_f32(rgb, values, t->n, (float *)(void *)trial_output(t, bytes));
    oracle_kernels.row_f32(rgb, values, t->n, (float *)(void *)t->expected);
    trial_expect_equal(t, "row_f32", bytes);
    t->k->planes_f32(rgb, values, t->n, t->n,
                     (float *)(void *)trial_output(t, bytes));
    oracle_kernels.planes_f32(rgb, values, t->n, t->n,
                              (float *)(void *)t->expected);
    trial_expect_equal(t, "planes_f32", bytes);
}

struct kernel_case {
    const char *name;
    void (*run)(struct trial *t);
};

static void equals_the_oracle(void **state)
{
    const struct kernel_case *c = *state;
    struct trial t = {.expected = malloc(ROW_BYTES)};
    assert_non_null(t.expected);
    for (int i = 0; i < 3; i++)
        guard_init(&t.in[i], MAX_N * N_BLUR_ROWS);
    guard_init(&t.out, ROW_BYTES);
    const char *text = getenv("PASTED_TEST_SEED");
    uint64_t seed = text ? strtoull(text, NULL, 0) : (uint64_t)time(NULL) << 20;
    for (uint32_t i = 0; (t.k = pixel_kernels_at(i)); i++)
        for (uint64_t r = 0; r < N_ROUNDS; r++) {
            t.seed = t.random = seed + r;
            t.n = trial_row_length(&t);
            c->run(&t);
        }
    for (int i = 0; i < 3; i++)
        guard_fini(&t.in[i]);
    guard_fini(&t.out);
    free(t.expected);
}

/* Each table of kernels runs through all of them. */
static struct kernel_case cases[] = {
    {"resample_rows", round_resample_rows},
    {"noise_row, normal_row", round_noise_row},
    {"solid_row", round_solid_row},
    {"texture_row", round_texture_row},
    {"object_lines inside", round_object_inside},
    {"object_lines at the border", round_object_border},
    {"warp_row", round_warp_row},
    {"photo_row", round_photo_row},
    {"harden_row", round_harden_row},
    {"alpha_row", round_alpha_row},
    {"blur_columns", round_blur_columns},
    {"blur_row", round_blur_row},
    {"erode_row", round_erode_row},
    {"fade_row", round_fade_row},
    {"over_row", round_over_row},
    {"third_row, add_row, grey_row", round_thirds},
    {"colour_row", round_colour_row},
    {"tint_row", round_tint_row},
    {"planes_u8, stream_bytes", round_planes_u8},
    {"row_f32, planes_f32", round_f32},
};
#define N_CASES (sizeof cases / sizeof cases[0])

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--bench") == 0) {
        bench_kernels();
        return 0;
    }
    struct CMUnitTest tests[N_CASES] = {0};
    for (size_t i = 0; i < N_CASES; i++) {
        tests[i].name = cases[i].name;
        tests[i].test_func = equals_the_oracle;
        tests[i].initial_state = &cases[i];
    }
    return cmocka_run_group_tests_name("kernels equal the oracle", tests, NULL,
                                       NULL);
}
