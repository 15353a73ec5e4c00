/* Maps the server's memory and counts what is held in it. Knows no frames. */
#define _GNU_SOURCE /* F_GET_SEALS */
#include "client/lib/ring.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* So many releases are worth waking the receiver for. Of a client that takes
 * batches they go with the next CREDIT anyway. */
#define WAKE_AT 4

struct ring {
    const uint8_t *memory;
    uint64_t n_bytes;
    uint64_t last_slot;    /* the receiver's; ids only grow */
    pthread_mutex_t mutex; /* guards everything below */
    bool connected;        /* else socket_fd is ours */
    int wake_fd, socket_fd;
    uint32_t n_held; /* by batches; with it goes the ring */
    uint32_t n_released;
    uint64_t released[RING_MAX_HELD];
};

/* A file that can shrink would kill its reader with SIGBUS. */
static int check_file(int fd, uint64_t *out_bytes, struct fault *fault)
{
    struct stat st;
    int seals = fcntl(fd, F_GET_SEALS);
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size <= 0 ||
        seals < 0 || (seals & F_SEAL_SHRINK) == 0)
        return fault_set(fault, ERROR_BAD_FRAME,
                         "the server's descriptor is no memory that is sealed "
                         "against shrinking");
    *out_bytes = (uint64_t)st.st_size;
    return 0;
}

int ring_create(int memory_fd, int wake_fd, struct ring **out,
                struct fault *fault)
{
    struct ring *ring = calloc(1, sizeof *ring);
    int rc = ring != NULL ? check_file(memory_fd, &ring->n_bytes, fault)
                          : fault_set(fault, ERROR_NO_MEMORY, "out of memory");
    if (rc != 0)
        goto close_file;
    void *memory =
        mmap(NULL, (size_t)ring->n_bytes, PROT_READ, MAP_SHARED, memory_fd, 0);
    if (memory == MAP_FAILED) {
        rc = fault_set(fault, ERROR_NO_MEMORY,
                       "cannot map %llu bytes of the server's memory (%s); "
                       "option ring=off does without",
                       (unsigned long long)ring->n_bytes, strerror(errno));
        goto close_file;
    }
    ring->memory = memory;
    ring->wake_fd = wake_fd;
    ring->socket_fd = -1;
    ring->connected = true;
    pthread_mutex_init(&ring->mutex, NULL);
    close(memory_fd); /* the mapping keeps it */
    *out = ring;
    return 0;

close_file:
    close(memory_fd);
    free(ring);
    return rc;
}

static void destroy(struct ring *ring)
{
    if (ring->socket_fd >= 0)
        close(ring->socket_fd);
    munmap((void *)(uintptr_t)ring->memory, (size_t)ring->n_bytes);
    pthread_mutex_destroy(&ring->mutex);
    free(ring);
}

/* Unlocks; nobody holds anything and nobody will: it goes. */
static void unlock(struct ring *ring)
{
    bool over = !ring->connected && ring->n_held == 0;
    pthread_mutex_unlock(&ring->mutex);
    if (over)
        destroy(ring);
}

void ring_leave(struct ring *ring, int socket_fd)
{
    pthread_mutex_lock(&ring->mutex);
    ring->connected = false;
    ring->socket_fd = socket_fd;
    unlock(ring);
}

static bool lies_within(const struct ring *ring, uint64_t offset,
                        uint64_t n_bytes)
{
    return offset <= ring->n_bytes && n_bytes <= ring->n_bytes - offset;
}

int ring_hold(struct ring *ring, const struct wire_slot *slot,
              uint64_t sums_bytes, const uint8_t **out_payload,
              const uint8_t **out_sums, struct fault *fault)
{
    if (!lies_within(ring, slot->offset, slot->n_bytes) ||
        !lies_within(ring, slot->sums_offset, sums_bytes))
        return fault_set(fault, ERROR_BAD_FRAME,
                         "a SLOT lies beyond the server's memory");
    if (slot->slot <= ring->last_slot)
        return fault_set(fault, ERROR_BAD_FRAME,
                         "slot %llu came after slot %llu",
                         (unsigned long long)slot->slot,
                         (unsigned long long)ring->last_slot);
    pthread_mutex_lock(&ring->mutex);
    bool room = ring->n_held + ring->n_released < RING_MAX_HELD;
    ring->n_held += room;
    pthread_mutex_unlock(&ring->mutex);
    if (!room)
        return fault_set(fault, ERROR_BAD_FRAME, "more than %d slots at once",
                         RING_MAX_HELD);
    ring->last_slot = slot->slot;
    *out_payload = ring->memory + slot->offset;
    *out_sums = ring->memory + slot->sums_offset;
    return 0;
}

void ring_release(struct ring *ring, uint64_t slot)
{
    pthread_mutex_lock(&ring->mutex);
    assert(ring->n_held > 0);
    ring->n_held--;
    if (ring->connected) {
        ring->released[ring->n_released++] = slot;
        /* A full eventfd is awake already. */
        if (ring->n_released >= WAKE_AT)
            (void)!write(ring->wake_fd, &(uint64_t){1}, sizeof(uint64_t));
    }
    unlock(ring);
}

uint32_t ring_take_released(struct ring *ring, uint64_t *out, uint32_t max)
{
    pthread_mutex_lock(&ring->mutex);
    uint32_t n = ring->n_released < max ? ring->n_released : max;
    memcpy(out, ring->released, n * sizeof out[0]);
    ring->n_released -= n;
    memmove(ring->released, ring->released + n,
            ring->n_released * sizeof out[0]);
    pthread_mutex_unlock(&ring->mutex);
    return n;
}
