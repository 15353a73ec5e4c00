/* Page runs from one fixed mapping, first or last fit. Never grows and, once
 * created, asks the system for nothing but to be trimmed. Knows nothing of what
 * the runs hold.
 *
 *   run[]  | 3 used | . | . | 5 free | . . . . | 2 used | . |
 *
 * Only a run's first page is described; a walk goes from run to run. Two free
 * neighbours are merged when a walk meets them. */
#define _GNU_SOURCE /* memfd_create and its seals */
#include "server/base/arena.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "server/base/mem.h"

_Static_assert(MEM_MAP_BYTES % ARENA_PAGE_BYTES == 0,
               "a mapping begins at a page");

struct run {
    uint32_t n_pages;
    bool used;
};

struct arena {
    uint8_t *pages; /* ARENA_PAGE_BYTES-aligned */
    int fd;         /* of the memfd, or -1 */
    size_t n_pages;
    size_t n_used; /* pages */
    struct run run[];
};

/* Of fd or, where that is -1, of our own; NULL when the system refuses. On huge
 * pages where the system has them to give: a batch of megabytes is written and
 * sent once, and each 4 KiB of it would be looked up anew. */
static uint8_t *map(size_t n_bytes, int fd)
{
    uint8_t *pages = mem_map(n_bytes);

    if (!pages || fd < 0)
        return pages;
    if (mmap(pages, n_bytes, PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_FIXED | MAP_NORESERVE, fd, 0) == MAP_FAILED) {
        mem_unmap(pages, n_bytes);
        return NULL;
    }
    mem_wish_huge(pages, n_bytes);
    return pages;
}

/* Takes over fd when it succeeds. */
static int create(size_t n_bytes, int fd, struct arena **out_arena,
                  struct fault *fault)
{
    size_t n_pages =
        n_bytes / ARENA_PAGE_BYTES + (n_bytes % ARENA_PAGE_BYTES ? 1 : 0);
    struct arena *a;

    if (n_pages == 0 || n_pages > UINT32_MAX)
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "an arena of %zu bytes cannot be", n_bytes);
    a = mem_calloc(1, sizeof(*a) + n_pages * sizeof(a->run[0]));
    if (!a)
        return fault_set(fault, ERROR_NO_MEMORY, "no memory for an arena");
    a->n_pages = n_pages;
    a->fd = fd;
    a->pages = map(n_pages * ARENA_PAGE_BYTES, fd);
    if (!a->pages) {
        mem_free(a);
        return fault_set(fault, ERROR_NO_MEMORY,
                         "cannot reserve %zu bytes for batches", n_bytes);
    }
    a->run[0] = (struct run){.n_pages = (uint32_t)n_pages};
    *out_arena = a;
    return 0;
}

int arena_create(size_t n_bytes, struct arena **out_arena, struct fault *fault)
{
    return create(n_bytes, -1, out_arena, fault);
}

static int refuse_shared(int fd, struct fault *fault)
{
    int rc = fault_set(fault, ERROR_IO, "no memory to share with clients: %s",
                       strerror(errno));

    if (fd >= 0)
        close(fd);
    return rc;
}

int arena_create_shared(size_t n_bytes, struct arena **out_arena,
                        struct fault *fault)
{
    size_t rest = n_bytes % ARENA_PAGE_BYTES;
    size_t whole = n_bytes + (rest ? ARENA_PAGE_BYTES - rest : 0);
    int fd = memfd_create("pasted batches", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0 || ftruncate(fd, (off_t)whole) != 0)
        return refuse_shared(fd, fault);
    int rc = create(whole, fd, out_arena, fault);
    if (rc != 0) {
        close(fd);
        return rc;
    }
    /* After our own mapping, which goes on being writable. */
    if (fcntl(fd, F_ADD_SEALS,
              F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE |
                  F_SEAL_SEAL) == 0)
        return 0;
    rc = refuse_shared(-1, fault);
    arena_destroy(*out_arena);
    return rc;
}

int arena_fd(const struct arena *a)
{
    return a->fd;
}

bool arena_offset(const struct arena *a, const void *p, uint64_t *out_offset)
{
    uintptr_t start = (uintptr_t)a->pages, at = (uintptr_t)p;

    if (at < start || at - start >= a->n_pages * ARENA_PAGE_BYTES)
        return false;
    *out_offset = at - start;
    return true;
}

void arena_destroy(struct arena *a)
{
    if (!a)
        return;
    assert(a->n_used == 0);
    mem_unmap(a->pages, a->n_pages * ARENA_PAGE_BYTES);
    if (a->fd >= 0)
        close(a->fd); /* those who mapped it keep their pages */
    mem_free(a);
}

/* Takes every free neighbour after the free run at page i into it. */
static void merge(struct arena *a, size_t i)
{
    size_t next = i + a->run[i].n_pages;

    while (next < a->n_pages && !a->run[next].used) {
        a->run[i].n_pages += a->run[next].n_pages;
        next = i + a->run[i].n_pages;
    }
}

/* Cuts n_pages at page `at` out of the free run at page i. */
static void *take(struct arena *a, size_t i, size_t at, size_t n_pages)
{
    size_t end = i + a->run[i].n_pages, next = at + n_pages;

    if (next < end)
        a->run[next] = (struct run){.n_pages = (uint32_t)(end - next)};
    if (at > i)
        a->run[i].n_pages = (uint32_t)(at - i);
    a->run[at] = (struct run){.n_pages = (uint32_t)n_pages, .used = true};
    a->n_used += n_pages;
    return a->pages + at * ARENA_PAGE_BYTES;
}

static size_t pages_of(size_t n_bytes)
{
    size_t n =
        n_bytes / ARENA_PAGE_BYTES + (n_bytes % ARENA_PAGE_BYTES ? 1 : 0);

    return n > 0 ? n : 1;
}

void *arena_alloc_within(struct arena *a, size_t from, size_t to, bool last,
                         size_t n_bytes)
{
    size_t n_pages = pages_of(n_bytes), found = SIZE_MAX, place = 0;
    size_t first = from / ARENA_PAGE_BYTES, end = to / ARENA_PAGE_BYTES;

    end = end < a->n_pages ? end : a->n_pages;
    for (size_t i = 0; i < end; i += a->run[i].n_pages) {
        size_t low, high;

        if (a->run[i].used)
            continue;
        merge(a, i);
        low = i > first ? i : first;
        high = i + a->run[i].n_pages;
        high = high < end ? high : end;
        if (low >= high || high - low < n_pages)
            continue;
        found = i;
        place = last ? high - n_pages : low;
        if (!last)
            break;
    }
    return found == SIZE_MAX ? NULL : take(a, found, place, n_pages);
}

void *arena_alloc(struct arena *a, size_t n_bytes)
{
    return arena_alloc_within(a, 0, arena_capacity_bytes(a), false, n_bytes);
}

void arena_free(struct arena *a, void *p)
{
    size_t offset, i;

    if (!p)
        return;
    offset = (size_t)((uint8_t *)p - a->pages);
    i = offset / ARENA_PAGE_BYTES;
    assert(offset % ARENA_PAGE_BYTES == 0 && i < a->n_pages);
    assert(a->run[i].used);
    a->run[i].used = false;
    a->n_used -= a->run[i].n_pages;
}

void arena_trim(struct arena *a, size_t keep_bytes)
{
    const size_t n_bytes = a->n_pages * ARENA_PAGE_BYTES;

    assert(a->n_used == 0 && a->fd < 0 && keep_bytes % ARENA_PAGE_BYTES == 0);
    if (keep_bytes < n_bytes)
        (void)madvise(a->pages + keep_bytes, n_bytes - keep_bytes,
                      MADV_DONTNEED);
}

size_t arena_capacity_bytes(const struct arena *a)
{
    return a->n_pages * ARENA_PAGE_BYTES;
}

size_t arena_used_bytes(const struct arena *a)
{
    return a->n_used * ARENA_PAGE_BYTES;
}
