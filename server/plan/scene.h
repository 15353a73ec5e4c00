/* Which scene a position shows: its own, or with object/edge {"every": [...]}
 * one that several epochs in a row show, each with another edge. Draws nothing
 * and reads no pixels. */
#ifndef PASTED_PLAN_SCENE_H
#define PASTED_PLAN_SCENE_H

#include "server/plan/plan.h"

/* The graph that the recipe asks for on this catalog; borrows its classes. */
struct graph_spec scene_graph(const struct recipe *recipe,
                              const struct catalog *catalog);

/* Epochs in a row that show the same scenes: n edges of `every`, else 1. */
uint32_t scene_turns(const struct recipe *recipe);

/* Position i of epoch e shows the scene of position i of epoch e / turns, for
 * the (e mod turns)th time: its draws and its edge of the graph. */
struct scene {
    uint64_t position;
    uint32_t turn;
};
struct scene scene_of(const struct recipe *recipe,
                      const struct catalog *catalog, uint64_t position);

#endif
