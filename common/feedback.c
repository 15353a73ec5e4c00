/* Checks and scales the rows of feedback tables. Allocates and hashes nothing.
 * Threads: pure functions. */
#include "common/feedback.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#define NAME_TEXT_BYTES 96 /* of a class in a sentence; longer ones are cut */

size_t feedback_bytes(uint32_t n_classes)
{
    return 4 + 2 * (size_t)n_classes * n_classes;
}

int feedback_check_classes(uint32_t n_classes, uint32_t n_wanted,
                           struct fault *fault)
{
    if (n_classes == 0 || (n_wanted > 0 && n_classes != n_wanted))
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "weights: a table of %" PRIu32 " classes; %" PRIu32
                         " rows of as many are wanted",
                         n_classes, n_wanted);
    if (n_classes > FEEDBACK_MAX_CLASSES)
        return fault_set(fault, ERROR_TOO_LARGE,
                         "weights: a table of %" PRIu32
                         " classes; feedback ends at %d",
                         n_classes, FEEDBACK_MAX_CLASSES);
    return 0;
}

static void name_class(uint32_t i, const char *const *names,
                       char out[NAME_TEXT_BYTES])
{
    if (names)
        snprintf(out, NAME_TEXT_BYTES, "%" PRIu32 " (%.64s)", i, names[i]);
    else
        snprintf(out, NAME_TEXT_BYTES, "%" PRIu32, i);
}

static int refuse_zeros(uint32_t row, const char *const *names,
                        struct fault *fault)
{
    char class[NAME_TEXT_BYTES];
    name_class(row, names, class);
    return fault_set(fault, ERROR_BAD_ARGUMENT,
                     "weights: the row of class %s is all zeros; at least one "
                     "weight must be above 0",
                     class);
}

/* Also of NaN: no comparison with it holds. */
static bool is_weight(double x)
{
    return x >= 0 && x <= 1.7976931348623157e308;
}

static int check_number(double x, uint32_t row, uint32_t column,
                        const char *const *names, struct fault *fault)
{
    char class[NAME_TEXT_BYTES], other[NAME_TEXT_BYTES];
    if (is_weight(x))
        return 0;
    name_class(row, names, class);
    name_class(column, names, other);
    return fault_set(fault, ERROR_BAD_ARGUMENT,
                     "weights: row of class %s, column of class %s: %g is not "
                     "a weight; finite numbers from 0 on are",
                     class, other, x);
}

static bool is_whole(double x)
{
    return x <= FEEDBACK_MAX_WEIGHT && x == (double)(uint32_t)x;
}

/* x <= most, most > 0. */
static uint16_t scaled(double x, double most)
{
    const uint32_t w = (uint32_t)(x / most * FEEDBACK_MAX_WEIGHT + 0.5);
    return (uint16_t)(w == 0 && x > 0 ? 1 : w);
}

int feedback_scale_row(const double *numbers, uint32_t n_classes, uint32_t row,
                       const char *const *names, uint8_t *out_weights,
                       struct fault *fault)
{
    double most = 0;
    bool is_plain = true;
    for (uint32_t i = 0; i < n_classes; i++) {
        const int rc = check_number(numbers[i], row, i, names, fault);
        if (rc < 0)
            return rc;
        most = numbers[i] > most ? numbers[i] : most;
        is_plain = is_plain && is_whole(numbers[i]);
    }
    if (most == 0)
        return refuse_zeros(row, names, fault);
    for (uint32_t i = 0; i < n_classes; i++) {
        const uint16_t weight =
            is_plain ? (uint16_t)numbers[i] : scaled(numbers[i], most);
        out_weights[2 * i] = (uint8_t)weight;
        out_weights[2 * i + 1] = (uint8_t)(weight >> 8);
    }
    return 0;
}

int feedback_check_row(const uint8_t *weights, uint32_t n_classes, uint32_t row,
                       const char *const *names, struct fault *fault)
{
    for (size_t i = 0; i < 2 * (size_t)n_classes; i++)
        if (weights[i] > 0)
            return 0;
    return refuse_zeros(row, names, fault);
}
