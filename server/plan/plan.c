/* One plan: the decisions of every part, put together. Holds no geometry or
 * colour itself (context.c, pose.c, edge.c, colour.c, operations.c); reads no
 * pixels. */
#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "server/plan/colour.h"
#include "server/plan/context.h"
#include "server/plan/draws.h"
#include "server/plan/edge.h"
#include "server/plan/operations.h"
#include "server/plan/plan.h"
#include "server/plan/pose.h"
#include "server/plan/scene.h"

void plan_give_context(struct plan *plan)
{
    plan->context = CONTEXT_GIVEN;
    plan->has_turn = false;
    plan->has_background_colour = false;
    plan->background_operations.n = 0;
}

static void pose_plan(const struct draws *d, const struct recipe *recipe,
                      const struct pool_object *object, uint32_t candidate,
                      struct plan *out)
{
    const struct pose_ranges ranges = {&recipe->object.scale, &recipe->object.x,
                                       &recipe->object.y};
    struct pose pose;
    out->candidate = candidate;
    out->n_attempts = pose_find(d, recipe, &ranges, object, &pose);
    if (candidate > 0)
        out->n_attempts = pose_move(d, recipe, object, candidate, &pose);
    pose_to_plan(&pose, object, out);
}

void plan_make(const struct recipe *recipe, const struct catalog *catalog,
               uint64_t position, struct graph_edge edge, struct plan *out)
{
    plan_make_candidate(recipe, catalog, position, edge, 0, out);
}

void plan_make_candidate(const struct recipe *recipe,
                         const struct catalog *catalog, uint64_t position,
                         struct graph_edge edge, uint32_t candidate,
                         struct plan *out)
{
    assert(candidate < PLAN_MAX_CANDIDATES);
    assert(edge.object < catalog->n_objects);
    assert(edge.background < catalog->n_backgrounds);
    const struct scene scene = scene_of(recipe, catalog, position);
    const struct draws d = {.seed = recipe->seed, .position = scene.position};
    const struct pool_object *object = &catalog->objects[edge.object];

    /* Padding too: plans compare as bytes up to here. */
    memset(out, 0, offsetof(struct plan, background_operations));
    out->position = position;
    out->scene = scene.position;
    out->object = edge.object;
    out->background = edge.background;
    out->class_id = object->class_id;
    out->width = recipe->width;
    out->height = recipe->height;
    context_to_plan(&d, recipe, &catalog->backgrounds[edge.background], out);
    pose_plan(&d, recipe, object, candidate, out);
    edge_to_plan(&d, recipe, scene.turn, out);
    blend_to_plan(&d, recipe, out);
    colour_to_plan(&d, recipe, out);
    operations_to_plan(&d, recipe, out);
}
