/* The memory of sent contexts. Threads: loop thread only. */
#include "server/serve/contexts.h"

#include <assert.h>

#include "server/base/mem.h"
#include "server/base/metrics.h"

uint64_t contexts_bytes(uint32_t n_samples, size_t frame_bytes)
{
    return sizeof(struct contexts) +
           (uint64_t)n_samples * ((uint64_t)frame_bytes + 1);
}

static void account(struct contexts *c, int64_t n_bytes)
{
    c->budget->used_bytes += (uint64_t)n_bytes;
    metric_add(METRIC_CONTEXT_BYTES, n_bytes);
    if (c->held_bytes)
        *c->held_bytes += (uint64_t)n_bytes;
}

struct contexts *contexts_create(struct contexts_budget *budget,
                                 uint64_t *held_bytes, uint32_t n_samples,
                                 size_t frame_bytes)
{
    const uint64_t n_bytes = contexts_bytes(n_samples, frame_bytes);
    struct contexts *c;

    if (n_bytes > budget->max_bytes - budget->used_bytes)
        return NULL;
    c = mem_calloc(1, (size_t)n_bytes);
    if (!c)
        return NULL;
    c->refs = 1;
    c->n_samples = n_samples;
    c->budget = budget;
    c->held_bytes = held_bytes;
    c->n_bytes = (size_t)n_bytes;
    c->frame_bytes = frame_bytes;
    c->given = (uint8_t *)(c + 1);
    c->pixels = c->given + n_samples;
    account(c, (int64_t)n_bytes);
    return c;
}

struct contexts *contexts_ref(struct contexts *c)
{
    c->refs++;
    return c;
}

void contexts_unref(struct contexts *c)
{
    if (!c)
        return;
    assert(c->refs > 0);
    if (--c->refs > 0)
        return;
    account(c, -(int64_t)c->n_bytes);
    mem_free(c);
}

void contexts_disown(struct contexts *c)
{
    if (c->held_bytes)
        *c->held_bytes -= c->n_bytes;
    c->held_bytes = NULL;
}

const uint8_t *contexts_of(const struct contexts *c, uint32_t i)
{
    assert(i < c->n_samples || c->n_samples == 0);
    if (c->n_samples == 0 || !c->given[i])
        return NULL;
    return c->pixels + (size_t)i * c->frame_bytes;
}
