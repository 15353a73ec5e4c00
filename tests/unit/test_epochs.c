/* Epochs: shared builds, built ahead, the byte budget, pins. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/base/mem.h"
#include "server/serve/epochs.h"
#include "tests/unit/serve_rig.h"

struct want {
    struct epoch_request request;
    bool answered;
    bool keep; /* pin it */
    int status;
    struct graph_edge first; /* edge 0 */
    struct fault fault;
};

static void on_epoch(struct epoch_request *request, int status,
                     struct graph_epoch *graph, const struct fault *fault)
{
    struct want *w = request->context;

    assert_false(w->answered);
    w->answered = true;
    w->status = status;
    w->fault = *fault;
    if (graph)
        w->first = graph_epoch_edge(graph, 0);
    if (w->keep && status == 0)
        epoch_pin(request->stream, request->epoch);
}

static int want(struct rig *rig, struct want *w, struct stream *stream,
                uint64_t epoch)
{
    *w = (struct want){.keep = w->keep};
    w->request = (struct epoch_request){
        .stream = stream, .epoch = epoch, .done = on_epoch, .context = w};
    return store_epoch(rig->store, &w->request, &w->fault);
}

static int64_t built(void)
{
    return metric_get(METRIC_GRAPH_EPOCHS_BUILT);
}

static void check_edge(struct stream *stream, const struct want *w)
{
    struct graph_epoch *e;
    struct graph_edge edge;

    assert_int_equal(
        graph_epoch_create(&stream->graph, w->request.epoch, &e, NULL), 0);
    edge = graph_epoch_edge(e, 0);
    assert_memory_equal(&edge, &w->first, sizeof(edge));
    graph_epoch_destroy(e);
}

static void an_epoch_is_built_once_for_all_who_ask(void **state)
{
    struct store_config config = rig_config();
    struct stream *stream = rig_stream(RIG_RECIPE);
    struct want a = {0}, b = {0}, c = {0};
    int64_t before = built();
    struct rig rig;

    rig_start(&rig, 2, &config);
    assert_int_equal(want(&rig, &a, stream, 5), 0);
    assert_int_equal(want(&rig, &b, stream, 5), 0);
    assert_false(a.answered);
    rig_settle(&rig);
    assert_true(a.answered && b.answered);
    assert_int_equal(want(&rig, &c, stream, 5), 0);
    assert_true(c.answered); /* at once */
    assert_int_equal(built() - before, 1);
    check_edge(stream, &a);
    check_edge(stream, &c);
    rig_stop(&rig);
    stream_destroy(stream);
}

static void the_next_epoch_is_built_in_the_second_half(void **state)
{
    struct store_config config = rig_config();
    struct stream *stream = rig_stream(RIG_RECIPE);
    int64_t before = built();
    struct ask a;
    struct rig rig;

    rig_start(&rig, 1, &config);
    ask_init(&a, stream, 0, 2);
    batch_unref(ask_batch(&rig, &a));
    rig_settle(&rig);
    assert_int_equal(built() - before, 1);
    ask_init(&a, stream, RIG_EDGES / 2, 2);
    batch_unref(ask_batch(&rig, &a));
    rig_settle(&rig);
    assert_int_equal(built() - before, 2);
    ask_init(&a, stream, RIG_EDGES, 2); /* it is there already */
    batch_unref(ask_batch(&rig, &a));
    rig_settle(&rig);
    assert_int_equal(built() - before, 2);
    rig_stop(&rig);
    stream_destroy(stream);
}

/* Three epochs show the same edges, so one graph serves them. */
static void epochs_of_the_same_scenes_share_a_graph(void **state)
{
    static const char text[] =
        "{\"size\": 8, \"seed\": 3, \"graph\": {\"objects_per_background\": 4},"
        " \"object\": {\"edge\": {\"every\": [\"hard\", \"box\", "
        "\"motion\"]}}}";
    struct store_config config = rig_config();
    struct stream *stream = rig_stream(text);
    int64_t before = built();
    struct want w = {0};
    struct ask a;
    struct rig rig;

    rig_start(&rig, 2, &config);
    ask_init(&a, stream, 0, 3 * RIG_EDGES); /* epochs 0, 1 and 2 at once */
    struct batch *batch = ask_batch(&rig, &a);
    rig_check_batch(batch);
    batch_unref(batch);
    ask_init(&a, stream, RIG_EDGES + 3, 5);
    batch_unref(ask_batch(&rig, &a));
    rig_settle(&rig);
    assert_int_equal(built() - before, 2); /* of epoch 3 ahead */
    assert_int_equal(want(&rig, &w, stream, 5), 0);
    assert_true(w.answered);
    w.request.epoch = 1; /* the second scene epoch */
    check_edge(stream, &w);
    rig_stop(&rig);
    stream_destroy(stream);
}

static struct store_config room_for(const struct stream *stream, uint64_t n)
{
    struct store_config config = rig_config();

    config.epoch_budget_bytes = n * graph_epoch_bytes(&stream->graph);
    return config;
}

static void the_longest_unused_epoch_makes_room(void **state)
{
    struct stream *stream = rig_stream(RIG_RECIPE);
    struct store_config config = room_for(stream, 2);
    struct want w = {0};
    int64_t before = built();
    struct rig rig;

    rig_start(&rig, 1, &config);
    for (uint64_t e = 0; e < 3; e++) {
        assert_int_equal(want(&rig, &w, stream, e), 0);
        rig_settle(&rig);
        assert_int_equal(w.status, 0);
    }
    assert_int_equal(built() - before, 3);
    want(&rig, &w, stream, 1);
    assert_true(w.answered);
    want(&rig, &w, stream, 0); /* was dropped */
    assert_false(w.answered);
    rig_settle(&rig);
    check_edge(stream, &w);
    assert_int_equal(built() - before, 4);
    rig_stop(&rig);
    stream_destroy(stream);
}

/* Epochs of a tiny graph are so small that the budget alone kept millions. */
static void epochs_are_bounded_in_number_too(void **state)
{
    struct stream *stream = rig_stream(RIG_RECIPE);
    struct store_config config = room_for(stream, 1u << 30);
    struct want w[32] = {{.keep = false}};
    int64_t before = built();
    struct rig rig;

    rig_start(&rig, 2, &config);
    for (uint64_t e = 0; e <= EPOCHS_MAX_KEPT; e++) {
        assert_int_equal(want(&rig, &w[e % 32], stream, 3 * e), 0);
        /* 0 before all others: it is the oldest */
        if (e == 0 || e % 32 == 31 || e == EPOCHS_MAX_KEPT)
            rig_settle(&rig);
    }
    assert_int_equal(built() - before, EPOCHS_MAX_KEPT + 1);
    want(&rig, &w[0], stream, 3);
    assert_true(w[0].answered);
    want(&rig, &w[0], stream, 0); /* was dropped */
    assert_false(w[0].answered);
    rig_settle(&rig);
    rig_stop(&rig);
    stream_destroy(stream);
}

static void pinned_epochs_stay_and_refuse_others(void **state)
{
    struct stream *stream = rig_stream(RIG_RECIPE);
    struct store_config config = room_for(stream, 2);
    struct want pinned[2] = {{.keep = true}, {.keep = true}}, other = {0};
    struct ask a;
    struct rig rig;

    rig_start(&rig, 1, &config);
    for (uint64_t e = 0; e < 2; e++) {
        assert_int_equal(want(&rig, &pinned[e], stream, e), 0);
        rig_settle(&rig);
    }
    assert_int_equal(want(&rig, &other, stream, 2), -ERROR_OVERLOADED);
    /* A batch waits instead, and goes on when a pin is taken back. */
    ask_init(&a, stream, 2 * RIG_EDGES, 3);
    assert_int_equal(ask_send(&rig, &a), 0);
    rig_settle(&rig);
    assert_false(a.answered);
    epoch_unpin(stream, 0);
    rig_settle(&rig);
    assert_true(a.answered);
    rig_check_batch(a.batch);
    batch_unref(a.batch);
    epoch_unpin(stream, 1);
    rig_stop(&rig);
    stream_destroy(stream);
}

static void an_epoch_larger_than_the_budget_is_refused(void **state)
{
    struct stream *stream = rig_stream(RIG_RECIPE);
    struct store_config config = room_for(stream, 1);
    struct want w = {0};
    struct ask a;
    struct rig rig;

    config.epoch_budget_bytes--;
    rig_start(&rig, 1, &config);
    assert_int_equal(want(&rig, &w, stream, 0), -ERROR_TOO_LARGE);
    assert_true(strlen(w.fault.text) > 0);
    ask_init(&a, stream, 0, 1);
    assert_int_equal(ask_send(&rig, &a), -ERROR_TOO_LARGE);
    assert_int_equal(want(&rig, &w, stream, UINT64_MAX), -ERROR_BAD_ARGUMENT);
    rig_stop(&rig);
    stream_destroy(stream);
}

static void one_epoch_of_room_serves_any_position_in_turn(void **state)
{
    struct stream *stream = rig_stream(RIG_RECIPE);
    struct store_config config = room_for(stream, 1);
    struct ask asks[12];
    struct rig rig;

    rig_start(&rig, 2, &config);
    for (uint32_t i = 0; i < 12; i++) {
        ask_init(&asks[i], stream, i * 7 % 12 * RIG_EDGES + 15, 6);
        assert_int_equal(ask_send(&rig, &asks[i]), 0);
    }
    rig_settle(&rig);
    for (uint32_t i = 0; i < 12; i++) {
        assert_true(asks[i].answered);
        rig_check_batch(asks[i].batch);
        batch_unref(asks[i].batch);
    }
    rig_stop(&rig);
    stream_destroy(stream);
}

/* The build's own pin once hid the room that it made: nobody looked again. */
static void a_batch_goes_on_when_a_build_it_does_not_need_ends(void **state)
{
    struct stream *stream = rig_stream(RIG_RECIPE);
    struct store_config config = room_for(stream, 1);
    struct want w = {0};
    struct ask a;
    struct rig rig;

    rig_start(&rig, 1, &config);
    assert_int_equal(want(&rig, &w, stream, 3), 0);
    ask_init(&a, stream, 0, 3);
    assert_int_equal(ask_send(&rig, &a), 0);
    rig_settle(&rig);
    assert_true(w.answered && a.answered);
    batch_unref(a.batch);
    rig_stop(&rig);
    stream_destroy(stream);
}

static void too_many_builds_at_once_are_refused(void **state)
{
    static struct want wants[EPOCHS_MAX_BUILDS + 1];
    struct store_config config = rig_config();
    struct stream *stream = rig_stream(RIG_RECIPE);
    struct rig rig;

    rig_start(&rig, 1, &config);
    for (uint64_t e = 0; e < EPOCHS_MAX_BUILDS; e++)
        assert_int_equal(want(&rig, &wants[e], stream, e), 0);
    assert_int_equal(
        want(&rig, &wants[EPOCHS_MAX_BUILDS], stream, EPOCHS_MAX_BUILDS),
        -ERROR_OVERLOADED);
    rig_settle(&rig);
    for (uint64_t e = 0; e < EPOCHS_MAX_BUILDS; e++)
        check_edge(stream, &wants[e]);
    rig_stop(&rig);
    stream_destroy(stream);
}

static void every_allocation_of_a_build_may_fail(void **state)
{
    struct store_config config = rig_config();
    struct stream *stream = rig_stream(RIG_RECIPE);
    struct want w = {0};
    bool succeeded = false;
    struct rig rig;

    rig_start(&rig, 1, &config);
    for (uint64_t nth = 1; !succeeded; nth++) {
        int rc;

        mem_fail_nth(nth);
        rc = want(&rig, &w, stream, 9);
        rig_settle(&rig);
        succeeded = rc == 0 && w.status == 0;
        if (!succeeded)
            assert_int_equal(rc < 0 ? rc : w.status, -ERROR_NO_MEMORY);
        assert_true(nth < 100);
    }
    mem_fail_nth(0);
    check_edge(stream, &w);
    rig_stop(&rig);
    stream_destroy(stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_epoch_is_built_once_for_all_who_ask),
        cmocka_unit_test(the_next_epoch_is_built_in_the_second_half),
        cmocka_unit_test(epochs_of_the_same_scenes_share_a_graph),
        cmocka_unit_test(the_longest_unused_epoch_makes_room),
        cmocka_unit_test(epochs_are_bounded_in_number_too),
        cmocka_unit_test(pinned_epochs_stay_and_refuse_others),
        cmocka_unit_test(an_epoch_larger_than_the_budget_is_refused),
        cmocka_unit_test(one_epoch_of_room_serves_any_position_in_turn),
        cmocka_unit_test(a_batch_goes_on_when_a_build_it_does_not_need_ends),
        cmocka_unit_test(too_many_builds_at_once_are_refused),
        cmocka_unit_test(every_allocation_of_a_build_may_fail),
    };

    return cmocka_run_group_tests(tests, rig_make_catalog, rig_drop_catalog);
}
