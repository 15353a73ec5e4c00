/* Composing a sample takes no memory, no lock and makes no system call: every
 * operation, preset and word of the recipe's table, every form of output, with
 * each table of kernels. Each table runs in a child of its own, in which every
 * system call is caught once all is warm. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/compose/chained.h"
#include "server/graph/graph.h"
#include "server/pixel/kernels.h"
#include "server/recipe/field.h"
#include "server/recipe/operation.h"
#include "tests/unit/quiet.h"
#include "tests/unit/synthetic.h"

#define MAX_CASES    400
#define NAME_BYTES   240
#define N_SAMPLES    16 /* of a batch's layout */
#define N_COMPOSED   4  /* of these, each time */
#define CALLS_UNSEEN 99 /* exit code: no seccomp filter to be had */

static const struct synthetic_spec spec = {
    .seed = 3,
    .n_objects = 8,
    .n_backgrounds = 6,
    .object_least = 20,
    .object_most = 200,
    .background_least = 60,
    .background_most = 300,
    .strokes = true,
};

/* Beyond one key at a time. */
static const char *const handmade[] = {
    "{}",
    "{\"size\":224}", /* beyond the caches: written around them */
    "{\"size\":[31,500]}",
    "{\"chain\":{\"slots\":2,\"reset\":0.1},\"image\":{\"operations\":[{"
    "\"op\":\"box_blur\"}]}}",
    "{\"chain\":{\"slots\":1,\"handed_on\":\"image\"}}",
    "{\"size\":72,\"object\":{\"perspective\":0.5,\"elastic\":6,"
    "\"shear_y\":[-20,20],\"stretch\":[0.5,2],\"flip\":0.5}}",
    "{\"size\":72,\"object\":{\"perspective\":0.5,\"edge\":\"feather\","
    "\"feather\":5,\"hue\":[-0.5,0.5]}}",
    "{\"size\":72,\"object\":{\"stroke\":[-3,4]}}",
    "{\"size\":72,\"object\":{\"brightness\":[0,4]},"
    "\"background\":{\"contrast\":[0,4],\"aspect\":[0.1,10]}}",
    "{\"size\":72,\"context\":{\"background\":0,\"noise\":1}}",
    "{\"size\":72,\"context\":{\"background\":0,\"gaussian_noise\":1}}",
    "{\"size\":72,\"context\":{\"background\":0,\"solid\":1}}",
    "{\"size\":72,\"context\":{\"background\":0,\"gradient\":1}}",
    "{\"size\":72,\"object\":{\"rotate\":{\"from\":0,\"to\":[-180,180],"
    "\"over\":[0,20]}}}",
    "{\"size\":72,\"labels\":{\"tensors\":[\"label\",\"object\","
    "\"background\",\"position\",\"box\",\"visible\",\"mask\",\"plane\","
    "\"context\"]}}",
};

struct one {
    char name[NAME_BYTES];
    struct recipe recipe;
    struct batch_layout layout;
    uint8_t *payload;
    void *scratch;
};

/* Shared with the children. */
struct shared {
    uint32_t n_composed;
    struct quiet_counts counts[MAX_CASES];
};

static struct synthetic made;
static struct one *cases;
static uint32_t n_cases;
static struct shared *shared;

static void *allocate(size_t n_bytes)
{
    void *p = aligned_alloc(64, (n_bytes + 63) / 64 * 64);
    assert_non_null(p);
    return p;
}

static void add_recipe(const char *name, const struct recipe *r, uint8_t dtype,
                       uint8_t layout)
{
    struct one *c = &cases[n_cases++];
    assert_true(n_cases <= MAX_CASES);
    snprintf(c->name, sizeof c->name, "%s, dtype %d, layout %d", name, dtype,
             layout);
    c->recipe = *r;
    assert_int_equal(
        batch_layout_init(&c->layout, r, NULL, N_SAMPLES, dtype, layout), 0);
    c->payload = allocate((size_t)c->layout.tensors_bytes);
    c->scratch = allocate(batch_scratch_bytes(r));
}

static void add(const char *json)
{
    struct recipe r;
    struct fault fault = {0};
    if (recipe_parse(json, strlen(json), &r, &fault) < 0)
        fail_msg("%s: %s", json, fault.text);
    add_recipe(json, &r, 0, 0);
}

static void add_operations(void)
{
    for (uint32_t id = 0; id < OPERATION_N; id++) {
        char list[80], json[300];
        snprintf(list, sizeof list, "{\"operations\":[{\"op\":\"%s\"}]}",
                 operation_table[id].name);
        snprintf(json, sizeof json,
                 "{\"size\":72,\"image\":%s,\"background\":%s,\"object\":%s}",
                 list, list, list);
        add(json);
    }
}

static void add_presets(void)
{
    for (uint32_t i = 0; i < recipe_preset_count(); i++) {
        char json[120];
        snprintf(json, sizeof json, "{\"preset\":\"%s\"}",
                 recipe_preset_name(i));
        add(json);
    }
}

/* "/a/b" and a word -> {"a":{"b":"word"}}. */
static void add_word(const char *pointer, const char *word)
{
    char json[NAME_BYTES] = "";
    size_t depth = 0, n = 0;
    for (const char *key = pointer; *key == '/'; depth++) {
        size_t n_key = strcspn(key + 1, "/");
        n += (size_t)snprintf(json + n, sizeof json - n,
                              "{\"%.*s\":", (int)n_key, key + 1);
        key += 1 + n_key;
    }
    n += (size_t)snprintf(json + n, sizeof json - n, "\"%s\"", word);
    while (depth-- > 0)
        n += (size_t)snprintf(json + n, sizeof json - n, "}");
    add(json);
}

static void add_words(void)
{
    for (uint32_t i = 0; i < field_count; i++)
        for (const struct field_word *w = field_table[i].words; w && w->word;
             w++)
            add_word(field_table[i].pointer, w->word);
}

static void add_outputs(void)
{
    static const uint8_t dtypes[] = {TENSOR_U8, TENSOR_F16, TENSOR_BF16,
                                     TENSOR_F32};
    for (int channels = TENSOR_RGB; channels <= TENSOR_GREY; channels++)
        for (int mode = 0; mode <= NORMALIZE_EQUALIZE; mode++)
            for (size_t i = 0; i < 8; i++) {
                struct recipe r;
                char name[60];
                recipe_default(&r);
                r.output.channels = (uint8_t)channels;
                r.output.normalize = (uint8_t)mode;
                snprintf(name, sizeof name, "channels %d, normalize %d",
                         channels, mode);
                add_recipe(name, &r, dtypes[i / 2],
                           i % 2 ? TENSOR_NCHW : TENSOR_NHWC);
            }
}

static int set_up(void **state)
{
    (void)state;
    synthetic_make(&made, &spec);
    cases = calloc(MAX_CASES, sizeof *cases);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!cases || shared == MAP_FAILED)
        return -1;
    for (size_t i = 0; i < sizeof handmade / sizeof handmade[0]; i++)
        add(handmade[i]);
    add_operations();
    add_presets();
    add_words();
    add_outputs();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < n_cases; i++) {
        free(cases[i].payload);
        free(cases[i].scratch);
    }
    free(cases);
    munmap(shared, sizeof *shared);
    synthetic_fini(&made);
    return 0;
}

static struct graph_edge edge_of(const void *source, uint64_t position)
{
    (void)source;
    return (struct graph_edge){(uint32_t)position % spec.n_objects,
                               (uint32_t)position % spec.n_backgrounds};
}

/* Of which nothing is at hand: all is composed from where it begins. */
static void compose_chain(struct batch_composer *composer, uint64_t first)
{
    struct chain chain;
    chain_init(&chain, composer->recipe, composer->catalog);
    struct chained chained = {.composer = composer,
                              .chain = &chain,
                              .first_position = first,
                              .edge_of = edge_of};
    chained_run(&chained, 0, chained_columns(&chain, N_SAMPLES));
}

/* As serve/rendering.c does, but for whom the positions belong to. */
static void compose(const struct one *c, uint64_t first)
{
    struct batch_composer composer;
    struct batch_sample sample[N_COMPOSED + 1];
    for (uint32_t i = 0; i <= N_COMPOSED; i++)
        sample[i] = (struct batch_sample){
            .position = first + i,
            .edge = {(uint32_t)(first + i) % spec.n_objects,
                     (uint32_t)(first + i) % spec.n_backgrounds},
            .index = i,
        };
    batch_composer_init(&composer, &c->layout, &c->recipe, &made.catalog,
                        c->scratch, c->payload);
    if (c->recipe.chain.slots > 0)
        compose_chain(&composer, first);
    for (uint32_t i = 0; c->recipe.chain.slots == 0 && i < N_COMPOSED; i++)
        batch_composer_run(&composer, &sample[i],
                           i + 1 < N_COMPOSED ? &sample[i + 1] : NULL);
}

static void run_child(const char *kernels)
{
    struct fault fault;
    if (pixel_kernels_select(kernels, &fault) < 0)
        quiet_exit(1);
    for (uint32_t i = 0; i < n_cases; i++)
        compose(&cases[i], 0);
    bool caught = quiet_catch_calls();
    for (uint32_t i = 0; i < n_cases; i++) {
        quiet_reset();
        compose(&cases[i], 100);
        shared->counts[i] = quiet_counts();
        shared->n_composed = i + 1;
    }
    quiet_exit(caught ? 0 : CALLS_UNSEEN);
}

static void check(const char *kernels, int status)
{
    for (uint32_t i = 0; i < shared->n_composed; i++) {
        const struct quiet_counts *c = &shared->counts[i];
        if (c->allocations || c->locks || c->calls)
            fail_msg("%s, %s: %ju allocations or frees, %ju locks, %ju system "
                     "calls (the first is number %d) in %d samples",
                     kernels, cases[i].name, (uintmax_t)c->allocations,
                     (uintmax_t)c->locks, (uintmax_t)c->calls, c->first_call,
                     N_COMPOSED);
    }
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == CALLS_UNSEEN)
        print_message("no seccomp filter here: system calls not counted\n");
    else
        assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(shared->n_composed, n_cases);
}

static void composing_takes_no_memory_no_lock_and_no_system_call(void **state)
{
    const struct pixel_kernels *k;
    for (uint32_t i = 0; (k = pixel_kernels_at(i)) != NULL; i++) {
        int status;
        memset(shared, 0, sizeof *shared);
        pid_t child = fork();
        if (child == 0)
            run_child(k->name);
        assert_int_equal(waitpid(child, &status, 0), child);
        check(k->name, status);
    }
}

/* Done in a child; what the counters say of it is kept. */
static void misbehave(void)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    bool caught = quiet_catch_calls();
    quiet_reset();
    void *volatile p = malloc(100);
    free(p);
    pthread_mutex_lock(&mutex);
    (void)getppid();
    shared->counts[0] = quiet_counts();
    quiet_exit(caught ? 0 : CALLS_UNSEEN);
}

static void what_is_done_all_the_same_is_counted(void **state)
{
    int status;
    memset(shared, 0, sizeof *shared);
    pid_t child = fork();
    if (child == 0)
        misbehave();
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(shared->counts[0].allocations, 2);
    assert_int_equal(shared->counts[0].locks, 1);
    if (WEXITSTATUS(status) != CALLS_UNSEEN)
        assert_true(shared->counts[0].calls >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_done_all_the_same_is_counted),
        cmocka_unit_test(composing_takes_no_memory_no_lock_and_no_system_call),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
