/* Runs a plan's operations one after the other. Computes no pixel itself. */
#include "server/compose/operations.h"

#include "server/pixel/operation/operation.h"

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
