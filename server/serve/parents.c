/* The tables of one rendering. Composes nothing. Threads: loop thread only. */
#include "server/serve/parents.h"

#include <string.h>

#include "server/compose/chained.h"

uint64_t parents_bytes(uint32_t n_columns)
{
    return (uint64_t)n_columns * 4 * sizeof(void *);
}

void parents_place(struct parents *p, uint32_t n_columns, void *memory)
{
    void **at = memory;

    p->n_columns = n_columns;
    if (n_columns == 0)
        return;
    memset(at, 0, (size_t)parents_bytes(n_columns));
    p->taken = (struct composite **)(void *)at;
    p->reserved = (struct composite **)(void *)(at + n_columns);
    p->context = (const uint8_t **)(void *)(at + 2 * (size_t)n_columns);
    p->target = (uint8_t **)(void *)(at + 3 * (size_t)n_columns);
}

void parents_begin(struct parents *p, struct composites *c,
                   const struct chain *chain, const struct batch_key *key)
{
    for (uint32_t i = 0; i < p->n_columns; i++) {
        const uint64_t position = key->first_position + i;

        if (position >= chain->slots)
            p->taken[i] =
                composites_take(c, position - chain->slots, &key->feedback);
        p->context[i] = p->taken[i] ? p->taken[i]->pixels : NULL;
    }
    /* After all are taken, so that none of these goes for them. */
    for (uint32_t i = 0; i < p->n_columns; i++) {
        const uint32_t after = key->n_samples - 1 - i;
        const uint64_t last = key->first_position + i +
                              after / chain->slots * (uint64_t)chain->slots;

        p->reserved[i] = composites_reserve(c, last, &key->feedback);
        p->target[i] = p->reserved[i] ? p->reserved[i]->pixels : NULL;
    }
}

void parents_end(struct parents *p, struct composites *c, bool whole)
{
    for (uint32_t i = 0; i < p->n_columns; i++) {
        composites_return(c, p->taken[i]);
        composites_finish(c, p->reserved[i], whole);
    }
    p->n_columns = 0;
}

bool parents_are_made_by(const struct chain *chain, const struct batch_key *of,
                         const struct batch_key *other)
{
    const uint64_t slots = chain->slots, n = of->n_samples;
    const uint64_t made = other->first_position, n_made = other->n_samples;
    /* Both moved up by slots, so that nothing lies below 0. */
    const uint64_t wanted_end = of->first_position + (n < slots ? n : slots);
    const uint64_t made_end = made + n_made + slots;
    const uint64_t made_begin = n_made < slots ? made + slots : made + n_made;

    return of->stream == other->stream && of->first_position < made_end &&
           made_begin < wanted_end &&
           memcmp(&of->feedback, &other->feedback, sizeof(of->feedback)) == 0;
}
