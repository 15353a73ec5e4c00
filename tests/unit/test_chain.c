/* Chains as arithmetic: which position is pasted on which, how long they get
 * and how often they begin. Composes nothing (test_store_chain.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/graph/graph.h"
#include "server/plan/chain.h"
#include "server/plan/scene.h"

#define N_CLASSES 10
#define N_OBJECTS 30

static const uint32_t class_first[N_CLASSES + 1] = {0,  3,  6,  9,  12, 15,
                                                    18, 21, 24, 27, 30};
static struct pool_object objects[N_OBJECTS];
static const struct catalog catalog = {
    .n_classes = N_CLASSES,
    .n_objects = N_OBJECTS,
    .n_backgrounds = 40,
    .class_first = (uint32_t *)(uintptr_t)class_first,
    .objects = objects,
};

static struct recipe recipe_of(const char *json)
{
    struct recipe r;
    struct fault fault = {0};
    if (recipe_parse(json, strlen(json), &r, &fault) < 0)
        fail_msg("%s", fault.text);
    return r;
}

/* Labels of the first positions, epochs side by side. */
struct walk {
    struct chain chain;
    uint64_t n;
    uint8_t *label;
    uint64_t n_of[LINK_N];
    uint32_t longest;
};

static void set_labels(struct walk *w, const struct recipe *r)
{
    const struct graph_spec spec = scene_graph(r, &catalog);
    const uint64_t n_edges = graph_edges_per_epoch(&spec);
    for (uint64_t first = 0; first < w->n; first += n_edges) {
        struct graph_epoch *epoch;
        struct fault fault = {0};
        assert_int_equal(
            graph_epoch_create(&spec, first / n_edges, &epoch, &fault), 0);
        for (uint64_t i = first; i < w->n && i < first + n_edges; i++)
            w->label[i] =
                (uint8_t)(graph_epoch_edge(epoch, i - first).object / 3);
        graph_epoch_destroy(epoch);
    }
}

static struct walk walk_of(const char *json, uint64_t n)
{
    const struct recipe r = recipe_of(json);
    struct walk w = {.n = n, .label = calloc(n, 1)};
    uint32_t *length = calloc(n, sizeof(*length));
    assert_true(w.label && length);
    chain_init(&w.chain, &r, &catalog);
    set_labels(&w, &r);
    for (uint64_t p = 0; p < n; p++) {
        const uint64_t earlier = p < w.chain.slots ? 0 : p - w.chain.slots;
        const enum plan_link link =
            chain_link(&w.chain, p, w.label[p], w.label[earlier]);
        length[p] = link == LINK_PARENT ? length[earlier] + 1 : 1;
        w.longest = length[p] > w.longest ? length[p] : w.longest;
        w.n_of[link]++;
    }
    free(length);
    return w;
}

static double begins(const struct walk *w)
{
    return 1 - (double)w->n_of[LINK_PARENT] / (double)w->n;
}

/* Five standard deviations of a share of n independent positions. */
static void assert_share(double share, double expected, uint64_t n)
{
    const double e = share - expected;
    if (e * e > 25 * expected * (1 - expected) / (double)n)
        fail_msg("%.5f of %llu, where %.5f is expected", share,
                 (unsigned long long)n, expected);
}

static void as_many_begin_as_the_recipe_says(void **state)
{
    (void)state;
    static const struct {
        const char *graph;
        uint32_t slots, length;
        double reset;
    } cases[] = {
        {"\"objects_per_background\":5,\"order\":\"mixed\"", 10, 32, 0.212},
        {"\"objects_per_background\":2,\"order\":\"mixed\"", 50, 32, 0.171},
        {"\"objects_per_background\":5,\"order\":\"mixed\"", 4, 8, 0.3},
        {"\"objects_per_background\":2,\"order\":\"mixed\"", 37, 2, 0.6},
        {"\"order\":\"dealt\",\"objects_per_background\":10", 10, 16, 0.212},
        {"\"order\":\"shuffled\"", 13, 32, 0.212},
        {"\"pairing\":\"independent\"", 3, 32, 0.212},
        {"\"balance\":\"object\",\"objects_per_background\":1", 20, 32, 0.5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char json[400];
        snprintf(json, sizeof json,
                 "{\"seed\":%zu,\"graph\":{%s},\"chain\":{\"slots\":%u,"
                 "\"reset\":%g,\"max_length\":%u}}",
                 i, cases[i].graph, cases[i].slots, cases[i].reset,
                 cases[i].length);
        struct walk w = walk_of(json, 400000);
        assert_share(begins(&w), cases[i].reset, w.n);
        assert_true(w.longest <= cases[i].length);
        assert_int_equal(w.n_of[LINK_FIRST], cases[i].slots);
        assert_true(w.n_of[LINK_RESET] > 0 && w.n_of[LINK_LABEL] > 0);
        free(w.label);
    }
}

/* Where a background's row lies across two decks, its classes avoid each other,
 * and labels are alike a little more often than of independent decks. */
static void rows_across_decks_move_the_rate_by_little(void **state)
{
    (void)state;
    struct walk w = walk_of("{\"graph\":{\"order\":\"mixed\"},\"chain\":{"
                            "\"slots\":10,\"reset\":0.212}}",
                            400000);
    assert_true(begins(&w) > 0.212 && begins(&w) < 0.212 * 1.02);
    free(w.label);
}

/* One in so many positions of every slot, and slots at different times. */
static void the_bound_ends_every_chain(void **state)
{
    (void)state;
    struct walk w = walk_of("{\"graph\":{\"order\":\"mixed\"},\"chain\":{"
                            "\"slots\":600,\"reset\":0,\"max_length\":5}}",
                            600 * 5 * 20);
    uint32_t n_of_round[5] = {0};
    assert_true(w.longest == 5);
    for (uint64_t p = 600; p < 600 * 6; p++) {
        const bool ends = chain_may_link(&w.chain, p) == LINK_LENGTH;
        n_of_round[p / 600 % 5] += ends;
        for (uint64_t k = 1; k < 5; k++)
            if (ends)
                assert_int_equal(chain_may_link(&w.chain, p + 600 * k),
                                 LINK_PARENT);
        assert_int_equal(chain_may_link(&w.chain, p + 3000) == LINK_LENGTH,
                         ends);
    }
    for (int i = 0; i < 5; i++)
        assert_true(n_of_round[i] > 70 && n_of_round[i] < 170);
    free(w.label);
}

static void labels_that_are_alike_are_never_chained(void **state)
{
    (void)state;
    struct walk w = walk_of("{\"chain\":{\"slots\":7,\"reset\":0}}", 20000);
    uint64_t n_alike = 0;
    for (uint64_t p = 7; p < w.n; p++) {
        const bool alike = w.label[p] == w.label[p - 7];
        const enum plan_link link =
            chain_link(&w.chain, p, w.label[p], w.label[p - 7]);
        assert_true(!alike || link != LINK_PARENT);
        assert_true(alike || link != LINK_LABEL);
        n_alike += alike;
    }
    assert_true(n_alike > 500);
    assert_int_equal(w.n_of[LINK_RESET], 0);
    free(w.label);
}

/* An object of the label at each position, and how often one was asked for. */
static uint64_t n_asked;

static struct graph_edge edge_of_walk(const void *walk, uint64_t position)
{
    const struct walk *w = walk;
    n_asked++;
    assert_true(position < w->n);
    return (struct graph_edge){.object = 3u * w->label[position] +
                                         (uint32_t)(position % 3)};
}

static void edges_tell_the_same_and_only_where_they_decide(void **state)
{
    (void)state;
    struct walk w = walk_of(
        "{\"chain\":{\"slots\":7,\"reset\":0.4,\"max_length\":6}}", 20000);
    for (uint32_t i = 0; i < N_OBJECTS; i++)
        objects[i].class_id = i / 3;
    for (uint64_t p = 0; p < w.n; p++) {
        n_asked = 0;
        const enum plan_link link =
            chain_link_of(&w.chain, &catalog, edge_of_walk, &w, p);
        assert_int_equal(link, chain_link(&w.chain, p, w.label[p],
                                          p < 7 ? 0 : w.label[p - 7]));
        assert_int_equal(n_asked,
                         chain_may_link(&w.chain, p) == LINK_PARENT ? 2 : 0);
    }
    free(w.label);
}

/* All begin, or as few as labels and bound make; and a curriculum between. */
static void the_rate_may_move(void **state)
{
    (void)state;
    struct walk all = walk_of("{\"chain\":{\"slots\":10,\"reset\":1}}", 5000);
    assert_int_equal(all.n_of[LINK_PARENT], 0);
    free(all.label);
    struct walk w = walk_of(
        "{\"graph\":{\"order\":\"mixed\"},\"chain\":{\"slots\":10,\"reset\":{"
        "\"from\":1,\"to\":0.3,\"over\":[1000,1001]}}}",
        200000);
    uint64_t n_early = 0, n_late = 0;
    for (uint64_t p = 10; p < w.n; p++) {
        const bool goes_on =
            chain_link(&w.chain, p, w.label[p], w.label[p - 10]) == LINK_PARENT;
        n_early += p < 1000 && goes_on;
        n_late += p >= 1001 && !goes_on;
    }
    assert_int_equal(n_early, 0);
    assert_share((double)n_late / (double)(w.n - 1001), 0.3, w.n - 1001);
    free(w.label);
}

static void what_a_chain_would_cost_is_bounded(void **state)
{
    (void)state;
    static const struct {
        const char *json, *text;
    } refused[] = {
        {"{\"size\":2048,\"chain\":{\"slots\":1,\"max_length\":17}}",
         "/chain/max_length: 17 frames of 2048 x 2048 px are more than one "
         "sample may cost; at most 16"},
        {"{\"size\":64,\"chain\":{\"slots\":16385}}",
         "/chain/slots: 16385 slots of 32 frames of 64 x 64 px are more than "
         "one request may cost; at most 16384 of this max_length"},
        {"{\"chain\":{\"slots\":4},\"object\":{\"edge\":{\"every\":[\"hard\","
         "\"box\"]}"
         "}}",
         "/chain/slots: a chain shows every scene on another context, so "
         "object/edge cannot be every"},
        {"{\"chain\":{\"slots\":65537}}",
         "/chain/slots: must be at most 65536, not 65537"},
        {"{\"chain\":{\"max_length\":1}}",
         "/chain/max_length: must be at least 2, not 1"},
        {"{\"chain\":{\"reset\":-0.1}}",
         "/chain/reset: must be at least 0, not -0.1"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct recipe r;
        struct fault fault = {0};
        if (recipe_parse(refused[i].json, strlen(refused[i].json), &r,
                         &fault) != -ERROR_BAD_RECIPE)
            fail_msg("%s is not refused", refused[i].json);
        assert_string_equal(fault.text, refused[i].text);
    }
    recipe_of("{\"size\":64,\"chain\":{\"slots\":16384}}");
    recipe_of("{\"size\":2048,\"chain\":{\"slots\":32,\"max_length\":16}}");
}

static void nothing_before_the_reach_is_needed(void **state)
{
    (void)state;
    const struct recipe r =
        recipe_of("{\"chain\":{\"slots\":9,\"reset\":0,\"max_length\":6}}");
    struct chain c;
    chain_init(&c, &r, &catalog);
    for (uint64_t p = 0; p < 2000; p++) {
        uint64_t q = p;
        while (chain_may_link(&c, q) == LINK_PARENT)
            q -= 9;
        assert_true(q >= chain_reach(&c, p));
    }
    assert_int_equal(chain_reach(&c, 44), 0);
    assert_int_equal(chain_reach(&c, 1045), 1000);
}

int main(void)
{
    for (uint32_t i = 0; i < N_OBJECTS; i++)
        objects[i].class_id = i / 3;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_begin_as_the_recipe_says),
        cmocka_unit_test(rows_across_decks_move_the_rate_by_little),
        cmocka_unit_test(the_bound_ends_every_chain),
        cmocka_unit_test(labels_that_are_alike_are_never_chained),
        cmocka_unit_test(edges_tell_the_same_and_only_where_they_decide),
        cmocka_unit_test(the_rate_may_move),
        cmocka_unit_test(what_a_chain_would_cost_is_bounded),
        cmocka_unit_test(nothing_before_the_reach_is_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
