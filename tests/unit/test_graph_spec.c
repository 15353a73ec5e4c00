/* Which graphs are refused, with which sentence, how many edges the others
 * have, and the words of recipes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/base/mem.h"
#include "tests/unit/graph_tally.h"

static void expect_refused(const struct graph_spec *spec, const char *words)
{
    struct fault fault = {0};
    assert_int_equal(graph_spec_check(spec, &fault), -ERROR_BAD_RECIPE);
    assert_int_equal(fault.code, ERROR_BAD_RECIPE);
    if (strstr(fault.text, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", fault.text, words);
    assert_int_equal(graph_spec_check(spec, NULL), -ERROR_BAD_RECIPE);
}

static void expect_fine(const struct graph_spec *spec)
{
    struct fault fault = {0};
    if (graph_spec_check(spec, &fault) != 0)
        fail_msg("refused: %s", fault.text);
}

static void no_class_is_refused(void **state)
{
    const uint32_t first[] = {0};
    struct graph_spec spec = {
        .class_first = first, .n_backgrounds = 1, .objects_per_background = 1};
    expect_refused(&spec, "there is no class");
}

static void too_many_classes_are_refused(void **state)
{
    struct shape *s = shape_create(3, 1, 1, 1);
    s->spec.n_classes = GRAPH_MAX_CLASSES + 1;
    expect_refused(&s->spec, "65537 classes; the limit is 65536");
    shape_destroy(s);
}

static void an_empty_class_is_refused_by_number(void **state)
{
    const uint32_t sizes[] = {2, 0, 2};
    struct shape *s = shape_create_sizes(3, sizes, 1, 1);
    expect_refused(&s->spec, "class 1 has no object");
    s->class_first[0] = 1;
    expect_refused(&s->spec, "class 0 begin at 1");
    shape_destroy(s);
}

static void no_background_and_no_object_are_refused(void **state)
{
    struct shape *s = shape_create(3, 2, 0, 1);
    expect_refused(&s->spec, "there is no background");
    s->spec.n_backgrounds = 4;
    s->spec.objects_per_background = 0;
    expect_refused(&s->spec, "at least 1");
    s->spec.objects_per_background = 7;
    expect_refused(&s->spec, "there are only 6 objects");
    s->spec.objects_per_background = 6;
    expect_fine(&s->spec);
    shape_destroy(s);
}

static void a_class_too_small_for_its_share_is_refused(void **state)
{
    const uint32_t sizes[] = {3, 2, 3};
    struct shape *s = shape_create_sizes(3, sizes, 4, 7);
    expect_refused(&s->spec, "class 1 has 2 object(s)");
    expect_refused(&s->spec, "need 3 of each class");
    expect_refused(&s->spec, "lower /graph/objects_per_background to 6");
    s->spec.objects_per_background = 6;
    expect_fine(&s->spec);
    s->spec.objects_per_background = 8;
    s->spec.balance = GRAPH_BY_OBJECT;
    expect_fine(&s->spec);
    s->spec.balance = GRAPH_BY_CLASS;
    s->spec.pairing = GRAPH_INDEPENDENT;
    expect_fine(&s->spec);
    shape_destroy(s);
}

static void too_many_edges_are_refused(void **state)
{
    struct shape *s = shape_create(2, 100, UINT32_MAX, 200);
    expect_refused(&s->spec, "the limit is 1073741824");
    s->spec.n_backgrounds = 1u << 24;
    s->spec.objects_per_background = 64;
    expect_fine(&s->spec);
    s->spec.n_backgrounds++;
    expect_refused(&s->spec, "1073741888 edges");
    shape_destroy(s);
}

static void strict_wants_exact_degrees(void **state)
{
    struct shape *s = shape_create(43, 10, 4300, 10);
    s->spec.strict = true;
    expect_fine(&s->spec);
    s->spec.n_backgrounds = 4301; /* 43010 edges are no multiple of 43 */
    expect_refused(&s->spec, "are not a multiple of 43 classes");
    s->spec.n_backgrounds = 43; /* 10 edges a class, 1 an object */
    expect_fine(&s->spec);
    s->spec.objects_per_background = 11;
    expect_refused(&s->spec, "do not divide among its 10 objects");
    s->spec.objects_per_background = 10;
    s->spec.pairing = GRAPH_INDEPENDENT;
    expect_refused(&s->spec, "independent pairing");
    s->spec.pairing = GRAPH_CORRELATED;
    expect_fine(&s->spec);
    s->spec.n_backgrounds = 43 * 3 / 2; /* one each, and two for some */
    s->spec.objects_per_background = 43;
    expect_refused(&s->spec, "correlated pairing of 43 classes with 64");
    shape_destroy(s);
}

static void correlated_wants_a_background_for_each_class(void **state)
{
    struct shape *s = shape_create(9, 2, 8, 3);
    expect_fine(&s->spec);
    s->spec.pairing = GRAPH_CORRELATED;
    expect_refused(&s->spec, "9 classes need as many at least, not 8");
    s->spec.n_backgrounds = 9;
    expect_fine(&s->spec);
    shape_destroy(s);
}

static void strict_by_object_wants_equal_objects(void **state)
{
    const uint32_t sizes[] = {1, 2, 3};
    struct shape *s = shape_create_sizes(3, sizes, 6, 4);
    s->spec.balance = GRAPH_BY_OBJECT;
    s->spec.strict = true;
    expect_fine(&s->spec); /* 24 edges, 4 an object */
    s->spec.n_backgrounds = 9;
    s->spec.objects_per_background = 1;
    expect_refused(&s->spec, "do not divide among 6 objects");
    shape_destroy(s);
}

static void edges_are_rounded_up_to_whole_rounds(void **state)
{
    struct shape *s = shape_create(43, 1, 80, 4);
    assert_int_equal(graph_edges_per_epoch(&s->spec), 344);
    s->spec.objects_per_background = 43;
    assert_int_equal(graph_edges_per_epoch(&s->spec), 80 * 43);
    shape_destroy(s);
    const uint32_t sizes[] = {2, 2, 1}; /* the full product has 5 edges */
    s = shape_create_sizes(3, sizes, 1, 5);
    s->spec.balance = GRAPH_BY_OBJECT;
    assert_int_equal(graph_edges_per_epoch(&s->spec), 5);
    s->spec.objects_per_background = 2;
    assert_int_equal(graph_edges_per_epoch(&s->spec), 3);
    shape_destroy(s);
}

/* What it says is what stays allocated: 4 bytes an edge, 6 if mixed, and 4 a
 * background. */
static void bytes_are_four_an_edge(void **state)
{
    struct shape *s = shape_create(10, 10, 1000, 10);
    uint64_t dealt = graph_epoch_bytes(&s->spec);
    assert_in_range(dealt, 44000, 45000);
    s->spec.order = GRAPH_MIXED;
    assert_int_equal(graph_epoch_bytes(&s->spec), dealt + 20000);
    s->spec.pairing = GRAPH_INDEPENDENT;
    assert_in_range(graph_epoch_bytes(&s->spec), 1, 1000);
    shape_destroy(s);
}

/* Fails every allocation in turn; asan watches for what is left behind. */
static void try_every_failure(const struct graph_spec *spec)
{
    struct graph_epoch *e = NULL;
    struct graph_report report;
    uint64_t nth = 1;
    int rc;
    do {
        struct fault fault = {0};
        mem_fail_nth(nth++);
        rc = graph_epoch_create(spec, 3, &e, &fault);
        if (rc != 0) {
            assert_int_equal(rc, -ERROR_NO_MEMORY);
            assert_int_equal(fault.code, ERROR_NO_MEMORY);
            assert_null(e);
        }
    } while (rc != 0);
    assert_true(nth > 2);
    nth = 1;
    do {
        struct fault fault = {0};
        mem_fail_nth(nth++);
        rc = graph_epoch_report(e, &report, &fault);
        assert_true(rc == 0 || fault.code == ERROR_NO_MEMORY);
    } while (rc != 0);
    assert_true(nth > 9);
    mem_fail_nth(0);
    graph_epoch_destroy(e);
}

static void every_failed_allocation_is_reported(void **state)
{
    struct shape *s = shape_create(9, 0, 12, 4);
    for (int order = GRAPH_DEALT; order <= GRAPH_SHUFFLED; order++) {
        s->spec.order = (enum graph_order)order;
        s->spec.balance = GRAPH_BY_CLASS;
        try_every_failure(&s->spec);
        s->spec.balance = GRAPH_BY_OBJECT;
        try_every_failure(&s->spec);
    }
    s->spec.pairing = GRAPH_INDEPENDENT;
    try_every_failure(&s->spec);
    shape_destroy(s);
    graph_epoch_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_class_is_refused),
        cmocka_unit_test(too_many_classes_are_refused),
        cmocka_unit_test(an_empty_class_is_refused_by_number),
        cmocka_unit_test(no_background_and_no_object_are_refused),
        cmocka_unit_test(a_class_too_small_for_its_share_is_refused),
        cmocka_unit_test(too_many_edges_are_refused),
        cmocka_unit_test(strict_wants_exact_degrees),
        cmocka_unit_test(strict_by_object_wants_equal_objects),
        cmocka_unit_test(correlated_wants_a_background_for_each_class),
        cmocka_unit_test(edges_are_rounded_up_to_whole_rounds),
        cmocka_unit_test(bytes_are_four_an_edge),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
