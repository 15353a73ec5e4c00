/* Shuffles over a cursor of Philox draws. Knows neither decks nor laps. */
#include "server/graph/draws.h"

#include <assert.h>

void draws_init(struct draws *d, uint64_t seed, uint64_t epoch,
                enum philox_purpose purpose)
{
    *d = (struct draws){
        .seed = seed,
        .epoch = epoch,
        .purpose_word = philox_purpose_word(purpose, 0, 0),
    };
}

uint32_t draws_below(struct draws *d, uint32_t n)
{
    assert(n > 0);
    if (d->n_left == 0) {
        d->block =
            philox_draw(d->seed, d->epoch, d->purpose_word, d->next_draw++);
        assert(d->next_draw != 0); /* 2^34 words are far beyond an epoch */
        d->n_left = 4;
    }
    uint32_t word = d->block.word[4 - d->n_left--];
    return (uint32_t)(((uint64_t)word * n) >> 32);
}

void draws_choose(struct draws *d, uint32_t *items, uint32_t n_from,
                  uint32_t n_first)
{
    assert(n_first <= n_from);
    for (uint32_t i = 0; i < n_first; i++) {
        uint32_t j = i + draws_below(d, n_from - i);
        uint32_t item = items[i];
        items[i] = items[j];
        items[j] = item;
    }
}

void draws_shuffle(struct draws *d, uint32_t *items, uint32_t n)
{
    if (n > 1)
        draws_choose(d, items, n, n - 1);
}
