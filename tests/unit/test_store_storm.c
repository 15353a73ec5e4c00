/* A storm: many requests, cancels and holds over a small budget, in an order
 * drawn from a seed. Nothing may hang, leak or have other bytes than alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "server/base/arena.h"
#include "server/base/philox.h"
#include "tests/unit/serve_rig.h"

#define N_STREAMS 3
#define N_ASKS    40
#define N_STEPS   4000

static uint64_t seed = 1;

struct storm {
    struct rig rig;
    struct stream *stream[N_STREAMS];
    struct ask asks[N_ASKS];
    bool sent[N_ASKS];
    uint32_t n_answered, n_refused, n_cancelled;
};

static void begin(struct storm *s)
{
    static const char *const recipes[N_STREAMS] = {
        RIG_RECIPE, "{\"size\": [20, 12], \"seed\": 2}",
        "{\"size\": [9, 33], \"seed\": 3, \"output\": {\"dtype\": \"f32\"}}"};
    struct store_config config = rig_config();

    config.budget_bytes = 12 * ARENA_PAGE_BYTES;
    config.max_queued = 6;
    for (int i = 0; i < N_STREAMS; i++)
        s->stream[i] = rig_stream(recipes[i]);
    config.epoch_budget_bytes = 5 * graph_epoch_bytes(&s->stream[0]->graph);
    rig_start(&s->rig, 3, &config);
}

static void send_drawn(struct storm *s, struct ask *a, struct philox_block b)
{
    /* Few different batches, so that hits and joins happen too. */
    uint32_t first = b.word[1] % 8 * 9, n = 1 + b.word[2] % 2 * 30;

    ask_init(a, s->stream[b.word[1] >> 8 & 1], first, n);
    if (b.word[2] >> 8 & 1)
        a->request.stream = s->stream[2];
    a->request.class = b.word[2] >> 9 & 1 ? WORKER_SMALL : WORKER_BULK;
    a->request.checksum = (enum checksum_kind)(b.word[3] % CHECKSUM_N_KINDS);
    if (ask_send(&s->rig, a) < 0) {
        assert_int_equal(a->fault.code, ERROR_OVERLOADED);
        s->n_refused++;
        return;
    }
    s->sent[a - s->asks] = true;
}

/* Takes an answer back, or the request. */
static void settle(struct storm *s, uint32_t i, bool check)
{
    struct ask *a = &s->asks[i];

    s->sent[i] = false;
    if (!a->answered) {
        store_cancel(s->rig.store, &a->request);
        s->n_cancelled++;
        return;
    }
    assert_int_equal(a->status, 0);
    assert_true(a->request.checksum == CHECKSUM_NONE ||
                a->batch->checksums[a->request.checksum]);
    if (check)
        rig_check_batch(a->batch);
    s->n_answered++;
    batch_unref(a->batch);
}

static void a_storm_of_requests_hangs_leaks_and_changes_nothing(void **state)
{
    static struct storm s;

    print_message("seed %llu\n", (unsigned long long)seed);
    begin(&s);
    for (uint32_t step = 0; step < N_STEPS; step++) {
        struct philox_block b = philox_draw(seed, step, 0, 0);
        uint32_t i = b.word[0] % N_ASKS;

        if (s.sent[i])
            settle(&s, i, step % 16 == 0);
        else
            send_drawn(&s, &s.asks[i], b);
        /* Now and then wait, so that slow workers get their turn too. */
        if ((b.word[0] >> 16 & 7) == 0 && workers_pending(s.rig.workers) > 0)
            uv_run(&s.rig.loop, UV_RUN_ONCE);
    }
    for (uint32_t i = 0; i < N_ASKS; i++) {
        if (s.sent[i])
            settle(&s, i, true);
    }
    rig_settle(&s.rig);
    print_message("%u answered, %u refused, %u cancelled\n", s.n_answered,
                  s.n_refused, s.n_cancelled);
    assert_true(s.n_answered > 50 && s.n_refused > 10 && s.n_cancelled > 10);
    rig_stop(&s.rig);
    assert_int_equal(metric_get(METRIC_BUDGET_USED_BYTES), 0);
    for (int i = 0; i < N_STREAMS; i++)
        stream_destroy(s.stream[i]);
}

/* Nobody waits for ever while room comes and goes. */
static void every_request_is_answered_when_nobody_cancels(void **state)
{
    static struct storm s;
    uint32_t n_open = 0;

    begin(&s);
    for (uint32_t round = 0; round < 100; round++) {
        for (uint32_t i = 0; i < N_ASKS; i++)
            send_drawn(&s, &s.asks[i], philox_draw(seed, round, 7, i));
        do {
            n_open = 0;
            rig_settle(&s.rig);
            for (uint32_t i = 0; i < N_ASKS; i++) {
                n_open += s.sent[i];
                if (s.sent[i] && s.asks[i].answered)
                    settle(&s, i, false);
            }
        } while (n_open > 0);
    }
    assert_int_equal(s.n_answered + s.n_refused, 100 * N_ASKS);
    rig_stop(&s.rig);
    for (int i = 0; i < N_STREAMS; i++)
        stream_destroy(s.stream[i]);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_storm_of_requests_hangs_leaks_and_changes_nothing),
        cmocka_unit_test(every_request_is_answered_when_nobody_cancels),
    };

    if (argc > 1)
        seed = strtoull(argv[1], NULL, 10);
    return cmocka_run_group_tests(tests, rig_make_catalog, rig_drop_catalog);
}
