/* Walks the columns of a batch, one step ahead of composing. Composes nothing
 * itself and keeps nothing beyond the batch. */
#include "server/compose/chained.h"

#include <assert.h>

#include "server/compose/scratch.h"

size_t chained_frame_bytes(const struct recipe *recipe)
{
    return scratch_rgb_bytes(recipe->width, recipe->height);
}

uint32_t chained_columns(const struct chain *chain, uint32_t n_positions)
{
    return n_positions < chain->slots ? n_positions : chain->slots;
}

/* Why the sample at a position is pasted on what it is. */
static enum plan_link link_of(const struct chained *c, uint64_t position)
{
    return chain_link_of(c->chain, c->composer->catalog, c->edge_of, c->source,
                         position);
}

static uint32_t n_candidates(const struct chained *c)
{
    return c->composer->layout->n_candidates;
}

static uint32_t n_positions(const struct chained *c)
{
    return c->composer->layout->n_samples / n_candidates(c);
}

static uint64_t first_of_column(const struct chained *c)
{
    return c->first_position + c->column;
}

static uint64_t last_of_column(const struct chained *c)
{
    const uint32_t slots = c->chain->slots;
    const uint32_t after = n_positions(c) - 1 - c->column;
    return first_of_column(c) + after / slots * slots;
}

/* At the column's first sample where its parent is at hand or it has none, else
 * where its chain begins. */
static void begin_column(struct chained *c)
{
    uint64_t position = first_of_column(c);
    c->context = NULL;
    c->is_begun = true;
    if (link_of(c, position) == LINK_PARENT) {
        c->context = c->parent ? c->parent[c->column] : NULL;
        while (!c->context && link_of(c, position) == LINK_PARENT)
            position -= c->chain->slots;
    }
    c->position = position;
}

/* Where the sample due puts what it hands on: to the next one of its column,
 * or, the last, to whom the batch was asked to. */
static uint8_t *target_of(struct chained *c)
{
    const uint64_t next = c->position + c->chain->slots;
    if (c->position == last_of_column(c))
        return c->handed_on ? c->handed_on[c->column] : NULL;
    if (next > first_of_column(c) && link_of(c, next) != LINK_PARENT)
        return NULL;
    c->turn ^= 1; /* its own context may lie in the other */
    return batch_chained_frame(c->composer, (int)c->turn);
}

/* On to the next sample, which is pasted on what this one hands on. */
static void end_sample(struct chained *c)
{
    c->context = c->target;
    if (c->position == last_of_column(c)) {
        c->column++;
        c->is_begun = false;
    } else {
        c->position += c->chain->slots;
    }
    c->candidate = 0;
}

/* The candidate due, and on to the next; false after the last. All candidates
 * of a sample have one context, and the first hands on. */
static bool take_step(struct chained *c, struct batch_sample *out)
{
    if (c->column == c->end)
        return false;
    if (!c->is_begun)
        begin_column(c);
    if (c->candidate == 0)
        c->target = target_of(c);
    const bool is_again = c->position < c->first_position;
    const uint32_t k = n_candidates(c), i = c->candidate;
    const bool is_image =
        c->composer->recipe->chain.handed_on == HANDED_ON_IMAGE;
    uint8_t *target = i == 0 ? c->target : NULL;
    *out = (struct batch_sample){
        .position = c->position,
        .edge = c->edge_of(c->source, c->position),
        .context = c->context,
        .composite = is_image ? NULL : target,
        .finished = is_image ? target : NULL,
        .candidate = i,
        .is_handed_on_only = is_again,
    };
    if (!is_again)
        out->index = (uint32_t)(c->position - c->first_position) * k + i;
    c->n_again += is_again;
    if (is_again || ++c->candidate == k)
        end_sample(c);
    return true;
}

void chained_run(struct chained *c, uint32_t from, uint32_t to)
{
    struct batch_sample due, next;
    assert(from < to && to <= chained_columns(c->chain, n_positions(c)));
    c->column = from;
    c->end = to;
    c->is_begun = false;
    c->candidate = 0;
    bool is_due = take_step(c, &due);
    while (is_due) {
        const bool is_next = take_step(c, &next);
        batch_composer_run(c->composer, &due, is_next ? &next : NULL);
        due = next;
        is_due = is_next;
    }
}
