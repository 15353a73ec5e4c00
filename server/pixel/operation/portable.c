/* The operations as the compiler makes them for anything. Holds no other code.
 */
#include "server/pixel/operation/functions.h"
#include "server/pixel/operation/tables.h"

operation_function *const operation_portable[OPERATION_N] = OPERATION_FUNCTIONS;
