/* How many servers consumers are worth, from produce and consume times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/base/mem.h"
#include "server/serve/demand.h"
#include "tests/unit/serve_rig.h"

#define MS 1000000ull
#define S  1000000000ull

struct fixture {
    struct rig rig;
    struct stream *stream;
    struct consumer consumer[3];
};

static int set_up(void **state)
{
    static struct fixture f;
    struct store_config config = rig_config();
    memset(&f, 0, sizeof f);
    f.stream = rig_stream(RIG_RECIPE);
    rig_start(&f.rig, 2, &config);
    for (int i = 0; i < 3; i++) {
        f.consumer[i].n_samples = 10;
        consumer_open(&f.consumer[i], f.rig.store, f.stream, S);
    }
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 3; i++)
        consumer_close(&f->consumer[i]);
    rig_stop(&f->rig);
    stream_destroy(f->stream);
    return 0;
}

/* 8 ms of a worker for each batch of 10 samples. */
static void costs(struct fixture *f)
{
    stream_load_composed(&f->stream->load, 80 * MS);
    stream_load_answered(&f->stream->load, 100);
}

static void tells(struct consumer *c, uint64_t busy_ns, uint64_t wait_ns)
{
    const struct pace pace = {
        .n_waited = 1, .busy_ns = busy_ns, .wait_ns = wait_ns};
    consumer_tells(c, &pace, 2 * S);
}

static void rate_times_cost_over_workers(void **state)
{
    struct fixture *f = *state;
    costs(f);
    assert_int_equal(demand_milli(f->rig.store, NULL, 2 * S), 0);
    assert_int_equal(demand_replicas(f->rig.store, 2 * S), 1);
    /* 8 ms of work every 40 ms, two workers: a tenth of a server. How long it
     * waited does not matter: that is what more servers would change. */
    tells(&f->consumer[0], 40 * MS, 900 * MS);
    assert_int_equal(demand_milli(f->rig.store, NULL, 2 * S), 100);
    assert_int_equal(demand_replicas(f->rig.store, 2 * S), 1);
    tells(&f->consumer[1], 4 * MS, 0); /* one server of its own */
    assert_int_equal(demand_milli(f->rig.store, f->stream, 2 * S), 1100);
    assert_int_equal(demand_replicas(f->rig.store, 2 * S), 2);
}

static void what_is_shared_costs_once(void **state)
{
    struct fixture *f = *state;
    costs(f);
    for (int i = 0; i < 3; i++)
        tells(&f->consumer[i], 4 * MS, 0);
    assert_int_equal(demand_milli(f->rig.store, NULL, 2 * S), 3000);
    stream_load_answered(&f->stream->load,
                         200); /* the same 100, asked for thrice */
    assert_int_equal(demand_milli(f->rig.store, NULL, 2 * S), 999);
}

static void no_consumer_is_worth_all(void **state)
{
    struct fixture *f = *state;
    costs(f);
    tells(&f->consumer[0], 1, 0);
    assert_int_equal(demand_milli(f->rig.store, NULL, 2 * S), DEMAND_MAX_MILLI);
    f->stream->load.compose_ns = UINT64_MAX / 2;
    assert_int_equal(demand_milli(f->rig.store, NULL, 2 * S), DEMAND_MAX_MILLI);
}

static void who_takes_nothing_needs_nothing(void **state)
{
    struct fixture *f = *state;
    costs(f);
    tells(&f->consumer[0], 4 * MS, 0);
    assert_int_equal(demand_milli(f->rig.store, NULL, 12 * S), 1000);
    assert_int_equal(demand_milli(f->rig.store, NULL, 13 * S), 0);
    consumer_close(&f->consumer[0]);
    assert_int_equal(demand_milli(f->rig.store, NULL, 2 * S), 0);
}

static void who_tells_nothing_is_seen(void **state)
{
    struct fixture *f = *state;
    struct consumer *c = &f->consumer[0];
    costs(f);
    consumer_sent(c, false, 5 * MS, S + 300 * MS);
    consumer_sent(c, true, 0, S + 304 * MS);
    assert_int_equal(c->first_ns, 300 * MS);
    assert_int_equal(f->stream->load.n_ready, 1);
    assert_int_equal(f->stream->load.n_waited, 1);
    assert_int_equal(f->stream->load.stall_ns, 5 * MS);
    assert_int_equal(demand_milli(f->rig.store, NULL, 2 * S), 1000);
    tells(c, 40 * MS, 7 * MS); /* from here on its word counts */
    consumer_sent(c, true, 0, S + 305 * MS);
    assert_int_equal(f->stream->load.n_ready, 1);
    assert_int_equal(f->stream->load.n_waited, 2);
    assert_int_equal(f->stream->load.stall_ns, 12 * MS);
}

static void texts_name_every_consumer(void **state)
{
    struct fixture *f = *state;
    struct stream_set set = {1, {f->stream}};
    f->consumer[1].client = "a \"quoted\\ one";
    tells(&f->consumer[1], 40 * MS, 0);
    char *text = demand_json_text(f->rig.store, &set, 2 * S);
    assert_non_null(strstr(text, "\"client\":\"a \\\"quoted\\\\ one\""));
    assert_non_null(strstr(text, "\"recommended_replicas\":1,"));
    assert_non_null(strstr(text, "\"more_sessions\":0}"));
    mem_free(text);
    text = demand_metrics_text(f->rig.store, &set, 2 * S);
    assert_non_null(strstr(text, "\npasted_recommended_replicas 1\n"));
    assert_non_null(strstr(text, "found=\"waited\"} 1\n"));
    mem_free(text);
    mem_fail_nth(1);
    assert_null(demand_json_text(f->rig.store, &set, 2 * S));
    mem_fail_nth(1);
    assert_null(demand_metrics_text(f->rig.store, &set, 2 * S));
    mem_fail_nth(0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(rate_times_cost_over_workers),
        TEST(what_is_shared_costs_once),
        TEST(no_consumer_is_worth_all),
        TEST(who_takes_nothing_needs_nothing),
        TEST(who_tells_nothing_is_seen),
        TEST(texts_name_every_consumer),
    };
    return cmocka_run_group_tests(tests, rig_make_catalog, rig_drop_catalog);
}
