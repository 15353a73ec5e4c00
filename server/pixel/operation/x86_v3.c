/* The operations as the compiler makes them for x86-64-v3 (AVX2). Holds no
 * other code. */
#include "server/pixel/operation/functions.h"
#include "server/pixel/operation/tables.h"

operation_function *const operation_x86_v3[OPERATION_N] = OPERATION_FUNCTIONS;
