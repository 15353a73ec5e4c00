/* The operations as the compiler makes them for x86-64-v4 (AVX-512). Holds no
 * other code. */
#include "server/pixel/operation/functions.h"
#include "server/pixel/operation/tables.h"

operation_function *const operation_x86_v4[OPERATION_N] = OPERATION_FUNCTIONS;
