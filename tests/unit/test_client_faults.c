/* The client against servers that die, lie, corrupt, stall and refuse: typed
 * errors within the deadline, then the same position, nothing lost, nothing
 * twice. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/client_rig.h"

static const struct fake_behaviour good = {0};

static void expect_steps(pasted_client *c, uint64_t first, uint64_t n)
{
    for (uint64_t step = first; step < first + n; step++)
        rig_expect(c, step * FAKE_G, FAKE_G);
}

static void a_dropped_connection_is_taken_up_where_it_was(void **state)
{
    struct fake_behaviour plans[] = {
        {.then = FAKE_DROP, .after = 3},
        {.then = FAKE_DROP_MID_BATCH, .after = 2},
        {.then = FAKE_GARBAGE, .after = 1},
        {.then = FAKE_WRONG_POSITION, .after = 2},
        {.then = FAKE_SOFT_ERROR, .after = 1, .code = ERROR_OVERLOADED},
        {.then = FAKE_ERROR, .after = 1, .code = ERROR_TIMEOUT},
        {0}};
    struct fake_server *f = fake_start(0, plans, 7);
    pasted_client *c = rig_open(f, "");
    expect_steps(c, 0, 40);
    assert_int_equal(rig_stats(c).reconnects, 6);
    assert_int_equal(fake_counts(f).connections, 7);
    pasted_destroy(c);
    fake_stop(f);
}

/* While nobody takes batches, what comes beyond the credit cannot have been
 * asked for: a server that floods must not fill the client's memory. */
static void a_flood_ends_the_connection(void **state)
{
    struct fake_behaviour plans[] = {{.then = FAKE_UNASKED, .after = 1}, {0}};
    struct fake_server *f = fake_start(0, plans, 2);
    pasted_client *c = rig_open(f, "");
    double give_up = rig_now_s() + 20;
    while (rig_stats(c).reconnects == 0 && rig_now_s() < give_up)
        rig_sleep_ms(10);
    assert_int_equal(rig_stats(c).reconnects, 1);
    assert_true(rig_stats(c).bytes < 4 * FAKE_G * FAKE_SAMPLE);
    expect_steps(c, 0, 5);
    pasted_destroy(c);
    fake_stop(f);
}

static void a_killed_server_is_a_timeout_and_then_continues(void **state)
{
    struct fake_server *f = fake_start(0, &good, 1);
    uint16_t port = fake_port(f);
    pasted_client *c = rig_open(f, "timeout_ms=300");
    pasted_batch *b;
    int rc = 0;
    uint64_t step = 0;
    expect_steps(c, 0, 3);
    fake_stop(f);
    double start = rig_now_s();
    for (step = 3; (rc = pasted_next(c, &b)) == 0; step++) {
        assert_int_equal(rig_check(b, step * FAKE_G, FAKE_G), 0);
        pasted_batch_release(b);
        start = rig_now_s();
    }
    assert_int_equal(rc, PASTED_TIMEOUT);
    assert_true(rig_now_s() - start < 1.0);
    assert_non_null(strstr(pasted_error(c), "reconnecting"));
    f = fake_start(port, &good, 1);
    assert_non_null(f);
    assert_int_equal(pasted_set(c, "timeout_ms", "20000"), 0);
    expect_steps(c, step, 5);
    pasted_destroy(c);
    fake_stop(f);
}

static void after_the_reconnect_budget_the_next_call_tries_anew(void **state)
{
    struct fake_server *f = fake_start(0, &good, 1);
    uint16_t port = fake_port(f);
    pasted_client *c =
        rig_open(f, "prefetch=1&timeout_ms=20000&reconnect_timeout_ms=200");
    pasted_batch *b;
    expect_steps(c, 0, 2);
    rig_sleep_ms(100);
    fake_stop(f);
    expect_steps(c, 2, 1); /* was prefetched */
    double start = rig_now_s();
    assert_int_equal(pasted_next(c, &b), PASTED_CLOSED);
    assert_true(rig_now_s() - start < 5.0);
    assert_non_null(strstr(pasted_error(c), "gave up"));
    assert_int_equal(pasted_next(c, &b), PASTED_CLOSED);
    f = fake_start(port, &good, 1);
    assert_non_null(f);
    expect_steps(c, 3, 4);
    pasted_destroy(c);
    fake_stop(f);
}

static void a_second_server_takes_over(void **state)
{
    struct fake_behaviour dies = {.then = FAKE_DROP, .after = 3};
    struct fake_server *f = fake_start(0, &dies, 1);
    struct fake_server *g = fake_start(0, &good, 1);
    char url[128];
    pasted_client *c = pasted_create();
    snprintf(url, sizeof url, "pasted://127.0.0.1:1,127.0.0.1:%u,127.0.0.1:%u",
             fake_port(f), fake_port(g));
    assert_int_equal(pasted_open(c, url), 0);
    expect_steps(c, 0, 1);
    fake_stop(f);
    expect_steps(c, 1, 8);
    assert_true(fake_counts(g).batches > 3);
    pasted_destroy(c);
    fake_stop(g);
}

static void draining_sends_the_client_elsewhere(void **state)
{
    struct fake_behaviour drains = {.then = FAKE_DRAIN, .after = 4};
    struct fake_server *f = fake_start(0, &drains, 1);
    struct fake_server *g = fake_start(0, &good, 1);
    char url[128];
    pasted_client *c = pasted_create();
    snprintf(url, sizeof url, "pasted://127.0.0.1:%u,127.0.0.1:%u",
             fake_port(f), fake_port(g));
    assert_int_equal(pasted_open(c, url), 0);
    expect_steps(c, 0, 9);
    assert_int_equal(fake_counts(f).connections, 1);
    assert_int_equal(fake_counts(g).opened_at, 4 * FAKE_G);
    pasted_destroy(c);
    fake_stop(f);
    fake_stop(g);
}

static void a_damaged_batch_is_fetched_again(void **state)
{
    for (int label = 0; label < 2; label++) {
        struct fake_behaviour plan = {.n_corrupt = 2,
                                      .corrupt_label = label != 0};
        struct fake_server *f = fake_start(0, &plan, 1);
        pasted_client *c = rig_open(f, "");
        expect_steps(c, 0, 5);
        assert_true(rig_stats(c).corrupt >= 1);
        assert_int_equal(rig_stats(c).reconnects, 0);
        assert_true(fake_counts(f).seeks >= 1);
        assert_int_equal(fake_counts(f).sought, 0);
        pasted_destroy(c);
        fake_stop(f);
    }
}

static void a_batch_that_is_always_damaged_is_an_error(void **state)
{
    struct fake_behaviour plan = {.n_corrupt = 1000};
    struct fake_server *f = fake_start(0, &plan, 1);
    pasted_client *c = rig_open(f, "");
    pasted_batch *b;
    assert_int_equal(pasted_next(c, &b), PASTED_CORRUPT);
    assert_non_null(strstr(pasted_error(c), "xxh3"));
    pasted_destroy(c);
    fake_stop(f);
}

static void a_damaged_pull_is_fetched_again(void **state)
{
    struct fake_behaviour plan = {.corrupt_pulls = true};
    struct fake_server *f = fake_start(0, &plan, 1);
    pasted_client *c = rig_open(f, "prefetch=0");
    pasted_batch *b;
    assert_int_equal(pasted_pull(c, 40, &b), 0);
    assert_int_equal(rig_check(b, 40, FAKE_G), 0);
    pasted_batch_release(b);
    assert_int_equal(fake_counts(f).pulls, 2);
    pasted_destroy(c);
    fake_stop(f);
}

static void a_refused_pull_fails_alone(void **state)
{
    struct fake_behaviour plan = {.refuse_pulls = true,
                                  .code = ERROR_BAD_ARGUMENT};
    struct fake_server *f = fake_start(0, &plan, 1);
    pasted_client *c = rig_open(f, "");
    pasted_batch *b;
    expect_steps(c, 0, 2);
    assert_int_equal(pasted_pull(c, 40, &b), PASTED_BAD_ARGUMENT);
    assert_non_null(strstr(pasted_error(c), "told to fail"));
    expect_steps(c, 2, 3);
    assert_int_equal(rig_stats(c).reconnects, 0);
    pasted_destroy(c);
    fake_stop(f);
}

static void refusals_at_open_are_typed(void **state)
{
    static const struct {
        struct fake_behaviour plan;
        int status;
    } cases[] = {
        {{.greeting = FAKE_REFUSE_HELLO, .code = ERROR_UNAUTHORIZED},
         PASTED_UNAUTHORIZED},
        {{.greeting = FAKE_REFUSE_HELLO, .code = ERROR_OVERLOADED},
         PASTED_OVERLOADED},
        {{.greeting = FAKE_REFUSE_OPEN, .code = ERROR_NOT_FOUND},
         PASTED_NOT_FOUND},
        {{.greeting = FAKE_OTHER_POSITION}, PASTED_BAD_FRAME},
        {{.greeting = FAKE_CLASS_LIE}, PASTED_BAD_FRAME},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fake_server *f = fake_start(0, &cases[i].plan, 1);
        assert_int_equal(rig_try_open(fake_port(f), "", NULL), cases[i].status);
        fake_stop(f);
    }
    assert_int_equal(rig_try_open(1, "", NULL), PASTED_CLOSED);
}

static void a_silent_server_is_a_timeout_at_open(void **state)
{
    struct fake_behaviour plan = {.greeting = FAKE_NO_WELCOME};
    struct fake_server *f = fake_start(0, &plan, 1);
    double start = rig_now_s();
    assert_int_equal(rig_try_open(fake_port(f), "connect_timeout_ms=200", NULL),
                     PASTED_TIMEOUT);
    assert_true(rig_now_s() - start < 2.0);
    fake_stop(f);
}

static void a_server_that_falls_silent_is_left(void **state)
{
    struct fake_behaviour plans[] = {{.then = FAKE_STOP_ANSWERING, .after = 2},
                                     {0}};
    struct fake_server *f = fake_start(0, plans, 2);
    pasted_client *c = rig_open(f, "keepalive_ms=300&timeout_ms=50");
    pasted_batch *b;
    expect_steps(c, 0, 2);
    double start = rig_now_s();
    assert_int_equal(pasted_next(c, &b), PASTED_TIMEOUT);
    assert_true(rig_now_s() - start < 1.0);
    assert_int_equal(pasted_set(c, "timeout_ms", "20000"), 0);
    expect_steps(c, 2, 4);
    assert_int_equal(rig_stats(c).reconnects, 1);
    pasted_destroy(c);
    fake_stop(f);
}

static void an_image_of_another_shape_is_refused(void **state)
{
    struct fake_behaviour plan = {.greeting = FAKE_OTHER_SHAPE};
    struct fake_server *f = fake_start(0, &plan, 1);
    pasted_client *c = rig_open(f, "");
    pasted_batch *b;
    assert_int_equal(pasted_next(c, &b), PASTED_BAD_FRAME);
    assert_non_null(strstr(pasted_error(c), "image that was agreed"));
    pasted_destroy(c);
    fake_stop(f);
}

static void a_frame_beyond_the_limit_is_refused(void **state)
{
    struct fake_behaviour plan = {.then = FAKE_OVERSIZED};
    struct fake_server *f = fake_start(0, &plan, 1);
    pasted_client *c = rig_open(f, "");
    pasted_batch *b;
    assert_int_equal(pasted_next(c, &b), PASTED_TOO_LARGE);
    assert_non_null(strstr(pasted_error(c), "limit"));
    pasted_destroy(c);
    fake_stop(f);
    f = fake_start(0, &good, 1);
    assert_int_equal(rig_try_open(fake_port(f), "max_batch_bytes=1000", NULL),
                     PASTED_TOO_LARGE);
    fake_stop(f);
}

static void garbage_for_ever_is_an_error(void **state)
{
    struct fake_behaviour plan = {.then = FAKE_GARBAGE};
    struct fake_server *f = fake_start(0, &plan, 1);
    pasted_client *c = rig_open(f, "");
    pasted_batch *b;
    assert_int_equal(pasted_next(c, &b), PASTED_BAD_FRAME);
    pasted_destroy(c);
    fake_stop(f);
}

static void another_stream_behind_the_address_is_an_error(void **state)
{
    struct fake_behaviour plans[] = {{.then = FAKE_DROP, .after = 1},
                                     {.fingerprint = 9}};
    struct fake_server *f = fake_start(0, plans, 2);
    pasted_client *c = rig_open(f, "prefetch=1");
    pasted_batch *b;
    expect_steps(c, 0, 1);
    assert_int_equal(pasted_next(c, &b), PASTED_FINGERPRINT);
    pasted_destroy(c);
    fake_stop(f);
}

static void a_final_error_of_the_stream_is_told_at_once(void **state)
{
    struct fake_behaviour plans[] = {
        {.then = FAKE_SOFT_ERROR, .after = 1, .code = ERROR_INTERNAL}, {0}};
    struct fake_server *f = fake_start(0, plans, 2);
    pasted_client *c = rig_open(f, "");
    pasted_batch *b;
    expect_steps(c, 0, 1);
    assert_int_equal(pasted_next(c, &b), PASTED_INTERNAL);
    assert_non_null(strstr(pasted_error(c), "told to fail"));
    expect_steps(c, 1, 3); /* and the next call goes on */
    pasted_destroy(c);
    fake_stop(f);
}

static void *interrupt_soon(void *client)
{
    rig_sleep_ms(100);
    pasted_interrupt(client);
    return NULL;
}

static void interrupt_ends_a_wait(void **state)
{
    struct fake_behaviour plan = {.then = FAKE_STOP_ANSWERING};
    struct fake_server *f = fake_start(0, &plan, 1);
    pasted_client *c = rig_open(f, "");
    pasted_batch *b;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, interrupt_soon, c), 0);
    double start = rig_now_s();
    assert_int_equal(pasted_next(c, &b), PASTED_CANCELLED);
    assert_true(rig_now_s() - start < 5.0);
    pthread_join(thread, NULL);
    pasted_destroy(c);
    fake_stop(f);
}

static void destroy_waits_for_no_server(void **state)
{
    struct fake_behaviour plan = {.then = FAKE_HALF_THEN_WAIT};
    struct fake_server *f = fake_start(0, &plan, 1);
    pasted_client *c = rig_open(f, "");
    rig_sleep_ms(50);
    double start = rig_now_s();
    pasted_destroy(c);
    assert_true(rig_now_s() - start < 1.0);
    fake_stop(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dropped_connection_is_taken_up_where_it_was),
        cmocka_unit_test(a_flood_ends_the_connection),
        cmocka_unit_test(a_killed_server_is_a_timeout_and_then_continues),
        cmocka_unit_test(after_the_reconnect_budget_the_next_call_tries_anew),
        cmocka_unit_test(a_second_server_takes_over),
        cmocka_unit_test(draining_sends_the_client_elsewhere),
        cmocka_unit_test(a_damaged_batch_is_fetched_again),
        cmocka_unit_test(a_batch_that_is_always_damaged_is_an_error),
        cmocka_unit_test(a_damaged_pull_is_fetched_again),
        cmocka_unit_test(a_refused_pull_fails_alone),
        cmocka_unit_test(refusals_at_open_are_typed),
        cmocka_unit_test(a_silent_server_is_a_timeout_at_open),
        cmocka_unit_test(a_server_that_falls_silent_is_left),
        cmocka_unit_test(an_image_of_another_shape_is_refused),
        cmocka_unit_test(a_frame_beyond_the_limit_is_refused),
        cmocka_unit_test(garbage_for_ever_is_an_error),
        cmocka_unit_test(another_stream_behind_the_address_is_an_error),
        cmocka_unit_test(a_final_error_of_the_stream_is_told_at_once),
        cmocka_unit_test(interrupt_ends_a_wait),
        cmocka_unit_test(destroy_waits_for_no_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
