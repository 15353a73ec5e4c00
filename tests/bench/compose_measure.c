/* Runs threads through the daemon's own entry (planning, rendering, labels) at
 * distinct positions and takes the median of rounds. Prints nothing. */
#include "tests/bench/compose_measure.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/host.h"
#include "server/compose/chained.h"
#include "server/compose/compose.h"

#define MOST_ROUNDS  4096
#define LEAST_ROUNDS 5
/* Of one core's batch: big enough to leave the caches of a core. */
#define BATCH_BYTES (16u << 20)

struct bench {
    const struct measure_work *work;
    struct graph_epoch *graph;
    uint64_t n_edges;
    struct chain chain; /* of the recipe; without slots where it has none */
    struct batch_layout layout;
    bool is_copying; /* this round copies instead of composing */
    bool is_over;
    uint64_t first_position;
    pthread_barrier_t begin, end;
};

struct core {
    struct bench *b;
    uint32_t number;
    uint8_t *payload, *copy;
    void *scratch;
};

static void die(const char *text)
{
    fprintf(stderr, "compose: %s\n", text);
    exit(1);
}

static void *allocate(size_t n_bytes)
{
    void *p = aligned_alloc(64, (n_bytes + 63) / 64 * 64);
    if (!p)
        die("out of memory");
    memset(p, 0, n_bytes);
    return p;
}

static void make_graph(struct bench *b)
{
    const struct recipe *r = &b->work->recipe;
    const struct catalog *c = b->work->catalog;
    struct fault fault = {0};
    const struct graph_spec spec = {
        .n_classes = c->n_classes,
        .class_first = c->class_first,
        .n_backgrounds = c->n_backgrounds,
        .objects_per_background = r->graph.objects_per_background,
        .order = r->graph.order,
        .pairing = r->graph.pairing,
        .balance = r->graph.balance,
        .strict = r->graph.strict,
        .seed = r->seed,
    };
    if (graph_spec_check(&spec, &fault) < 0 ||
        graph_epoch_create(&spec, 0, &b->graph, &fault) < 0)
        die(fault.text);
    b->n_edges = graph_edges_per_epoch(&spec);
}

/* Positions never repeat; edges do after an epoch, as they may. */
static struct batch_sample sample_at(const struct bench *b, uint64_t position,
                                     uint32_t index)
{
    return (struct batch_sample){
        .position = position,
        .edge = graph_epoch_edge(b->graph, position % b->n_edges),
        .index = index,
    };
}

static struct graph_edge edge_of(const void *source, uint64_t position)
{
    return sample_at(source, position, 0).edge;
}

/* Of a recipe with a chain: slot after slot, the first of each on what is
 * composed again for it. */
static void compose_chains(struct core *c, const struct batch_layout *l,
                           uint64_t first)
{
    struct bench *b = c->b;
    struct batch_composer composer;
    struct chained chained = {
        .composer = &composer,
        .chain = &b->chain,
        .first_position = first,
        .edge_of = edge_of,
        .source = b,
    };
    batch_composer_init(&composer, l, &b->work->recipe, b->work->catalog,
                        c->scratch, c->payload);
    chained_run(&chained, 0, chained_columns(&b->chain, l->n_samples));
}

static void compose_samples(struct core *c, const struct batch_layout *l,
                            uint64_t first)
{
    struct bench *b = c->b;
    struct batch_composer composer;
    struct batch_sample sample = sample_at(b, first, 0), next;
    batch_composer_init(&composer, l, &b->work->recipe, b->work->catalog,
                        c->scratch, c->payload);
    for (uint32_t i = 0; i < l->n_samples; i++) {
        const bool is_last = i + 1 == l->n_samples;
        next = is_last ? sample : sample_at(b, first + i + 1, i + 1);
        batch_composer_run(&composer, &sample, is_last ? NULL : &next);
        sample = next;
    }
}

static void compose(struct core *c, const struct batch_layout *l,
                    uint64_t first)
{
    if (c->b->chain.slots > 0)
        compose_chains(c, l, first);
    else
        compose_samples(c, l, first);
}

static void *run_core(void *argument)
{
    struct core *c = argument;
    struct bench *b = c->b;
    const struct batch_layout *l = &b->layout;
    for (;;) {
        pthread_barrier_wait(&b->begin);
        if (b->is_over)
            return NULL;
        if (b->is_copying)
            memcpy(c->copy + l->image_offset_bytes,
                   c->payload + l->image_offset_bytes,
                   (size_t)(l->sample_bytes * l->n_samples));
        else
            compose(c, l,
                    b->first_position + (uint64_t)c->number * l->n_samples);
        pthread_barrier_wait(&b->end);
    }
}

/* Nanoseconds from the common start to the last core's end. */
static uint64_t run_round(struct bench *b, bool is_copying)
{
    b->is_copying = is_copying;
    uint64_t begin_ns = host_now_ns();
    pthread_barrier_wait(&b->begin);
    pthread_barrier_wait(&b->end);
    return host_now_ns() - begin_ns;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static struct measure_rate rate_of(double *rounds, size_t n)
{
    qsort(rounds, n, sizeof *rounds, ascending);
    return (struct measure_rate){rounds[n / 2], rounds[0], rounds[n - 1]};
}

static void run_rounds(struct bench *b, struct measure_result *out)
{
    static double compose[MOST_ROUNDS], copy[MOST_ROUNDS];
    const double images = (double)b->layout.n_samples * b->work->n_cores;
    size_t n = 0;
    run_round(b, false); /* warms pages and clocks */
    run_round(b, true);
    uint64_t begin_ns = host_now_ns();
    while (n < MOST_ROUNDS &&
           (n < LEAST_ROUNDS ||
            (double)(host_now_ns() - begin_ns) < b->work->seconds * 1e9)) {
        b->first_position += (uint64_t)images;
        compose[n] = images * 1e9 / (double)run_round(b, false);
        copy[n] = images * 1e9 / (double)run_round(b, true);
        n++;
    }
    out->n_rounds = (uint32_t)n;
    out->compose = rate_of(compose, n);
    out->copy = rate_of(copy, n);
}

/* SHA-256 of the image tensor of positions 0..63. */
static void find_digest(struct bench *b, char hex[DIGEST_HEX_BYTES])
{
    const struct recipe *r = &b->work->recipe;
    struct core c = {.b = b, .scratch = allocate(batch_scratch_bytes(r))};
    struct batch_layout l;
    if (batch_layout_init(&l, r, NULL, MEASURE_DIGEST_SAMPLES, 0, 0) < 0)
        die("the batch is too large");
    c.payload = allocate((size_t)l.tensors_bytes);
    compose(&c, &l, 0);
    struct digest_state s;
    digest_init(&s);
    digest_update(&s, c.payload + l.image_offset_bytes,
                  (size_t)(l.sample_bytes * l.n_samples));
    struct digest d = digest_final(&s);
    digest_hex(&d, hex);
    free(c.payload);
    free(c.scratch);
}

static void run_cores(struct bench *b, struct measure_result *out)
{
    static struct core cores[MEASURE_MOST_CORES];
    static pthread_t thread[MEASURE_MOST_CORES];
    const uint32_t n_cores = b->work->n_cores;
    pthread_barrier_init(&b->begin, NULL, n_cores + 1);
    pthread_barrier_init(&b->end, NULL, n_cores + 1);
    for (uint32_t i = 0; i < n_cores; i++) {
        cores[i] = (struct core){b, i, NULL, NULL, NULL};
        cores[i].payload = allocate((size_t)b->layout.tensors_bytes);
        cores[i].copy = allocate((size_t)b->layout.tensors_bytes);
        cores[i].scratch = allocate(batch_scratch_bytes(&b->work->recipe));
        if (pthread_create(&thread[i], NULL, run_core, &cores[i]) != 0)
            die("cannot start a thread");
    }
    run_rounds(b, out);
    b->is_over = true;
    pthread_barrier_wait(&b->begin);
    for (uint32_t i = 0; i < n_cores; i++) {
        pthread_join(thread[i], NULL);
        free(cores[i].payload);
        free(cores[i].copy);
        free(cores[i].scratch);
    }
    pthread_barrier_destroy(&b->begin);
    pthread_barrier_destroy(&b->end);
}

void measure_run(const struct measure_work *w, struct measure_result *out)
{
    struct bench b = {.work = w};
    const uint32_t pixels = (uint32_t)(w->recipe.width * w->recipe.height);
    uint32_t n = w->n_samples ? w->n_samples : BATCH_BYTES / (pixels * 3) + 1;
    if (batch_layout_init(&b.layout, &w->recipe, NULL, n, 0, 0) < 0)
        die("the batch is too large");
    make_graph(&b);
    chain_init(&b.chain, &w->recipe, w->catalog);
    find_digest(&b, out->digest);
    out->image_bytes = b.layout.sample_bytes;
    run_cores(&b, out);
    graph_epoch_destroy(b.graph);
}
