/* One block of frames, a hash by position, a list by use. Threads: loop thread
 * only. */
#include "server/serve/composites.h"

#include <assert.h>
#include <string.h>

#include "server/base/mem.h"
#include "server/base/metrics.h"
#include "server/compose/chained.h"

#define ALIGN_BYTES 64

struct composites {
    uint32_t n_entries, n_buckets; /* n_buckets a power of two */
    uint64_t n_bytes;
    struct composite *oldest, *newest; /* without users */
    struct composite **bucket;
    struct composite *entries;
    uint8_t *memory;
};

static uint32_t entries_of(const struct recipe *recipe)
{
    return recipe->chain.slots * COMPOSITES_A_SLOT;
}

uint64_t composites_bytes(const struct recipe *recipe)
{
    return entries_of(recipe) * (uint64_t)chained_frame_bytes(recipe);
}

static void push_newest(struct composites *c, struct composite *e)
{
    e->older = c->newest;
    e->newer = NULL;
    if (c->newest)
        c->newest->newer = e;
    else
        c->oldest = e;
    c->newest = e;
}

static void push_oldest(struct composites *c, struct composite *e)
{
    e->newer = c->oldest;
    e->older = NULL;
    if (c->oldest)
        c->oldest->older = e;
    else
        c->newest = e;
    c->oldest = e;
}

static void unlink_entry(struct composites *c, struct composite *e)
{
    if (e->older)
        e->older->newer = e->newer;
    else
        c->oldest = e->newer;
    if (e->newer)
        e->newer->older = e->older;
    else
        c->newest = e->older;
}

static struct composite **bucket_of(struct composites *c, uint64_t position)
{
    /* Positions in a row fall into buckets in a row. */
    return &c->bucket[position & (c->n_buckets - 1)];
}

static struct composite *find(struct composites *c, uint64_t position,
                              const struct digest *feedback)
{
    struct composite *e = *bucket_of(c, position);

    while (e && (e->position != position ||
                 memcmp(&e->feedback, feedback, sizeof(*feedback)) != 0))
        e = e->hash_next;
    return e;
}

static int allocate(struct composites *c, const struct recipe *recipe)
{
    const size_t frame = chained_frame_bytes(recipe);

    c->n_buckets = 16;
    while (c->n_buckets < c->n_entries)
        c->n_buckets *= 2;
    c->bucket = mem_calloc(c->n_buckets, sizeof(struct composite *));
    c->entries = mem_calloc(c->n_entries, sizeof(struct composite));
    c->memory = mem_calloc(1, c->n_entries * frame + ALIGN_BYTES);
    if (!c->bucket || !c->entries || !c->memory)
        return -ERROR_NO_MEMORY;
    uint8_t *first = c->memory + (ALIGN_BYTES - 1) -
                     ((uintptr_t)c->memory + ALIGN_BYTES - 1) % ALIGN_BYTES;
    for (uint32_t i = 0; i < c->n_entries; i++) {
        c->entries[i].pixels = first + i * frame;
        push_newest(c, &c->entries[i]);
    }
    return 0;
}

int composites_create(const struct recipe *recipe,
                      struct composites **out_composites, struct fault *fault)
{
    struct composites *c = mem_calloc(1, sizeof(*c));

    if (!c)
        return fault_set(fault, ERROR_NO_MEMORY, "no memory for a chain");
    c->n_entries = entries_of(recipe);
    if (allocate(c, recipe) < 0) {
        composites_destroy(c);
        return fault_set(fault, ERROR_NO_MEMORY, "no memory for a chain");
    }
    c->n_bytes = composites_bytes(recipe);
    metric_add(METRIC_CHAIN_BYTES, (int64_t)c->n_bytes);
    *out_composites = c;
    return 0;
}

void composites_destroy(struct composites *c)
{
    if (!c)
        return;
    for (uint32_t i = 0; c->entries && i < c->n_entries; i++)
        assert(c->entries[i].n_users == 0);
    metric_add(METRIC_CHAIN_BYTES, -(int64_t)c->n_bytes);
    mem_free(c->bucket);
    mem_free(c->entries);
    mem_free(c->memory);
    mem_free(c);
}

struct composite *composites_take(struct composites *c, uint64_t position,
                                  const struct digest *feedback)
{
    struct composite *e = find(c, position, feedback);

    if (e && e->n_users++ == 0)
        unlink_entry(c, e);
    return e;
}

void composites_return(struct composites *c, struct composite *e)
{
    if (!e)
        return;
    assert(e->n_users > 0);
    if (--e->n_users == 0)
        push_newest(c, e);
}

static void forget(struct composites *c, struct composite *e)
{
    struct composite **at = bucket_of(c, e->position);

    while (*at != e)
        at = &(*at)->hash_next;
    *at = e->hash_next;
    e->is_ready = false;
}

struct composite *composites_reserve(struct composites *c, uint64_t position,
                                     const struct digest *feedback)
{
    struct composite *e = c->oldest;

    if (!e || find(c, position, feedback))
        return NULL;
    unlink_entry(c, e);
    if (e->is_ready)
        forget(c, e);
    e->position = position;
    e->feedback = *feedback;
    e->n_users = 1;
    return e;
}

void composites_finish(struct composites *c, struct composite *e, bool whole)
{
    if (!e)
        return;
    assert(e->n_users == 1 && !e->is_ready);
    e->n_users = 0;
    if (!whole || find(c, e->position, &e->feedback)) {
        push_oldest(c, e);
        return;
    }
    e->hash_next = *bucket_of(c, e->position);
    *bucket_of(c, e->position) = e;
    e->is_ready = true;
    push_newest(c, e);
}
