/* Nanoseconds an edge and peak memory of building an epoch's graph and of
 * reading its edges, beside a plain Fisher-Yates shuffle of as many u32 with
 * the same generator. Proves nothing about balance: tests/unit does.
 *
 * Every measurement runs in a process of its own, so that its peak is its own.
 * Usage: bench_graph [--json] [--rounds N] [--edges N] */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "server/base/mem.h"
#include "server/graph/draws.h"
#include "server/graph/graph.h"

#define N_CLASSES  43
#define CLASS_SIZE 10
#define PER_ROW    10
#define MAX_ROUNDS 99

struct work {
    const char *name;
    enum graph_order order;
    enum graph_balance balance;
    bool shuffle; /* plain Fisher-Yates, no graph */
    bool read;    /* time the reading of every edge, not the building */
};

static const struct work works[] = {
    {"plain shuffle", 0, 0, true, false},
    {"build dealt", GRAPH_DEALT, GRAPH_BY_CLASS, false, false},
    {"build mixed", GRAPH_MIXED, GRAPH_BY_CLASS, false, false},
    {"build by object", GRAPH_DEALT, GRAPH_BY_OBJECT, false, false},
    {"read dealt", GRAPH_DEALT, GRAPH_BY_CLASS, false, true},
    {"read mixed", GRAPH_MIXED, GRAPH_BY_CLASS, false, true},
    {"read shuffled", GRAPH_SHUFFLED, GRAPH_BY_CLASS, false, true},
};
#define N_WORKS (sizeof(works) / sizeof(works[0]))

struct sample {
    double ns_per_edge;
    uint64_t n_edges;
    uint64_t digest; /* so that nothing is optimised away */
    long peak_kib;   /* above an idle process */
};

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void shuffle(uint32_t n, uint64_t seed, struct sample *out)
{
    struct draws d;
    double start = now_ns();
    uint32_t *items = mem_calloc(n, sizeof(*items));
    if (items == NULL)
        _exit(1);
    draws_init(&d, seed, 0, PHILOX_GRAPH_ORDER);
    for (uint32_t i = 0; i < n; i++)
        items[i] = i;
    draws_shuffle(&d, items, n);
    out->ns_per_edge = (now_ns() - start) / n;
    out->n_edges = n;
    out->digest = items[n / 2];
    mem_free(items);
}

/* Classes of one size, or of 1 + i % 19 objects when balanced by object. */
static void fill_classes(uint32_t *first, enum graph_balance balance)
{
    first[0] = 0;
    for (uint32_t c = 0; c < N_CLASSES; c++)
        first[c + 1] =
            first[c] + (balance == GRAPH_BY_OBJECT ? 1 + c % 19 : CLASS_SIZE);
}

static void build(const struct work *w, uint32_t n, uint64_t seed,
                  struct sample *out)
{
    uint32_t first[N_CLASSES + 1];
    struct graph_spec spec = {
        .n_classes = N_CLASSES,
        .class_first = first,
        .n_backgrounds = n / PER_ROW,
        .objects_per_background = PER_ROW,
        .order = w->order,
        .balance = w->balance,
        .seed = seed,
    };
    struct graph_epoch *e;
    fill_classes(first, w->balance);
    double start = now_ns();
    if (graph_epoch_create(&spec, 0, &e, NULL) != 0)
        _exit(1);
    out->n_edges = graph_edges_per_epoch(&spec);
    double built = now_ns();
    uint64_t n_read = w->read ? out->n_edges : 1;
    for (uint64_t i = 0; i < n_read; i++) {
        struct graph_edge edge = graph_epoch_edge(e, i);
        out->digest = out->digest * 31 + edge.object + edge.background;
    }
    double time = w->read ? now_ns() - built : built - start;
    out->ns_per_edge = time / (double)out->n_edges;
    graph_epoch_destroy(e);
}

/* NULL work: an idle process. */
static struct sample measure(const struct work *w, uint32_t n, uint64_t seed)
{
    int ends[2], status;
    struct rusage usage;
    struct sample s = {0};
    if (pipe(ends) != 0)
        exit(1);
    pid_t child = fork();
    if (child == 0) {
        if (w != NULL && w->shuffle)
            shuffle(n, seed, &s);
        else if (w != NULL)
            build(w, n, seed, &s);
        _exit(write(ends[1], &s, sizeof(s)) == sizeof(s) ? 0 : 1);
    }
    close(ends[1]);
    if (child < 0 || read(ends[0], &s, sizeof(s)) != sizeof(s) ||
        wait4(child, &status, 0, &usage) != child || status != 0) {
        fprintf(stderr, "a measurement failed\n");
        exit(1);
    }
    close(ends[0]);
    s.peak_kib = usage.ru_maxrss;
    return s;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_line(const struct work *w, const struct sample *s,
                       const double *ns, int n_rounds, bool json, bool last)
{
    double bytes = (double)s->peak_kib * 1024 / (double)s->n_edges;
    double median = ns[n_rounds / 2], low = ns[0], high = ns[n_rounds - 1];
    if (json)
        printf("  {\"what\": \"%s\", \"edges\": %llu, \"ns_per_edge\": %.2f, "
               "\"ns_min\": %.2f, \"ns_max\": %.2f, \"peak_bytes_per_edge\": "
               "%.2f}%s\n",
               w->name, (unsigned long long)s->n_edges, median, low, high,
               bytes, last ? "" : ",");
    else
        printf("%-16s %9llu edges  %6.2f ns (%.2f .. %.2f)  peak %6.2f bytes "
               "an edge\n",
               w->name, (unsigned long long)s->n_edges, median, low, high,
               bytes);
    fflush(stdout);
}

static void run(const struct work *w, uint32_t n, int n_rounds, bool json,
                bool last)
{
    double ns[MAX_ROUNDS];
    struct sample s = {0};
    long idle = measure(NULL, n, 0).peak_kib;
    for (int i = 0; i < n_rounds; i++) {
        s = measure(w, n, (uint64_t)i);
        ns[i] = s.ns_per_edge;
    }
    s.peak_kib -= idle;
    qsort(ns, (size_t)n_rounds, sizeof(ns[0]), compare);
    print_line(w, &s, ns, n_rounds, json, last);
}

int main(int argc, char **argv)
{
    uint32_t sizes[3] = {100000, 1000000, 10000000};
    int n_sizes = 3, n_rounds = 7;
    bool json = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            json = true;
        } else if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc) {
            n_rounds = atoi(argv[++i]);
        } else if (strcmp(argv[i], "--edges") == 0 && i + 1 < argc) {
            sizes[0] = (uint32_t)strtoul(argv[++i], NULL, 10);
            n_sizes = 1;
        } else {
            fprintf(stderr, "usage: bench_graph [--json] [--rounds N] "
                            "[--edges N]\n");
            return 2;
        }
    }
    if (n_rounds < 1 || n_rounds > MAX_ROUNDS || sizes[0] < 1000)
        return 2;
    if (json)
        printf("[\n");
    for (int i = 0; i < n_sizes; i++)
        for (size_t k = 0; k < N_WORKS; k++)
            run(&works[k], sizes[i], n_rounds, json,
                i == n_sizes - 1 && k == N_WORKS - 1);
    if (json)
        printf("]\n");
    return 0;
}
