/* Golden digests: the bytes of every preset, at several sizes and for any
 * number of threads, are those of golden.txt. A difference means that a
 * fingerprint would lie: either find the mistake, or raise ENGINE_VERSION and
 * write the file anew.
 *
 *   test_golden FILE            compares
 *   test_golden FILE --update   writes FILE
 *
 * Each line: engine version, pool, preset or recipe, size, number of samples,
 * SHA-256 of the batch (head, labels, image) from position 0 on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/digest.h"
#include "server/base/version.h"
#include "server/compose/chained.h"
#include "server/compose/compose.h"
#include "server/pixel/kernels.h"
#include "tests/unit/synthetic.h"

#define MAX_THREADS 5

static const uint32_t thread_counts[] = {1, 2, MAX_THREADS};
#define N_THREAD_COUNTS (sizeof thread_counts / sizeof thread_counts[0])
/* With how many of these each table of kernels composes a line. The thread
 * sanitizer is ten times slower: there the lines take turns. */
#ifdef __SANITIZE_THREAD__
#define N_COUNTS_OF_LINE 1
#else
#define N_COUNTS_OF_LINE N_THREAD_COUNTS
#endif

static const struct {
    int32_t side;
    uint32_t n_samples;
} sizes[] = {{0, 32}, {33, 32}, {64, 32}, {224, 8}}; /* 0: the preset's own */
#define N_SIZES (sizeof sizes / sizeof sizes[0])

static const struct synthetic_spec spec = {
    .seed = 7,
    .n_objects = 20,
    .n_backgrounds = 10,
    .object_least = 20,
    .object_most = 200,
    .background_least = 60,
    .background_most = 400,
    .strokes = true,
};

static const char *golden_path;
static uint32_t n_lines;
static struct synthetic made;
static struct catalog *demo;

static int make_pools(void **state)
{
    (void)state;
    const struct pool_config config = {.demo = true,
                                       .strokes = true,
                                       .n_threads = 2,
                                       .limits = pool_limits_default()};
    struct fault fault = {0};
    synthetic_make(&made, &spec);
    if (catalog_load(&config, &demo, &fault) == 0)
        return 0;
    fprintf(stderr, "%s\n", fault.text);
    return -1;
}

static int drop_pools(void **state)
{
    (void)state;
    synthetic_fini(&made);
    catalog_unref(demo);
    return 0;
}

struct work {
    const struct batch_layout *layout;
    const struct recipe *recipe;
    const struct catalog *catalog;
    const struct graph_epoch *graph;
    uint64_t n_edges, first;
    uint32_t thread, n_threads;
    uint8_t *payload;
};

static struct graph_edge edge_of(const void *source, uint64_t position)
{
    const struct work *w = source;
    return graph_epoch_edge(w->graph, position % w->n_edges);
}

/* Every column from where its chain begins, and every thread some columns. */
static void compose_columns(const struct work *w, void *scratch)
{
    struct batch_composer composer;
    struct chain chain;
    chain_init(&chain, w->recipe, w->catalog);
    batch_composer_init(&composer, w->layout, w->recipe, w->catalog, scratch,
                        w->payload);
    struct chained chained = {.composer = &composer,
                              .chain = &chain,
                              .first_position = w->first,
                              .edge_of = edge_of,
                              .source = w};
    const uint32_t n =
        chained_columns(&chain, w->layout->n_samples / w->layout->n_candidates);
    for (uint32_t i = w->thread; i < n; i += w->n_threads)
        chained_run(&chained, i, i + 1);
}

static void *compose_share(void *argument)
{
    const struct work *w = argument;
    size_t n_bytes = (batch_scratch_bytes(w->recipe) + 63) / 64 * 64;
    void *scratch = aligned_alloc(64, n_bytes);
    if (!scratch)
        abort();
    if (w->recipe->chain.slots > 0)
        compose_columns(w, scratch);
    for (uint32_t i = w->thread;
         w->recipe->chain.slots == 0 && i < w->layout->n_samples;
         i += w->n_threads) {
        const uint64_t position = w->first + i / w->layout->n_candidates;
        const struct batch_sample sample = {.position = position,
                                            .edge = edge_of(w, position),
                                            .index = i,
                                            .candidate =
                                                i % w->layout->n_candidates};
        batch_compose_sample(w->layout, w->recipe, w->catalog, &sample, scratch,
                             w->payload);
    }
    free(scratch);
    return NULL;
}

static void compose_with(const struct work *shared, uint32_t n_threads)
{
    struct work work[MAX_THREADS];
    pthread_t thread[MAX_THREADS];
    memset(shared->payload, 0xA5, (size_t)shared->layout->tensors_bytes);
    batch_write_head(shared->layout, 0, shared->payload);
    for (uint32_t i = 0; i < n_threads; i++) {
        work[i] = *shared;
        work[i].thread = i;
        work[i].n_threads = n_threads;
        if (pthread_create(&thread[i], NULL, compose_share, &work[i]) != 0)
            abort();
    }
    for (uint32_t i = 0; i < n_threads; i++)
        pthread_join(thread[i], NULL);
}

static struct graph_epoch *
make_graph(const struct recipe *r, const struct catalog *c, uint64_t *out_edges)
{
    const struct graph_spec graph = {
        .n_classes = c->n_classes,
        .class_first = c->class_first,
        .n_backgrounds = c->n_backgrounds,
        .objects_per_background = r->graph.objects_per_background,
        .order = r->graph.order,
        .pairing = r->graph.pairing,
        .balance = r->graph.balance,
        .seed = r->seed,
    };
    struct graph_epoch *epoch = NULL;
    struct fault fault = {0};
    if (graph_spec_check(&graph, &fault) < 0 ||
        graph_epoch_create(&graph, 0, &epoch, &fault) < 0)
        fail_msg("%s", fault.text);
    *out_edges = graph_edges_per_epoch(&graph);
    return epoch;
}

static void digest_of(const struct work *w, char hex[DIGEST_HEX_BYTES])
{
    struct digest_state s;
    digest_init(&s);
    digest_update(&s, w->payload, (size_t)w->layout->tensors_bytes);
    struct digest d = digest_final(&s);
    digest_hex(&d, hex);
}

/* Where something is to be seen: in two epochs, or after the first rounds. */
static uint64_t first_of(const char *name, const struct recipe *r)
{
    return strcmp(name, "every") == 0 ? 30 : r->chain.slots > 0 ? 500 : 0;
}

/* Recipes for what no preset asks for. */
static const struct {
    const char *name, *json;
} recipes[] = {
    {"match", "{\"object\":{\"match\":[0.5,1],\"match_mode\":\"mean_std\"}}"},
    {"luma", "{\"object\":{\"match\":1,\"match_mode\":\"luma\"}}"},
    {"stroke", "{\"object\":{\"stroke\":[-2,3]}}"},
    {"motion", "{\"object\":{\"edge\":\"motion\",\"motion_length\":[3,9]}}"},
    {"textures", "{\"context\":{\"background\":0,\"texture\":1}}"},
    {"thirds", "{\"object\":{\"blend\":\"two_thirds_frame\"},\"context\":{"
               "\"noise\":1,\"noise_channels\":\"grey\"}}"},
    {"curricula",
     "{\"object\":{\"rotate\":{\"from\":0,\"to\":[-90,90],\"over\":[4,28]},"
     "\"flip\":{\"from\":0,\"to\":1,\"over\":[0,32]}},\"context\":{\"noise\":"
     "{\"from\":0,\"to\":3,\"over\":[8,24]}}}"},
    {"turn", "{\"background\":{\"rotate\":[-180,180]}}"},
    {"reflect", "{\"background\":{\"rotate\":[-30,30],\"scale\":[0.5,3],"
                "\"padding\":\"reflect\"}}"},
    {"wrap", "{\"background\":{\"scale\":[0.5,3],\"padding\":\"wrap\"}}"},
    {"every",
     "{\"object\":{\"edge\":{\"every\":[\"motion\",\"hard\",\"box\"]}}}"},
    {"padding", "{\"background\":{\"rotate\":[-30,30],\"scale\":[0.5,10],"
                "\"padding\":\"colour\"}}"},
    {"jitter", "{\"image\":{\"operations\":[{\"op\":\"jitter\"}]}}"},
    {"context-operations",
     "{\"background\":{\"operation_order\":\"random\",\"operations\":["
     "{\"op\":\"gaussian_blur\",\"sigma\":[0,3]},{\"op\":\"autocontrast\"},"
     "{\"op\":\"gaussian_noise\"}]}}"},
    {"object-operations",
     "{\"object\":{\"edge\":\"feather\",\"blend\":\"two_thirds\","
     "\"operation_order\":\"random\",\"operations\":["
     "{\"op\":\"equalize\",\"probability\":0.5},{\"op\":\"jitter\"},"
     "{\"op\":\"motion_blur\"},{\"op\":\"jpeg\",\"quality\":[10,40]}]}}"},
    {"frame", "{\"object\":{\"perspective\":0.5,\"perspective_of\":\"frame\","
              "\"scale\":[0.4,1.3],\"min_visible\":0}}"},
    {"distractors",
     "{\"distractor\":{\"probability\":0.7},\"labels\":{\"tensors\":["
     "\"distractor\",\"context\"]},\"object\":{\"match\":0.5,\"edge\":"
     "\"feather\",\"operations\":[{\"op\":\"jitter\"}]},\"background\":{"
     "\"operations\":[{\"op\":\"gaussian_blur\",\"sigma\":[0,2]}]}}"},
    {"candidates", "{\"candidates\":{\"translate\":[-9,9]}}"},
    {"keypoints", "{\"labels\":{\"tensors\":[\"keypoints\"]},\"object\":{"
                  "\"perspective\":[0,0.5],\"elastic\":[0,3]}}"},
    {"chain", "{\"chain\":{\"slots\":5,\"reset\":0.2,\"max_length\":12},"
              "\"image\":{\"operations\":[{\"op\":\"gaussian_blur\"}]},"
              "\"labels\":{\"tensors\":[\"context\",\"plane\"]}}"},
    {"chain-candidates",
     "{\"chain\":{\"slots\":3,\"reset\":0.2},\"distractor\":{\"probability\":"
     "0.5},\"labels\":{\"tensors\":[\"context\",\"candidate\"]}}"},
    {"chain-image",
     "{\"chain\":{\"slots\":3,\"reset\":0.2,\"handed_on\":\"image\"},"
     "\"image\":{\"operations\":[{\"op\":\"jitter\"}]},\"object\":{"
     "\"match\":0.5},\"output\":{\"channels\":\"grey\",\"normalize\":"
     "\"min-max\"},\"labels\":{\"tensors\":[\"context\"]}}"},
};
#define N_RECIPES (sizeof recipes / sizeof recipes[0])

/* A preset or a recipe of the table. */
static struct recipe recipe_named(const char *name)
{
    struct recipe r;
    struct fault fault = {0};
    for (size_t i = 0; i < N_RECIPES; i++)
        if (strcmp(recipes[i].name, name) == 0) {
            const char *json = recipes[i].json;
            assert_int_equal(recipe_parse(json, strlen(json), &r, &fault), 0);
            return r;
        }
    assert_int_equal(recipe_preset(name, &r, &fault), 0);
    return r;
}

/* Few of large frames, for the sake of slow builds. */
static uint32_t n_samples_of(const struct recipe *r, size_t size)
{
    return r->height * r->width > 1 << 17 ? 2 : sizes[size].n_samples;
}

/* The line of one pool, recipe and size, checked for every thread count
 * and every table of kernels. */
static void golden_line(const char *pool, const struct catalog *c,
                        const char *name, size_t size, FILE *out)
{
    struct recipe r = recipe_named(name);
    struct fault fault = {0};
    struct batch_layout l;
    if (sizes[size].side)
        r.height = r.width = sizes[size].side;
    const uint32_t n_candidates = strstr(name, "candidates") ? 4 : 1;
    assert_int_equal(batch_layout_init_candidates(
                         &l, &r, c, n_samples_of(&r, size) / n_candidates,
                         n_candidates, 0, 0),
                     0);
    struct work w = {
        .layout = &l, .recipe = &r, .catalog = c, .first = first_of(name, &r)};
    w.payload = malloc((size_t)l.tensors_bytes);
    struct graph_epoch *graph = make_graph(&r, c, &w.n_edges);
    w.graph = graph;
    char first[DIGEST_HEX_BYTES] = "", hex[DIGEST_HEX_BYTES];
    const struct pixel_kernels *k;
    for (uint32_t i = 0; (k = pixel_kernels_at(i / N_COUNTS_OF_LINE)); i++) {
        assert_int_equal(pixel_kernels_select(k->name, &fault), 0);
        compose_with(&w, thread_counts[(n_lines + i) % N_THREAD_COUNTS]);
        digest_of(&w, hex);
        if (i == 0)
            memcpy(first, hex, sizeof first);
        assert_string_equal(hex, first);
    }
    n_lines++;
    fprintf(out, "%d %s %s %d %u %s\n", ENGINE_VERSION, pool, name,
            sizes[size].side, l.n_samples, first);
    graph_epoch_destroy(graph);
    free(w.payload);
}

/* The whole file as it would be written today; the caller frees. */
static char *golden_text(void)
{
    char *text = NULL;
    size_t n_bytes = 0;
    FILE *out = open_memstream(&text, &n_bytes);
    assert_non_null(out);
    for (uint32_t p = 0; p < recipe_preset_count(); p++)
        for (size_t s = 0; s < N_SIZES; s++) {
            const char *preset = recipe_preset_name(p);
            golden_line("synthetic", &made.catalog, preset, s, out);
            golden_line("demo", demo, preset, s, out);
        }
    for (size_t i = 0; i < N_RECIPES; i++) {
        golden_line("synthetic", &made.catalog, recipes[i].name, 1, out);
        golden_line("demo", demo, recipes[i].name, 2, out);
    }
    fclose(out);
    return text;
}

static void bytes_are_those_of_the_golden_file(void **state)
{
    (void)state;
    static char expected[1 << 16];
    FILE *f = fopen(golden_path, "r");
    assert_non_null(f);
    expected[fread(expected, 1, sizeof expected - 1, f)] = '\0';
    fclose(f);
    char *text = golden_text(), *rest = text, *other = expected;
    char *line, *theirs;
    while ((line = strsep(&rest, "\n"))) {
        theirs = strsep(&other, "\n");
        assert_non_null(theirs);
        assert_string_equal(line, theirs);
    }
    assert_true(!other || !*other);
    free(text);
}

static void write_the_golden_file(void **state)
{
    (void)state;
    char *text = golden_text();
    FILE *f = fopen(golden_path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
    fclose(f);
    free(text);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest compare[] = {
        cmocka_unit_test(bytes_are_those_of_the_golden_file)};
    const struct CMUnitTest update[] = {
        cmocka_unit_test(write_the_golden_file)};
    if (argc < 2)
        return 2;
    golden_path = argv[1];
    bool is_update = argc > 2 && strcmp(argv[2], "--update") == 0;
    return is_update ? cmocka_run_group_tests(update, make_pools, drop_pools)
                     : cmocka_run_group_tests(compare, make_pools, drop_pools);
}
