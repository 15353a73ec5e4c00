/* A feedback table: for each class of object, how often which class lies under
 * or beside it. Its form, limits and rows; knows no stream and hashes nothing
 * (server/serve/feedback_store.h). PROTOCOL.md "Feedback" gives the bytes.
 *
 * Weights are u16, [n_classes][n_classes] row by row: row c is drawn from when
 * the object is of class c. Only the proportions within a row count. */
#ifndef PASTED_COMMON_FEEDBACK_H
#define PASTED_COMMON_FEEDBACK_H

#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/error.h"

#define FEEDBACK_MAX_CLASSES  1024
#define FEEDBACK_MAX_WEIGHT   65535
#define FEEDBACK_DIGEST_BYTES 32 /* SHA-256 of the bytes below */

/* u32 n_classes, then the weights, little-endian; n_classes at most
 * FEEDBACK_MAX_CLASSES. */
size_t feedback_bytes(uint32_t n_classes);
/* The largest of these: 2 MiB and 4 bytes. */
#define FEEDBACK_MAX_BYTES                                                     \
    (4 + 2 * (size_t)FEEDBACK_MAX_CLASSES * FEEDBACK_MAX_CLASSES)

/* 1..FEEDBACK_MAX_CLASSES, and as many as are wanted (0: any), else
 * -ERROR_BAD_ARGUMENT or -ERROR_TOO_LARGE. */
int feedback_check_classes(uint32_t n_classes, uint32_t n_wanted,
                           struct fault *fault);

/* Row `row` of numbers -> n_classes weights as they travel, little-endian. A
 * row of whole numbers up to FEEDBACK_MAX_WEIGHT is taken as it is; any other
 * is scaled so that its largest becomes FEEDBACK_MAX_WEIGHT, each rounded to
 * nearest, but what is above 0 to 1 at least. -ERROR_BAD_ARGUMENT, naming row
 * and column, for a number that is negative, infinite or NaN, and for a row
 * without any above 0. names: of the n_classes classes, or NULL where only
 * numbers are known. */
int feedback_scale_row(const double *numbers, uint32_t n_classes, uint32_t row,
                       const char *const *names, uint8_t *out_weights,
                       struct fault *fault);

/* The same check of one row of weights as they travel: -ERROR_BAD_ARGUMENT for
 * a row of zeros. */
int feedback_check_row(const uint8_t *weights, uint32_t n_classes, uint32_t row,
                       const char *const *names, struct fault *fault);

#endif
