/* The plan's operations on a frame whose rows are finished. Knows no batch. */
#ifndef PASTED_COMPOSE_OPERATIONS_H
#define PASTED_COMPOSE_OPERATIONS_H

#include "server/plan/plan.h"

/* In place on [height][width][3], dense. scratch: 64-byte aligned. */
void operations_run(const struct plan *plan, uint8_t *rgb, void *scratch);

#endif
