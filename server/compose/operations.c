/* Runs a plan's operations one after the other. Computes no pixel itself. */
#include "server/compose/operations.h"

void operations_run(const struct plan_operations *operations,
                    const struct operation_frame *f)
{
    for (uint32_t i = 0; i < operations->n; i++)
        operation_apply(f, operations->list[i].id, operations->list[i].p);
}
