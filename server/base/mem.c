/* Allocation that counts and can be made to fail; the system's allocator does
 * the work. Keeps no list of what is allocated: that is the sanitizers' job.
 * Threads: any. */
#include "server/base/mem.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static _Atomic uint64_t n_allocations;
static _Atomic uint64_t fail_countdown; /* 0: off; 1: the next one fails */

/* True when this allocation is the one that a test wants to see fail. */
static bool must_fail(void)
{
    uint64_t left = atomic_load_explicit(&fail_countdown, memory_order_relaxed);

    while (left > 0) {
        if (atomic_compare_exchange_weak_explicit(
                &fail_countdown, &left, left - 1, memory_order_relaxed,
                memory_order_relaxed))
            return left == 1;
    }
    return false;
}

static void *counted(void *p)
{
    if (p)
        atomic_fetch_add_explicit(&n_allocations, 1, memory_order_relaxed);
    return p;
}

void *mem_calloc(size_t n, size_t size)
{
    size_t n_bytes;

    if (must_fail() || __builtin_mul_overflow(n, size, &n_bytes))
        return NULL;
    /* One byte at least, so that NULL always means failure. */
    return counted(calloc(1, n_bytes > 0 ? n_bytes : 1));
}

void *mem_realloc(void *old, size_t n_bytes)
{
    if (must_fail())
        return NULL;
    return counted(realloc(old, n_bytes > 0 ? n_bytes : 1));
}

char *mem_strdup(const char *text)
{
    size_t n_bytes = strlen(text) + 1;
    char *copy = mem_calloc(1, n_bytes);

    if (copy)
        memcpy(copy, text, n_bytes);
    return copy;
}

void mem_free(void *p)
{
    free(p);
}

void mem_fail_nth(uint64_t nth)
{
    atomic_store_explicit(&fail_countdown, nth, memory_order_relaxed);
}

uint64_t mem_allocations(void)
{
    return atomic_load_explicit(&n_allocations, memory_order_relaxed);
}
