/* Times kernels on rows of a usual length. Checks no byte. */
#include "tests/kernel/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/pixel/kernels.h"
#include "server/pixel/match.h"
#include "server/pixel/smear.h"
#include "server/pixel/stroke.h"

#define WIDTH     224 /* px, of rows */
#define SIDE      160 /* of the object's level */
#define N_ROWS    8   /* so that no row waits for its own last bytes */
#define BLUR      6   /* radius: sigma 2 */
#define N_SAMPLES 31  /* of which the median counts */
#define SAMPLE_NS 200000

struct rows {
    const struct pixel_kernels *k;
    uint8_t in[WIDTH * 8], other[WIDTH * 8];
    uint8_t many[N_ROWS][WIDTH * 4 + PIXEL_SLACK_BYTES],
        *out; /* of many, in turn */
    uint8_t peak[WIDTH * 4], texels[SIDE * SIDE * 4];
    uint8_t none[WIDTH * 4];
    uint16_t sums[WIDTH * 4];
    struct match_sums match;
    float floats[WIDTH * 3], table[3][256];
    struct pixel_resample resample;
    uint8_t stage[PIXEL_STAGE_BYTES];
    struct image_level level;
    struct pixel_line line;
    struct image_level photo;
    int32_t u[WIDTH], v[WIDTH];
};

static void run_prepare(struct rows *r)
{
    r->k->resample_prepare(&r->resample);
}

static void run_resample(struct rows *r)
{
    const struct pixel_pair pair = {r->in, r->other, 77};
    r->k->resample_rows(&r->resample, &pair, 1, r->stage, r->out, 0);
}

static void run_noise(struct rows *r)
{
    r->k->noise_row(12345, 7, 0, 255, WIDTH, r->out);
}

static void run_normal(struct rows *r)
{
    r->k->normal_row(12345, 7, 31981, WIDTH, r->out);
}

static void run_texture(struct rows *r)
{
    static const struct pixel_texture texture = {
        .n_octaves = 4, .to = {255, 255, 255}, .key = 1, .dx = 2000};
    r->k->texture_row(&texture, 7, WIDTH, r->out);
}

static void run_solid(struct rows *r)
{
    r->k->solid_row(r->in, WIDTH, r->out);
}

static void run_gradient(struct rows *r)
{
    static const struct pixel_gradient gradient = {
        .dx = 70000, .dy = 9000, .to = {255, 128, 0}};
    r->k->gradient_row(&gradient, 7, WIDTH, r->out);
}

static void run_object(struct rows *r)
{
    r->k->object_lines(&r->level, &r->line, 1, r->out);
}

static void run_border(struct rows *r)
{
    struct pixel_line line = r->line;
    line.u -= 2 << 16;
    line.n = 14;
    const struct pixel_line lines[WIDTH / 14] = {
        line, line, line, line, line, line, line, line,
        line, line, line, line, line, line, line, line};
    r->k->object_lines(&r->level, lines, WIDTH / 14, r->out);
}

static void run_warp(struct rows *r)
{
    r->k->warp_row(&r->level, r->u, r->v, WIDTH, r->out);
}

static void run_photo(struct rows *r)
{
    r->k->photo_row(&r->photo, r->u, r->v, WIDTH, r->out);
}

static void run_harden(struct rows *r)
{
    r->k->harden_row(r->out, WIDTH);
}

static void run_alpha(struct rows *r)
{
    r->k->alpha_row(r->in, WIDTH, r->out);
}

static void run_blur(struct rows *r)
{
    const uint32_t weight[BLUR + 1] = {13066, 11530, 7930, 4240,
                                       1769,  574,   192};
    r->k->blur_row(r->in, weight, BLUR, WIDTH, r->out);
}

static void run_blur_columns(struct rows *r)
{
    const uint32_t weight[BLUR + 1] = {13066, 11530, 7930, 4240,
                                       1769,  574,   192};
    const uint8_t *rows[2 * BLUR + 1];
    for (int i = 0; i <= 2 * BLUR; i++)
        rows[i] = r->texels + i * WIDTH;
    r->k->blur_columns(rows, weight, BLUR, WIDTH, r->out);
}

static void run_erode(struct rows *r)
{
    const uint8_t *rows[2 * PIXEL_EROSIONS + 1];
    for (int i = 0; i <= 2 * PIXEL_EROSIONS; i++)
        rows[i] = r->texels + i * (WIDTH + 2 * PIXEL_EROSIONS);
    r->k->erode_row(rows, WIDTH, r->out);
}

static void run_fade(struct rows *r)
{
    r->k->fade_row(r->out, r->in, WIDTH);
}

static void run_over(struct rows *r)
{
    r->k->over_row(r->out, r->in, WIDTH, r->peak);
}

static void run_add(struct rows *r)
{
    r->k->add_row(r->out, r->none, WIDTH, r->peak);
}

static void run_third(struct rows *r)
{
    r->k->third_row(r->out, WIDTH);
}

static void run_grey(struct rows *r)
{
    r->k->grey_row(r->in, WIDTH, r->out);
}

static const int32_t matrix[3][4] = {
    {4300, -120, 77, 40000}, {33, 4000, 500, -30000}, {-99, 800, 3900, 1000}};

static void run_colour(struct rows *r)
{
    r->k->colour_row(r->in, matrix, WIDTH, r->out);
}

static void run_colour_stream(struct rows *r)
{
    r->k->colour_stream(r->in, matrix, WIDTH, r->out);
}

static void run_tint(struct rows *r)
{
    r->k->tint_row(r->out, matrix, WIDTH);
}

static void run_smear(struct rows *r)
{
    smear_add(r->sums, r->in, WIDTH);
}

static void run_smear_mean(struct rows *r)
{
    smear_mean(r->sums, SMEAR_MAX, WIDTH, r->out);
    memset(r->sums, 0, sizeof r->sums);
}

static void run_stroke(struct rows *r)
{
    static const struct pixel_stroke stroke = {16, 400000, -50000000};
    stroke_row(r->k, r->out, &stroke, WIDTH);
}

static void run_match_object(struct rows *r)
{
    match_add_object(&r->match, r->in, WIDTH);
}

static void run_match_context(struct rows *r)
{
    match_add_context(&r->match, r->in, WIDTH);
}

static void run_stream(struct rows *r)
{
    r->k->stream_bytes(r->in, WIDTH * 3, r->out);
}

static void run_planes_u8(struct rows *r)
{
    r->k->planes_u8(r->in, WIDTH, WIDTH, r->out);
}

static void run_row_f32(struct rows *r)
{
    r->k->row_f32(r->in, (const float(*)[256])r->table, WIDTH, r->floats);
}

static void run_planes_f32(struct rows *r)
{
    r->k->planes_f32(r->in, (const float(*)[256])r->table, WIDTH, WIDTH,
                     r->floats);
}

static const struct {
    const char *name;
    void (*run)(struct rows *r);
} cases[] = {
    {"resample_prepare", run_prepare},
    {"resample_rows", run_resample},
    {"noise_row", run_noise},
    {"normal_row", run_normal},
    {"gradient_row", run_gradient},
    {"texture_row", run_texture},
    {"solid_row", run_solid},
    {"object_lines, inside", run_object},
    {"object_lines, border", run_border},
    {"warp_row", run_warp},
    {"photo_row", run_photo},
    {"harden_row", run_harden},
    {"alpha_row", run_alpha},
    {"blur_row, radius 6", run_blur},
    {"blur_columns, radius 6", run_blur_columns},
    {"erode_row", run_erode},
    {"fade_row", run_fade},
    {"over_row", run_over},
    {"add_row", run_add},
    {"third_row", run_third},
    {"grey_row", run_grey},
    {"colour_row", run_colour},
    {"colour_stream", run_colour_stream},
    {"tint_row", run_tint},
    {"stream_bytes", run_stream},
    {"planes_u8", run_planes_u8},
    {"row_f32", run_row_f32},
    {"planes_f32", run_planes_f32},
    {"smear_add", run_smear},
    {"smear_mean", run_smear_mean},
    {"stroke_row", run_stroke},
    {"match_add_object", run_match_object},
    {"match_add_context", run_match_context},
};

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double ns_a_pixel(void (*run)(struct rows *r), struct rows *r)
{
    double sample[N_SAMPLES];
    for (int i = 0; i < N_SAMPLES; i++) {
        double begin = now_ns(), end = begin;
        uint32_t n = 0;
        for (; end - begin < SAMPLE_NS; end = now_ns())
            for (int repeat = 0; repeat < 64; repeat++, n++) {
                r->out = r->many[repeat % N_ROWS];
                run(r);
            }
        sample[i] = (end - begin) / n / WIDTH;
    }
    qsort(sample, N_SAMPLES, sizeof *sample, ascending);
    return sample[N_SAMPLES / 2];
}

static void fill(struct rows *r)
{
    uint32_t random = 1;
    for (size_t i = 0; i < sizeof r->texels; i++) {
        random = random * 1664525 + 1013904223;
        r->texels[i] = (uint8_t)(random >> 24);
        r->in[i % sizeof r->in] = r->other[i % sizeof r->other] =
            (uint8_t)(random >> 16);
    }
    for (size_t i = 3; i < WIDTH * 4; i += 4) /* premultiplied */
        r->in[i] = 255;
    r->level = (struct image_level){.pixels = r->texels,
                                    .width = SIDE,
                                    .height = SIDE,
                                    .stride_bytes = SIDE * 4};
    /* Oblique; two thirds of a texel a step. */
    r->line = (struct pixel_line){1 << 16, 1 << 16, 30000, 31000, WIDTH};
    r->photo = (struct image_level){.pixels = r->texels,
                                    .width = SIDE,
                                    .height = SIDE,
                                    .stride_bytes = SIDE * 3};
    for (int32_t i = 0; i < WIDTH; i++) {
        r->u[i] = (1 << 16) + i * 30000;
        r->v[i] = (1 << 16) + i * 31000;
    }
    r->resample = (struct pixel_resample){.u = 5000,
                                          .du = 90000,
                                          .max_u = (WIDTH * 8 / 3 - 50) << 16,
                                          .n = WIDTH,
                                          .n_texels = WIDTH * 8 / 3 - 49};
    r->resample.table = aligned_alloc(64, pixel_resample_bytes(WIDTH));
    if (!r->resample.table)
        abort();
}

void bench_kernels(void)
{
    static struct rows rows;
    const struct pixel_kernels *k;
    fill(&rows);
    printf("%-22s", "ns a pixel");
    for (uint32_t t = 0; (k = pixel_kernels_at(t)); t++)
        printf(" %12s", k->name);
    printf("\n");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        printf("%-22s", cases[i].name);
        for (uint32_t t = 0; (rows.k = pixel_kernels_at(t)); t++) {
            rows.k->resample_prepare(&rows.resample);
            printf(" %12.3f", ns_a_pixel(cases[i].run, &rows));
        }
        printf("\n");
    }
    free(rows.resample.table);
}
