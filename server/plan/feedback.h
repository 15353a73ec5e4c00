/* A feedback table in memory, ready to be drawn from. Immutable; knows no
 * stream (common/feedback.h has its rules, serve/feedback_store.h keeps them).
 * Threads: references are the loop thread's; anyone may draw while one is
 * held. */
#ifndef PASTED_PLAN_FEEDBACK_H
#define PASTED_PLAN_FEEDBACK_H

#include <stdint.h>

#include "common/error.h"
#include "common/feedback.h"
#include "server/base/digest.h"

struct feedback {
    struct digest digest; /* SHA-256 of feedback_bytes: n_classes, weights */
    uint32_t n_classes;
    uint32_t n_refs;
    uint32_t below[]; /* [n_classes][n_classes]: sums of the row's weights up to
                         and with this one */
};

/* Bytes that a table of n classes takes in memory. */
size_t feedback_memory_bytes(uint32_t n_classes);

/* weights: checked rows, u16 little-endian as they travel, of no alignment; not
 * kept. One reference; NULL when memory is short. */
struct feedback *feedback_create(uint32_t n_classes, const uint8_t *weights);
struct feedback *feedback_ref(struct feedback *f);
void feedback_unref(struct feedback *f); /* NULL is fine */

uint16_t feedback_weight(const struct feedback *f, uint32_t row,
                         uint32_t column);
/* The class that 64 random bits draw from a row: the first whose sum exceeds
 * philox_below(bits, sum of the row). Classes of weight 0 are never drawn. */
uint32_t feedback_draw(const struct feedback *f, uint32_t row, uint64_t bits);

#endif
