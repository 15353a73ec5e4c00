/* Every kernel written again, slow and plain, channel by channel from
 * NUMERICS.md; shares no code with server/pixel. Test code only. */
#ifndef PASTED_TESTS_KERNEL_ORACLE_H
#define PASTED_TESTS_KERNEL_ORACLE_H

#include "server/pixel/kernels.h"

/* `name` is "oracle"; the contracts are those of kernels.h. */
extern const struct pixel_kernels oracle_kernels;

#endif
