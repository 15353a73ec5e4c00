/* Batches, their pool, and the reading of a payload in pieces. Knows no
 * sockets and no client. */
#define _DEFAULT_SOURCE /* madvise */
#include "client/lib/batch.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BATCH_MAGIC 0x48435442u /* "BTCH" */

/* Large batches lie on huge pages where the system has them to give: else
 * finding each 4 KiB costs a tenth of receiving it. */
#define HUGE_PAGE_BYTES ((size_t)2 << 20)
#define LARGE_BYTES     (2 * HUGE_PAGE_BYTES)

/* Lengths from the wire, once within their limits, fit in size_t. */
_Static_assert(SIZE_MAX >= WIRE_MAX_BATCH_BYTES, "a 64-bit machine is needed");

struct batch_pool {
    pid_t pid;             /* where it was made */
    pthread_mutex_t mutex; /* guards everything below */
    struct pasted_batch *free_list;
    uint32_t n_free, max_free;
    uint32_t refs; /* the owner's and one per batch in use */
    bool owned;    /* the owner still holds it: released batches are kept */
};

struct batch_pool *batch_pool_create(uint32_t max_free)
{
    struct batch_pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL)
        return NULL;
    pthread_mutex_init(&pool->mutex, NULL);
    pool->pid = getpid();
    pool->max_free = max_free;
    pool->refs = 1;
    pool->owned = true;
    return pool;
}

static void batch_free(struct pasted_batch *b)
{
    b->magic = 0;
    free(b->own);
    free(b->sums);
    free(b);
}

/* Unlocks and, with the last reference, frees. */
static void unlock_unref(struct batch_pool *pool)
{
    bool last = --pool->refs == 0;
    pthread_mutex_unlock(&pool->mutex);
    if (last) {
        pthread_mutex_destroy(&pool->mutex);
        free(pool);
    }
}

void batch_pool_unref(struct batch_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    pool->owned = false;
    struct pasted_batch *list = pool->free_list;
    pool->free_list = NULL;
    pool->n_free = 0;
    unlock_unref(pool);
    while (list != NULL) {
        struct pasted_batch *next = list->next;
        batch_free(list);
        list = next;
    }
}

static bool make_room(struct pasted_batch *b, size_t n_bytes)
{
    if (b->capacity_bytes >= n_bytes)
        return true;
    const bool is_large = n_bytes >= LARGE_BYTES;
    const size_t align = is_large ? HUGE_PAGE_BYTES : TENSOR_ALIGN_BYTES;
    size_t rounded = (n_bytes + align - 1) & ~(align - 1);
    free(b->own);
    b->own = aligned_alloc(align, rounded);
    b->capacity_bytes = b->own != NULL ? rounded : 0;
    if (b->own != NULL && is_large)
        (void)madvise(b->own, rounded, MADV_HUGEPAGE); /* a wish */
    return b->own != NULL;
}

struct pasted_batch *batch_acquire(struct batch_pool *pool, size_t n_bytes)
{
    pthread_mutex_lock(&pool->mutex);
    struct pasted_batch *b = pool->free_list;
    if (b != NULL) {
        pool->free_list = b->next;
        pool->n_free--;
    }
    pthread_mutex_unlock(&pool->mutex);
    if (b == NULL)
        b = calloc(1, sizeof *b);
    if (b == NULL || !make_room(b, n_bytes)) {
        if (b != NULL)
            batch_free(b);
        return NULL;
    }
    b->magic = BATCH_MAGIC;
    b->pool = pool;
    b->payload = b->own;
    b->n_bytes = n_bytes;
    b->ring = NULL;
    b->is_replaced = false;
    b->next = NULL;
    b->image = NULL;
    b->image_at = NULL;
    b->n_candidates = 1;
    pthread_mutex_lock(&pool->mutex);
    pool->refs++;
    pthread_mutex_unlock(&pool->mutex);
    return b;
}

void batch_release(struct pasted_batch *b)
{
    if (b == NULL)
        return;
    assert(b->magic == BATCH_MAGIC); /* released twice, or no batch */
    struct batch_pool *pool = b->pool;
    if (pool->pid != getpid())
        return; /* after fork(): the mutex may be held for ever */
    b->magic = 0;
    if (b->ring != NULL)
        ring_release(b->ring, b->slot);
    b->ring = NULL;
    pthread_mutex_lock(&pool->mutex);
    bool keep = pool->owned && pool->n_free < pool->max_free;
    if (keep) {
        b->next = pool->free_list;
        pool->free_list = b;
        pool->n_free++;
    }
    unlock_unref(pool);
    if (!keep)
        batch_free(b);
}

size_t batch_head_bytes(uint64_t payload_bytes)
{
    return payload_bytes < WIRE_MAX_BATCH_HEAD_BYTES
               ? (size_t)payload_bytes
               : (size_t)WIRE_MAX_BATCH_HEAD_BYTES;
}

static int bad(struct fault *fault, const char *why)
{
    return fault_set(fault, ERROR_BAD_FRAME, "a BATCH %s", why);
}

/* Last, and of the dtype, layout and size that OPENED promised. */
static bool image_as_opened(const struct tensor_desc *image,
                            const struct wire_opened *o)
{
    const bool planes = o->layout == TENSOR_NCHW;
    const uint32_t channels = tensor_channel_count(o->channels);
    return strcmp(image->name, "image") == 0 && image->dtype == o->dtype &&
           image->n_dims == 4 &&
           image->shape[1] == (planes ? channels : o->height) &&
           image->shape[2] == (planes ? o->height : o->width) &&
           image->shape[3] == (planes ? o->width : channels);
}

static uint64_t table_bytes(uint32_t n_samples, enum checksum_kind kind)
{
    return kind != CHECKSUM_NONE ? 8 * ((uint64_t)n_samples + 1) : 0;
}

/* b->head and b->tensors are read; the head says `written` as its kind. */
static int begin(struct pasted_batch *b, const struct wire_opened *opened,
                 enum checksum_kind written, enum checksum_kind kind,
                 struct fault *fault)
{
    const uint32_t n_samples = b->head.n_samples;
    if (n_samples != (uint64_t)opened->n_samples * b->n_candidates)
        return bad(fault, "has another number of samples than agreed");
    if (b->head.checksum != written)
        return bad(fault, "has another checksum than agreed");
    b->kind = kind;
    b->image = &b->tensors[b->head.n_tensors - 1];
    if (!image_as_opened(b->image, opened))
        return bad(fault, "does not end with the image that was agreed");
    b->image_at = b->payload + b->image->offset_bytes;
    b->n_sums = 0;
    if (kind != CHECKSUM_NONE && b->capacity_sums < n_samples) {
        free(b->sums);
        b->sums = calloc(n_samples, sizeof b->sums[0]);
        b->capacity_sums = b->sums != NULL ? n_samples : 0;
        if (b->sums == NULL)
            return fault_set(fault, ERROR_NO_MEMORY, "out of memory");
    }
    return 0;
}

int batch_begin(struct pasted_batch *b, const struct wire_opened *opened,
                enum checksum_kind kind, struct fault *fault)
{
    if (wire_decode_batch_head(b->payload, b->n_bytes, &b->head, b->tensors) !=
        0)
        return bad(fault, "is malformed");
    b->table = b->payload + b->head.tensors_bytes;
    return begin(b, opened, kind, kind, fault);
}

int batch_map(struct pasted_batch *b, struct ring *ring,
              const struct wire_slot *slot, const struct wire_opened *opened,
              enum checksum_kind kind, struct fault *fault)
{
    uint8_t head[WIRE_MAX_BATCH_HEAD_BYTES];
    const uint8_t *payload;
    const uint64_t sums_bytes = table_bytes(opened->n_samples, kind);
    if (slot->n_bytes + sums_bytes != opened->batch_bytes)
        return bad(fault, "in a slot has another size than agreed");
    int rc = ring_hold(ring, slot, sums_bytes, &payload, &b->table, fault);
    if (rc != 0)
        return rc;
    b->ring = ring;
    b->slot = slot->slot;
    /* The ring is never written to: not by us. */
    b->payload = (uint8_t *)(uintptr_t)payload;
    b->n_bytes = (size_t)slot->n_bytes;
    /* The head is judged and used as it is now, whatever becomes of it. */
    memcpy(head, payload, batch_head_bytes(slot->n_bytes));
    if (wire_decode_batch_head(head, slot->n_bytes, &b->head, b->tensors) != 0)
        return bad(fault, "in a slot is malformed");
    return begin(b, opened, CHECKSUM_NONE, kind, fault);
}

uint8_t *batch_place(struct pasted_batch *b, size_t at, size_t *out_bytes)
{
    size_t start = (size_t)b->image->offset_bytes;
    size_t end = start + (size_t)b->image->n_bytes;
    if (at < start) {
        *out_bytes = start - at;
        return b->payload + at;
    }
    if (at < end) {
        *out_bytes = end - at;
        return b->image_at + (at - start);
    }
    *out_bytes = b->n_bytes - at;
    return b->payload + at;
}

void batch_advance(struct pasted_batch *b, size_t received)
{
    size_t start = (size_t)b->image->offset_bytes;
    if (b->kind == CHECKSUM_NONE || received <= start)
        return;
    size_t arrived = received - start;
    size_t sample_bytes = (size_t)b->image->n_bytes / b->head.n_samples;
    while (b->n_sums < b->head.n_samples &&
           arrived / sample_bytes > b->n_sums) {
        b->sums[b->n_sums] = checksum_of(
            b->kind, b->image_at + b->n_sums * sample_bytes, sample_bytes);
        b->n_sums++;
    }
}

/* Labels and head are sealed with kind 0 in the head, so that one sum serves
 * every kind on the server; in a ring they lie as they were sealed. */
static uint64_t sum_labels(struct pasted_batch *b)
{
    const size_t n_bytes = (size_t)b->image->offset_bytes;
    if (b->ring != NULL)
        return checksum_of(b->kind, b->payload, n_bytes);
    b->payload[WIRE_BATCH_CHECKSUM_OFFSET] = CHECKSUM_NONE;
    uint64_t sum = checksum_of(b->kind, b->payload, n_bytes);
    b->payload[WIRE_BATCH_CHECKSUM_OFFSET] = b->head.checksum;
    return sum;
}

int batch_finish(struct pasted_batch *b, struct fault *fault)
{
    uint32_t n = b->head.n_samples;
    if (b->kind == CHECKSUM_NONE)
        return 0;
    assert(b->n_sums == n);
    struct bytes_reader r;
    bytes_reader_init(&r, b->table, (size_t)table_bytes(n, b->kind));
    for (uint32_t i = 0; i < n; i++)
        if (bytes_read_u64(&r) != b->sums[i])
            return fault_set(fault, ERROR_CORRUPT,
                             "the %s of sample %llu does not match",
                             checksum_name(b->kind),
                             (unsigned long long)b->head.first_position + i);
    if (bytes_read_u64(&r) != sum_labels(b))
        return fault_set(fault, ERROR_CORRUPT,
                         "the %s of the labels at position %llu does not match",
                         checksum_name(b->kind),
                         (unsigned long long)b->head.first_position);
    return 0;
}

const struct tensor_desc *batch_find(const struct pasted_batch *b,
                                     const char *name)
{
    for (uint32_t i = 0; i < b->head.n_tensors; i++)
        if (strcmp(b->tensors[i].name, name) == 0)
            return &b->tensors[i];
    return NULL;
}

const uint8_t *batch_data(const struct pasted_batch *b,
                          const struct tensor_desc *t)
{
    return t == b->image ? b->image_at : b->payload + t->offset_bytes;
}
