/* What the drawn contexts are like as a whole: their deviations, histograms and
 * corners. That every byte is right is test_kernels.c's and numerics.py's. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "server/pixel/kernels.h"
#include "server/pixel/normal.h"

#define SIDE 600 /* 1,080,000 bytes */

static uint8_t frame[SIDE * SIDE * 3];

static void fill_normal(double sigma)
{
    const int32_t amplitude = (int32_t)(sigma * 65536 / NORMAL_DEVIATION + 0.5);
    for (uint32_t y = 0; y < SIDE; y++) {
        pixel_kernels()->normal_row(77, y, amplitude, SIDE,
                                    frame + y * SIDE * 3);
    }
}

/* Bytes as levels about 0: what has not wrapped at this sigma. */
static void normal_noise_has_its_mean_and_deviation(void **state)
{
    (void)state;
    const double sigmas[] = {1, 5, 20, 28};
    for (size_t k = 0; k < sizeof(sigmas) / sizeof(sigmas[0]); k++) {
        double sum = 0, squares = 0;
        fill_normal(sigmas[k]);
        for (size_t i = 0; i < sizeof(frame); i++) {
            const double v = (int8_t)frame[i];
            sum += v;
            squares += v * v;
        }
        const double mean = sum / sizeof(frame);
        const double variance = squares / sizeof(frame) - mean * mean;
        /* The fraction that rounds is a byte that normal_of counts too: it adds
         * a sixth for what it rounds off and twice the covariance. */
        const double step = sigmas[k] / NORMAL_DEVIATION;
        const double expected =
            sigmas[k] * sigmas[k] + 1.0 / 6 + 2 * step * 65535 / 12 / 256;
        assert_true(fabs(mean) < 4 * sqrt(expected / sizeof(frame)));
        assert_true(fabs(variance / expected - 1) < 0.01);
    }
}

static void normal_noise_of_255_wraps_to_every_level_alike(void **state)
{
    (void)state;
    uint32_t count[256] = {0};
    double chi_square = 0;
    fill_normal(255);
    for (size_t i = 0; i < sizeof(frame); i++) {
        count[frame[i]]++;
    }
    for (int v = 0; v < 256; v++) {
        const double expected = sizeof(frame) / 256.0;
        const double off = count[v] - expected;
        chi_square += off * off / expected;
    }
    assert_true(chi_square < 330.5); /* 255 degrees of freedom, 0.1 % */
}

/* Neighbouring bytes, channels and rows know nothing of each other. */
static void normal_noise_is_independent_from_byte_to_byte(void **state)
{
    (void)state;
    const size_t lags[] = {1, 2, 3, 4, 64, SIDE * 3};
    fill_normal(28);
    for (size_t k = 0; k < sizeof(lags) / sizeof(lags[0]); k++) {
        const size_t n = sizeof(frame) - lags[k];
        double sum = 0;
        for (size_t i = 0; i < n; i++) {
            sum += (double)(int8_t)frame[i] * (int8_t)frame[i + lags[k]];
        }
        assert_true(fabs(sum / (double)n) < 4 * 28 * 28.2 / sqrt((double)n));
    }
}

static struct pixel_texture texture_of(enum pixel_texture_kind kind,
                                       int32_t scale)
{
    return (struct pixel_texture){.kind = (uint8_t)kind,
                                  .n_octaves = 1,
                                  .to = {255, 255, 255},
                                  .key = 0x123456789abcdef0u,
                                  .dx = 65536 / scale,
                                  .sharp = scale * 256};
}

static void fill_texture(const struct pixel_texture *t)
{
    for (int32_t y = 0; y < SIDE; y++) {
        pixel_kernels()->texture_row(t, y, SIDE, frame + y * SIDE * 3);
    }
}

/* Of the red channel, right and down. */
static double correlation(int32_t lag, bool is_down)
{
    double sum = 0, squares = 0, product = 0, n = 0;
    for (int32_t y = 0; y + (is_down ? lag : 0) < SIDE; y++) {
        for (int32_t x = 0; x + (is_down ? 0 : lag) < SIDE; x++) {
            const int32_t at = y * SIDE + x;
            const double a = frame[at * 3];
            const double b = frame[(at + (is_down ? lag * SIDE : lag)) * 3];
            sum += a;
            squares += a * a;
            product += a * b;
            n += 1;
        }
    }
    const double mean = sum / n;
    return (product / n - mean * mean) / (squares / n - mean * mean);
}

/* Of 120 x 120 lattice points a cell of 5 px apart: near ones alike, those of
 * two cells unrelated, the mean that of bytes. */
static void texture_noise_is_smooth_within_a_cell_alone(void **state)
{
    (void)state;
    struct pixel_texture t = texture_of(TEXTURE_NOISE, 5);
    double sum = 0;
    fill_texture(&t);
    for (size_t i = 0; i < sizeof(frame); i += 3) {
        sum += frame[i];
    }
    assert_true(fabs(sum / (SIDE * SIDE) - 127.5) < 4 * 74 / 120.0);
    for (int is_down = 0; is_down < 2; is_down++) {
        assert_true(correlation(1, is_down) > 0.7);
        for (int32_t lag = 10; lag < 100; lag += 15) {
            assert_true(fabs(correlation(lag, is_down)) < 5 / 120.0);
        }
    }
}

static void stripes_and_squares_have_their_scale(void **state)
{
    (void)state;
    struct pixel_texture t = texture_of(TEXTURE_STRIPES, 20);
    fill_texture(&t);
    assert_true(correlation(20, false) < -0.9);
    assert_true(correlation(40, false) > 0.9);
    assert_true(correlation(20, true) > 0.99);
    t.kind = TEXTURE_CHECKER;
    fill_texture(&t);
    assert_true(correlation(20, false) < -0.9);
    assert_true(correlation(20, true) < -0.9);
    assert_true(correlation(40, true) > 0.9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(normal_noise_has_its_mean_and_deviation),
        cmocka_unit_test(normal_noise_of_255_wraps_to_every_level_alike),
        cmocka_unit_test(normal_noise_is_independent_from_byte_to_byte),
        cmocka_unit_test(texture_noise_is_smooth_within_a_cell_alone),
        cmocka_unit_test(stripes_and_squares_have_their_scale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
