/* Images per second through the daemon's own path (plan, render, label) at
 * distinct positions, beside memcpy of the same bytes in the same run. Serves
 * nothing; checks nothing but prints the digest of fixed positions.
 *
 * The synthetic pools (objects of 128-256 px, backgrounds of 256-512 px) are
 * grown until they hold over four times the last-level cache. The last word of
 * the last line is the images per second, for scripts. */
#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/base/digest.h"
#include "server/base/host.h"
#include "server/compose/compose.h"
#include "server/pixel/kernels.h"
#include "tests/unit/synthetic.h"

#define MAX_CORES      256
#define MAX_ROUNDS     4096
#define MIN_ROUNDS     5
#define DIGEST_SAMPLES 64
#define LEAST_IMAGES   100
#define MOST_IMAGES    3200
/* Of one core's batch: big enough to leave the caches. */
#define BATCH_BYTES (16u << 20)

struct bench {
    struct recipe recipe;
    struct catalog *catalog;
    struct graph_epoch *graph;
    uint64_t n_edges;
    struct batch_layout layout;
    uint32_t n_cores;
    double seconds;
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

static uint64_t synthetic_bytes(uint32_t n_images)
{
    /* Mean squares of uniform sides 128..256 and 256..512, mips a third. */
    return n_images * ((uint64_t)192 * 192 * 4 + 384 * 384 * 3) * 4 / 3;
}

/* Of one core's last-level cache: what the kernel says, else the C library,
 * which on some processors counts other sockets' too. */
static uint64_t cache_bytes(void)
{
    unsigned kib = 0;
    FILE *f = fopen("/sys/devices/system/cpu/cpu0/cache/index3/size", "r");
    if (f) {
        if (fscanf(f, "%uK", &kib) != 1)
            kib = 0;
        fclose(f);
    }
    long other = sysconf(_SC_LEVEL3_CACHE_SIZE);
    return kib ? (uint64_t)kib << 10 : other > 0 ? (uint64_t)other : 0;
}

/* n_images of each, or as many as four caches ask for when it is 0. */
static struct catalog *synthetic_pools(struct synthetic *s, uint32_t n)
{
    uint64_t cache = cache_bytes();
    if (n == 0)
        for (n = LEAST_IMAGES; n < MOST_IMAGES; n += LEAST_IMAGES)
            if (synthetic_bytes(n) >= 4 * cache)
                break;
    const struct synthetic_spec spec = {1, n, n, 128, 256, 256, 512};
    synthetic_make(s, &spec);
    printf("pools: synthetic, %u objects, %u backgrounds, %.0f MB; "
           "last-level cache %.0f MB\n",
           n, n, (double)synthetic_bytes(n) / 1e6, (double)cache / 1e6);
    return &s->catalog;
}

static struct catalog *load_pools(const char *objects, const char *backgrounds)
{
    struct pool_config config = {
        .demo = !objects,
        .objects_path = objects,
        .backgrounds_path = backgrounds,
        .n_threads = host_cpus(),
        .limits = pool_limits_default(),
    };
    struct catalog *c;
    struct fault fault = {0};
    if (catalog_load(&config, &c, &fault) < 0)
        die(fault.text);
    printf("pools: %u objects, %u backgrounds, %.0f MB\n", c->n_objects,
           c->n_backgrounds, (double)c->image_bytes / 1e6);
    return c;
}

static void make_graph(struct bench *b)
{
    struct fault fault = {0};
    const struct graph_spec spec = {
        .n_classes = b->catalog->n_classes,
        .class_first = b->catalog->class_first,
        .n_backgrounds = b->catalog->n_backgrounds,
        .objects_per_background = b->recipe.graph.objects_per_background,
        .order = b->recipe.graph.order,
        .pairing = b->recipe.graph.pairing,
        .balance = b->recipe.graph.balance,
        .strict = b->recipe.graph.strict,
        .seed = b->recipe.seed,
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
        position,
        graph_epoch_edge(b->graph, position % b->n_edges),
        index,
    };
}

static void compose_samples(struct core *c, const struct batch_layout *l,
                            uint64_t first)
{
    struct bench *b = c->b;
    struct batch_composer composer;
    struct batch_sample sample = sample_at(b, first, 0), next;
    batch_composer_init(&composer, l, &b->recipe, b->catalog, c->scratch,
                        c->payload);
    for (uint32_t i = 0; i < l->n_samples; i++) {
        const bool is_last = i + 1 == l->n_samples;
        next = is_last ? sample : sample_at(b, first + i + 1, i + 1);
        batch_composer_run(&composer, &sample, is_last ? NULL : &next);
        sample = next;
    }
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
            compose_samples(
                c, l, b->first_position + (uint64_t)c->number * l->n_samples);
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

static void report(const struct bench *b, double *compose, double *copy,
                   size_t n_rounds)
{
    qsort(compose, n_rounds, sizeof *compose, ascending);
    qsort(copy, n_rounds, sizeof *copy, ascending);
    double bytes = (double)b->layout.sample_bytes;
    double median = compose[n_rounds / 2], copied = copy[n_rounds / 2];
    printf("compose: median %.0f img/s [%.0f..%.0f], %.1f MB/s, %zu rounds\n",
           median, compose[0], compose[n_rounds - 1], median * bytes / 1e6,
           n_rounds);
    printf("memcpy of the same bytes: median %.0f img/s [%.0f..%.0f], "
           "%.1f MB/s\n",
           copied, copy[0], copy[n_rounds - 1], copied * bytes / 1e6);
    printf("compose / memcpy: %.4f\n", median / copied);
    printf("%d x %d px, %u core(s), kernels %s, images per second: %.1f\n",
           b->layout.height, b->layout.width, b->n_cores, pixel_kernels()->name,
           median);
}

static void run_rounds(struct bench *b)
{
    static double compose[MAX_ROUNDS], copy[MAX_ROUNDS];
    const double images = (double)b->layout.n_samples * b->n_cores;
    size_t n = 0;
    run_round(b, false); /* warms pages and clocks */
    run_round(b, true);
    uint64_t begin_ns = host_now_ns();
    while (n < MAX_ROUNDS &&
           (n < MIN_ROUNDS ||
            (double)(host_now_ns() - begin_ns) < b->seconds * 1e9)) {
        b->first_position += (uint64_t)images;
        compose[n] = images * 1e9 / (double)run_round(b, false);
        copy[n] = images * 1e9 / (double)run_round(b, true);
        n++;
    }
    report(b, compose, copy, n);
}

/* SHA-256 of the image tensor of positions 0..63, as HTTP serves them. */
static void print_digest(struct bench *b)
{
    struct core c = {.b = b,
                     .scratch = allocate(batch_scratch_bytes(&b->recipe))};
    struct batch_layout l;
    if (batch_layout_init(&l, &b->recipe, DIGEST_SAMPLES, 0, 0) < 0)
        die("the batch is too large");
    c.payload = allocate((size_t)l.tensors_bytes);
    compose_samples(&c, &l, 0);
    struct digest_state s;
    char hex[DIGEST_HEX_BYTES];
    digest_init(&s);
    digest_update(&s, c.payload + l.image_offset_bytes,
                  (size_t)(l.sample_bytes * l.n_samples));
    struct digest d = digest_final(&s);
    digest_hex(&d, hex);
    printf("SHA-256 of image, positions 0..%d: %s\n", DIGEST_SAMPLES - 1, hex);
    free(c.payload);
    free(c.scratch);
}

static void run_bench(struct bench *b)
{
    static struct core cores[MAX_CORES];
    pthread_t thread[MAX_CORES];
    pthread_barrier_init(&b->begin, NULL, b->n_cores + 1);
    pthread_barrier_init(&b->end, NULL, b->n_cores + 1);
    for (uint32_t i = 0; i < b->n_cores; i++) {
        cores[i] = (struct core){b, i, NULL, NULL, NULL};
        cores[i].payload = allocate((size_t)b->layout.tensors_bytes);
        cores[i].copy = allocate((size_t)b->layout.tensors_bytes);
        cores[i].scratch = allocate(batch_scratch_bytes(&b->recipe));
        if (pthread_create(&thread[i], NULL, run_core, &cores[i]) != 0)
            die("cannot start a thread");
    }
    run_rounds(b);
    b->is_over = true;
    pthread_barrier_wait(&b->begin);
    for (uint32_t i = 0; i < b->n_cores; i++) {
        pthread_join(thread[i], NULL);
        free(cores[i].payload);
        free(cores[i].copy);
        free(cores[i].scratch);
    }
}

static const char usage[] =
    "usage: compose [--size N] [--cores N] [--preset NAME] [--seconds S]\n"
    "               [--images N | --demo | --objects DIR --backgrounds DIR]\n";

struct arguments {
    int size;
    const char *preset, *objects, *backgrounds;
    bool demo;
    int images;
};

static void parse(int argc, char **argv, struct bench *b, struct arguments *a)
{
    static const struct option options[] = {
        {"size", required_argument, NULL, 's'},
        {"cores", required_argument, NULL, 'c'},
        {"preset", required_argument, NULL, 'p'},
        {"seconds", required_argument, NULL, 't'},
        {"objects", required_argument, NULL, 'o'},
        {"backgrounds", required_argument, NULL, 'b'},
        {"demo", no_argument, NULL, 'd'},
        {"images", required_argument, NULL, 'i'},
        {NULL, 0, NULL, 0},
    };
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (c) {
        case 's':
            a->size = atoi(optarg);
            break;
        case 'c':
            b->n_cores = (uint32_t)atoi(optarg);
            break;
        case 'p':
            a->preset = optarg;
            break;
        case 't':
            b->seconds = atof(optarg);
            break;
        case 'o':
            a->objects = optarg;
            break;
        case 'b':
            a->backgrounds = optarg;
            break;
        case 'i':
            a->images = atoi(optarg);
            break;
        case 'd':
            a->demo = true;
            break;
        default:
            fputs(usage, stderr);
            exit(2);
        }
    }
    if (a->images < 0 || a->images > MOST_IMAGES || a->size < 1 ||
        a->size > FRAME_MAX_SIDE || b->n_cores < 1 || b->n_cores > MAX_CORES ||
        !a->objects != !a->backgrounds) {
        fputs(usage, stderr);
        exit(2);
    }
}

int main(int argc, char **argv)
{
    static struct bench b = {.n_cores = 1, .seconds = 2};
    struct arguments a = {.size = 64, .preset = "bench"};
    struct synthetic made = {0};
    struct fault fault = {0};
    parse(argc, argv, &b, &a);
    if (pixel_kernels_select(getenv("PASTED_CPU"), &fault) < 0 ||
        recipe_preset(a.preset, &b.recipe, &fault) < 0)
        die(fault.text);
    b.recipe.height = b.recipe.width = a.size;
    const bool synthetic = !a.demo && !a.objects;
    b.catalog = synthetic ? synthetic_pools(&made, (uint32_t)a.images)
                          : load_pools(a.objects, a.backgrounds);
    make_graph(&b);
    uint32_t n = BATCH_BYTES / (uint32_t)(a.size * a.size * 3) + 1;
    if (batch_layout_init(&b.layout, &b.recipe, n, 0, 0) < 0)
        die("the batch is too large");
    print_digest(&b);
    run_bench(&b);
    graph_epoch_destroy(b.graph);
    if (synthetic)
        synthetic_fini(&made);
    else
        catalog_unref(b.catalog);
    return 0;
}
