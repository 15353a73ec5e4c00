/* The memory of sent contexts: runs of an arena, on huge pages where there are
 * any, that are used again while they are warm. Threads: loop thread only. */
#include "server/serve/contexts.h"

#include <assert.h>

#include "server/base/metrics.h"

int contexts_budget_init(struct contexts_budget *b, uint64_t max_bytes,
                         struct fault *fault)
{
    *b = (struct contexts_budget){.max_bytes = max_bytes};
    return arena_create((size_t)max_bytes, &b->arena, fault);
}

void contexts_budget_fini(struct contexts_budget *b)
{
    assert(b->used_bytes == 0);
    arena_destroy(b->arena);
}

void contexts_budget_trim(struct contexts_budget *b)
{
    if (!b->is_touched || b->used_bytes > 0)
        return;
    arena_trim(b->arena, CONTEXTS_KEPT_BYTES);
    b->is_touched = false;
}

uint64_t contexts_bytes(uint32_t n_samples, size_t frame_bytes,
                        size_t front_bytes)
{
    const uint64_t n_bytes = sizeof(struct contexts) + front_bytes +
                             (uint64_t)n_samples * ((uint64_t)frame_bytes + 1);
    return (n_bytes + ARENA_PAGE_BYTES - 1) / ARENA_PAGE_BYTES *
           ARENA_PAGE_BYTES;
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
                                 size_t frame_bytes, size_t front_bytes)
{
    const uint64_t n_bytes =
        contexts_bytes(n_samples, frame_bytes, front_bytes);
    struct contexts *c;

    if (n_bytes > budget->max_bytes - budget->used_bytes)
        return NULL;
    c = arena_alloc(budget->arena, (size_t)n_bytes);
    if (!c)
        return NULL;
    budget->is_touched = true;
    *c = (struct contexts){.refs = 1,
                           .n_samples = n_samples,
                           .budget = budget,
                           .held_bytes = held_bytes,
                           .n_bytes = (size_t)n_bytes,
                           .frame_bytes = frame_bytes};
    c->front = (uint8_t *)(c + 1);
    c->given = c->front + front_bytes;
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
    arena_free(c->budget->arena, c);
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
