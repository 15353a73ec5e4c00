/* Feedback tables: what rows of numbers become, which are refused and how
 * classes are drawn from them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "server/plan/feedback.h"

static const char *const names[] = {"cat", "dog", "owl"};

static void check_scaled(const double numbers[3], const uint16_t expected[3])
{
    uint8_t weights[6] = {9, 9, 9, 9, 9, 9};
    struct fault fault = {0};
    assert_int_equal(feedback_scale_row(numbers, 3, 1, names, weights, &fault),
                     0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(weights[2 * i], expected[i] & 0xff);
        assert_int_equal(weights[2 * i + 1], expected[i] >> 8);
    }
}

static void whole_numbers_stay_as_they_are(void **state)
{
    check_scaled((double[]){0, 1, 65535}, (uint16_t[]){0, 1, 65535});
    check_scaled((double[]){0, 7, 0}, (uint16_t[]){0, 7, 0});
    check_scaled((double[]){-0.0, 7, 0}, (uint16_t[]){0, 7, 0});
}

static void other_rows_are_scaled_to_the_full_range(void **state)
{
    check_scaled((double[]){0, 0.25, 0.5}, (uint16_t[]){0, 32768, 65535});
    check_scaled((double[]){0, 65536, 131072}, (uint16_t[]){0, 32768, 65535});
    check_scaled((double[]){0, 5e-324, 0}, (uint16_t[]){0, 65535, 0});
    check_scaled((double[]){1.7e308, 1.7e308, 1e-300},
                 (uint16_t[]){65535, 65535, 1});
}

static void check_refused(const double numbers[3], const char *expected)
{
    uint8_t weights[6];
    struct fault fault = {0};
    assert_int_equal(feedback_scale_row(numbers, 3, 1, names, weights, &fault),
                     -ERROR_BAD_ARGUMENT);
    assert_string_equal(fault.text, expected);
}

static void what_is_no_weight_is_refused_by_name(void **state)
{
    check_refused((double[]){1, 0, -2},
                  "weights: row of class 1 (dog), column of class 2 (owl): -2 "
                  "is not a weight; finite numbers from 0 on are");
    check_refused((double[]){NAN, 0, 1},
                  "weights: row of class 1 (dog), column of class 0 (cat): nan "
                  "is not a weight; finite numbers from 0 on are");
    check_refused((double[]){0, INFINITY, 1},
                  "weights: row of class 1 (dog), column of class 1 (dog): inf "
                  "is not a weight; finite numbers from 0 on are");
    check_refused((double[]){0, 0, 0},
                  "weights: the row of class 1 (dog) is all zeros; at least "
                  "one weight must be above 0");
}

static void classes_are_counted(void **state)
{
    struct fault fault = {0};
    assert_int_equal(feedback_check_classes(3, 3, &fault), 0);
    assert_int_equal(feedback_check_classes(3, 0, &fault), 0);
    assert_int_equal(feedback_check_classes(0, 0, &fault), -ERROR_BAD_ARGUMENT);
    assert_int_equal(feedback_check_classes(2, 3, &fault), -ERROR_BAD_ARGUMENT);
    assert_int_equal(feedback_check_classes(FEEDBACK_MAX_CLASSES, 0, &fault),
                     0);
    assert_int_equal(
        feedback_check_classes(FEEDBACK_MAX_CLASSES + 1, 0, &fault),
        -ERROR_TOO_LARGE);
    assert_int_equal(feedback_bytes(3), 4 + 18);
    assert_int_equal(feedback_bytes(FEEDBACK_MAX_CLASSES), FEEDBACK_MAX_BYTES);
}

/* 0 10 0 / 1 0 65535 / 3 3 3 */
static struct feedback *make(void)
{
    uint8_t weights[18] = {0, 0,    10,   0, 0, 0, 1, 0, 0,
                           0, 0xff, 0xff, 3, 0, 3, 0, 3, 0};
    struct feedback *f = feedback_create(3, weights);
    assert_non_null(f);
    return f;
}

static void the_digest_is_that_of_the_bytes(void **state)
{
    const uint8_t whole[22] = {3, 0, 0, 0,    0,    0, 10, 0, 0, 0, 1,
                               0, 0, 0, 0xff, 0xff, 3, 0,  3, 0, 3, 0};
    struct feedback *f = make();
    struct digest_state s;
    digest_init(&s);
    digest_update(&s, whole, sizeof(whole));
    const struct digest expected = digest_final(&s);
    assert_memory_equal(&f->digest, &expected, sizeof(expected));
    feedback_unref(f);
}

static void weights_read_back(void **state)
{
    const uint16_t expected[9] = {0, 10, 0, 1, 0, 65535, 3, 3, 3};
    struct feedback *f = make();
    for (uint32_t i = 0; i < 9; i++)
        assert_int_equal(feedback_weight(f, i / 3, i % 3), expected[i]);
    feedback_unref(f);
}

static void weightless_classes_are_never_drawn(void **state)
{
    const uint64_t bits[] = {0, 1, UINT64_MAX / 2, UINT64_MAX};
    struct feedback *f = make();
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(feedback_draw(f, 0, bits[i]), 1);
    /* 1 of 65536 */
    assert_int_equal(feedback_draw(f, 1, 0), 0);
    assert_int_equal(feedback_draw(f, 1, UINT64_MAX >> 16), 0);
    assert_int_equal(feedback_draw(f, 1, (UINT64_MAX >> 16) + 1), 2);
    assert_int_equal(feedback_draw(f, 1, UINT64_MAX), 2);
    assert_int_equal(feedback_draw(f, 2, 0), 0);
    assert_int_equal(feedback_draw(f, 2, UINT64_MAX / 2), 1);
    assert_int_equal(feedback_draw(f, 2, UINT64_MAX), 2);
    feedback_unref(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers_stay_as_they_are),
        cmocka_unit_test(other_rows_are_scaled_to_the_full_range),
        cmocka_unit_test(what_is_no_weight_is_refused_by_name),
        cmocka_unit_test(classes_are_counted),
        cmocka_unit_test(the_digest_is_that_of_the_bytes),
        cmocka_unit_test(weights_read_back),
        cmocka_unit_test(weightless_classes_are_never_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
