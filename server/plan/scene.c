/* The arithmetic of scenes. Keeps nothing. */
#include "server/plan/scene.h"

struct graph_spec scene_graph(const struct recipe *recipe,
                              const struct catalog *catalog)
{
    return (struct graph_spec){
        .n_classes = catalog->n_classes,
        .class_first = catalog->class_first,
        .n_backgrounds = catalog->n_backgrounds,
        .objects_per_background = recipe->graph.objects_per_background,
        .order = recipe->graph.order,
        .pairing = recipe->graph.pairing,
        .balance = recipe->graph.balance,
        .strict = recipe->graph.strict,
        .seed = recipe->seed,
    };
}

uint32_t scene_turns(const struct recipe *recipe)
{
    const uint32_t n = recipe->object.edges.n_every;
    return n > 0 ? n : 1;
}

struct scene scene_of(const struct recipe *recipe,
                      const struct catalog *catalog, uint64_t position)
{
    const uint32_t turns = scene_turns(recipe);
    if (turns == 1)
        return (struct scene){position, 0};
    const struct graph_spec graph = scene_graph(recipe, catalog);
    const uint64_t n_edges = graph_edges_per_epoch(&graph);
    const uint64_t epoch = position / n_edges;
    return (struct scene){epoch / turns * n_edges + position % n_edges,
                          (uint32_t)(epoch % turns)};
}
