/* A plan's operations on a frame whose rows are finished. Knows no batch. */
#ifndef PASTED_COMPOSE_OPERATIONS_H
#define PASTED_COMPOSE_OPERATIONS_H

#include "server/pixel/operation/operation.h"
#include "server/plan/plan.h"

/* In place. */
void operations_run(const struct plan_operations *operations,
                    const struct operation_frame *f);

#endif
