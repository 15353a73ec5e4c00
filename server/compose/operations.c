/* Runs a plan's operations one after the other. Computes no pixel itself. */
#include "server/compose/operations.h"

#include "server/pixel/operation/operation.h"

size_t operations_scratch_bytes(const struct recipe *recipe)
{
    if (recipe->image.operations.n_entries == 0)
        return 0;
    size_t n_bytes = operation_scratch_bytes(recipe->width, recipe->height);
    return (n_bytes + 63) / 64 * 64;
}

void operations_run(const struct plan *plan, uint8_t *rgb, void *scratch)
{
    const struct operation_frame f = {
        .rgb = rgb,
        .width = plan->width,
        .height = plan->height,
        .scratch = scratch,
    };
    for (uint32_t i = 0; i < plan->n_operations; i++)
        operation_apply(&f, plan->operation[i].id, plan->operation[i].p);
}
