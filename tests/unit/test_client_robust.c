/* The adversarial steps against formulas written out value by value, for every
 * dtype, layout and mask, and what they refuse. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/include/pasted.h"

#define MAX_VALUES 40000

/* A case: its images, mask and gradient are drawn anew by fill. */
static struct pasted_images on;
static struct pasted_ball ball;
static size_t n_values;
static uint8_t mask[MAX_VALUES], u8[MAX_VALUES], u8_x[MAX_VALUES];
static float f32[MAX_VALUES], f32_x[MAX_VALUES], gradient[MAX_VALUES];
static uint64_t random_state = 1;

static uint32_t roll(uint32_t n)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((random_state >> 33) % n);
}

static void fill(void)
{
    n_values = (size_t)on.n * on.height * on.width * on.channels;
    assert_true(n_values <= MAX_VALUES);
    for (size_t i = 0; i < n_values; i++) {
        mask[i] = (uint8_t)(roll(3) == 0 ? roll(256) : roll(2) * 255);
        u8[i] = (uint8_t)(roll(4) == 0 ? roll(2) * 255 : roll(256));
        f32[i] = (float)u8[i] / 255.0f;
        gradient[i] = ((float)roll(2001) - 1000) * 1e-5f;
    }
    memcpy(u8_x, u8, sizeof(u8));
    memcpy(f32_x, f32, sizeof(f32));
}

/* Where value i of the images lies in the mask. */
static size_t pixel_of(size_t i)
{
    size_t plane = (size_t)on.height * on.width;
    if (on.layout == PASTED_NHWC)
        return i / on.channels;
    return i / (plane * on.channels) * plane + i % plane;
}

static float radius_at(size_t i)
{
    float context = (float)ball.epsilon_context;
    if (ball.mask == NULL)
        return context;
    return context + (float)(ball.epsilon_object - ball.epsilon_context) *
                         ((float)mask[pixel_of(i)] / 255.0f);
}

static int levels_at(size_t i)
{
    return (int)floorf(radius_at(i) * 255 + 0x1p-10f);
}

static float sign(float g)
{
    return isnan(g) ? 0.0f : g > 0 ? 1.0f : g < 0 ? -1.0f : 0.0f;
}

static float clip(float x, float low, float high)
{
    return fminf(fmaxf(x, low), high);
}

static void expect_equal(size_t i, float is, float wanted, const char *what)
{
    if (is != wanted)
        fail_msg("%s: value %zu is %.9g, not %.9g (dtype %u, layout %u, %u "
                 "channels, mask %d)",
                 what, i, (double)is, (double)wanted, on.dtype, on.layout,
                 on.channels, ball.mask != NULL);
}

/* Every dtype, layout, number of channels, with a mask and without; blocks of
 * the library end within pixels, rows and planes of these sizes. */
static void for_all(void (*check)(void))
{
    static const uint32_t sizes[][3] = {
        {1, 1, 1}, {3, 5, 7}, {2, 16, 16}, {1, 40, 77}, {5, 28, 28}};
    for (int i = 0; i < 5 * 2 * 2 * 4 * 2; i++) {
        const uint32_t *s = sizes[i % 5];
        on = (struct pasted_images){s[0],
                                    s[1],
                                    s[2],
                                    (uint32_t)(i / 20 % 4) + 1,
                                    i / 5 % 2 ? PASTED_U8 : PASTED_F32,
                                    i / 10 % 2 ? PASTED_NHWC : PASTED_NCHW};
        ball =
            (struct pasted_ball){i / 80 ? mask : NULL, 4 / 255.0, 16 / 255.0};
        fill();
        check();
    }
}

static const void *images(void)
{
    return on.dtype == PASTED_U8 ? (const void *)u8 : f32;
}

static void *x(void)
{
    return on.dtype == PASTED_U8 ? (void *)u8_x : f32_x;
}

static void check_fgsm(void)
{
    assert_int_equal(pasted_fgsm(&on, &ball, images(), gradient, x()), 0);
    for (size_t i = 0; i < n_values; i++) {
        if (on.dtype == PASTED_F32)
            expect_equal(i, f32_x[i],
                         clip(f32[i] + radius_at(i) * sign(gradient[i]), 0, 1),
                         "fgsm");
        else
            expect_equal(
                i, u8_x[i],
                clip((float)u8[i] + (float)levels_at(i) * sign(gradient[i]), 0,
                     255),
                "fgsm");
    }
}

static void fgsm_is_its_formula(void **state)
{
    for_all(check_fgsm);
}

static float largest;

static void find_largest(void)
{
    largest = 1e-30f;
    for (size_t i = 0; i < n_values; i++)
        if (isfinite(gradient[i]))
            largest = fmaxf(largest, fabsf(gradient[i]));
}

static float step_at(size_t i, const struct pasted_step *s)
{
    float share = (float)(s->size / s->steps), part = 0;
    if (s->schedule == PASTED_STEP_SIGN)
        return share * sign(gradient[i]);
    if (!isnan(gradient[i]))
        part = clip(gradient[i] / largest, -1, 1);
    float mixed =
        (float)(s->steps - s->t) * sign(gradient[i]) + (float)s->t * part;
    return share * mixed / (float)s->steps;
}

static void expect_step(size_t i, const struct pasted_step *s, float before)
{
    if (on.dtype == PASTED_F32) {
        float radius = radius_at(i);
        float y =
            clip(before + step_at(i, s), f32[i] - radius, f32[i] + radius);
        expect_equal(i, f32_x[i], clip(y, 0, 1), "step");
        return;
    }
    float image = (float)u8[i], radius = (float)levels_at(i);
    float y = clip(before + roundf(255 * step_at(i, s)), image - radius,
                   image + radius);
    expect_equal(i, u8_x[i], clip(y, 0, 255), "step");
}

static void check_steps(void)
{
    static float before[MAX_VALUES];
    for (uint32_t t = 0; t < 4; t++) {
        struct pasted_step step = {
            t, 4, 16 / 255.0, t == 1 ? PASTED_STEP_SIGN : PASTED_STEP_PAPER};
        for (size_t i = 0; i < n_values; i++) {
            before[i] = on.dtype == PASTED_F32 ? f32_x[i] : (float)u8_x[i];
            gradient[i] = t == 2 ? -gradient[i] : gradient[i];
        }
        find_largest();
        assert_int_equal(
            pasted_pgd_step(&on, &ball, &step, images(), gradient, x()), 0);
        for (size_t i = 0; i < n_values; i++)
            expect_step(i, &step, before[i]);
    }
}

static void steps_are_their_formula(void **state)
{
    for_all(check_steps);
}

static void check_start(void)
{
    double mean = 0;
    assert_int_equal(pasted_pgd_start(&on, &ball, images(), 7, x()), 0);
    for (size_t i = 0; i < n_values; i++) {
        float moved = on.dtype == PASTED_F32 ? f32_x[i] - f32[i]
                                             : (float)(u8_x[i] - u8[i]);
        float radius =
            on.dtype == PASTED_F32 ? radius_at(i) + 1e-6f : (float)levels_at(i);
        if (!(fabsf(moved) <= radius))
            expect_equal(i, moved, radius, "start");
        mean += fabs((double)moved) / (double)radius / (double)n_values;
    }
    if (n_values > 3000 && ball.mask == NULL)
        assert_true(mean > 0.40 && mean < 0.55); /* a half, less the clipped */
}

static void starts_are_spread_within_the_ball(void **state)
{
    for_all(check_start);
}

static void a_start_hangs_on_the_seed_alone(void **state)
{
    static float again[MAX_VALUES];
    on = (struct pasted_images){4, 28, 28, 3, PASTED_F32, PASTED_NHWC};
    ball = (struct pasted_ball){NULL, 0, 0.1};
    fill();
    assert_int_equal(pasted_pgd_start(&on, &ball, f32, 7, f32_x), 0);
    memcpy(again, f32, sizeof(f32));
    assert_int_equal(pasted_pgd_start(&on, &ball, again, 7, again), 0);
    assert_memory_equal(again, f32_x, n_values * sizeof(float));
    assert_int_equal(pasted_pgd_start(&on, &ball, f32, 8, again), 0);
    size_t n_same = 0;
    for (size_t i = 0; i < n_values; i++)
        n_same += again[i] == f32_x[i] && again[i] > 0 && again[i] < 1;
    assert_true(n_same < n_values / 100);
}

/* The levels of a u8 start are equally likely, both ends included. */
static void levels_of_a_start_are_uniform(void **state)
{
    uint32_t counts[9] = {0};
    on = (struct pasted_images){1, 100, 100, 3, PASTED_U8, PASTED_NHWC};
    ball = (struct pasted_ball){NULL, 0, 4 / 255.0};
    fill();
    memset(u8, 100, sizeof(u8));
    assert_int_equal(pasted_pgd_start(&on, &ball, u8, 3, u8_x), 0);
    for (size_t i = 0; i < n_values; i++) {
        assert_in_range(u8_x[i], 96, 104);
        counts[u8_x[i] - 96]++;
    }
    for (int i = 0; i < 9; i++)
        assert_in_range(counts[i], 30000 / 9 - 300, 30000 / 9 + 300);
}

static void odd_gradients_are_as_defined(void **state)
{
    on = (struct pasted_images){1, 1, 2, 3, PASTED_F32, PASTED_NCHW};
    ball = (struct pasted_ball){NULL, 0, 0.25};
    fill();
    static const float odd[] = {NAN, INFINITY, -INFINITY, 1, -0.5f, -0.0f};
    static const float sharp[] = {0.5f, 0.75f, 0.25f, 0.75f, 0.25f, 0.5f};
    /* t 1 of 2: 0.25 / 2 * (sign + part) / 2 */
    static const float mixed[] = {0.5f, 0.625f, 0.375f, 0.625f, 0.40625f, 0.5f};
    struct pasted_step step = {1, 2, 0.25, PASTED_STEP_PAPER};
    for (int i = 0; i < 6; i++) {
        gradient[i] = odd[i];
        f32[i] = f32_x[i] = 0.5f;
    }
    assert_int_equal(pasted_pgd_step(&on, &ball, &step, f32, gradient, f32_x),
                     0);
    for (size_t i = 0; i < 6; i++)
        expect_equal(i, f32_x[i], mixed[i], "odd step");
    assert_int_equal(pasted_fgsm(&on, &ball, f32, gradient, f32_x), 0);
    for (size_t i = 0; i < 6; i++)
        expect_equal(i, f32_x[i], sharp[i], "odd fgsm");
    for (int i = 0; i < 6; i++)
        gradient[i] = NAN;
    memcpy(f32_x, f32, sizeof(f32));
    assert_int_equal(pasted_pgd_step(&on, &ball, &step, f32, gradient, f32_x),
                     0);
    assert_memory_equal(f32_x, f32, 6 * sizeof(float));
}

/* On the object, 255 * (context + (k / 255 - context)) in f32 is not always k;
 * the radius is. */
static void whole_levels_stay_whole(void **state)
{
    on = (struct pasted_images){1, 1, 1, 1, PASTED_U8, PASTED_NCHW};
    u8[0] = 0;
    mask[0] = 255;
    gradient[0] = 1;
    for (int k = 0; k <= 255; k++) {
        for (int context = 0; context <= 255; context++) {
            ball = (struct pasted_ball){mask, k / 255.0, context / 255.0};
            assert_int_equal(pasted_fgsm(&on, &ball, u8, gradient, u8_x), 0);
            assert_int_equal(u8_x[0], k);
        }
    }
    ball.mask = NULL;
    ball.epsilon_context = 3.9 / 255.0;
    assert_int_equal(pasted_fgsm(&on, &ball, u8, gradient, u8_x), 0);
    assert_int_equal(u8_x[0], 3);
}

static void refused(const struct pasted_images *images_,
                    const struct pasted_ball *ball_,
                    const struct pasted_step *step)
{
    assert_int_equal(pasted_pgd_step(images_, ball_, step, u8, gradient, u8_x),
                     PASTED_BAD_ARGUMENT);
}

static void unusable_arguments_are_refused(void **state)
{
    const struct pasted_images good = {2, 4, 4, 3, PASTED_U8, PASTED_NHWC};
    const struct pasted_ball fine = {NULL, 0.1, 0.1};
    const struct pasted_step step = {0, 8, 0.1, PASTED_STEP_PAPER};
    struct pasted_images bad[] = {good, good, good, good, good};
    struct pasted_ball wide[] = {fine, fine, fine};
    struct pasted_step wrong[] = {step, step, step, step};
    on = good;
    fill();
    bad[0].channels = 0;
    bad[1].channels = 5;
    bad[2].dtype = PASTED_F16;
    bad[3].layout = 0;
    bad[4].n = bad[4].height = UINT32_MAX;
    wide[0].epsilon_context = -0.1;
    wide[1].epsilon_object = 1.5;
    wide[2].epsilon_context = (double)NAN;
    wrong[0].t = 8;
    wrong[1].steps = 0;
    wrong[2].size = (double)NAN;
    wrong[3].schedule = 3;
    for (int i = 0; i < 5; i++)
        refused(&bad[i], &fine, &step);
    for (int i = 0; i < 3; i++)
        refused(&good, &wide[i], &step);
    for (int i = 0; i < 4; i++)
        refused(&good, &fine, &wrong[i]);
    refused(NULL, &fine, &step);
    refused(&good, NULL, &step);
    refused(&good, &fine, NULL);
    assert_int_equal(pasted_fgsm(&good, &fine, u8, NULL, u8_x),
                     PASTED_BAD_ARGUMENT);
    assert_int_equal(pasted_pgd_start(&good, &fine, NULL, 1, u8_x),
                     PASTED_BAD_ARGUMENT);
    assert_memory_equal(u8, u8_x, sizeof(u8)); /* nothing was written */
}

static void no_images_are_fine(void **state)
{
    const struct pasted_step step = {0, 1, 0.1, PASTED_STEP_PAPER};
    on = (struct pasted_images){0, 4, 4, 3, PASTED_F32, PASTED_NCHW};
    ball = (struct pasted_ball){mask, 0.1, 0.1};
    assert_int_equal(pasted_pgd_step(&on, &ball, &step, f32, gradient, f32_x),
                     0);
    on = (struct pasted_images){7, 0, 4, 3, PASTED_F32, PASTED_NCHW};
    assert_int_equal(pasted_pgd_start(&on, &ball, f32, 1, f32_x), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fgsm_is_its_formula),
        cmocka_unit_test(steps_are_their_formula),
        cmocka_unit_test(starts_are_spread_within_the_ball),
        cmocka_unit_test(a_start_hangs_on_the_seed_alone),
        cmocka_unit_test(levels_of_a_start_are_uniform),
        cmocka_unit_test(odd_gradients_are_as_defined),
        cmocka_unit_test(whole_levels_stay_whole),
        cmocka_unit_test(unusable_arguments_are_refused),
        cmocka_unit_test(no_images_are_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
