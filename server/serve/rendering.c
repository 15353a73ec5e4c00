/* The worker side of a rendering: compose a few samples, sum them while they
 * are in cache, and sum the rest when the last part is through. Decides
 * nothing about when. Threads: run functions on workers, the rest on the
 * loop. */
#include "server/serve/rendering.h"

#include <assert.h>
#include <string.h>

#include "server/base/host.h"
#include "server/base/mem.h"
#include "server/base/metrics.h"
#include "server/compose/chained.h"

/* A part should amortise its hand-over and still leave parts for every core:
 * about a megabyte, at most 64 samples, and PARTS_A_WORKER for each worker. */
#define PART_BYTES       (1u << 20)
#define PART_MAX_SAMPLES 64
#define PARTS_A_WORKER   4
#define ALIGN_BYTES      64

static uint64_t aligned(uint64_t n)
{
    return (n + ALIGN_BYTES - 1) & ~(uint64_t)(ALIGN_BYTES - 1);
}

struct scratch *scratch_create(uint32_t n_workers, size_t slice_bytes)
{
    size_t slice = aligned(slice_bytes);
    size_t head = aligned(sizeof(struct scratch)) + ALIGN_BYTES;
    struct scratch *s;

    if (slice > (SIZE_MAX - head) / n_workers)
        return NULL;
    s = mem_calloc(1, head + slice * n_workers);
    if (!s)
        return NULL;
    s->n_workers = n_workers;
    s->slice_bytes = slice;
    s->slices = (uint8_t *)(uintptr_t)aligned((uintptr_t)(s + 1));
    return s;
}

/* Where things lie in the run. */
struct places {
    uint64_t batch, crc32, xxh3, graphs, end;
};

static struct places place(const struct batch_layout *layout, uint64_t n_epochs)
{
    uint64_t sums = aligned(8 * ((uint64_t)layout->n_samples + 1));
    struct places at;

    at.batch = aligned(layout->tensors_bytes);
    at.crc32 = at.batch + aligned(sizeof(struct batch));
    at.xxh3 = at.crc32 + sums;
    at.graphs = at.xxh3 + sums;
    at.end = at.graphs + n_epochs * sizeof(struct graph_epoch *);
    return at;
}

uint64_t rendering_run_bytes(const struct batch_layout *layout,
                             uint64_t n_epochs, uint32_t n_columns)
{
    return place(layout, n_epochs).end + parents_bytes(n_columns);
}

void rendering_place(struct rendering *r, void *run)
{
    struct places at = place(&r->layout, r->n_epochs);
    uint8_t *base = run;
    struct batch *batch = (struct batch *)(void *)(base + at.batch);

    r->graphs = (struct graph_epoch **)(void *)(base + at.graphs);
    parents_place(&r->parents, r->n_columns, base + at.end);
    *batch = (struct batch){
        .stream = r->stream,
        .first_position = r->key.first_position,
        .feedback = r->key.feedback,
        .layout = r->layout,
        .payload = base,
        .store = r->store,
        .refs = 1,
    };
    rendering_resume(r, batch);
}

void rendering_resume(struct rendering *r, struct batch *batch)
{
    struct places at = place(&batch->layout, 0);

    r->layout = batch->layout;
    r->batch = batch;
    /* The run is the store's own memory; const is for the holders. */
    r->payload = (uint8_t *)(uintptr_t)batch->payload;
    r->sums[CHECKSUM_CRC32] = (uint64_t *)(void *)(r->payload + at.crc32);
    r->sums[CHECKSUM_XXH3] = (uint64_t *)(void *)(r->payload + at.xxh3);
}

/* Checksums of samples [from, to). */
static void sum_samples(struct rendering *r, uint32_t from, uint32_t to)
{
    const struct batch_layout *l = &r->layout;

    for (uint32_t i = from; i < to; i++) {
        const uint8_t *image =
            r->payload + l->image_offset_bytes + i * l->sample_bytes;

        for (int kind = 1; kind < CHECKSUM_N_KINDS; kind++) {
            if (r->kinds & 1u << kind)
                r->sums[kind][i] = checksum_of((enum checksum_kind)kind, image,
                                               l->sample_bytes);
        }
    }
}

/* The last part sums what is not image: labels of all parts are in it. */
static void end_part(struct rendering *r)
{
    const struct batch_layout *l = &r->layout;

    if (atomic_fetch_sub_explicit(&r->parts_left, 1, memory_order_acq_rel) != 1)
        return;
    for (int kind = 1; kind < CHECKSUM_N_KINDS; kind++) {
        if (r->kinds & 1u << kind)
            r->sums[kind][l->n_samples] = checksum_of(
                (enum checksum_kind)kind, r->payload, l->image_offset_bytes);
    }
}

static uint32_t part_end(const struct rendering *r, uint32_t from)
{
    uint32_t left = r->n_units - from;

    return from + (left < r->units_a_part ? left : r->units_a_part);
}

static struct graph_edge edge_of(const void *rendering, uint64_t position)
{
    const struct rendering *r = rendering;
    uint64_t n_edges = r->stream->edges_per_epoch;

    return graph_epoch_edge(r->graphs[position / n_edges - r->first_epoch],
                            position % n_edges);
}

/* What was sent for sample i of the slice, where its chain goes on. */
static const uint8_t *sent_for(const struct rendering *r, uint32_t i)
{
    const struct stream *stream = r->stream;
    enum plan_link link = chain_link_of(&stream->chain, stream->catalog,
                                        edge_of, r, r->key.first_position + i);

    return link == LINK_PARENT ? contexts_of(r->contexts, i) : NULL;
}

static struct batch_sample sample_of(const struct rendering *r, uint32_t index)
{
    uint32_t k = r->key.n_candidates;
    uint64_t position = r->key.first_position + index / k;

    return (struct batch_sample){
        .position = position,
        .edge = edge_of(r, position),
        .index = index,
        .context = r->contexts ? sent_for(r, index / k) : NULL,
        .candidate = index % k,
    };
}

/* The sample that this worker most likely composes next: the first of the part
 * that nobody has begun, behind those of workers who end theirs as well. Only
 * its pixels are asked for: a wrong guess costs time, never a byte. */
static bool guess_next(struct rendering *r, struct batch_sample *out)
{
    uint32_t part =
        atomic_load_explicit(&r->n_begun, memory_order_relaxed) +
        atomic_fetch_add_explicit(&r->n_ending, 1, memory_order_relaxed);

    if (part >= r->job.n_parts)
        return false;
    *out = sample_of(r, part * r->units_a_part);
    return true;
}

static void begin_composing(const struct rendering *r, struct batch_composer *c,
                            void *scratch)
{
    batch_composer_init(c, &r->layout, &r->stream->recipe, r->stream->catalog,
                        scratch, r->payload);
    c->feedback = r->feedback;
    if (r->kinds)
        c->is_streamed = false; /* summed while in the cache */
}

/* Samples [from, to): each knows the one after it. */
static void compose_samples(struct rendering *r, uint32_t from, uint32_t to,
                            void *scratch)
{
    struct batch_composer composer;
    struct batch_sample sample = sample_of(r, from), next;

    begin_composing(r, &composer, scratch);
    for (uint32_t i = from; i + 1 < to; i++) {
        next = sample_of(r, i + 1);
        batch_composer_run(&composer, &sample, &next);
        sum_samples(r, i, i + 1);
        sample = next;
    }
    composer.is_ending = true;
    batch_composer_run(&composer, &sample, guess_next(r, &next) ? &next : NULL);
    sum_samples(r, to - 1, to);
    atomic_fetch_sub_explicit(&r->n_ending, 1, memory_order_relaxed);
}

/* Columns [from, to) of a batch with a chain; returns how many samples were
 * composed beside its own. */
static uint64_t compose_columns(struct rendering *r, uint32_t from, uint32_t to,
                                void *scratch)
{
    const uint32_t n = r->key.n_samples, slots = r->stream->chain.slots;
    const uint32_t k = r->key.n_candidates;
    struct batch_composer composer;
    struct chained chained = {
        .composer = &composer,
        .chain = &r->stream->chain,
        .first_position = r->key.first_position,
        .edge_of = edge_of,
        .source = r,
        .parent = r->parents.context,
        .handed_on = r->parents.target,
    };

    begin_composing(r, &composer, scratch);
    chained_run(&chained, from, to);
    for (uint32_t column = from; column < to; column++)
        for (uint64_t i = column; i < n; i += slots)
            sum_samples(r, (uint32_t)i * k, (uint32_t)(i + 1) * k);
    return chained.n_again;
}

/* How many of the batch's items columns [from, to) are. */
static uint32_t samples_in(const struct rendering *r, uint32_t from,
                           uint32_t to)
{
    const uint32_t n = r->key.n_samples, slots = r->stream->chain.slots;
    uint32_t sum = 0;

    for (uint32_t column = from; column < to; column++)
        sum += (n - 1 - column) / slots + 1;
    return sum * r->key.n_candidates;
}

/* Units [from, to). */
static void compose_units(struct rendering *r, uint32_t from, uint32_t to,
                          void *scratch)
{
    uint64_t n_again = 0, n = to - from;

    if (r->n_columns > 0) {
        n_again = compose_columns(r, from, to, scratch);
        n = samples_in(r, from, to) + n_again;
    } else {
        compose_samples(r, from, to, scratch);
    }
    atomic_fetch_add_explicit(&r->n_composed, n, memory_order_relaxed);
    atomic_fetch_add_explicit(&r->n_again, n_again, memory_order_relaxed);
}

bool rendering_revive(struct rendering *r)
{
    int seen = INTEREST_ABANDONED;

    return atomic_compare_exchange_strong(&r->interest, &seen,
                                          INTEREST_WANTED) ||
           seen == INTEREST_WANTED;
}

void rendering_abandon(struct rendering *r)
{
    int seen = INTEREST_WANTED;

    atomic_compare_exchange_strong(&r->interest, &seen, INTEREST_ABANDONED);
}

/* Of a worker that comes to a part. */
static bool is_left_out(struct rendering *r)
{
    int seen = INTEREST_ABANDONED;

    return atomic_compare_exchange_strong(&r->interest, &seen,
                                          INTEREST_SKIPPED) ||
           seen == INTEREST_SKIPPED;
}

static void run_compose(struct worker_job *job, uint32_t part, uint32_t worker)
{
    struct rendering *r = (struct rendering *)job;
    uint64_t begin_ns = host_now_ns();
    uint32_t from = part * r->units_a_part, to = part_end(r, from);
    void *scratch = r->scratch->slices + worker * r->scratch->slice_bytes;

    assert(workers_here());
    if (is_left_out(r)) {
        end_part(r);
        return;
    }
    atomic_fetch_add_explicit(&r->n_begun, 1, memory_order_relaxed);
    if (part == 0)
        batch_write_head(&r->layout, r->key.first_position, r->payload);
    compose_units(r, from, to, scratch);
    uint64_t compose_ns = host_now_ns() - begin_ns;
    atomic_fetch_add_explicit(&r->compose_ns, compose_ns, memory_order_relaxed);
    metric_add(METRIC_COMPOSE_NS, (int64_t)compose_ns);
    end_part(r);
}

static void run_sums(struct worker_job *job, uint32_t part, uint32_t worker)
{
    struct rendering *r = (struct rendering *)job;
    uint32_t from = part * r->units_a_part;

    assert(workers_here());
    sum_samples(r, from, part_end(r, from));
    end_part(r);
}

static void run_nothing(struct worker_job *job, uint32_t part, uint32_t worker)
{
}

static uint32_t units_a_part(const struct rendering *r)
{
    const uint32_t n_workers = r->scratch ? r->scratch->n_workers : 1;
    const uint32_t a_unit = (r->layout.n_samples - 1) / r->n_units + 1;
    uint64_t units = PART_BYTES / r->layout.sample_bytes / a_unit;
    uint64_t share = r->n_units / (n_workers * PARTS_A_WORKER);

    units = units > PART_MAX_SAMPLES ? PART_MAX_SAMPLES : units;
    units = units > share ? share : units;
    return units < 1 ? 1 : (uint32_t)units;
}

void rendering_prepare(struct rendering *r,
                       void (*done)(struct worker_job *job))
{
    r->n_units = r->task == TASK_COMPOSE && r->n_columns > 0
                     ? r->n_columns
                     : r->layout.n_samples;
    r->units_a_part = units_a_part(r);
    r->job.n_parts = (r->n_units - 1) / r->units_a_part + 1;
    r->job.done = done;
    switch (r->task) {
    case TASK_COMPOSE:
        r->job.run = run_compose;
        break;
    case TASK_SUMS:
        r->job.run = run_sums;
        break;
    case TASK_FAIL:
        r->job.run = run_nothing;
        r->job.n_parts = 1;
        break;
    }
    atomic_store_explicit(&r->parts_left, r->job.n_parts, memory_order_relaxed);
    atomic_store_explicit(&r->n_begun, 0, memory_order_relaxed);
    atomic_store_explicit(&r->n_ending, 0, memory_order_relaxed);
}

void rendering_add_waiter(struct rendering *r, struct store_request *request)
{
    request->next = NULL;
    request->rendering = r;
    if (r->last_waiter)
        r->last_waiter->next = request;
    else
        r->waiters = request;
    r->last_waiter = request;
}

void rendering_remove_waiter(struct rendering *r, struct store_request *request)
{
    struct store_request **at = &r->waiters, *previous = NULL;

    while (*at != request) {
        previous = *at;
        at = &(*at)->next;
    }
    *at = request->next;
    if (r->last_waiter == request)
        r->last_waiter = previous;
    request->next = NULL;
    request->rendering = NULL;
}
