/* Recounts a built epoch from the edges that it emits: degrees, duplicates,
 * classes per background, dispersion of pairs. Trusts nothing that the dealers
 * say about themselves. */
#include <stddef.h>

#include "server/base/mem.h"
#include "server/graph/epoch.h"

/* Pairs are counted in a triangle of n(n-1)/2 counters, one by one. */
#define MAX_PAIR_KINDS 4096
#define MAX_PAIRS      (1ull << 28) /* about a second */

struct pairs {
    uint32_t n;       /* kinds: classes or objects */
    uint32_t *counts; /* [n(n-1)/2]; NULL: not counted */
};

struct recount {
    const struct graph_epoch *e;
    uint32_t n_objects;
    uint32_t *first;    /* [nB + 1] edges by background: where each begins */
    uint32_t *objects;  /* [E] sorted by background */
    uint32_t *class_of; /* [nO] */
    uint32_t *object_degree; /* [nO] */
    uint32_t *class_degree;  /* [K] */
    uint32_t *object_seen;   /* [nO] last background + 1 */
    uint32_t *class_seen;    /* [K] */
    uint32_t *row;           /* [max(nO, K)] distinct objects or classes */
    struct pairs class_pairs, object_pairs;
    uint64_t n_classes_on_backgrounds;
};

static void recount_fini(struct recount *r)
{
    mem_free(r->first);
    mem_free(r->objects);
    mem_free(r->class_of);
    mem_free(r->object_degree);
    mem_free(r->class_degree);
    mem_free(r->object_seen);
    mem_free(r->class_seen);
    mem_free(r->row);
    mem_free(r->class_pairs.counts);
    mem_free(r->object_pairs.counts);
}

static int pairs_init(struct pairs *p, uint32_t n, uint64_t n_pairs)
{
    p->n = n;
    if (n < 2 || n > MAX_PAIR_KINDS || n_pairs > MAX_PAIRS)
        return 0;
    p->counts = mem_calloc((size_t)n * (n - 1) / 2, sizeof(*p->counts));
    return p->counts == NULL ? -ERROR_NO_MEMORY : 0;
}

static size_t pair_index(uint32_t lower, uint32_t upper)
{
    return (size_t)upper * (upper - 1) / 2 + lower;
}

static void count_pairs(struct pairs *p, const uint32_t *kinds, uint32_t n)
{
    if (p->counts == NULL)
        return;
    for (uint32_t i = 1; i < n; i++) {
        for (uint32_t j = 0; j < i; j++) {
            uint32_t a = kinds[i], b = kinds[j];
            p->counts[a < b ? pair_index(a, b) : pair_index(b, a)]++;
        }
    }
}

static int allocate(struct recount *r)
{
    const struct graph_spec *spec = &r->e->spec;
    size_t k = spec->n_classes, n = r->n_objects;
    r->first = mem_calloc((size_t)spec->n_backgrounds + 1, sizeof(*r->first));
    r->objects = mem_calloc(r->e->n_edges, sizeof(*r->objects));
    r->class_of = mem_calloc(n, sizeof(*r->class_of));
    r->object_degree = mem_calloc(n, sizeof(*r->object_degree));
    r->class_degree = mem_calloc(k, sizeof(*r->class_degree));
    r->object_seen = mem_calloc(n, sizeof(*r->object_seen));
    r->class_seen = mem_calloc(k, sizeof(*r->class_seen));
    r->row = mem_calloc(n > k ? n : k, sizeof(*r->row));
    bool ok = r->first && r->objects && r->class_of && r->object_degree &&
              r->class_degree && r->object_seen && r->class_seen && r->row;
    uint64_t n_pairs = (uint64_t)r->e->n_edges * (r->e->degree + 1ull) / 2;
    if (!ok || pairs_init(&r->object_pairs, r->n_objects, n_pairs) != 0)
        return -ERROR_NO_MEMORY;
    return pairs_init(&r->class_pairs, spec->n_classes, n_pairs);
}

/* Counting sort of the emitted edges by background, and the degrees. */
static int sort_edges(struct recount *r)
{
    uint32_t n_edges = r->e->n_edges, n_rows = r->e->spec.n_backgrounds;
    struct graph_edge *edges = mem_calloc(n_edges, sizeof(*edges));
    if (edges == NULL)
        return -ERROR_NO_MEMORY;
    for (uint32_t i = 0; i < n_edges; i++) {
        edges[i] = graph_epoch_edge(r->e, i);
        r->first[edges[i].background]++;
        r->object_degree[edges[i].object]++;
    }
    uint32_t end = 0;
    for (uint32_t b = 0; b < n_rows; b++)
        r->first[b] = end += r->first[b];
    r->first[n_rows] = end;
    for (uint32_t i = n_edges; i-- > 0;)
        r->objects[--r->first[edges[i].background]] = edges[i].object;
    mem_free(edges);
    for (uint32_t o = 0; o < r->n_objects; o++) {
        r->class_of[o] = graph_class_of(&r->e->spec, o);
        r->class_degree[r->class_of[o]] += r->object_degree[o];
    }
    return 0;
}

static void widen(uint32_t *low, uint32_t *high, uint32_t value)
{
    if (value < *low)
        *low = value;
    if (value > *high)
        *high = value;
}

/* Writes the distinct values into r->row; returns how many. */
static uint32_t distinct_objects(struct recount *r, uint32_t b)
{
    uint32_t n = 0;
    for (uint32_t i = r->first[b]; i < r->first[b + 1]; i++) {
        uint32_t o = r->objects[i];
        if (r->object_seen[o] != b + 1)
            r->row[n++] = o;
        r->object_seen[o] = b + 1;
    }
    return n;
}

static uint32_t distinct_classes(struct recount *r, uint32_t b)
{
    uint32_t n = 0;
    for (uint32_t i = r->first[b]; i < r->first[b + 1]; i++) {
        uint32_t c = r->class_of[r->objects[i]];
        if (r->class_seen[c] != b + 1)
            r->row[n++] = c;
        r->class_seen[c] = b + 1;
    }
    return n;
}

static void count_background(struct recount *r, uint32_t b,
                             struct graph_report *report)
{
    uint32_t degree = r->first[b + 1] - r->first[b];
    uint32_t n_objects = distinct_objects(r, b);
    count_pairs(&r->object_pairs, r->row, n_objects);
    uint32_t n_classes = distinct_classes(r, b);
    count_pairs(&r->class_pairs, r->row, n_classes);
    report->n_duplicate_edges += degree - n_objects;
    r->n_classes_on_backgrounds += n_classes;
    widen(&report->background_degree_min, &report->background_degree_max,
          degree);
    widen(&report->classes_per_background_min,
          &report->classes_per_background_max, n_classes);
}

/* Variance over mean of the pairs' counts. Objects of one class meet less, by
 * design: with class_of, only pairs of different classes are looked at. */
static double dispersion(const struct pairs *p, const uint32_t *class_of,
                         uint64_t *out_n_zero)
{
    double n = 0, sum = 0, squares = 0;
    *out_n_zero = 0;
    if (p->counts == NULL)
        return 0;
    for (uint32_t upper = 1; upper < p->n; upper++) {
        for (uint32_t lower = 0; lower < upper; lower++) {
            if (class_of != NULL && class_of[lower] == class_of[upper])
                continue;
            double count = p->counts[pair_index(lower, upper)];
            n++;
            sum += count;
            squares += count * count;
            *out_n_zero += count == 0;
        }
    }
    return sum == 0 ? 0 : (squares - sum * sum / n) / sum;
}

static void summarise(struct recount *r, struct graph_report *report)
{
    uint64_t n_object_pairs_never_met;
    for (uint32_t b = 0; b < r->e->spec.n_backgrounds; b++)
        count_background(r, b, report);
    for (uint32_t o = 0; o < r->n_objects; o++)
        widen(&report->object_degree_min, &report->object_degree_max,
              r->object_degree[o]);
    for (uint32_t c = 0; c < r->e->spec.n_classes; c++)
        widen(&report->class_degree_min, &report->class_degree_max,
              r->class_degree[c]);
    report->classes_per_background_mean =
        (double)r->n_classes_on_backgrounds / r->e->spec.n_backgrounds;
    report->class_pair_dispersion =
        dispersion(&r->class_pairs, NULL, &report->n_class_pairs_never_met);
    report->object_pair_dispersion =
        dispersion(&r->object_pairs, r->class_of, &n_object_pairs_never_met);
}

int graph_epoch_report(const struct graph_epoch *e,
                       struct graph_report *out_report, struct fault *fault)
{
    struct recount r = {.e = e, .n_objects = graph_n_objects(&e->spec)};
    struct graph_report report = {
        .n_edges = e->n_edges,
        .object_degree_min = UINT32_MAX,
        .background_degree_min = UINT32_MAX,
        .class_degree_min = UINT32_MAX,
        .classes_per_background_min = UINT32_MAX,
    };
    int rc = allocate(&r);
    if (rc == 0)
        rc = sort_edges(&r);
    if (rc == 0) {
        summarise(&r, &report);
        *out_report = report;
    } else {
        fault_set(fault, ERROR_NO_MEMORY,
                  "no memory to recount a graph of %u edges", e->n_edges);
    }
    recount_fini(&r);
    return rc;
}
