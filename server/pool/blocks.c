/* Blocks side by side in one mapping. Gives none of them back alone: what a
 * load keeps goes with its catalog. */
#include "server/pool/blocks.h"

#include <assert.h>
#include <string.h>

#include "server/base/mem.h"

/* Address sanitizer sees no bounds inside a mapping unless it is told. */
#if defined(__SANITIZE_ADDRESS__)
#define WATCHED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WATCHED 1
#endif
#endif

#ifdef WATCHED
#include <sanitizer/asan_interface.h>
#define GAP_BYTES POOL_BLOCK_ALIGN /* that nobody may touch, behind a block */
#else
#define GAP_BYTES                         0
#define ASAN_POISON_MEMORY_REGION(p, n)   ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

uint64_t pool_blocks_padded(uint64_t n_bytes)
{
    return (n_bytes + POOL_BLOCK_ALIGN - 1) / POOL_BLOCK_ALIGN *
               POOL_BLOCK_ALIGN +
           GAP_BYTES;
}

int pool_blocks_init(struct pool_blocks *b, uint64_t n_bytes,
                     struct fault *fault)
{
    memset(b, 0, sizeof(*b));
    atomic_init(&b->n_used, 0);
    b->memory = mem_map(n_bytes);
    if (!b->memory)
        return fault_set(fault, ERROR_NO_MEMORY,
                         "cannot reserve %llu MiB for images",
                         (unsigned long long)(n_bytes >> 20));
    b->n_bytes = n_bytes;
    ASAN_POISON_MEMORY_REGION(b->memory, b->n_bytes);
    return 0;
}

void *pool_blocks_take(struct pool_blocks *b, uint64_t n_bytes)
{
    const uint64_t n = pool_blocks_padded(n_bytes);
    size_t used = atomic_load_explicit(&b->n_used, memory_order_relaxed);

    do {
        if (n > b->n_bytes - used)
            return NULL;
    } while (!atomic_compare_exchange_weak_explicit(&b->n_used, &used, used + n,
                                                    memory_order_relaxed,
                                                    memory_order_relaxed));
    ASAN_UNPOISON_MEMORY_REGION(b->memory + used, n_bytes);
    return b->memory + used;
}

void pool_blocks_move(struct pool_blocks *to, struct pool_blocks *from)
{
    assert(!to->memory);
    to->memory = from->memory;
    to->n_bytes = from->n_bytes;
    atomic_init(&to->n_used, atomic_load(&from->n_used));
    from->memory = NULL;
    pool_blocks_fini(from);
}

void pool_blocks_fini(struct pool_blocks *b)
{
    if (b->memory)
        ASAN_UNPOISON_MEMORY_REGION(b->memory, b->n_bytes);
    mem_unmap(b->memory, b->n_bytes);
    b->memory = NULL;
    b->n_bytes = 0;
    atomic_store(&b->n_used, 0);
}
