/* What the balanced graph promises, recounted for many shapes, orders and
 * epochs: exact degrees, no duplicates, classes at their optimum, class-once
 * blocks, each edge once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/base/philox.h"
#include "tests/unit/graph_tally.h"

static const uint64_t epochs[] = {0, 1, 2, 7, 1ull << 40};
#define N_EPOCHS (sizeof(epochs) / sizeof(epochs[0]))

/* {K, class size or 0 for Zipf, nB, dB} */
static const uint32_t shapes[][4] = {
    {1, 1, 1, 1},     /* the least there is */
    {1, 7, 1, 5},     /* 1 class, 1 background */
    {1, 9, 7, 9},     /* 1 class, full product */
    {1, 9, 7, 8},     /* all but one */
    {43, 1, 80, 4},   /* the real data: 344 edges, 24 extra */
    {43, 10, 43, 10}, /* exact on both sides */
    {43, 10, 50, 30}, /* dense */
    {10, 3, 1, 4},    /* rounding gives the only background 10 */
    {13, 5, 29, 7},   /* primes */
    {7, 11, 31, 13},  /* primes, dB > K */
    {5, 4, 9, 20},    /* full product */
    {5, 4, 9, 19},    /* all but one */
    {5, 4, 9, 11},    /* dB = 2K + 1 */
    {5, 4, 9, 10},    /* dB = 2K */
    {6, 8, 17, 29},   /* dB = 5K - 1: straddling rows over 4 whole decks */
    {2, 30, 40, 31},  /* two classes, long laps inside a row */
    {20, 0, 60, 12},  /* Zipf */
    {20, 0, 13, 20},  /* Zipf, every class once */
    {20, 0, 13, 77},  /* Zipf, dB > K: by object only */
    {11, 0, 5, 183},  /* Zipf, nearly the full product */
    {300, 0, 40, 3},  /* many classes, few seen */
    {64, 2, 3, 1},    /* fewer edges than one round */
};
#define N_SHAPES (sizeof(shapes) / sizeof(shapes[0]))

static int is_share(uint64_t value, uint64_t total, uint64_t parts)
{
    uint64_t low = total / parts;
    return value == low || (value == low + 1 && total % parts != 0);
}

static int sizes_are_equal(const struct shape *s)
{
    for (uint32_t c = 1; c < s->spec.n_classes; c++)
        if (shape_class_size(s, c) != shape_class_size(s, 0))
            return 0;
    return 1;
}

static int is_decked(const struct shape *s)
{
    return s->spec.balance == GRAPH_BY_CLASS || sizes_are_equal(s);
}

static void expect_edge_count(const struct shape *s, const struct tally *t)
{
    uint64_t k = s->spec.n_classes, n_rows = s->spec.n_backgrounds;
    uint64_t wanted = n_rows * s->spec.objects_per_background;
    uint64_t rounded = wanted;
    while (rounded % k != 0)
        rounded++;
    if (!is_decked(s) && rounded > n_rows * s->n_objects)
        rounded = n_rows * s->n_objects;
    shape_expect(s, 0, t->n_edges == rounded, "number of edges");
}

static void expect_no_duplicates(const struct shape *s, uint64_t epoch,
                                 const struct tally *t)
{
    size_t n = (size_t)s->n_objects * s->spec.n_backgrounds;
    for (size_t i = 0; i < n; i++)
        shape_expect(s, epoch, t->matrix[i] <= 1, "an edge occurs twice");
}

static void expect_degrees(const struct shape *s, uint64_t epoch,
                           const struct tally *t)
{
    uint64_t k = s->spec.n_classes, e = t->n_edges;
    for (uint32_t b = 0; b < s->spec.n_backgrounds; b++)
        shape_expect(
            s, epoch,
            is_share(t->background_degree[b], e, s->spec.n_backgrounds),
            "degree of a background");
    for (uint32_t c = 0; c < k; c++)
        shape_expect(s, epoch,
                     is_decked(s)
                         ? t->class_degree[c] == e / k
                         : is_share(t->class_degree[c],
                                    e * shape_class_size(s, c), s->n_objects),
                     "degree of a class");
    for (uint32_t o = 0; o < s->n_objects; o++) {
        uint32_t size = shape_class_size(s, s->class_of[o]);
        shape_expect(s, epoch,
                     is_decked(s)
                         ? is_share(t->object_degree[o], e / k, size)
                         : is_share(t->object_degree[o], e, s->n_objects),
                     "degree of an object");
    }
}

/* Floor or ceil of each class's share on every background, which also gives
 * the most distinct classes that the class degrees allow. */
static void expect_classes(const struct shape *s, uint64_t epoch,
                           const struct tally *t)
{
    uint32_t k = s->spec.n_classes, n_rows = s->spec.n_backgrounds;
    uint64_t n_distinct = 0, optimum = 0;
    for (uint32_t b = 0; b < n_rows; b++) {
        for (uint32_t c = 0; c < k; c++) {
            uint32_t n = t->on_background[(size_t)b * k + c];
            n_distinct += n > 0;
            shape_expect(s, epoch, is_share(n, t->class_degree[c], n_rows),
                         "share of a class on a background");
            if (is_decked(s))
                shape_expect(s, epoch, is_share(n, t->background_degree[b], k),
                             "floor or ceil of dB / K");
        }
    }
    for (uint32_t c = 0; c < k; c++)
        optimum += t->class_degree[c] < n_rows ? t->class_degree[c] : n_rows;
    shape_expect(s, epoch, n_distinct == optimum, "distinct classes");
}

static void expect_class_once_blocks(const struct shape *s, uint64_t epoch,
                                     const struct tally *t)
{
    uint32_t k = s->spec.n_classes;
    uint64_t last_block[SHAPE_MAX_CLASSES] = {0};
    if (!is_decked(s) || s->spec.order == GRAPH_SHUFFLED)
        return;
    shape_expect(s, epoch, t->n_edges % k == 0, "whole blocks");
    for (uint64_t i = 0; i < t->n_edges; i++) {
        uint64_t *last = &last_block[s->class_of[t->edges[i].object]];
        shape_expect(s, epoch, *last != i / k + 1, "class twice in a block");
        *last = i / k + 1;
    }
}

/* In dealing order a background's edges are together. */
static void expect_runs(const struct shape *s, uint64_t epoch,
                        const struct tally *t)
{
    uint64_t n_runs = 1;
    if (s->spec.order != GRAPH_DEALT)
        return;
    for (uint64_t i = 1; i < t->n_edges; i++)
        n_runs += t->edges[i].background != t->edges[i - 1].background;
    shape_expect(s, epoch, n_runs == s->spec.n_backgrounds,
                 "a background's edges are apart");
}

static void expect_everything(const struct shape *s, uint64_t epoch,
                              const struct tally *t)
{
    expect_edge_count(s, t);
    expect_no_duplicates(s, epoch, t);
    expect_degrees(s, epoch, t);
    expect_classes(s, epoch, t);
    expect_class_once_blocks(s, epoch, t);
    expect_runs(s, epoch, t);
}

/* All orders emit the same edges, each once. */
static void check_orders(struct shape *s, uint64_t epoch)
{
    size_t n = (size_t)s->n_objects * s->spec.n_backgrounds;
    s->spec.order = GRAPH_DEALT;
    struct tally *dealt = tally_create(s, epoch);
    expect_everything(s, epoch, dealt);
    for (int order = GRAPH_MIXED; order <= GRAPH_SHUFFLED; order++) {
        s->spec.order = (enum graph_order)order;
        struct tally *t = tally_create(s, epoch);
        expect_everything(s, epoch, t);
        shape_expect(s, epoch, memcmp(t->matrix, dealt->matrix, n) == 0,
                     "another order emits other edges");
        tally_destroy(t);
    }
    tally_destroy(dealt);
}

static int class_is_too_small(const struct shape *s)
{
    uint32_t k = s->spec.n_classes;
    uint32_t needed = (s->spec.objects_per_background + k - 1) / k;
    for (uint32_t c = 0; c < k; c++)
        if (shape_class_size(s, c) < needed)
            return is_decked(s);
    return 0;
}

static void check_shape(struct shape *s)
{
    for (int balance = GRAPH_BY_CLASS; balance <= GRAPH_BY_OBJECT; balance++) {
        s->spec.balance = (enum graph_balance)balance;
        struct fault fault = {0};
        int rc = graph_spec_check(&s->spec, &fault);
        if (class_is_too_small(s)) {
            shape_expect(s, 0, rc == -ERROR_BAD_RECIPE, "not refused");
            continue;
        }
        shape_expect(s, 0, rc == 0, fault.text);
        for (size_t i = 0; i < N_EPOCHS; i++)
            check_orders(s, epochs[i]);
    }
}

static void chosen_shapes_are_balanced(void **state)
{
    for (size_t i = 0; i < N_SHAPES; i++) {
        const uint32_t *n = shapes[i];
        struct shape *s = shape_create(n[0], n[1], n[2], n[3]);
        check_shape(s);
        shape_destroy(s);
    }
}

static uint32_t pick(uint32_t shape, uint32_t what, uint32_t low, uint32_t high)
{
    struct philox_block b = philox_draw(graph_test_seed(), shape, 4095, what);
    return low + b.word[0] % (high - low + 1);
}

static void random_shapes_are_balanced(void **state)
{
    for (uint32_t i = 0; i < 250; i++) {
        uint32_t sizes[12], n_objects = 0;
        uint32_t k = pick(i, 0, 1, 12), largest = pick(i, 1, 1, 9);
        for (uint32_t c = 0; c < k; c++) {
            sizes[c] = i % 3 == 0 ? largest : pick(i, 10 + c, 1, largest);
            n_objects += sizes[c];
        }
        struct shape *s = shape_create_sizes(k, sizes, pick(i, 2, 1, 30),
                                             pick(i, 3, 1, n_objects));
        s->spec.seed += i;
        check_shape(s);
        shape_destroy(s);
    }
}

/* Over any run of epochs the extra edges go round: counts differ by one. */
static void check_turns(struct shape *s, uint64_t first_epoch)
{
    uint32_t n_rows = s->spec.n_backgrounds;
    uint64_t *objects = calloc(s->n_objects, sizeof(*objects));
    uint64_t *rows = calloc(n_rows, sizeof(*rows));
    assert_true(objects != NULL && rows != NULL);
    for (uint64_t epoch = first_epoch; epoch < first_epoch + 25; epoch++) {
        struct tally *t = tally_create(s, epoch);
        for (uint32_t o = 0; o < s->n_objects; o++)
            objects[o] += t->object_degree[o];
        for (uint32_t b = 0; b < n_rows; b++)
            rows[b] += t->background_degree[b];
        tally_destroy(t);
        for (uint32_t b = 1; b < n_rows; b++)
            shape_expect(s, epoch,
                         rows[b] + 1 >= rows[0] && rows[b] <= rows[0] + 1,
                         "backgrounds drift apart");
        for (uint32_t o = 1; o < s->n_objects; o++)
            if (!is_decked(s) || s->class_of[o] == s->class_of[o - 1])
                shape_expect(s, epoch,
                             objects[o] + 1 >= objects[o - 1] &&
                                 objects[o] <= objects[o - 1] + 1,
                             "objects drift apart");
    }
    free(objects);
    free(rows);
}

static void extra_edges_go_round(void **state)
{
    static const uint32_t some[][4] = {
        {43, 3, 80, 4}, {13, 5, 29, 7}, {7, 11, 31, 13}, {20, 0, 60, 12}};
    for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
        for (int balance = GRAPH_BY_CLASS; balance <= GRAPH_BY_OBJECT;
             balance++) {
            struct shape *s =
                shape_create(some[i][0], some[i][1], some[i][2], some[i][3]);
            s->spec.balance = (enum graph_balance)balance;
            check_turns(s, 0);
            shape_destroy(s);
        }
    }
}

/* A reader of G at a time, G no multiple of K and larger than E in the end,
 * sees each class once in every aligned block, across epochs. */
static void blocks_survive_the_seam(void **state)
{
    for (int order = GRAPH_DEALT; order <= GRAPH_MIXED; order++) {
        struct shape *s = shape_create(43, 2, 31, 4);
        s->spec.order = (enum graph_order)order;
        uint64_t position = 0, last_block[43] = {0};
        for (uint64_t epoch = 0; epoch < 6; epoch++) {
            struct tally *t = tally_create(s, epoch);
            for (uint64_t i = 0; i < t->n_edges; i++, position++) {
                uint32_t c = s->class_of[t->edges[i].object];
                shape_expect(s, epoch, last_block[c] != position / 43 + 1,
                             "class twice in a block of positions");
                last_block[c] = position / 43 + 1;
            }
            tally_destroy(t);
        }
        shape_destroy(s);
    }
}

/* owner: [nB] class of each background, or -1; kept over epochs. seen: [nB]
 * edges so far. Counts of a class's own backgrounds differ by one at most. */
static void check_owners(const struct shape *s, uint64_t epoch, int64_t *owner,
                         uint64_t *seen)
{
    struct tally *t = tally_create(s, epoch);
    uint64_t low[SHAPE_MAX_CLASSES], high[SHAPE_MAX_CLASSES] = {0};
    memset(low, 255, sizeof(low));
    for (uint64_t i = 0; i < t->n_edges; i++) {
        uint32_t b = t->edges[i].background;
        int64_t c = s->class_of[t->edges[i].object];
        shape_expect(s, epoch, owner[b] == -1 || owner[b] == c,
                     "a background of two classes");
        owner[b] = c;
        seen[b]++;
    }
    for (uint32_t b = 0; b < s->spec.n_backgrounds; b++) {
        if (owner[b] < 0 || !is_decked(s))
            continue;
        uint64_t *l = &low[owner[b]], *h = &high[owner[b]];
        *l = seen[b] < *l ? seen[b] : *l;
        *h = seen[b] > *h ? seen[b] : *h;
        shape_expect(s, epoch, *h <= *l + 1, "own backgrounds drift apart");
    }
    tally_destroy(t);
}

static void expect_shares_of_backgrounds(const struct shape *s,
                                         const int64_t *owner)
{
    uint32_t k = s->spec.n_classes, n_rows = s->spec.n_backgrounds;
    uint32_t n_own[SHAPE_MAX_CLASSES] = {0};
    for (uint32_t b = 0; b < n_rows; b++) {
        shape_expect(s, 0, owner[b] >= 0, "a background without a class");
        n_own[owner[b]]++;
    }
    for (uint32_t c = 0; c < k; c++)
        shape_expect(s, 0, is_share(n_own[c], n_rows, k), "own backgrounds");
}

/* Correlated moves objects to other backgrounds and changes nothing else. */
static void expect_same_objects(struct shape *s, uint64_t epoch)
{
    struct tally *correlated = tally_create(s, epoch);
    s->spec.pairing = GRAPH_BALANCED;
    struct tally *balanced = tally_create(s, epoch);
    s->spec.pairing = GRAPH_CORRELATED;
    shape_expect(s, epoch, correlated->n_edges == balanced->n_edges, "edges");
    for (uint64_t i = 0; i < balanced->n_edges; i++)
        shape_expect(s, epoch,
                     correlated->edges[i].object == balanced->edges[i].object,
                     "objects are not as balanced deals them");
    tally_destroy(correlated);
    tally_destroy(balanced);
}

static void correlated_classes_keep_to_their_own(void **state)
{
    static const uint32_t some[][4] = {
        {43, 3, 80, 4}, {13, 5, 29, 7}, {20, 0, 60, 12}, {9, 2, 9, 6}};
    for (int which = 0; which < 4 * 6; which++) {
        const uint32_t *n = some[which / 6];
        struct shape *s = shape_create(n[0], n[1], n[2], n[3]);
        int64_t owner[80];
        uint64_t seen[80] = {0};
        memset(owner, 255, sizeof(owner));
        s->spec.pairing = GRAPH_CORRELATED;
        s->spec.order = (enum graph_order)(which % 3);
        s->spec.balance = (enum graph_balance)(which / 3 % 2);
        for (uint64_t epoch = 0; epoch < 12; epoch++)
            check_owners(s, epoch, owner, seen);
        expect_shares_of_backgrounds(s, owner);
        expect_same_objects(s, 5);
        shape_destroy(s);
    }
}

/* Whose a background is hangs on the seed alone. */
static void another_seed_gives_other_owners(void **state)
{
    struct shape *s = shape_create(10, 2, 400, 5);
    uint32_t n_same = 0;
    s->spec.pairing = GRAPH_CORRELATED;
    struct tally *a = tally_create(s, 0);
    s->spec.seed++;
    struct tally *b = tally_create(s, 0);
    for (uint32_t i = 0; i < 400 * 10; i++)
        n_same += a->on_background[i] > 0 && b->on_background[i] > 0;
    shape_expect(s, 0, n_same > 10 && n_same < 90, "40 of 400 by chance");
    tally_destroy(a);
    tally_destroy(b);
    shape_destroy(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chosen_shapes_are_balanced),
        cmocka_unit_test(random_shapes_are_balanced),
        cmocka_unit_test(extra_edges_go_round),
        cmocka_unit_test(blocks_survive_the_seam),
        cmocka_unit_test(correlated_classes_keep_to_their_own),
        cmocka_unit_test(another_seed_gives_other_owners),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
