/* Which second object lies on the context, and how. Puts the parts of a plan
 * together as plan.c does; holds no geometry itself.
 * Source: NUMERICS.md "The distractor". */
#include "server/plan/distractor.h"

#include <assert.h>
#include <string.h>

#include "server/plan/colour.h"
#include "server/plan/draws.h"
#include "server/plan/edge.h"
#include "server/plan/operations.h"
#include "server/plan/pose.h"
#include "server/plan/scene.h"

enum { DRAW_CHANCE, DRAW_CLASS, DRAW_OBJECT };

/* Without a table: uniform over the classes but the object's. */
static uint32_t draw_class(const struct draws *d, const struct catalog *catalog,
                           const struct feedback *feedback, uint32_t class_id)
{
    const uint64_t bits = draws_bits(d, PHILOX_DISTRACTOR, DRAW_CLASS);
    if (feedback != NULL) {
        assert(feedback->n_classes == catalog->n_classes);
        return feedback_draw(feedback, class_id, bits);
    }
    const uint32_t i = (uint32_t)philox_below(bits, catalog->n_classes - 1);
    return i + (i >= class_id);
}

static uint32_t draw_object(const struct draws *d,
                            const struct catalog *catalog, uint32_t class_id)
{
    const uint32_t first = catalog->class_first[class_id];
    const uint32_t n = catalog->class_first[class_id + 1] - first;
    const uint64_t bits = draws_bits(d, PHILOX_DISTRACTOR, DRAW_OBJECT);
    return first + (uint32_t)philox_below(bits, n);
}

/* The context of the sample, with a frame of nothing else. */
static void take_context(const struct plan *plan, struct plan *out)
{
    memset(out, 0, offsetof(struct plan, background_operations));
    memcpy(out, plan, offsetof(struct plan, object_level));
    out->has_background_colour = plan->has_background_colour;
    memcpy(out->background_colour, plan->background_colour,
           sizeof(out->background_colour));
    out->background_operations = plan->background_operations;
    out->operations.n = 0;
}

bool distractor_make(const struct recipe *recipe, const struct catalog *catalog,
                     const struct feedback *feedback, const struct plan *plan,
                     struct plan *out)
{
    const struct draws d = {.seed = recipe->seed,
                            .position = plan->scene,
                            .slot = DRAWS_SLOT_DISTRACTOR};
    if ((feedback == NULL && catalog->n_classes < 2) ||
        !draws_chance(&d, PHILOX_DISTRACTOR, DRAW_CHANCE,
                      &recipe->distractor.probability)) {
        return false;
    }
    const struct pose_ranges ranges = {&recipe->distractor.scale,
                                       &recipe->distractor.x,
                                       &recipe->distractor.y};
    struct pose pose;
    take_context(plan, out);
    out->class_id = draw_class(&d, catalog, feedback, plan->class_id);
    out->object = draw_object(&d, catalog, out->class_id);
    const struct pool_object *object = &catalog->objects[out->object];
    out->n_attempts = pose_find(&d, recipe, &ranges, object, &pose);
    pose_to_plan(&pose, object, out);
    edge_to_plan(&d, recipe, scene_of(recipe, catalog, plan->position).turn,
                 out);
    blend_to_plan(&d, recipe, out);
    object_colour_to_plan(&d, recipe, out);
    object_operations_to_plan(&d, recipe, out);
    return true;
}
