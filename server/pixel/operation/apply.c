/* From an operation's number to its function for this CPU. Computes no pixel
 * itself. */
#include <assert.h>
#include <string.h>

#include "server/pixel/kernels.h"
#include "server/pixel/operation/operation.h"
#include "server/pixel/operation/tables.h"

/* The table of kernels in use says what the CPU can run, and PASTED_CPU masks
 * both alike. */
static operation_function *const *functions(void)
{
#ifdef OPERATION_X86
    const char *name = pixel_kernels()->name;
    if (strcmp(name, "x86-64-v4") == 0)
        return operation_x86_v4;
    if (strcmp(name, "x86-64-v3") == 0)
        return operation_x86_v3;
#endif
    return operation_portable;
}

/* The hungriest: 32 rows of 16-bit sums and one of 32-bit sums (box_blur), or
 * a copy of the frame in 16 bits with room around it. */
size_t operation_scratch_bytes(int32_t width, int32_t height)
{
    const size_t w = (size_t)width + 64, h = (size_t)height + 32;
    const size_t copy = w * h * 6 + w * 12, sums = w * (32 * 6 + 24);
    return ((copy > sums ? copy : sums) + 63) / 64 * 64;
}

void operation_apply(const struct operation_frame *f, enum operation_id id,
                     const int32_t p[OPERATION_MAX_PARAMETERS])
{
    assert((uint32_t)id < OPERATION_N);
    assert(((uintptr_t)f->scratch & 63) == 0);
    functions()[id](f, p);
}
