/* Shapes and recounts for the graph's tests. */
#include "tests/unit/graph_tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct shape *shape_create_sizes(uint32_t n_classes, const uint32_t *sizes,
                                 uint32_t n_backgrounds,
                                 uint32_t per_background)
{
    struct shape *s = calloc(1, sizeof(*s));
    assert_non_null(s);
    assert_true(n_classes <= SHAPE_MAX_CLASSES);
    for (uint32_t c = 0; c < n_classes; c++)
        s->class_first[c + 1] = s->class_first[c] + sizes[c];
    s->n_objects = s->class_first[n_classes];
    s->class_of = calloc(s->n_objects + 1, sizeof(*s->class_of));
    assert_non_null(s->class_of);
    for (uint32_t c = 0; c < n_classes; c++)
        for (uint32_t o = s->class_first[c]; o < s->class_first[c + 1]; o++)
            s->class_of[o] = c;
    s->spec = (struct graph_spec){
        .n_classes = n_classes,
        .class_first = s->class_first,
        .n_backgrounds = n_backgrounds,
        .objects_per_background = per_background,
        .seed = graph_test_seed(),
    };
    return s;
}

struct shape *shape_create(uint32_t n_classes, uint32_t size,
                           uint32_t n_backgrounds, uint32_t per_background)
{
    uint32_t sizes[SHAPE_MAX_CLASSES];
    assert_true(n_classes <= SHAPE_MAX_CLASSES);
    for (uint32_t c = 0; c < n_classes; c++)
        sizes[c] = size > 0 ? size : 1 + 60 / (c + 1);
    return shape_create_sizes(n_classes, sizes, n_backgrounds, per_background);
}

void shape_destroy(struct shape *s)
{
    if (s == NULL)
        return;
    free(s->class_of);
    free(s);
}

uint32_t shape_class_size(const struct shape *s, uint32_t c)
{
    return s->class_first[c + 1] - s->class_first[c];
}

static void count_edge(const struct shape *s, struct tally *t,
                       struct graph_edge e)
{
    uint32_t n_rows = s->spec.n_backgrounds;
    assert_true(e.object < s->n_objects && e.background < n_rows);
    uint32_t c = s->class_of[e.object];
    uint8_t *cell = &t->matrix[(size_t)e.object * n_rows + e.background];
    *cell = *cell == 255 ? 255 : (uint8_t)(*cell + 1);
    t->object_degree[e.object]++;
    t->background_degree[e.background]++;
    t->class_degree[c]++;
    t->on_background[(size_t)e.background * s->spec.n_classes + c]++;
}

struct tally *tally_create(const struct shape *s, uint64_t epoch)
{
    struct fault fault = {0};
    struct graph_epoch *e = NULL;
    struct tally *t = calloc(1, sizeof(*t));
    size_t k = s->spec.n_classes, n_rows = s->spec.n_backgrounds;
    assert_non_null(t);
    t->n_edges = graph_edges_per_epoch(&s->spec);
    t->edges = calloc(t->n_edges, sizeof(*t->edges));
    t->matrix = calloc(s->n_objects, n_rows);
    t->object_degree = calloc(s->n_objects, sizeof(*t->object_degree));
    t->background_degree = calloc(n_rows, sizeof(*t->background_degree));
    t->class_degree = calloc(k, sizeof(*t->class_degree));
    t->on_background = calloc(n_rows * k, sizeof(*t->on_background));
    assert_true(t->edges && t->matrix && t->object_degree &&
                t->background_degree && t->class_degree && t->on_background);
    assert_int_equal(graph_epoch_create(&s->spec, epoch, &e, &fault), 0);
    for (uint64_t i = 0; i < t->n_edges; i++) {
        t->edges[i] = graph_epoch_edge(e, i);
        count_edge(s, t, t->edges[i]);
    }
    graph_epoch_destroy(e);
    return t;
}

void tally_destroy(struct tally *t)
{
    if (t == NULL)
        return;
    free(t->edges);
    free(t->matrix);
    free(t->object_degree);
    free(t->background_degree);
    free(t->class_degree);
    free(t->on_background);
    free(t);
}

void shape_expect(const struct shape *s, uint64_t epoch, int ok,
                  const char *what)
{
    if (ok)
        return;
    print_error("classes:");
    for (uint32_t c = 0; c < s->spec.n_classes; c++)
        print_error(" %u", shape_class_size(s, c));
    print_error("\n");
    fail_msg("%s: K %u, nO %u, nB %u, dB %u, order %d, balance %d, epoch "
             "%llu; replay with PASTED_TEST_SEED=%llu",
             what, s->spec.n_classes, s->n_objects, s->spec.n_backgrounds,
             s->spec.objects_per_background, (int)s->spec.order,
             (int)s->spec.balance, (unsigned long long)epoch,
             (unsigned long long)graph_test_seed());
}

uint64_t graph_test_seed(void)
{
    const char *text = getenv("PASTED_TEST_SEED");
    return text != NULL ? strtoull(text, NULL, 0) : 1;
}
