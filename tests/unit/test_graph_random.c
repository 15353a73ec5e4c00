/* Whether the graph is as random as it is balanced: dispersion of pairs near
 * the measured figures, epochs independent, permutations uniform; the report
 * against a naive recount; golden digests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/base/digest.h"
#include "server/graph/feistel.h"
#include "tests/unit/graph_tally.h"

static void expect_between(double value, double low, double high,
                           const char *what)
{
    if (value < low || value > high)
        fail_msg("%s is %.4f, not within %.4f .. %.4f; replay with "
                 "PASTED_TEST_SEED=%llu",
                 what, value, low, high, (unsigned long long)graph_test_seed());
}

static struct graph_report report_of(const struct graph_spec *spec,
                                     uint64_t epoch)
{
    struct graph_epoch *e = NULL;
    struct graph_report report;
    struct fault fault = {0};
    assert_int_equal(graph_epoch_create(spec, epoch, &e, &fault), 0);
    assert_int_equal(graph_epoch_report(e, &report, &fault), 0);
    graph_epoch_destroy(e);
    return report;
}

/* The shape that was measured when the method was chosen: decks .74 and .98,
 * plain uniform pairing .86 and .96, a strided one 419 and 98. */
static void pairs_are_dispersed_as_measured(void **state)
{
    struct shape *s = shape_create(43, 10, 4300, 10);
    double class_pairs = 0, object_pairs = 0;
    const int n = 8;
    for (int epoch = 0; epoch < n; epoch++) {
        struct graph_report r = report_of(&s->spec, (uint64_t)epoch);
        class_pairs += r.class_pair_dispersion / n;
        object_pairs += r.object_pair_dispersion / n;
        assert_int_equal(r.n_class_pairs_never_met, 0);
        assert_int_equal(r.n_duplicate_edges, 0);
        assert_int_equal(r.object_degree_min, 100);
        assert_int_equal(r.object_degree_max, 100);
        assert_int_equal(r.background_degree_min, 10);
        assert_int_equal(r.background_degree_max, 10);
        assert_int_equal(r.classes_per_background_min, 10);
    }
    expect_between(class_pairs, 0.70, 0.80, "class pair dispersion");
    expect_between(object_pairs, 0.95, 1.01, "object pair dispersion");
    s->spec.objects_per_background = 30;
    struct graph_report r = report_of(&s->spec, 0);
    expect_between(r.class_pair_dispersion, 0.08, 0.16, "dense class pairs");
    shape_destroy(s);
}

/* Classes balanced by object: pairs of objects of different classes meet as if
 * by chance, although the line samples systematically. */
static void shares_are_dispersed_like_chance(void **state)
{
    const uint32_t sizes[] = {4, 6, 8, 6, 4, 5, 7, 6, 3, 5, 6, 4};
    struct shape *s = shape_create_sizes(12, sizes, 6000, 4);
    s->spec.balance = GRAPH_BY_OBJECT;
    struct graph_report r = report_of(&s->spec, 0);
    expect_between(r.object_pair_dispersion, 0.8, 1.2, "object pairs");
    assert_int_equal(r.n_class_pairs_never_met, 0);
    shape_destroy(s);
}

/* Each aligned stretch of one order holds many backgrounds, of the other few.
 */
static void mixed_blocks_have_many_backgrounds(void **state)
{
    struct shape *s = shape_create(20, 5, 400, 10);
    double mean[2] = {0, 0};
    for (int order = GRAPH_DEALT; order <= GRAPH_MIXED; order++) {
        s->spec.order = (enum graph_order)order;
        struct tally *t = tally_create(s, 0);
        uint64_t n_blocks = t->n_edges / 20;
        for (uint64_t block = 0; block < n_blocks; block++) {
            uint8_t seen[400] = {0};
            for (uint64_t i = block * 20; i < block * 20 + 20; i++) {
                uint8_t *at = &seen[t->edges[i].background];
                mean[order] += *at == 0;
                *at = 1;
            }
        }
        mean[order] /= (double)n_blocks;
        tally_destroy(t);
    }
    expect_between(mean[GRAPH_DEALT], 2.0, 3.0, "backgrounds a dealt block");
    expect_between(mean[GRAPH_MIXED], 18.5, 20, "backgrounds a mixed block");
    shape_destroy(s);
}

/* Over epochs a pair (object, background) meets Binomial(T, dB / nO) times:
 * variance / mean = 1 - dB / nO. */
static void epochs_are_drawn_independently(void **state)
{
    static const int n_epochs = 240;
    struct shape *s = shape_create(6, 4, 30, 6);
    size_t n = (size_t)s->n_objects * 30;
    uint32_t *met = calloc(n, sizeof(*met));
    assert_non_null(met);
    for (int epoch = 0; epoch < n_epochs; epoch++) {
        struct tally *t = tally_create(s, (uint64_t)epoch);
        for (size_t i = 0; i < n; i++)
            met[i] += t->matrix[i];
        tally_destroy(t);
    }
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        sum += met[i];
        squares += (double)met[i] * met[i];
    }
    double mean = sum / (double)n;
    expect_between(mean, n_epochs / 4.0, n_epochs / 4.0, "mean");
    expect_between((squares / (double)n - mean * mean) / mean, 0.62, 0.88,
                   "variance / mean over epochs (0.75 expected)");
    free(met);
    shape_destroy(s);
}

/* Chi-square of counts that should all be equal, over its mean n - 1. */
static double unevenness(const uint32_t *counts, size_t n)
{
    double total = 0, sum = 0;
    for (size_t i = 0; i < n; i++)
        total += counts[i];
    for (size_t i = 0; i < n; i++) {
        double off = counts[i] - total / (double)n;
        sum += off * off / (total / (double)n);
    }
    return sum / (double)(n - 1);
}

/* Every class is as likely at every place of a block, in both block orders,
 * and every object at every place of its class's laps. */
static void places_are_uniform(void **state)
{
    for (int order = GRAPH_DEALT; order <= GRAPH_MIXED; order++) {
        struct shape *s = shape_create(7, 3, 50, 5);
        uint32_t classes[7 * 7] = {0}, objects[7 * 21] = {0};
        s->spec.order = (enum graph_order)order;
        for (uint64_t epoch = 0; epoch < 60; epoch++) {
            struct tally *t = tally_create(s, epoch);
            for (uint64_t i = 0; i < t->n_edges; i++) {
                uint32_t o = t->edges[i].object;
                classes[i % 7 * 7 + s->class_of[o]]++;
                objects[i % 7 * 21 + o]++;
            }
            tally_destroy(t);
        }
        expect_between(unevenness(classes, 7 * 7), 0.2, 1.7, "classes");
        expect_between(unevenness(objects, 7 * 21), 0.5, 1.4, "objects");
        shape_destroy(s);
    }
}

static void independent_draws_are_uniform_and_not_balanced(void **state)
{
    struct shape *s = shape_create(8, 5, 40, 40);
    uint32_t classes[8] = {0}, rows[40] = {0}, objects[40] = {0};
    s->spec.pairing = GRAPH_INDEPENDENT;
    for (uint64_t epoch = 0; epoch < 10; epoch++) {
        struct tally *t = tally_create(s, epoch);
        for (uint64_t i = 0; i < t->n_edges; i++) {
            classes[s->class_of[t->edges[i].object]]++;
            objects[t->edges[i].object]++;
            rows[t->edges[i].background]++;
        }
        tally_destroy(t);
    }
    expect_between(unevenness(classes, 8), 0.1, 3, "classes");
    expect_between(unevenness(objects, 40), 0.4, 1.8, "objects");
    expect_between(unevenness(rows, 40), 0.4, 1.8, "backgrounds");
    struct graph_report r = report_of(&s->spec, 0);
    assert_true(r.n_duplicate_edges > 0);
    assert_true(r.object_degree_min < r.object_degree_max);
    shape_destroy(s);
}

static void seeds_and_epochs_give_other_graphs(void **state)
{
    struct shape *s = shape_create(11, 4, 88, 5); /* no extra */
    struct tally *a = tally_create(s, 0), *again = tally_create(s, 0);
    struct tally *next = tally_create(s, 1), *far = tally_create(s, 1ull << 40);
    s->spec.seed ^= 1ull << 63;
    struct tally *other = tally_create(s, 0);
    size_t n = (size_t)s->n_objects * 88, n_bytes = a->n_edges * 8;
    assert_memory_equal(a->edges, again->edges, n_bytes);
    assert_memory_not_equal(a->matrix, next->matrix, n);
    assert_memory_not_equal(a->matrix, far->matrix, n);
    assert_memory_not_equal(a->matrix, other->matrix, n);
    uint64_t n_same = 0; /* in dealing order: which background when */
    for (uint64_t i = 0; i < a->n_edges; i++)
        n_same += a->edges[i].background == next->edges[i].background;
    assert_true(n_same < a->n_edges / 10);
    tally_destroy(a);
    tally_destroy(again);
    tally_destroy(next);
    tally_destroy(far);
    tally_destroy(other);
    shape_destroy(s);
}

static void widen(uint32_t *low, uint32_t *high, const uint32_t *values,
                  uint32_t n)
{
    *low = *high = values[0];
    for (uint32_t i = 1; i < n; i++) {
        *low = values[i] < *low ? values[i] : *low;
        *high = values[i] > *high ? values[i] : *high;
    }
}

static void expect_report_agrees(const struct shape *s, uint64_t epoch)
{
    struct graph_report r = report_of(&s->spec, epoch);
    struct tally *t = tally_create(s, epoch);
    uint32_t k = s->spec.n_classes, n_rows = s->spec.n_backgrounds;
    uint32_t low, high, *distinct = calloc(n_rows, sizeof(*distinct));
    uint64_t n_duplicates = 0, n_distinct = 0;
    assert_non_null(distinct);
    for (size_t i = 0; i < (size_t)s->n_objects * n_rows; i++)
        n_duplicates += t->matrix[i] > 1 ? t->matrix[i] - 1u : 0;
    for (size_t i = 0; i < (size_t)n_rows * k; i++)
        distinct[i / k] += t->on_background[i] > 0;
    for (uint32_t b = 0; b < n_rows; b++)
        n_distinct += distinct[b];
    shape_expect(s, epoch, r.n_edges == t->n_edges, "n_edges");
    shape_expect(s, epoch, r.n_duplicate_edges == n_duplicates, "duplicates");
    widen(&low, &high, t->object_degree, s->n_objects);
    shape_expect(s, epoch,
                 r.object_degree_min == low && r.object_degree_max == high,
                 "reported object degrees");
    widen(&low, &high, t->background_degree, n_rows);
    shape_expect(s, epoch,
                 r.background_degree_min == low &&
                     r.background_degree_max == high,
                 "reported background degrees");
    widen(&low, &high, t->class_degree, k);
    shape_expect(s, epoch,
                 r.class_degree_min == low && r.class_degree_max == high,
                 "reported class degrees");
    widen(&low, &high, distinct, n_rows);
    shape_expect(s, epoch,
                 r.classes_per_background_min == low &&
                     r.classes_per_background_max == high,
                 "reported classes per background");
    expect_between(r.classes_per_background_mean,
                   (double)n_distinct / n_rows - 1e-9,
                   (double)n_distinct / n_rows + 1e-9, "mean classes");
    free(distinct);
    tally_destroy(t);
}

static void report_agrees_with_a_naive_recount(void **state)
{
    for (int order = GRAPH_DEALT; order <= GRAPH_SHUFFLED; order++) {
        for (int pairing = 0; pairing <= GRAPH_CORRELATED; pairing++) {
            struct shape *s = shape_create(9, 0, 33, 8);
            s->spec.order = (enum graph_order)order;
            s->spec.pairing = (enum graph_pairing)pairing;
            expect_report_agrees(s, 2);
            s->spec.balance = GRAPH_BY_OBJECT;
            expect_report_agrees(s, 3);
            shape_destroy(s);
        }
    }
}

/* Two classes on every background, the pair meets nB times: no variance. */
static void dispersion_of_a_known_graph_is_right(void **state)
{
    struct shape *s = shape_create(3, 1, 3, 2);
    struct graph_report r = report_of(&s->spec, 0);
    double counts[3] = {0, 0, 0}, mean = 1, variance = 0;
    struct tally *t = tally_create(s, 0);
    for (uint32_t b = 0; b < 3; b++)
        for (uint32_t c = 0; c < 3; c++) /* the pair without class c */
            counts[c] += t->on_background[b * 3 + c] == 0;
    for (int c = 0; c < 3; c++)
        variance += (counts[c] - mean) * (counts[c] - mean) / 3;
    expect_between(r.class_pair_dispersion, variance - 1e-9, variance + 1e-9,
                   "dispersion by hand");
    tally_destroy(t);
    shape_destroy(s);
}

static struct philox_block key_of(uint32_t n)
{
    return philox_draw(graph_test_seed(), n, 4095, n);
}

static void feistel_permutes_every_small_domain(void **state)
{
    static uint8_t seen[70000];
    for (uint32_t n = 1; n < 70000; n += n < 400 ? 1 : n / 3) {
        struct feistel f;
        feistel_init(&f, n, key_of(n));
        memset(seen, 0, n);
        for (uint32_t x = 0; x < n; x++) {
            uint64_t y = feistel_permute(&f, x);
            if (y >= n || seen[y])
                fail_msg("n %u: %u -> %llu", n, x, (unsigned long long)y);
            seen[y] = 1;
        }
    }
}

static void feistel_reaches_every_order_alike(void **state)
{
    uint32_t orders[24] = {0}, places[49] = {0};
    for (uint32_t i = 0; i < 24000; i++) {
        struct feistel f;
        feistel_init(&f, 4, key_of(i));
        uint64_t a = feistel_permute(&f, 0), b = feistel_permute(&f, 1);
        uint64_t c = feistel_permute(&f, 2);
        b -= b > a;
        c = c - (c > a) - (c - (c > a) > b);
        orders[a * 6 + b * 2 + c]++;
        feistel_init(&f, 7, key_of(i));
        for (uint32_t x = 0; x < 7; x++)
            places[x * 7 + feistel_permute(&f, x)]++;
    }
    expect_between(unevenness(orders, 24), 0.3, 2.2, "orders of four");
    expect_between(unevenness(places, 49), 0.3, 1.9, "places of seven");
}

static void feistel_reaches_the_largest_domain(void **state)
{
    struct feistel f;
    uint32_t high = 0;
    feistel_init(&f, 1ull << 32, key_of(5));
    for (uint64_t x = 0; x < 1000; x++) {
        uint64_t y = feistel_permute(&f, (1ull << 32) - 1 - x);
        assert_true(y < 1ull << 32);
        high += y >> 31 != 0;
    }
    assert_in_range(high, 420, 580);
}

/* {K, size, nB, dB, order, pairing, balance}, seed 2024, epochs 0 and 5. These
 * are part of the byte contract: every stream's samples hang on them. */
struct golden {
    uint32_t shape[4];
    enum graph_order order;
    enum graph_pairing pairing;
    enum graph_balance balance;
    const char *digest;
};

static const struct golden goldens[] = {
    {{43, 1, 80, 4},
     GRAPH_MIXED,
     GRAPH_BALANCED,
     GRAPH_BY_CLASS,
     "70dd89ed33ffd82b1885fd936e0537022ca27cec6dde01600c5e0e306a35b5e3"},
    {{43, 10, 100, 10},
     GRAPH_DEALT,
     GRAPH_BALANCED,
     GRAPH_BY_CLASS,
     "b38d71054ec385c68b642cb18afafe540d8073df6ed56c7d86d0ba017af7206d"},
    {{7, 11, 31, 13},
     GRAPH_SHUFFLED,
     GRAPH_BALANCED,
     GRAPH_BY_CLASS,
     "e0293eab9b047327c2805f113f681e29b424c0c06babdad45ac2ba59792a94c3"},
    {{5, 6, 11, 8},
     GRAPH_DEALT,
     GRAPH_BALANCED,
     GRAPH_BY_CLASS,
     "79b8e9ce2205ac71303955c49f397a842f49eea62625ec534406a8425af88244"},
    {{20, 0, 60, 12},
     GRAPH_DEALT,
     GRAPH_BALANCED,
     GRAPH_BY_OBJECT,
     "8066cc4cbf2952b1f60e03f063dd79e2ab86b60e336b71f7055f8df729d50ca7"},
    {{43, 10, 100, 10},
     GRAPH_MIXED,
     GRAPH_CORRELATED,
     GRAPH_BY_CLASS,
     "57d28572f32a1e41d84adf4f7d80d0ef1eaa88159c1af45d66619c97ccf4e073"},
    {{20, 0, 60, 12},
     GRAPH_DEALT,
     GRAPH_CORRELATED,
     GRAPH_BY_OBJECT,
     "06455b9c0b79d1cac6f7f0d400103d6dc74e0982ff4e663a241c3447da330307"},
    {{20, 0, 60, 12},
     GRAPH_MIXED,
     GRAPH_INDEPENDENT,
     GRAPH_BY_CLASS,
     "cfcca5b2f251cd593816e9f917203f62bc517327fa82b867f6657e26a3b9d354"},
};

static void graphs_are_the_golden_ones(void **state)
{
    for (size_t i = 0; i < sizeof(goldens) / sizeof(goldens[0]); i++) {
        const struct golden *g = &goldens[i];
        struct shape *s =
            shape_create(g->shape[0], g->shape[1], g->shape[2], g->shape[3]);
        struct digest_state d;
        char hex[DIGEST_HEX_BYTES];
        s->spec.order = g->order;
        s->spec.pairing = g->pairing;
        s->spec.balance = g->balance;
        s->spec.seed = 2024;
        digest_init(&d);
        for (uint64_t epoch = 0; epoch <= 5; epoch += 5) {
            struct tally *t = tally_create(s, epoch);
            for (uint64_t k = 0; k < t->n_edges; k++) {
                digest_update_u32(&d, t->edges[k].object);
                digest_update_u32(&d, t->edges[k].background);
            }
            tally_destroy(t);
        }
        struct digest digest = digest_final(&d);
        digest_hex(&digest, hex);
        assert_string_equal(hex, g->digest);
        shape_destroy(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_are_dispersed_as_measured),
        cmocka_unit_test(shares_are_dispersed_like_chance),
        cmocka_unit_test(mixed_blocks_have_many_backgrounds),
        cmocka_unit_test(epochs_are_drawn_independently),
        cmocka_unit_test(places_are_uniform),
        cmocka_unit_test(independent_draws_are_uniform_and_not_balanced),
        cmocka_unit_test(seeds_and_epochs_give_other_graphs),
        cmocka_unit_test(report_agrees_with_a_naive_recount),
        cmocka_unit_test(dispersion_of_a_known_graph_is_right),
        cmocka_unit_test(feistel_permutes_every_small_domain),
        cmocka_unit_test(feistel_reaches_every_order_alike),
        cmocka_unit_test(feistel_reaches_the_largest_domain),
        cmocka_unit_test(graphs_are_the_golden_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
