/* From an index of the emission order to an edge: the dealing order itself,
 * mixed, shuffled, or an independent draw; and to its background. Builds
 * nothing.
 * Threads: pure functions, any thread. */
#include <assert.h>
#include <stddef.h>

#include "server/graph/epoch.h"

/* Block d holds every class once, each from a round of its own: one keyed
 * permutation of the rounds for each class. The order of the classes in block d
 * is round d's table read the other way, from places to classes: the inverse
 * of a shuffle is a shuffle. */
static uint32_t mixed_edge(const struct graph_epoch *e, uint32_t index)
{
    uint32_t k = e->spec.n_classes, block = index / k;
    uint32_t c = e->places[index];
    struct feistel rounds = feistel_rekey(
        &e->round_order,
        philox_draw(e->spec.seed, e->epoch,
                    philox_purpose_word(PHILOX_GRAPH_ORDER, 1, 0), c));
    uint32_t start = (uint32_t)feistel_permute(&rounds, block) * k;
    return start + e->places[start + c];
}

static uint32_t dealt_edge(const struct graph_epoch *e, uint32_t index)
{
    if (e->spec.order == GRAPH_DEALT)
        return index;
    if (e->places != NULL)
        return mixed_edge(e, index);
    return (uint32_t)feistel_permute(&e->edge_order, index);
}

/* Draws of one sample: objects uniformly, or classes first. */
static struct graph_edge independent_edge(const struct graph_epoch *e,
                                          uint32_t index)
{
    const struct graph_spec *spec = &e->spec;
    struct philox_block b =
        philox_draw(spec->seed, e->epoch,
                    philox_purpose_word(PHILOX_GRAPH_INDEPENDENT, 0, 0), index);
    uint32_t first = 0, n = graph_n_objects(spec);
    if (spec->balance == GRAPH_BY_CLASS) {
        uint32_t c = (uint32_t)(((uint64_t)b.word[0] * spec->n_classes) >> 32);
        first = spec->class_first[c];
        n = spec->class_first[c + 1] - first;
    }
    return (struct graph_edge){
        .object = first + (uint32_t)(((uint64_t)b.word[1] * n) >> 32),
        .background =
            (uint32_t)(((uint64_t)b.word[2] * spec->n_backgrounds) >> 32),
    };
}

/* The class's own backgrounds take turns, one a round, and go on in the next
 * epoch where they stopped in this one. (By object with unequal sizes there are
 * no rounds; K edges then stand for one, and turns are about equal.) Which
 * background lies at which place is epoch.c's. */
static uint32_t own_place(const struct graph_epoch *e, uint32_t object,
                          uint32_t edge)
{
    const struct graph_spec *spec = &e->spec;
    uint64_t k = spec->n_classes, c = graph_class_of(spec, object);
    uint64_t first = c * spec->n_backgrounds / k;
    uint64_t n_own = (c + 1) * spec->n_backgrounds / k - first;
    uint64_t n_before = e->epoch % n_own * (e->n_edges / k % n_own);
    return (uint32_t)(first + (n_before + edge / k) % n_own);
}

struct graph_edge graph_epoch_edge(const struct graph_epoch *e, uint64_t index)
{
    assert(index < e->n_edges);
    if (e->spec.pairing == GRAPH_INDEPENDENT)
        return independent_edge(e, (uint32_t)index);
    uint32_t edge = dealt_edge(e, (uint32_t)index), object = e->objects[edge];
    uint32_t place = e->spec.pairing == GRAPH_CORRELATED
                         ? own_place(e, object, edge)
                         : graph_row_of(e, edge);
    return (struct graph_edge){object, e->backgrounds[place]};
}
