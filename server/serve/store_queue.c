/* Renderings from the queue to their waiters: wait for room, for epochs, for
 * the workers, answer. Takes no requests itself. Never calls a request's done
 * but from a worker job's done. Threads: loop thread only. */
#include "server/serve/store_private.h"

#include <assert.h>
#include <inttypes.h>

#include "server/base/mem.h"
#include "server/base/metrics.h"

static void list_push(struct rendering_list *list, struct rendering *r)
{
    r->next = NULL;
    if (list->tail)
        list->tail->next = r;
    else
        list->head = r;
    list->tail = r;
}

static void list_remove(struct rendering_list *list, struct rendering *r)
{
    struct rendering **at = &list->head, *previous = NULL;

    while (*at != r) {
        previous = *at;
        at = &(*at)->next;
    }
    *at = r->next;
    if (list->tail == r)
        list->tail = previous;
}

static void scratch_unref(struct store *s, struct scratch *scratch)
{
    if (scratch && --scratch->n_users == 0 && scratch != s->scratch)
        mem_free(scratch);
}

/* Scratch for a stream's frames, with one more user; grows when the stream's
 * frame is larger than any before, which is not on the way of every batch. */
struct scratch *store_scratch(struct store *s, const struct stream *stream)
{
    size_t n_bytes = batch_scratch_bytes(&stream->recipe);

    if (!s->scratch || s->scratch->slice_bytes < n_bytes) {
        struct scratch *larger =
            scratch_create(workers_count(s->workers), n_bytes);

        if (!larger)
            return NULL;
        if (s->scratch && s->scratch->n_users == 0)
            mem_free(s->scratch);
        s->scratch = larger;
    }
    s->scratch->n_users++;
    return s->scratch;
}

static void hash_add(struct store *s, struct rendering *r)
{
    struct rendering **bucket = &s->bucket[r->hash & (STORE_BUCKETS - 1)];

    r->hash_next = *bucket;
    *bucket = r;
    r->hashed = true;
}

static void hash_remove(struct store *s, struct rendering *r)
{
    struct rendering **at = &s->bucket[r->hash & (STORE_BUCKETS - 1)];

    if (!r->hashed)
        return;
    while (*at != r)
        at = &(*at)->hash_next;
    *at = r->hash_next;
    r->hashed = false;
}

struct rendering *store_find_rendering(struct store *s,
                                       const struct batch_key *k)
{
    uint32_t hash = batch_key_hash(k);
    struct rendering *r = s->bucket[hash & (STORE_BUCKETS - 1)];

    while (r && (r->hash != hash || !batch_key_equal(&r->key, k)))
        r = r->hash_next;
    if (r && !rendering_revive(r)) {
        hash_remove(s, r);
        return NULL;
    }
    return r;
}

static void release_epochs(struct rendering *r)
{
    if (r->holds_epochs)
        epochs_release(r->store->shelf, r->stream, r->first_epoch, r->n_epochs);
    r->holds_epochs = false;
}

struct rendering *store_take_rendering(struct store *s,
                                       const struct store_request *request,
                                       const struct batch_key *key)
{
    struct rendering *r = s->free.head;

    if (!r)
        return NULL;
    list_remove(&s->free, r);
    *r = (struct rendering){
        .store = s,
        .key = *key,
        .hash = batch_key_hash(key),
        .stream = request->stream,
        .feedback = request->feedback ? feedback_ref(request->feedback) : NULL,
        .contexts = request->contexts ? contexts_ref(request->contexts) : NULL,
        .shared = request->shared,
        .job.class = request->class,
    };
    return r;
}

/* One more or one fewer is begun and not finished. */
static void count_running(struct rendering *r, int change)
{
    r->store->n_running += (uint32_t)change;
    if (r->job.class == WORKER_SMALL)
        r->store->n_running_small += (uint32_t)change;
}

static void chained_add(struct rendering *r)
{
    r->chained_next = r->store->chained;
    r->store->chained = r;
    r->is_chained = true;
}

/* Its composites are to be had now, or never will be. */
static void chained_remove(struct rendering *r, bool whole)
{
    struct rendering **at = &r->store->chained;

    if (!r->is_chained)
        return;
    while (*at != r)
        at = &(*at)->chained_next;
    *at = r->chained_next;
    r->is_chained = false;
    parents_end(&r->parents, r->stream->composites, whole);
}

/* Gives everything back but a batch somebody may still hold. */
void store_free_rendering(struct rendering *r)
{
    struct store *s = r->store;
    struct batch *batch = r->batch;

    assert(!r->waiters);
    hash_remove(s, r);
    release_epochs(r);
    chained_remove(r, false);
    scratch_unref(s, r->scratch);
    feedback_unref(r->feedback);
    contexts_unref(r->contexts);
    if (r->state == RENDERING_EPOCHS || r->state == RENDERING_RUNNING)
        count_running(r, -1);
    r->batch = NULL;
    r->scratch = NULL;
    r->feedback = NULL;
    r->contexts = NULL;
    r->state = RENDERING_FREE;
    list_push(&s->free, r);
    if (batch && --batch->refs == 0)
        batch_cache_unused(&s->cache, batch);
}

static bool has_checksum(const struct batch *b, enum checksum_kind kind)
{
    return kind == CHECKSUM_NONE || b->checksums[kind];
}

static void on_job_done(struct worker_job *job);

static void submit(struct rendering *r, enum rendering_task task)
{
    r->task = task;
    r->state = RENDERING_RUNNING;
    rendering_prepare(r, on_job_done);
    workers_submit(r->store->workers, &r->job);
}

/* Brings a failure to the loop by way of the workers, so that no done is
 * called from inside a caller's store_get or batch_unref. A failed epoch goes
 * away with its last pin, so that who asks again gets it built anew. */
static void submit_failure(struct rendering *r, int status,
                           const struct fault *fault)
{
    release_epochs(r);
    r->status = status;
    r->fault = *fault;
    submit(r, TASK_FAIL);
}

/* The first waiter that this rendering can answer now. */
static struct store_request *next_answer(struct rendering *r)
{
    struct store_request *w = r->waiters;

    while (w && r->status == 0 && !has_checksum(r->batch, w->checksum))
        w = w->next;
    return w;
}

static void answer_waiters(struct rendering *r)
{
    struct store_request *w;

    while ((w = next_answer(r))) {
        rendering_remove_waiter(r, w);
        if (r->status < 0)
            w->done(w, r->status, NULL, &r->fault);
        else
            w->done(w, 0, batch_ref(r->batch), &r->fault);
    }
}

static uint32_t kinds_wanted(const struct rendering *r)
{
    uint32_t kinds = 0;

    for (const struct store_request *w = r->waiters; w; w = w->next)
        kinds |= 1u << w->checksum;
    return kinds & ~(1u << CHECKSUM_NONE);
}

static bool is_whole(const struct rendering *r)
{
    return atomic_load(&r->interest) != INTEREST_SKIPPED;
}

static void note_composed(struct rendering *r)
{
    release_epochs(r);
    chained_remove(r, is_whole(r));
    if (is_whole(r)) {
        if (!r->contexts)
            batch_cache_add(&r->store->cache, r->batch);
        metric_add(METRIC_BATCHES_COMPOSED, 1);
    } else {
        metric_add(METRIC_BATCHES_ABANDONED, 1);
    }
    metric_add(
        METRIC_SAMPLES_COMPOSED,
        (int64_t)atomic_load_explicit(&r->n_composed, memory_order_relaxed));
    metric_add(METRIC_CHAIN_AGAIN, (int64_t)atomic_load_explicit(
                                       &r->n_again, memory_order_relaxed));
    stream_load_composed(
        &r->stream->load,
        atomic_load_explicit(&r->compose_ns, memory_order_relaxed));
}

static void advance_all(struct store *s);

static void on_job_done(struct worker_job *job)
{
    struct rendering *r = (struct rendering *)job;
    struct store *s = r->store;
    const bool was_chained = r->is_chained;

    assert(r->state == RENDERING_RUNNING);
    if (r->task == TASK_FAIL)
        hash_remove(s, r); /* who asks again starts anew */
    if (r->task == TASK_COMPOSE)
        note_composed(r);
    for (int kind = 1;
         r->task != TASK_FAIL && is_whole(r) && kind < CHECKSUM_N_KINDS;
         kind++) {
        if (r->kinds & 1u << kind)
            r->batch->checksums[kind] = r->sums[kind];
    }
    assert(is_whole(r) || !r->waiters);
    if (was_chained) {
        chained_remove(r, false); /* of a failure */
        advance_all(s);
    }
    answer_waiters(r);
    if (r->waiters) { /* joined late, with another kind of checksum */
        r->kinds = kinds_wanted(r);
        submit(r, TASK_SUMS);
        return;
    }
    store_free_rendering(r);
    store_pump(s);
}

/* Sequential reading shall compose each sample once: what another rendering is
 * about to hand on is waited for. Always a rendering of lower positions, so
 * none waits for itself. */
static bool waits_for_parents(const struct rendering *r)
{
    for (const struct rendering *x = r->store->chained; x; x = x->chained_next)
        if (x != r && parents_are_made_by(&r->stream->chain, &r->key, &x->key))
            return true;
    return false;
}

/* Collects graphs as they are built; composes once all are there, and what the
 * rendering is pasted on. */
static void advance(struct rendering *r)
{
    struct store *s = r->store;
    struct fault fault = {0};
    int rc = 1;

    while (rc > 0 && r->n_ready < r->n_epochs) {
        rc = epochs_look(s->shelf, r->stream, r->first_epoch + r->n_ready,
                         &r->graphs[r->n_ready]);
        r->n_ready += rc > 0;
    }
    if (rc == 0 ||
        (rc > 0 && r->n_columns > 0 && r->waiters && waits_for_parents(r)))
        return;
    list_remove(&s->epochs, r);
    if (!r->waiters) { /* all cancelled before anything was composed */
        store_free_rendering(r);
        return;
    }
    if (rc < 0) {
        fault_set(&fault, (enum error_code)(-rc),
                  "epoch %" PRIu64 " could not be built",
                  r->first_epoch + r->n_ready);
        submit_failure(r, rc, &fault);
        return;
    }
    r->kinds = kinds_wanted(r);
    parents_begin(&r->parents, r->stream->composites, &r->stream->chain,
                  &r->key);
    submit(r, TASK_COMPOSE);
}

static void advance_all(struct store *s)
{
    struct rendering *r = s->epochs.head;

    while (r) {
        struct rendering *next = r->next;

        advance(r);
        r = next;
    }
}

/* The next epoch is built while the second half of this one is composed. */
static void look_ahead(const struct rendering *r)
{
    uint64_t n_edges = r->stream->edges_per_epoch;
    uint64_t last = r->key.first_position + r->key.n_samples - 1;

    if (last % n_edges >= n_edges / 2)
        epochs_build_ahead(r->store->shelf, r->stream, last / n_edges + 1);
}

enum start { STARTED, NO_EPOCHS, NO_ROOM };

/* Small ones that come while large ones wait must not take the room that
 * these wait for. */
static enum batch_share share_now(const struct rendering *r)
{
    const struct rendering_list *large = r->store->waiting[BATCH_LARGE];

    if (r->share == BATCH_LARGE)
        return BATCH_LARGE;
    for (int class = 0; class < WORKER_N_CLASSES; class ++)
        if (large[class].head)
            return BATCH_SPARE;
    return BATCH_SMALL;
}

/* Begins a waiting rendering where there is room for it now. */
static enum start start(struct rendering *r)
{
    struct store *s = r->store;
    struct fault fault = {0};
    void *run = NULL;
    int rc =
        epochs_hold(s->shelf, r->stream, r->first_epoch, r->n_epochs, &fault);

    if (rc > 0)
        return NO_EPOCHS;
    r->holds_epochs = rc == 0;
    if (rc == 0 && r->shared)
        run = batch_cache_alloc_shared(&s->cache, r->run_bytes);
    if (rc == 0 && !run)
        run = batch_cache_alloc(&s->cache, share_now(r), r->run_bytes);
    if (rc == 0 && !run) {
        release_epochs(r);
        return NO_ROOM;
    }
    store_dequeue(r);
    count_running(r, 1);
    if (rc < 0) {
        submit_failure(r, rc, &fault);
        return STARTED;
    }
    rendering_place(r, run);
    r->state = RENDERING_EPOCHS;
    list_push(&s->epochs, r);
    if (r->n_columns > 0)
        chained_add(r);
    look_ahead(r);
    advance(r);
    return STARTED;
}

static bool may_run(const struct store *s, int class)
{
    return s->n_running < STORE_MAX_RUNNING &&
           (class != WORKER_SMALL ||
            s->n_running_small < STORE_MAX_RUNNING_SMALL);
}

/* Starts what can be started: small class before bulk, in the order of
 * arrival. The head waits for room rather than be overtaken for ever; small
 * batches overtake large ones only into room that these may not have. */
void store_pump(struct store *s)
{
    bool full[2] = {false, false};

    for (int class = 0; class < WORKER_N_CLASSES; class ++) {
        for (int share = 0; share < 2; share++) {
            struct rendering_list *list = &s->waiting[share][class];

            while (list->head && !full[share] && may_run(s, class)) {
                enum start how = start(list->head);

                if (how == NO_EPOCHS)
                    return;
                full[share] = how == NO_ROOM;
            }
        }
    }
}

/* An epoch was built, failed or let go. */
void store_epochs_changed(void *context)
{
    struct store *s = context;

    advance_all(s);
    store_pump(s);
}

void store_enqueue(struct rendering *r)
{
    struct store *s = r->store;

    if (!r->contexts) /* nobody else may have what is pasted on them */
        hash_add(s, r);
    r->state = RENDERING_WAITING;
    list_push(&s->waiting[r->share][r->job.class], r);
    s->n_waiting++;
}

void store_dequeue(struct rendering *r)
{
    struct store *s = r->store;

    assert(r->state == RENDERING_WAITING);
    list_remove(&s->waiting[r->share][r->job.class], r);
    s->n_waiting--;
    r->state = RENDERING_FREE;
}

void store_begin_sums(struct rendering *r, struct batch *batch)
{
    hash_add(r->store, r);
    rendering_resume(r, batch_ref(batch));
    count_running(r, 1);
    r->kinds = kinds_wanted(r);
    submit(r, TASK_SUMS);
}
