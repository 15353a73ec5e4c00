/* The rows outside of the table of kernels (strokes, smears, sums of a match)
 * against plain loops, between guard pages; strokes by every table. A failure
 * prints the seed; PASTED_TEST_SEED=... replays it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/pixel/match.h"
#include "server/pixel/smear.h"
#include "server/pixel/stroke.h"
#include "tests/kernel/trial.h"

#define MAX_N    2048
#define N_ROUNDS 400

/* NUMERICS.md 5, "Stroke": with steep and flat slopes, and those that no byte
 * or every byte passes. */
static void round_stroke(struct trial *t)
{
    const size_t bytes = (size_t)t->n * 4;
    const struct pixel_stroke s = {
        4, trial_between(t, 0, trial_next(t) % 2 ? 65536 : 1 << 22),
        trial_between(t, -(1 << 29), 1 << 29)};
    const uint8_t *in = trial_input(t, 0, bytes);
    for (int32_t i = 0; i < t->n; i++) {
        const int32_t byte = in[4 * i + 3];
        const int64_t a = ((int64_t)byte * s.gain + s.offset) >> 16;
        const int held = byte == 0 || a < 0 ? 0 : a > 255 ? 255 : (int)a;
        for (int c = 0; c < 3; c++)
            t->expected[4 * i + c] =
                (uint8_t)((in[4 * i + c] * held + 127) / 255);
        t->expected[4 * i + 3] = (uint8_t)held;
    }
    memcpy(trial_output(t, bytes), in, bytes);
    stroke_row(t->k, t->out.placed, &s, t->n);
    trial_expect_equal(t, "stroke_row", bytes);
}

/* NUMERICS.md 6, `motion`: (sum + n / 2) / n, of every length there is. */
static void round_smear(struct trial *t)
{
    const size_t n = (size_t)t->n * 4;
    const int32_t length = trial_between(t, 1, SMEAR_MAX);
    uint32_t *expected = calloc(n, sizeof *expected);
    assert_non_null(expected);
    uint16_t *sums = (uint16_t *)(void *)guard_place(&t->in[1], 2 * n, true);
    memset(sums, 0, 2 * n);
    for (int32_t i = 0; i < length; i++) {
        const uint8_t *row = trial_input(t, 0, n);
        smear_add(sums, row, t->n);
        for (size_t k = 0; k < n; k++)
            expected[k] += row[k];
    }
    for (size_t k = 0; k < n; k++)
        t->expected[k] =
            (uint8_t)((expected[k] + (uint32_t)length / 2) / (uint32_t)length);
    smear_mean(sums, length, t->n, trial_output(t, n));
    trial_expect_equal(t, "smear_mean", n);
    assert_true(guard_is_intact(&t->in[1]));
    free(expected);
}

static void add(struct match_sums *s, uint32_t weight, int c, uint32_t v)
{
    s->sum[c] += (uint64_t)weight * v;
    s->squares[c] += (uint64_t)weight * v * v;
}

/* NUMERICS.md 6, "Match": c'(c) as for `hard`, weighted by alpha. */
static void round_match(struct trial *t)
{
    struct match_sums object = {0}, context = {0};
    struct match_sums sums[2] = {{0}, {0}};
    const uint8_t *rgba = trial_premultiplied(t, 0, (size_t)t->n);
    const uint8_t *rgb = trial_input(t, 1, (size_t)t->n * 3);
    for (int32_t i = 0; i < t->n; i++) {
        const uint32_t a = rgba[4 * i + 3];
        object.weight += a;
        context.weight++;
        for (int c = 0; c < 3; c++) {
            const uint32_t q = a ? (255u * 65536 + a / 2) / a : 0;
            const uint32_t v = (rgba[4 * i + c] * q + 32768) / 65536;
            add(&object, a, c, v > 255 ? 255 : v);
            add(&context, 1, c, rgb[3 * i + c]);
        }
    }
    match_add_object(&sums[0], rgba, t->n);
    match_add_context(&sums[1], rgb, t->n);
    if (memcmp(&sums[0], &object, sizeof object) != 0 ||
        memcmp(&sums[1], &context, sizeof context) != 0)
        fail_msg("sums of n = %d; PASTED_TEST_SEED=%" PRIu64, t->n, t->seed);
}

static void run(void (*round)(struct trial *t))
{
    struct trial t = {.expected = malloc(MAX_N * 4)};
    assert_non_null(t.expected);
    for (int i = 0; i < 3; i++)
        guard_init(&t.in[i], MAX_N * 8);
    guard_init(&t.out, MAX_N * 4);
    const char *text = getenv("PASTED_TEST_SEED");
    const uint64_t seed =
        text ? strtoull(text, NULL, 0) : (uint64_t)time(NULL) << 20;
    for (uint32_t i = 0; (t.k = pixel_kernels_at(i)); i++)
        for (uint64_t r = 0; r < N_ROUNDS; r++) {
            t.seed = t.random = seed + r;
            t.n = trial_row_length(&t);
            round(&t);
        }
    for (int i = 0; i < 3; i++)
        guard_fini(&t.in[i]);
    guard_fini(&t.out);
    free(t.expected);
}

static void strokes_cut_the_plane_at_their_slope(void **state)
{
    (void)state;
    run(round_stroke);
}

static void smears_are_means_to_nearest(void **state)
{
    (void)state;
    run(round_smear);
}

static void sums_of_a_match_are_exact(void **state)
{
    (void)state;
    run(round_match);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strokes_cut_the_plane_at_their_slope),
        cmocka_unit_test(smears_are_means_to_nearest),
        cmocka_unit_test(sums_of_a_match_are_exact),
    };
    return cmocka_run_group_tests_name("rows equal plain loops", tests, NULL,
                                       NULL);
}
