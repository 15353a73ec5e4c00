/* Pastes the distractor as any object is pasted, on the sample's own context or
 * on pixels that are given. Computes no pixel itself. */
#include "server/compose/distractor.h"

#include "server/compose/match.h"
#include "server/compose/render.h"
#include "server/compose/scratch.h"
#include "server/compose/stage.h"
#include "server/plan/distractor.h"

size_t distractor_scratch_bytes(const struct recipe *recipe)
{
    if (!recipe_wants_distractor(recipe))
        return 0;
    return scratch_rgb_bytes(recipe->width, recipe->height);
}

const uint8_t *distractor_paste(const struct batch_composer *c,
                                const struct plan *plan, const uint8_t *given,
                                uint8_t *own, uint8_t *frame,
                                int32_t *out_class)
{
    struct plan other;
    struct render render;
    *out_class = -1;
    if (!distractor_make(c->recipe, c->catalog, c->feedback, plan, &other))
        return given;
    *out_class = (int32_t)other.class_id;
    render_init(&render, c->catalog, &other, given, NULL, own);
    stage_run(&render, own + compose_scratch_bytes(plan->width, plan->height));
    match_run(&render);
    render_whole(&render, frame, (ptrdiff_t)plan->width * 3);
    return frame;
}
