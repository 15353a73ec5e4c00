/* Steps out of order: SEEK and PULL, with their limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/error.h"
#include "server/base/metrics.h"
#include "tests/unit/tcp_world.h"

static void start(struct world *w, struct peer *p, uint32_t kinds)
{
    const struct tcp_config config = world_config();
    world_start(w, &config);
    peer_greet(p, w->port, kinds);
}

static void stop(struct world *w, struct peer *p)
{
    peer_close(p);
    world_wait_sessions(w, 0);
    assert_int_equal(world_ahead_bytes(w), 0);
    world_stop(w);
}

/* Copy of the payload [0, tensors_bytes), whose checksum byte is 0 now. */
static uint8_t *keep_tensors(const struct peer *p)
{
    uint8_t *copy = malloc((size_t)p->head.tensors_bytes);
    assert_non_null(copy);
    memcpy(copy, p->payload, (size_t)p->head.tensors_bytes);
    return copy;
}

static void seek_moves_the_cursor_and_keeps_the_credit(void **state)
{
    struct world w;
    struct peer p;
    start(&w, &p, 1);
    peer_open(&p, SMALL, 0, 1, 0, 2);
    peer_send_credit(&p, 2, 0);
    peer_expect_batch(&p, 2, 0, 8);
    peer_expect_batch(&p, 2, 8, 8);
    peer_send_seek(&p, 20, 4000);
    peer_expect_silence(&p, 50);
    peer_send_credit(&p, 2, 0);
    peer_send_seek(&p, 21, 400);
    int n_old = 0, n_new = 0; /* old: sent before the second SEEK was read */
    while (n_old + n_new < 2) {
        peer_expect(&p, WIRE_BATCH);
        n_old += p.header.request == 20;
        n_new += p.header.request == 21;
        assert_true(p.header.request == 21 || n_new == 0);
    }
    peer_expect_silence(&p, 50);
    peer_send_credit(&p, 1, 0);
    peer_expect_batch(&p, 21, 400 + 8 * (uint64_t)n_new, 8);
    peer_expect_silence(&p, 50);
    stop(&w, &p);
}

/* What was composed ahead but is not in the socket is not charged. */
static void seek_drops_what_is_stale_without_charging_it(void **state)
{
    struct world w;
    struct peer p;
    start(&w, &p, 1);
    peer_close(&p);
    peer_connect_narrow(&p, w.port);
    peer_send_hello(&p, 1, 1, "", 1);
    peer_expect(&p, WIRE_WELCOME);
    peer_open(&p, LARGE, 0, 1, 0, 2);
    int64_t composed = metric_get(METRIC_BATCHES_COMPOSED);
    peer_send_credit(&p, 10, 0);
    world_wait_composed(composed, 4); /* two fill the socket, two wait */
    world_sleep_ms(100);
    peer_send_seek(&p, 5, 1u << 20);
    int n_old = 0, n_new = 0;
    for (int i = 0; i < 10; i++) {
        peer_expect(&p, WIRE_BATCH);
        n_old += p.header.request == 2;
        n_new += p.header.request == 5;
        assert_true(p.header.request == 5 || n_new == 0);
    }
    assert_true(n_old <= 3);
    assert_int_equal(n_old + n_new, 10);
    peer_expect_silence(&p, 50);
    stop(&w, &p);
}

static void a_bad_seek_changes_nothing(void **state)
{
    struct world w;
    struct peer p;
    start(&w, &p, 1);
    peer_open(&p, SMALL, 0, 1, 0, 2);
    peer_send_seek(&p, 20, UINT64_MAX);
    peer_expect_error(&p, 20, ERROR_BAD_ARGUMENT, false, NULL);
    peer_send_seek(&p, 0, 8);
    peer_expect_error(&p, 0, ERROR_BAD_ARGUMENT, false, NULL);
    peer_send_credit(&p, 1, 0);
    peer_expect_batch(&p, 2, 0, 8);
    stop(&w, &p);
}

static void a_pull_answers_any_step_without_credit(void **state)
{
    struct world w;
    struct peer p;
    start(&w, &p, PEER_KINDS);
    peer_open(&p, SMALL, 0, 1, 0, 2);
    peer_send_pull(&p, 50, 800);
    peer_expect_batch(&p, 50, 800, 8);
    uint8_t *pulled = keep_tensors(&p);
    peer_send_credit(&p, 1, 0);
    peer_expect_batch(&p, 2, 0, 8); /* the cursor did not move */
    peer_send_seek(&p, 3, 800);
    peer_send_credit(&p, 1, 0);
    peer_expect_batch(&p, 3, 800, 8);
    assert_memory_equal(p.payload, pulled, p.head.tensors_bytes);
    free(pulled);
    peer_expect_silence(&p, 50);
    stop(&w, &p);
}

static void pulls_are_limited_and_named(void **state)
{
    struct world w;
    struct peer p;
    bool answered[16] = {false};
    int n_refused = 0;
    start(&w, &p, 1);
    peer_close(&p);
    peer_connect_narrow(&p, w.port);
    peer_send_hello(&p, 1, 1, "", 1);
    peer_expect(&p, WIRE_WELCOME);
    peer_open(&p, LARGE, 0, 1, 0, 2);
    /* Two fill the socket; 16 wait behind them; the last finds no place. */
    int64_t composed = metric_get(METRIC_BATCHES_COMPOSED);
    peer_send_pull(&p, 200, 0);
    peer_send_pull(&p, 201, 1000);
    world_wait_composed(composed, 2);
    world_sleep_ms(100);
    for (uint32_t i = 0; i < 16; i++)
        peer_send_pull(&p, 100 + i, 10000 + 1000 * i);
    peer_send_pull(&p, 300, 7);
    peer_send_pull(&p, 2, 7);   /* the serial */
    peer_send_pull(&p, 0, 7);   /* no id */
    peer_send_pull(&p, 100, 7); /* in use */
    for (int i = 0; i < 22; i++) {
        int type = peer_read(&p);
        uint32_t request = p.header.request;
        if (type == WIRE_BATCH && request < 200) {
            assert_in_range(request, 100, 115);
            assert_false(answered[request - 100]);
            answered[request - 100] = true;
        }
        n_refused += type == WIRE_ERROR;
    }
    assert_int_equal(n_refused, 4);
    for (int i = 0; i < 16; i++)
        assert_true(answered[i]);
    peer_send_pull(&p, 300, 7); /* a place again */
    peer_expect_batch(&p, 300, 7, LARGE_BATCH);
    stop(&w, &p);
}

static void a_pull_out_of_range_is_refused(void **state)
{
    struct world w;
    struct peer p;
    start(&w, &p, 1);
    peer_open(&p, SMALL, 0, 1, 0, 2);
    peer_send_pull(&p, 9, (1ull << 63) - 4);
    peer_expect_error(&p, 9, ERROR_BAD_ARGUMENT, false, NULL);
    peer_send_pull(&p, 9, 1ull << 40); /* any epoch */
    peer_expect_batch(&p, 9, 1ull << 40, 8);
    stop(&w, &p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seek_moves_the_cursor_and_keeps_the_credit),
        cmocka_unit_test(seek_drops_what_is_stale_without_charging_it),
        cmocka_unit_test(a_bad_seek_changes_nothing),
        cmocka_unit_test(a_pull_answers_any_step_without_credit),
        cmocka_unit_test(pulls_are_limited_and_named),
        cmocka_unit_test(a_pull_out_of_range_is_refused),
    };
    return cmocka_run_group_tests(tests, world_setup_group,
                                  world_teardown_group);
}
