/* The colour match: what its matrix does to the pixels that it was made from.
 * Bytes are the golden tests' matter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "server/pixel/kernels.h"
#include "server/pixel/match.h"

enum { N = 400 };

/* Levels about `middle`, `spread` to each side; alpha in steps. */
static void make_object(uint8_t rgba[N * 4], int middle, int spread,
                        bool is_opaque)
{
    for (int i = 0; i < N; i++) {
        const int a = is_opaque ? 255 : i % 5 * 60;
        for (int c = 0; c < 3; c++) {
            const int v = middle + 10 * c + (i % 2 ? spread : -spread);
            rgba[4 * i + c] = (uint8_t)((v * a + 127) / 255);
        }
        rgba[4 * i + 3] = (uint8_t)a;
    }
}

static void make_context(uint8_t rgb[N * 3], int middle, int spread)
{
    for (int i = 0; i < N * 3; i++)
        rgb[i] = (uint8_t)(middle + (i / 3 % 2 ? spread : -spread));
}

static double mean(const struct match_sums *s, int c)
{
    return (double)s->sum[c] / (double)s->weight;
}

static double deviation(const struct match_sums *s, int c)
{
    return sqrt((double)s->squares[c] / (double)s->weight -
                mean(s, c) * mean(s, c));
}

/* *object becomes the sums of the matched pixels. */
static void match(struct match_sums *object, uint8_t rgba[N * 4],
                  struct match_sums *context, const uint8_t rgb[N * 3],
                  enum match_mode mode, uint32_t strength)
{
    int32_t m[3][4];
    memset(object, 0, sizeof(*object));
    memset(context, 0, sizeof(*context));
    match_add_object(object, rgba, N);
    match_add_context(context, rgb, N);
    match_matrix(object, context, mode, strength, m);
    pixel_kernels()->tint_row(rgba, m, N);
    memset(object, 0, sizeof(*object));
    match_add_object(object, rgba, N);
}

static void means_meet_whatever_the_alpha(void **state)
{
    uint8_t rgba[N * 4], rgb[N * 3];
    struct match_sums object, context;
    for (int is_opaque = 0; is_opaque < 2; is_opaque++) {
        make_object(rgba, 80, 20, is_opaque);
        make_context(rgb, 150, 7);
        match(&object, rgba, &context, rgb, MATCH_MEAN, 65536);
        for (int c = 0; c < 3; c++) {
            assert_true(fabs(mean(&object, c) - 150) < 1);
            assert_true(fabs(deviation(&object, c) - 20) < 1);
        }
    }
}

static void half_the_strength_goes_half_the_way(void **state)
{
    uint8_t rgba[N * 4], rgb[N * 3];
    struct match_sums object, context;
    make_object(rgba, 80, 20, true);
    make_context(rgb, 150, 7);
    match(&object, rgba, &context, rgb, MATCH_MEAN, 32768);
    for (int c = 0; c < 3; c++)
        assert_true(fabs(mean(&object, c) - (80 + 10 * c + 150) / 2.0) < 1);
}

static void deviations_meet_within_a_gain_of_two(void **state)
{
    static const struct {
        int from, to, reached;
    } rows[] = {{20, 30, 30}, {20, 12, 12}, {20, 90, 40}, {20, 1, 10}};
    uint8_t rgba[N * 4], rgb[N * 3];
    struct match_sums object, context;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        make_object(rgba, 90, rows[i].from, true);
        make_context(rgb, 128, rows[i].to);
        match(&object, rgba, &context, rgb, MATCH_MEAN_STD, 65536);
        for (int c = 0; c < 3; c++) {
            assert_true(fabs(mean(&object, c) - 128) < 1);
            assert_true(fabs(deviation(&object, c) - rows[i].reached) < 1);
        }
    }
}

static void luma_moves_all_channels_by_the_surroundings_alone(void **state)
{
    uint8_t rgba[N * 4], rgb[N * 3];
    struct match_sums object, context;
    make_object(rgba, 80, 20, true);
    make_context(rgb, 200, 0);
    match(&object, rgba, &context, rgb, MATCH_LUMA, 65536);
    for (int c = 0; c < 3; c++)
        assert_true(fabs(mean(&object, c) - (80 + 10 * c + 30)) < 1);
}

/* The greatest sums of the largest frame. */
static void sums_hold_the_largest_frame(void **state)
{
    static uint8_t white[2048 * 4];
    struct match_sums s = {0};
    memset(white, 255, sizeof(white));
    for (int y = 0; y < 2048; y++)
        match_add_object(&s, white, 2048);
    assert_true(s.weight == 255ull << 22);
    assert_true(s.squares[2] == 255ull * 255 * 255 << 22);
    assert_true(deviation(&s, 2) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(means_meet_whatever_the_alpha),
        cmocka_unit_test(half_the_strength_goes_half_the_way),
        cmocka_unit_test(deviations_meet_within_a_gain_of_two),
        cmocka_unit_test(luma_moves_all_channels_by_the_surroundings_alone),
        cmocka_unit_test(sums_hold_the_largest_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
