/* The store's door: answers a request from the cache, by joining a rendering
 * on its way, or by queueing a new one. Composes nothing and schedules nothing
 * itself. Threads: loop thread only. */
#include "server/serve/store.h"

#include <assert.h>
#include <inttypes.h>

#include "server/base/mem.h"
#include "server/base/metrics.h"
#include "server/compose/chained.h"
#include "server/serve/store_private.h"

#define MAX_QUEUED (1u << 20)
/* What a run of the arena holds beside one payload with one table of
 * checksums: struct batch, the graphs, another table, and paddings. */
#define RUN_EXTRA_BYTES(max_samples)                                           \
    (sizeof(struct batch) + sizeof(void *) * EPOCHS_MAX_HELD +                 \
     8 * ((uint64_t)(max_samples) + 1) + 1024)

struct batch *batch_ref(struct batch *b)
{
    if (b->refs++ == 0)
        batch_cache_used(&b->store->cache, b);
    return b;
}

void batch_unref(struct batch *b)
{
    struct store *s;

    if (!b)
        return;
    s = b->store;
    assert(b->refs > 0);
    if (--b->refs > 0)
        return;
    batch_cache_unused(&s->cache, b);
    store_pump(s); /* somebody may wait for its room */
}

/* Half of what large batches may take, in whole pages; 0 when not even the
 * extras fit. */
static uint64_t max_batch_bytes(const struct store_config *config)
{
    uint64_t large =
        config->budget_bytes - batch_reserve_bytes(config->budget_bytes);
    uint64_t half = large / 2 / ARENA_PAGE_BYTES * ARENA_PAGE_BYTES;
    uint64_t extra = RUN_EXTRA_BYTES(config->max_samples);

    return half > extra ? half - extra : 0;
}

uint64_t store_max_batch_bytes(const struct store *s)
{
    return max_batch_bytes(&s->config);
}

const char *store_limit_hint(const struct store *s)
{
    return s->cache.shared.arena
               ? " (shared_budget is kept for clients of this host)"
               : "";
}

uint32_t store_max_samples(const struct store *s)
{
    return s->config.max_samples;
}

int store_shared_fd(const struct store *s)
{
    return s->cache.shared.arena ? arena_fd(s->cache.shared.arena) : -1;
}

uint64_t store_shared_bytes(const struct store *s)
{
    return s->cache.shared.arena ? arena_capacity_bytes(s->cache.shared.arena)
                                 : 0;
}

bool store_shared_offset(const struct store *s, const void *p,
                         uint64_t *out_offset)
{
    return s->cache.shared.arena &&
           arena_offset(s->cache.shared.arena, p, out_offset);
}

static int check_config(const struct store_config *config, struct fault *fault)
{
    if (config->max_samples == 0 || config->max_samples > RECIPE_MAX_BATCH ||
        config->max_queued > MAX_QUEUED)
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "a store takes 1 to %d samples and at most %u queued "
                         "batches",
                         RECIPE_MAX_BATCH, MAX_QUEUED);
    if (max_batch_bytes(config) == 0)
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "a batch budget of %" PRIu64
                         " bytes is too small for %" PRIu32 " samples",
                         config->budget_bytes, config->max_samples);
    return 0;
}

int store_create(struct workers *workers, const struct store_config *config,
                 struct store **out_store, struct fault *fault)
{
    /* One more than may wait: a request queues first, then is judged. */
    uint32_t n = config->max_queued + 1 + 2 * STORE_MAX_RUNNING;
    struct store_config own = *config;
    struct store *s;
    int rc;

    /* What is shared promises nobody room: all limits are of the rest. */
    own.budget_bytes -= config->shared_bytes;
    rc = check_config(&own, fault);

    if (rc < 0)
        return rc;
    s = mem_calloc(1, sizeof(*s));
    if (!s)
        return fault_set(fault, ERROR_NO_MEMORY, "no memory for a store");
    s->workers = workers;
    s->config = own;
    s->renderings = mem_calloc(n, sizeof(*s->renderings));
    if (!s->renderings) {
        rc = fault_set(fault, ERROR_NO_MEMORY, "no memory for a queue");
        goto free_store;
    }
    rc = epoch_shelf_create(workers, config->epoch_budget_bytes,
                            store_epochs_changed, s, &s->shelf, fault);
    if (rc < 0)
        goto free_renderings;
    rc = batch_cache_init(&s->cache, s->config.budget_bytes,
                          config->shared_bytes, fault);
    if (rc < 0)
        goto destroy_shelf;
    for (uint32_t i = 0; i < n; i++) {
        s->renderings[i].store = s;
        store_free_rendering(&s->renderings[i]);
    }
    *out_store = s;
    return 0;

destroy_shelf:
    epoch_shelf_destroy(s->shelf);
free_renderings:
    mem_free(s->renderings);
free_store:
    mem_free(s);
    return rc;
}

void store_destroy(struct store *s)
{
    if (!s)
        return;
    assert(s->n_waiting == 0 && s->n_running == 0);
    batch_cache_fini(&s->cache);
    epoch_shelf_destroy(s->shelf);
    mem_free(s->scratch);
    mem_free(s->renderings);
    mem_free(s);
}

static int resolve(struct store *s, const struct store_request *request,
                   struct batch_key *out_key, struct fault *fault)
{
    const struct recipe *recipe = &request->stream->recipe;
    const uint32_t n_candidates =
        request->n_candidates ? request->n_candidates : 1;

    if (request->n_samples == 0 || request->checksum >= CHECKSUM_N_KINDS ||
        request->class >= WORKER_N_CLASSES)
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "a request needs at least one sample, a known "
                         "checksum and a known class");
    int rc = stream_check_candidates(n_candidates, fault);
    if (rc < 0)
        return rc;
    if (request->n_samples > s->config.max_samples / n_candidates)
        return fault_set(fault, ERROR_TOO_LARGE,
                         "%" PRIu32 " samples in one request: at most %" PRIu32
                         " are allowed",
                         request->n_samples,
                         s->config.max_samples / n_candidates);
    if (request->first_position > (UINT64_C(1) << 63) - request->n_samples)
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "position %" PRIu64 " is beyond the last one, 2^63",
                         request->first_position);
    *out_key = (struct batch_key){
        .stream = request->stream,
        .first_position = request->first_position,
        .n_samples = request->n_samples,
        .n_candidates = (uint8_t)n_candidates,
        .dtype = request->dtype ? request->dtype : recipe->output.dtype,
        .layout = request->layout ? request->layout : recipe->output.layout,
    };
    if (request->feedback)
        out_key->feedback = request->feedback->digest;
    return 0;
}

/* Whose edge composing asks for: of what was sent only the class before. */
static uint64_t earliest_position(const struct rendering *r)
{
    const struct chain *chain = &r->stream->chain;
    uint64_t first = r->key.first_position;

    if (!r->contexts)
        return chain_reach(chain, first);
    return first > chain->slots ? first - chain->slots : 0;
}

/* Layout and size; refuses what could never be composed. */
static int measure(struct store *s, struct rendering *r, struct fault *fault)
{
    const struct batch_key *k = &r->key;
    const struct chain *chain = &r->stream->chain;
    uint64_t n_edges = r->stream->edges_per_epoch;
    uint64_t payload_bytes;
    int rc = batch_layout_init_candidates(&r->layout, &r->stream->recipe,
                                          r->stream->catalog, k->n_samples,
                                          k->n_candidates, k->dtype, k->layout);

    if (rc < 0)
        return fault_set(fault, (enum error_code)(-rc),
                         "%" PRIu32 " samples of dtype %d, layout %d cannot "
                         "be laid out as a batch",
                         k->n_samples, k->dtype, k->layout);
    r->n_columns = r->contexts ? 0 : chained_columns(chain, k->n_samples);
    payload_bytes = r->layout.tensors_bytes +
                    8 * ((uint64_t)r->layout.n_samples + 1) +
                    parents_bytes(r->n_columns);
    if (payload_bytes > store_max_batch_bytes(s))
        return fault_set(fault, ERROR_TOO_LARGE,
                         "a batch of %" PRIu64 " bytes: the batch budget "
                         "allows %" PRIu64 "%s",
                         payload_bytes, store_max_batch_bytes(s),
                         store_limit_hint(s));
    r->first_epoch = earliest_position(r) / n_edges;
    r->n_epochs =
        (k->first_position + k->n_samples - 1) / n_edges - r->first_epoch + 1;
    rc = epochs_check(s->shelf, r->stream, r->n_epochs, fault);
    if (rc < 0)
        return rc;
    r->run_bytes = rendering_run_bytes(&r->layout, r->n_epochs, r->n_columns);
    r->share = batch_share_of(s->config.budget_bytes, r->run_bytes);
    return 0;
}

static int refuse_queue(const struct store *s, struct fault *fault)
{
    return fault_set(fault, ERROR_OVERLOADED,
                     "%" PRIu32 " batches are waiting already", s->n_waiting);
}

/* A batch that nobody has and nobody is making. */
static int get_composed(struct store *s, struct store_request *request,
                        const struct batch_key *key, struct fault *fault)
{
    struct rendering *r = store_take_rendering(s, request, key);
    int rc;

    if (!r)
        return refuse_queue(s, fault);
    rc = measure(s, r, fault);
    if (rc == 0 && !(r->scratch = store_scratch(s, request->stream)))
        rc = fault_set(fault, ERROR_NO_MEMORY, "no memory to compose in");
    if (rc < 0) {
        store_free_rendering(r);
        return rc;
    }
    rendering_add_waiter(r, request);
    store_enqueue(r);
    store_pump(s);
    if (r->state == RENDERING_WAITING && s->n_waiting > s->config.max_queued) {
        store_cancel(s, request);
        return refuse_queue(s, fault);
    }
    metric_add(METRIC_BATCH_CACHE_MISSES, 1);
    return 0;
}

/* A finished batch that lacks the asked kind of checksum. */
static int get_summed(struct store *s, struct store_request *request,
                      const struct batch_key *key, struct batch *b,
                      struct fault *fault)
{
    struct rendering *r = store_take_rendering(s, request, key);

    if (!r)
        return refuse_queue(s, fault);
    rendering_add_waiter(r, request);
    store_begin_sums(r, b);
    metric_add(METRIC_BATCH_CACHE_HITS, 1);
    return 0;
}

static int get(struct store *s, struct store_request *request,
               struct batch **out_batch, struct fault *fault)
{
    struct batch_key key;
    struct batch *b;
    struct rendering *r;
    int rc = resolve(s, request, &key, fault);

    if (rc < 0)
        return rc;
    if (request->contexts)
        return get_composed(s, request, &key, fault);
    b = batch_cache_find(&s->cache, &key);
    if (b && (request->checksum == CHECKSUM_NONE ||
              b->checksums[request->checksum])) {
        *out_batch = batch_ref(b);
        metric_add(METRIC_BATCH_CACHE_HITS, 1);
        return 1;
    }
    r = store_find_rendering(s, &key);
    if (r) {
        rendering_add_waiter(r, request);
        metric_add(METRIC_BATCH_CACHE_JOINS, 1);
        return 0;
    }
    if (b)
        return get_summed(s, request, &key, b, fault);
    return get_composed(s, request, &key, fault);
}

int store_get(struct store *s, struct store_request *request,
              struct batch **out_batch, struct fault *fault)
{
    int rc;

    assert(!workers_here());
    request->rendering = NULL;
    request->next = NULL;
    rc = get(s, request, out_batch, fault);
    if (rc < 0)
        metric_add(METRIC_BATCH_REJECTED, 1);
    else
        stream_load_answered(&request->stream->load, request->n_samples);
    return rc;
}

void store_cancel(struct store *s, struct store_request *request)
{
    struct rendering *r = request->rendering;

    if (!r)
        return; /* answered already */
    rendering_remove_waiter(r, request);
    if (!r->waiters)
        rendering_abandon(r);
    if (r->waiters || r->state != RENDERING_WAITING)
        return;
    store_dequeue(r);
    store_free_rendering(r);
    store_pump(s); /* it may have stood in the way of others */
}

int store_epoch(struct store *s, struct epoch_request *request,
                struct fault *fault)
{
    uint64_t last =
        ((UINT64_C(1) << 63) - 1) / request->stream->edges_per_epoch;

    if (request->epoch > last)
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "epoch %" PRIu64 " is beyond the last one, %" PRIu64,
                         request->epoch, last);
    return epochs_request(s->shelf, request, fault);
}
