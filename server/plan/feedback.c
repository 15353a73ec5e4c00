/* Feedback tables as running sums of their rows. Checks nothing
 * (common/feedback.c) and keeps no list of tables. */
#include "server/plan/feedback.h"

#include <assert.h>

#include "server/base/mem.h"
#include "server/base/philox.h"

size_t feedback_memory_bytes(uint32_t n_classes)
{
    return sizeof(struct feedback) +
           (size_t)n_classes * n_classes * sizeof(uint32_t);
}

static struct digest digest_of(uint32_t n_classes, const uint8_t *weights)
{
    struct digest_state state;
    digest_init(&state);
    digest_update_u32(&state, n_classes);
    digest_update(&state, weights, 2 * (size_t)n_classes * n_classes);
    return digest_final(&state);
}

struct feedback *feedback_create(uint32_t n_classes, const uint8_t *weights)
{
    assert(n_classes > 0 && n_classes <= FEEDBACK_MAX_CLASSES);
    struct feedback *f = mem_calloc(1, feedback_memory_bytes(n_classes));
    if (f == NULL) {
        return NULL;
    }
    f->digest = digest_of(n_classes, weights);
    f->n_classes = n_classes;
    f->n_refs = 1;
    const size_t n = (size_t)n_classes * n_classes;
    uint32_t sum = 0; /* of a row: below 1024 * 65536 */
    for (size_t i = 0; i < n; i++) {
        sum = i % n_classes == 0 ? 0 : sum;
        sum += (uint32_t)weights[2 * i] | (uint32_t)weights[2 * i + 1] << 8;
        f->below[i] = sum;
    }
    return f;
}

struct feedback *feedback_ref(struct feedback *f)
{
    f->n_refs++;
    return f;
}

void feedback_unref(struct feedback *f)
{
    if (f == NULL) {
        return;
    }
    assert(f->n_refs > 0);
    if (--f->n_refs == 0) {
        mem_free(f);
    }
}

uint16_t feedback_weight(const struct feedback *f, uint32_t row,
                         uint32_t column)
{
    const uint32_t *below = f->below + (size_t)row * f->n_classes;
    return (uint16_t)(below[column] - (column > 0 ? below[column - 1] : 0));
}

uint32_t feedback_draw(const struct feedback *f, uint32_t row, uint64_t bits)
{
    assert(row < f->n_classes);
    const uint32_t *below = f->below + (size_t)row * f->n_classes;
    const uint64_t at = philox_below(bits, below[f->n_classes - 1]);
    uint32_t low = 0, high = f->n_classes - 1;
    while (low < high) {
        const uint32_t middle = (low + high) / 2;
        if (below[middle] > at) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}
