/* The functions of all operations, compiled for one instruction set each; which
 * may run is pixel/kernels.c's to say. */
#ifndef PASTED_PIXEL_OPERATION_TABLES_H
#define PASTED_PIXEL_OPERATION_TABLES_H

#include "server/pixel/operation/operation.h"

typedef void operation_function(const struct operation_frame *f,
                                const int32_t *p);

extern operation_function *const operation_portable[OPERATION_N];
extern operation_function *const operation_x86_v3[OPERATION_N];
extern operation_function *const operation_x86_v4[OPERATION_N];

#endif
