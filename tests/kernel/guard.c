/* Guard pages by mprotect and a canary in between. Tests nothing itself. */
#include "tests/kernel/guard.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CANARY 0xA5

void guard_init(struct guard *g, size_t n_bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    g->usable_bytes = (n_bytes + page - 1) / page * page;
    uint8_t *all =
        mmap(NULL, g->usable_bytes + 2 * page, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED || mprotect(all, page, PROT_NONE) != 0 ||
        mprotect(all + page + g->usable_bytes, page, PROT_NONE) != 0)
        abort();
    g->usable = all + page;
    g->placed = g->usable;
    g->placed_bytes = 0;
}

void guard_fini(struct guard *g)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    munmap(g->usable - page, g->usable_bytes + 2 * page);
}

uint8_t *guard_place(struct guard *g, size_t n_bytes, bool at_end)
{
    if (n_bytes > g->usable_bytes)
        abort();
    memset(g->usable, CANARY, g->usable_bytes);
    g->placed = at_end ? g->usable + g->usable_bytes - n_bytes : g->usable;
    g->placed_bytes = n_bytes;
    return g->placed;
}

bool guard_is_intact(const struct guard *g)
{
    for (const uint8_t *p = g->usable; p < g->usable + g->usable_bytes; p++)
        if ((p < g->placed || p >= g->placed + g->placed_bytes) && *p != CANARY)
            return false;
    return true;
}
