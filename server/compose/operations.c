/* Runs a plan's operations one after the other. Computes no pixel itself. */
#include "server/compose/operations.h"

#include "server/pixel/operation/operation.h"

static size_t frame_bytes(int32_t width, int32_t height)
{
    return ((size_t)width * (size_t)height * 3 + 63) / 64 * 64;
}

size_t operations_scratch_bytes(const struct recipe *recipe)
{
    const int32_t w = recipe->width, h = recipe->height;
    if (recipe->image.operations.n_entries == 0)
        return 0;
    return frame_bytes(w, h) + operation_scratch_bytes(w, h);
}

uint8_t *operations_frame(void *scratch)
{
    return scratch;
}

void operations_run(const struct plan *plan, uint8_t *rgb, void *scratch)
{
    const struct operation_frame f = {
        .rgb = rgb,
        .width = plan->width,
        .height = plan->height,
        .scratch = (uint8_t *)scratch + frame_bytes(plan->width, plan->height),
    };
    for (uint32_t i = 0; i < plan->n_operations; i++)
        operation_apply(&f, plan->operation[i].id, plan->operation[i].p);
}
