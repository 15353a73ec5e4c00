/* Nanoseconds per pixel of every image operation at its defaults, through the
 * daemon's own plans. Checks nothing.
 *
 *   operations [SIDE [NAME]]     SIDE px, 224 by default */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/pixel/kernels.h"
#include "server/recipe/operation.h"
#include "tests/bench/operations_measure.h"

int main(int argc, char **argv)
{
    const int32_t side = argc > 1 ? atoi(argv[1]) : 224;
    if (side < 1 || side > FRAME_MAX_SIDE)
        return 2;
    printf("kernels %s, %d px, ns per pixel\n", pixel_kernels()->name, side);
    for (uint32_t i = 0; i < OPERATION_N; i++)
        if (argc < 3 || strcmp(argv[2], operation_table[i].name) == 0)
            printf("%-16s %7.2f\n", operation_table[i].name,
                   operations_measure(i, side));
    return 0;
}
