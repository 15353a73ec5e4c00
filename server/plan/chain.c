/* The arithmetic of chains. Keeps nothing. Source: NUMERICS.md "Chains". */
#include "server/plan/chain.h"

#include <assert.h>

#include "server/plan/draws.h"
#include "server/plan/scene.h"

/* How often two positions that are drawn independently have one class. */
static double both_alike(const struct graph_spec *graph)
{
    const uint32_t k = graph->n_classes;
    const double n_objects = graph->class_first[k];
    double sum = 0;
    if (graph->balance == GRAPH_BY_CLASS)
        return 1.0 / k;
    for (uint32_t c = 0; c < k; c++) {
        const double share =
            (graph->class_first[c + 1] - graph->class_first[c]) / n_objects;
        sum += share * share;
    }
    return sum;
}

/* How often a position and the one `slots` before have one class. Blocks of K
 * positions hold each class once, in orders taken as independent. Without
 * blocks, edges are drawn from the epoch's without replacement, or each by
 * itself. */
static double equal_labels(const struct recipe *recipe,
                           const struct catalog *catalog)
{
    const struct graph_spec graph = scene_graph(recipe, catalog);
    const double k = catalog->n_classes, slots = recipe->chain.slots;
    const double n_edges = (double)graph_edges_per_epoch(&graph);
    const double alike = both_alike(&graph);
    if (graph_has_blocks(&graph))
        return slots < k ? slots / k / k : 1 / k;
    if (graph.pairing == GRAPH_INDEPENDENT || slots >= n_edges)
        return alike;
    return (slots * alike +
            (n_edges - slots) * (alike * n_edges - 1) / (n_edges - 1)) /
           n_edges;
}

void chain_init(struct chain *out, const struct recipe *recipe,
                const struct catalog *catalog)
{
    *out = (struct chain){
        .seed = recipe->seed,
        .slots = recipe->chain.slots,
        .max_length = recipe->chain.max_length,
        .reset = recipe->chain.reset,
    };
    if (out->slots > 0)
        out->forced = 1 - (1 - equal_labels(recipe, catalog)) *
                              (1 - 1.0 / out->max_length);
}

/* Of max_length rounds in a row, one begins every slot anew; which, the slot's
 * own draw says. */
static bool is_bound(const struct chain *c, uint64_t position)
{
    const struct draws of_slot = {.seed = c->seed,
                                  .position = position % c->slots};
    const uint64_t offset = philox_below(
        draws_bits(&of_slot, PHILOX_CHAIN_OFFSET, 0), c->max_length);
    return (position / c->slots + offset) % c->max_length == 0;
}

/* So that of all positions the share `reset` begins, drawn or forced. */
static bool is_reset(const struct chain *c, uint64_t position)
{
    const struct draws d = {.seed = c->seed, .position = position};
    const double rate = recipe_number_at(&c->reset, position);
    if (rate <= c->forced)
        return false;
    return draws_unit(&d, PHILOX_CHAIN_RESET, 0) <
           (rate - c->forced) / (1 - c->forced);
}

enum plan_link chain_may_link(const struct chain *c, uint64_t position)
{
    assert(c->slots > 0);
    if (position < c->slots)
        return LINK_FIRST;
    if (is_bound(c, position))
        return LINK_LENGTH;
    return is_reset(c, position) ? LINK_RESET : LINK_PARENT;
}

/* The rule of equal labels, of a position that may have a parent else. */
static enum plan_link unless_alike(uint32_t class_id, uint32_t earlier_class)
{
    return class_id == earlier_class ? LINK_LABEL : LINK_PARENT;
}

enum plan_link chain_link(const struct chain *c, uint64_t position,
                          uint32_t class_id, uint32_t earlier_class)
{
    const enum plan_link link = chain_may_link(c, position);
    return link == LINK_PARENT ? unless_alike(class_id, earlier_class) : link;
}

enum plan_link chain_link_of(const struct chain *c,
                             const struct catalog *catalog,
                             struct graph_edge (*edge_of)(const void *source,
                                                          uint64_t position),
                             const void *source, uint64_t position)
{
    const enum plan_link link = chain_may_link(c, position);
    if (link != LINK_PARENT)
        return link;
    const struct graph_edge edge = edge_of(source, position);
    const struct graph_edge earlier = edge_of(source, position - c->slots);
    return unless_alike(catalog->objects[edge.object].class_id,
                        catalog->objects[earlier.object].class_id);
}

void chain_to_plan(const struct chain *c, enum plan_link link,
                   struct plan *plan)
{
    plan->link = link;
    plan->chain_slots = c->slots;
    if (link == LINK_PARENT)
        plan_give_context(plan);
}

uint64_t chain_reach(const struct chain *c, uint64_t first)
{
    const uint64_t most = (uint64_t)c->slots * (c->max_length - 1);
    return c->slots == 0 ? first : first > most ? first - most : 0;
}
