/* The shelf of built epoch graphs: hash, LRU, byte budget, building on the
 * workers. Decides nothing about when a batch may start: that is the store's.
 * Threads: loop thread only, but for build(), which runs on a worker and
 * touches its own slot only. */
#include "server/serve/epochs.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>

#include "server/base/mem.h"
#include "server/base/metrics.h"

#define N_BUCKETS 4096 /* a power of two, about EPOCHS_MAX_HELD */

enum slot_state { SLOT_BUILDING, SLOT_BUILT, SLOT_FAILED };

struct slot {
    struct worker_job job; /* first: the job is the slot */
    struct epoch_shelf *shelf;
    struct stream *stream;
    uint64_t epoch;
    enum slot_state state;
    int status; /* of the build; written by the worker before done */
    struct graph_epoch *graph;
    uint64_t n_bytes;
    uint32_t n_pins;
    struct epoch_request *requests; /* waiting for the build */
    struct slot *hash_next;
    struct slot *stream_prev, *stream_next;
    struct slot *lru_prev, *lru_next; /* BUILT without pins */
};

struct epochs {
    struct epoch_shelf *shelf; /* NULL while the list is empty */
    struct slot *first;
};

struct epoch_shelf {
    struct workers *workers;
    uint64_t budget_bytes, used_bytes;
    uint32_t n_building, n_slots;
    void (*changed)(void *context);
    void *context;
    struct slot *lru_oldest, *lru_newest;
    struct slot *bucket[N_BUCKETS];
};

/* Graphs are built, found and kept by scene: epochs that show the same scenes
 * have the same graph, the one of the scenes' own epoch (plan/scene.h). */
static uint64_t scene_epoch(const struct stream *stream, uint64_t epoch)
{
    return epoch / stream->turns;
}

int epochs_create(struct epochs **out_epochs, struct fault *fault)
{
    struct epochs *e = mem_calloc(1, sizeof(*e));

    if (!e)
        return fault_set(fault, ERROR_NO_MEMORY, "no memory for epochs");
    *out_epochs = e;
    return 0;
}

static struct slot **bucket_of(struct epoch_shelf *shelf,
                               const struct stream *stream, uint64_t epoch)
{
    uint64_t mixed = ((uint64_t)(uintptr_t)stream >> 6) + epoch;

    mixed *= UINT64_C(0x9E3779B97F4A7C15); /* Fibonacci hashing */
    return &shelf->bucket[mixed >> 52];    /* 12 bits: N_BUCKETS */
}

static struct slot *find(struct epoch_shelf *shelf, const struct stream *stream,
                         uint64_t epoch)
{
    struct slot *s = *bucket_of(shelf, stream, epoch);

    while (s && (s->stream != stream || s->epoch != epoch))
        s = s->hash_next;
    return s;
}

static void lru_push(struct epoch_shelf *shelf, struct slot *s)
{
    s->lru_prev = shelf->lru_newest;
    s->lru_next = NULL;
    if (shelf->lru_newest)
        shelf->lru_newest->lru_next = s;
    else
        shelf->lru_oldest = s;
    shelf->lru_newest = s;
}

static void lru_remove(struct epoch_shelf *shelf, struct slot *s)
{
    if (s->lru_prev)
        s->lru_prev->lru_next = s->lru_next;
    else
        shelf->lru_oldest = s->lru_next;
    if (s->lru_next)
        s->lru_next->lru_prev = s->lru_prev;
    else
        shelf->lru_newest = s->lru_prev;
}

static void unlink_from_stream(struct slot *s)
{
    struct epochs *list = s->stream->epochs;

    if (s->stream_prev)
        s->stream_prev->stream_next = s->stream_next;
    else
        list->first = s->stream_next;
    if (s->stream_next)
        s->stream_next->stream_prev = s->stream_prev;
    if (!list->first)
        list->shelf = NULL;
}

/* Of a slot without pins that is not being built. */
static void slot_destroy(struct slot *s)
{
    struct epoch_shelf *shelf = s->shelf;
    struct slot **at = bucket_of(shelf, s->stream, s->epoch);

    assert(s->n_pins == 0 && s->state != SLOT_BUILDING && !s->requests);
    while (*at != s)
        at = &(*at)->hash_next;
    *at = s->hash_next;
    if (s->state == SLOT_BUILT)
        lru_remove(shelf, s);
    unlink_from_stream(s);
    shelf->used_bytes -= s->n_bytes;
    metric_add(METRIC_EPOCH_USED_BYTES, -(int64_t)s->n_bytes);
    shelf->n_slots--;
    graph_epoch_destroy(s->graph);
    mem_free(s);
}

void epochs_destroy(struct epochs *e)
{
    if (!e)
        return;
    while (e->first)
        slot_destroy(e->first);
    mem_free(e);
}

static void pin(struct slot *s)
{
    if (s->n_pins++ == 0 && s->state == SLOT_BUILT)
        lru_remove(s->shelf, s);
}

static void unpin(struct slot *s)
{
    assert(s->n_pins > 0);
    if (--s->n_pins > 0)
        return;
    if (s->state == SLOT_BUILT)
        lru_push(s->shelf, s);
    else if (s->state == SLOT_FAILED)
        slot_destroy(s);
}

static void build(struct worker_job *job, uint32_t part, uint32_t worker)
{
    struct slot *s = (struct slot *)job;

    assert(workers_here());
    s->status =
        graph_epoch_create(&s->stream->graph, s->epoch, &s->graph, NULL);
}

/* Tells every request that waits for this slot, which is pinned meanwhile. */
static void answer_requests(struct slot *s)
{
    struct fault fault = {0};

    if (s->status < 0)
        fault_set(&fault, (enum error_code)(-s->status),
                  "epoch %" PRIu64 " could not be built", s->epoch);
    while (s->requests) {
        struct epoch_request *request = s->requests;

        s->requests = request->next;
        request->done(request, s->status, s->graph, &fault);
    }
}

static void built(struct worker_job *job)
{
    struct slot *s = (struct slot *)job;
    struct epoch_shelf *shelf = s->shelf;

    shelf->n_building--;
    s->n_pins++;
    s->state = s->status < 0 ? SLOT_FAILED : SLOT_BUILT;
    if (s->state == SLOT_BUILT)
        metric_add(METRIC_GRAPH_EPOCHS_BUILT, 1);
    answer_requests(s);
    unpin(s); /* without other pins it may make room from here on */
    shelf->changed(shelf->context);
}

static void link_to_stream(struct slot *s)
{
    struct epochs *list = s->stream->epochs;

    assert(!list->shelf || list->shelf == s->shelf);
    list->shelf = s->shelf;
    s->stream_next = list->first;
    if (list->first)
        list->first->stream_prev = s;
    list->first = s;
}

/* A slot that is being built, without pins; NULL when memory is short. */
static struct slot *slot_create(struct epoch_shelf *shelf,
                                struct stream *stream, uint64_t epoch)
{
    struct slot **bucket = bucket_of(shelf, stream, epoch);
    struct slot *s = mem_calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->shelf = shelf;
    s->stream = stream;
    s->epoch = epoch;
    s->n_bytes = graph_epoch_bytes(&stream->graph);
    s->hash_next = *bucket;
    *bucket = s;
    link_to_stream(s);
    shelf->used_bytes += s->n_bytes;
    metric_add(METRIC_EPOCH_USED_BYTES, (int64_t)s->n_bytes);
    shelf->n_slots++;
    shelf->n_building++;
    s->job.class = WORKER_SMALL; /* batches wait for it */
    s->job.n_parts = 1;
    s->job.run = build;
    s->job.done = built;
    workers_submit(shelf->workers, &s->job);
    return s;
}

static bool has_room(const struct epoch_shelf *shelf,
                     const struct stream *stream, uint64_t n)
{
    return n <= EPOCHS_MAX_KEPT - shelf->n_slots &&
           shelf->budget_bytes - shelf->used_bytes >=
               n * graph_epoch_bytes(&stream->graph);
}

/* Drops the longest unused epochs until n more of the stream fit. */
static bool make_room(struct epoch_shelf *shelf, const struct stream *stream,
                      uint64_t n)
{
    while (shelf->lru_oldest && !has_room(shelf, stream, n))
        slot_destroy(shelf->lru_oldest);
    return has_room(shelf, stream, n);
}

int epoch_shelf_create(struct workers *workers, uint64_t budget_bytes,
                       void (*changed)(void *context), void *context,
                       struct epoch_shelf **out_shelf, struct fault *fault)
{
    struct epoch_shelf *shelf = mem_calloc(1, sizeof(*shelf));

    if (!shelf)
        return fault_set(fault, ERROR_NO_MEMORY, "no memory for epochs");
    shelf->workers = workers;
    shelf->budget_bytes = budget_bytes;
    metric_set(METRIC_EPOCH_BUDGET_BYTES, (int64_t)budget_bytes);
    shelf->changed = changed;
    shelf->context = context;
    *out_shelf = shelf;
    return 0;
}

void epoch_shelf_destroy(struct epoch_shelf *shelf)
{
    if (!shelf)
        return;
    assert(shelf->n_building == 0);
    while (shelf->lru_oldest)
        slot_destroy(shelf->lru_oldest);
    assert(shelf->used_bytes == 0);
    mem_free(shelf);
}

/* Those that epochs first .. first + n - 1 show, n > 0. */
static void to_scenes(const struct stream *stream, uint64_t *first, uint64_t *n)
{
    const uint64_t last = scene_epoch(stream, *first + *n - 1);

    *first = scene_epoch(stream, *first);
    *n = last - *first + 1;
}

/* Unpins those of first .. first + n - 1 that are there. */
static void release_present(struct epoch_shelf *shelf, struct stream *stream,
                            uint64_t first, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        struct slot *s = find(shelf, stream, first + i);

        if (s)
            unpin(s);
    }
}

int epochs_check(const struct epoch_shelf *shelf, const struct stream *stream,
                 uint64_t n, struct fault *fault)
{
    uint64_t n_bytes = graph_epoch_bytes(&stream->graph);

    if (n > EPOCHS_MAX_HELD)
        return fault_set(fault, ERROR_TOO_LARGE,
                         "the batch straddles %" PRIu64 " epochs of %" PRIu64
                         " edges; at most %d can be "
                         "held at once",
                         n, stream->edges_per_epoch, EPOCHS_MAX_HELD);
    if (n > shelf->budget_bytes / n_bytes)
        return fault_set(fault, ERROR_TOO_LARGE,
                         "%" PRIu64 " epochs of %" PRIu64
                         " bytes do not fit in the epoch budget of %" PRIu64
                         " bytes",
                         n, n_bytes, shelf->budget_bytes);
    return 0;
}

int epochs_hold(struct epoch_shelf *shelf, struct stream *stream,
                uint64_t first, uint64_t n, struct fault *fault)
{
    uint64_t n_missing = 0;

    to_scenes(stream, &first, &n);
    int rc = epochs_check(shelf, stream, n, fault);

    if (rc < 0)
        return rc;
    for (uint64_t i = 0; i < n; i++) {
        struct slot *s = find(shelf, stream, first + i);

        if (s)
            pin(s);
        else
            n_missing++;
    }
    if (!make_room(shelf, stream, n_missing)) {
        release_present(shelf, stream, first, n);
        return 1;
    }
    for (uint64_t i = 0; n_missing > 0 && i < n; i++) {
        struct slot *s;

        if (find(shelf, stream, first + i))
            continue;
        s = slot_create(shelf, stream, first + i);
        if (!s) {
            release_present(shelf, stream, first, n);
            return fault_set(fault, ERROR_NO_MEMORY, "no memory for an epoch");
        }
        pin(s);
        n_missing--;
    }
    return 0;
}

void epochs_release(struct epoch_shelf *shelf, struct stream *stream,
                    uint64_t first, uint64_t n)
{
    to_scenes(stream, &first, &n);
    for (uint64_t i = 0; i < n; i++)
        unpin(find(shelf, stream, first + i));
}

int epochs_look(struct epoch_shelf *shelf, struct stream *stream,
                uint64_t epoch, struct graph_epoch **out_graph)
{
    struct slot *s = find(shelf, stream, scene_epoch(stream, epoch));

    assert(s && s->n_pins > 0);
    if (s->state == SLOT_BUILDING)
        return 0;
    if (s->state == SLOT_FAILED)
        return s->status;
    *out_graph = s->graph;
    return 1;
}

void epochs_build_ahead(struct epoch_shelf *shelf, struct stream *stream,
                        uint64_t epoch)
{
    epoch = scene_epoch(stream, epoch);
    if (shelf->n_building >= EPOCHS_MAX_BUILDS || find(shelf, stream, epoch))
        return;
    if (make_room(shelf, stream, 1))
        slot_create(shelf, stream, epoch); /* without memory, later */
}

int epochs_request(struct epoch_shelf *shelf, struct epoch_request *request,
                   struct fault *fault)
{
    struct stream *stream = request->stream;
    const uint64_t epoch = scene_epoch(stream, request->epoch);
    struct slot *s = find(shelf, stream, epoch);
    struct fault none = {0};
    int rc = epochs_check(shelf, stream, 1, fault);

    if (rc < 0)
        return rc;
    if (s && s->state == SLOT_BUILT) {
        pin(s);
        request->done(request, 0, s->graph, &none);
        unpin(s);
        return 0;
    }
    if (!s && (shelf->n_building >= EPOCHS_MAX_BUILDS ||
               !make_room(shelf, stream, 1)))
        return fault_set(fault, ERROR_OVERLOADED,
                         "too many epochs are in use or being built");
    if (!s)
        s = slot_create(shelf, stream, epoch);
    if (!s || s->state == SLOT_FAILED)
        return fault_set(fault, ERROR_NO_MEMORY, "no memory for an epoch");
    request->next = s->requests;
    s->requests = request;
    return 0;
}

void epoch_pin(struct stream *stream, uint64_t epoch)
{
    struct slot *s =
        find(stream->epochs->shelf, stream, scene_epoch(stream, epoch));

    assert(s && s->n_pins > 0 && s->state == SLOT_BUILT);
    pin(s);
}

void epoch_unpin(struct stream *stream, uint64_t epoch)
{
    struct epoch_shelf *shelf = stream->epochs->shelf;

    unpin(find(shelf, stream, scene_epoch(stream, epoch)));
    shelf->changed(shelf->context);
}
