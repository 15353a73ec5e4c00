/* Allocation that counts and can be made to fail; the system's allocator does
 * the work. Keeps no list of what is allocated: that is the sanitizers' job.
 * Threads: any. */
#define _GNU_SOURCE /* madvise */
#include "server/base/mem.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Of x86-64, and the usual of Arm. */
#define HUGE_PAGE_BYTES ((size_t)2 << 20)

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

/* Whole units of MEM_MAP_BYTES, one at least; 0 when there are no such. */
static size_t mapped_bytes(size_t n_bytes)
{
    const size_t n = n_bytes > 0 ? n_bytes : 1;
    const size_t n_units = n / MEM_MAP_BYTES + (n % MEM_MAP_BYTES ? 1 : 0);
    size_t whole;

    return __builtin_mul_overflow(n_units, MEM_MAP_BYTES, &whole) ? 0 : whole;
}

void mem_wish_huge(void *p, size_t n_bytes)
{
    if (n_bytes >= HUGE_PAGE_BYTES)
        (void)madvise(p, mapped_bytes(n_bytes), MADV_HUGEPAGE);
}

void *mem_map(size_t n_bytes)
{
    const size_t n = mapped_bytes(n_bytes);
    const size_t align = n >= HUGE_PAGE_BYTES ? HUGE_PAGE_BYTES : MEM_MAP_BYTES;
    size_t whole, before;
    uint8_t *mapping, *pages;

    if (must_fail() || n == 0 || __builtin_add_overflow(n, align, &whole))
        return NULL;
    mapping = mmap(NULL, whole, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapping == MAP_FAILED)
        return NULL;
    before = (size_t)(-(uintptr_t)mapping & (align - 1));
    pages = mapping + before;
    if (before > 0)
        munmap(mapping, before);
    munmap(pages + n, align - before);
    mem_wish_huge(pages, n);
    return counted(pages);
}

void mem_unmap(void *p, size_t n_bytes)
{
    if (p)
        munmap(p, mapped_bytes(n_bytes));
}

void mem_fail_nth(uint64_t nth)
{
    atomic_store_explicit(&fail_countdown, nth, memory_order_relaxed);
}

uint64_t mem_allocations(void)
{
    return atomic_load_explicit(&n_allocations, memory_order_relaxed);
}
