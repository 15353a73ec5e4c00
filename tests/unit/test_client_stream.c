/* The client against a server that behaves: what arrives, and in what order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/client_rig.h"

static const struct fake_behaviour good = {0};

static void steps_come_in_order_with_every_byte(void **state)
{
    struct fake_server *f = fake_start(0, &good, 1);
    pasted_client *c = rig_open(f, "");
    for (uint64_t step = 0; step < 12; step++)
        rig_expect(c, step * FAKE_G, FAKE_G);
    assert_int_equal(rig_stats(c).batches, 12);
    pasted_destroy(c);
    fake_stop(f);
}

static void rank_takes_its_slice(void **state)
{
    struct fake_server *f = fake_start(0, &good, 1);
    pasted_client *c = rig_open(f, "rank=1&world=2&batch=6&position=100");
    rig_expect(c, 103, 3);
    rig_expect(c, 109, 3);
    struct fake_counts counts = fake_counts(f);
    assert_int_equal(counts.rank, 1);
    assert_int_equal(counts.world, 2);
    pasted_destroy(c);
    fake_stop(f);
}

static void info_is_what_the_server_opened(void **state)
{
    struct fake_server *f = fake_start(0, &good, 1);
    pasted_client *c = rig_open(f, "");
    struct pasted_info info;
    assert_int_equal(pasted_info(c, &info, sizeof info), 0);
    assert_string_equal(info.stream, "first");
    assert_string_equal(info.server, "fake 1");
    assert_int_equal(strspn(info.fingerprint, "5a"), 64);
    assert_int_equal(info.edges_per_epoch, FAKE_EPOCH);
    assert_int_equal(info.global_batch, FAKE_G);
    assert_int_equal(info.n_samples, FAKE_G);
    assert_int_equal(info.height, FAKE_SIDE);
    assert_int_equal(info.n_classes, FAKE_CLASSES);
    assert_int_equal(info.dtype, PASTED_U8);
    assert_int_equal(info.layout, PASTED_NHWC);
    assert_string_equal(pasted_class_name(c, 2), "go \"1\"");
    assert_null(pasted_class_name(c, 3));
    assert_string_equal(pasted_stream_name(c, 1), "second");
    assert_null(pasted_stream_name(c, 2));
    pasted_destroy(c);
    fake_stop(f);
}

/* The fake server's WELCOME names no capability, as one of before ASK. */
static void an_old_server_is_not_asked(void **state)
{
    struct fake_server *f = fake_start(0, &good, 1);
    char address[32];
    const char *text = "untouched";
    pasted_client *c = pasted_create();
    snprintf(address, sizeof address, "127.0.0.1:%u", fake_port(f));
    assert_int_equal(pasted_set(c, "servers", address), 0);
    assert_int_equal(pasted_ask(c, "presets", &text), PASTED_UNSUPPORTED);
    assert_string_equal(text, "untouched");
    assert_non_null(strstr(pasted_error(c), "fake 1"));
    assert_int_equal(pasted_set(c, "servers", "127.0.0.1:1"), 0);
    assert_int_equal(pasted_ask(c, "presets", &text), PASTED_CLOSED);
    pasted_destroy(c);
    fake_stop(f);
}

/* An older program passes a smaller struct, a newer one a larger. */
static void info_fits_structs_of_other_versions(void **state)
{
    struct fake_server *f = fake_start(0, &good, 1);
    pasted_client *c = rig_open(f, "");
    struct {
        struct pasted_info info;
        uint64_t later;
    } large = {.later = 9};
    char small[PASTED_NAME_BYTES + 1];
    small[PASTED_NAME_BYTES] = '!';
    assert_int_equal(pasted_info(c, (void *)&large, sizeof large), 0);
    assert_int_equal(large.later, 0);
    assert_int_equal(pasted_info(c, (void *)small, PASTED_NAME_BYTES), 0);
    assert_string_equal(small, "first");
    assert_int_equal(small[PASTED_NAME_BYTES], '!');
    pasted_destroy(c);
    fake_stop(f);
}

static void pull_is_out_of_order_and_moves_nothing(void **state)
{
    struct fake_server *f = fake_start(0, &good, 1);
    pasted_client *c = rig_open(f, "");
    pasted_batch *b;
    uint64_t position;
    rig_expect(c, 0, FAKE_G);
    assert_int_equal(pasted_pull(c, 5000, &b), 0);
    assert_int_equal(rig_check(b, 5000, FAKE_G), 0);
    assert_int_equal(pasted_batch_cursor(b), 5000);
    pasted_batch_release(b);
    assert_int_equal(pasted_position(c, &position), 0);
    assert_int_equal(position, FAKE_G);
    rig_expect(c, FAKE_G, FAKE_G);
    assert_int_equal(pasted_pull(c, 1ull << 63, &b), PASTED_BAD_ARGUMENT);
    pasted_destroy(c);
    fake_stop(f);
}

static void seek_drops_what_is_stale(void **state)
{
    struct fake_behaviour plan = {.stale_after_seek = true};
    struct fake_server *f = fake_start(0, &plan, 1);
    pasted_client *c = rig_open(f, "prefetch=4");
    rig_expect(c, 0, FAKE_G);
    for (uint64_t to = 1000; to < 1200; to += 37) {
        assert_int_equal(pasted_seek(c, to), 0);
        rig_expect(c, to, FAKE_G);
        rig_expect(c, to + FAKE_G, FAKE_G);
    }
    assert_true(rig_stats(c).stale > 0);
    assert_true(fake_counts(f).max_outstanding <= 4);
    assert_int_equal(rig_stats(c).reconnects, 0);
    pasted_destroy(c);
    fake_stop(f);
}

static void a_slow_consumer_costs_no_more_than_its_prefetch(void **state)
{
    struct fake_server *f = fake_start(0, &good, 1);
    pasted_client *c = rig_open(f, "prefetch=3");
    rig_sleep_ms(200);
    assert_int_equal(fake_counts(f).batches, 3);
    rig_expect(c, 0, FAKE_G);
    rig_sleep_ms(200);
    assert_int_equal(fake_counts(f).batches, 4);
    assert_true(fake_counts(f).max_outstanding <= 3);
    pasted_destroy(c);
    fake_stop(f);
}

static void without_prefetch_nothing_is_asked_for_ahead(void **state)
{
    struct fake_server *f = fake_start(0, &good, 1);
    pasted_client *c = rig_open(f, "prefetch=0");
    rig_sleep_ms(100);
    assert_int_equal(fake_counts(f).credit, 0);
    rig_expect(c, 0, FAKE_G);
    rig_expect(c, FAKE_G, FAKE_G);
    assert_int_equal(fake_counts(f).credit, 2);
    pasted_destroy(c);
    fake_stop(f);
}

/* Else the server would have nothing to compose while a batch is on its way. */
static void who_waits_asks_for_the_next_while_one_is_on_its_way(void **state)
{
    struct fake_behaviour plan = {.then = FAKE_HALF_UNTIL_ASKED};
    struct fake_server *f = fake_start(0, &plan, 1);
    pasted_client *c = rig_open(f, "prefetch=1");
    rig_sleep_ms(50); /* nobody waits for what is on its way */
    assert_int_equal(fake_counts(f).credit, 1);
    rig_expect(c, 0, FAKE_G);
    rig_expect(c, FAKE_G, FAKE_G);
    assert_int_equal(rig_stats(c).reconnects, 0);
    assert_true(fake_counts(f).max_outstanding <= 1);
    pasted_destroy(c);
    fake_stop(f);
}

static void state_continues_in_another_client(void **state)
{
    struct fake_server *f = fake_start(0, &good, 1);
    char text[PASTED_STATE_BYTES];
    pasted_client *c = rig_open(f, "");
    rig_expect(c, 0, FAKE_G);
    assert_int_equal(pasted_state(c, text, sizeof text), 0);
    assert_int_equal(pasted_state(c, text, 10), PASTED_TOO_LARGE);
    rig_expect(c, FAKE_G, FAKE_G);
    assert_int_equal(pasted_restore(c, text), 0); /* on an open client */
    rig_expect(c, FAKE_G, FAKE_G);
    pasted_destroy(c);

    c = pasted_create();
    assert_int_equal(pasted_restore(c, text), 0); /* before open */
    char servers[32];
    snprintf(servers, sizeof servers, "127.0.0.1:%u", fake_port(f));
    assert_int_equal(pasted_set(c, "servers", servers), 0);
    assert_int_equal(pasted_open(c, NULL), 0);
    rig_expect(c, FAKE_G, FAKE_G);
    pasted_destroy(c);
    fake_stop(f);
}

static void state_of_another_stream_is_refused(void **state)
{
    struct fake_behaviour other = {.fingerprint = 7};
    struct fake_server *f = fake_start(0, &good, 1);
    struct fake_server *g = fake_start(0, &other, 1);
    char text[PASTED_STATE_BYTES];
    pasted_client *c = rig_open(f, "");
    pasted_client *d = rig_open(g, "");
    uint64_t position;
    assert_int_equal(pasted_state(c, text, sizeof text), 0);
    rig_expect(d, 0, FAKE_G);
    assert_int_equal(pasted_restore(d, text), PASTED_FINGERPRINT);
    assert_non_null(strstr(pasted_error(d), "fingerprint"));
    assert_int_equal(pasted_position(d, &position), 0);
    assert_int_equal(position, FAKE_G);
    pasted_close(d);
    assert_int_equal(pasted_restore(d, text), 0);
    assert_int_equal(pasted_open(d, NULL), PASTED_FINGERPRINT);
    pasted_destroy(c);
    pasted_destroy(d);
    fake_stop(f);
    fake_stop(g);
}

static void batches_outlive_their_client(void **state)
{
    struct fake_server *f = fake_start(0, &good, 1);
    pasted_client *c = rig_open(f, "prefetch=1");
    pasted_batch *held[6];
    for (int i = 0; i < 6; i++)
        assert_int_equal(pasted_next(c, &held[i]), 0);
    pasted_batch_release(held[0]);
    pasted_destroy(c);
    fake_stop(f);
    for (int i = 1; i < 6; i++) {
        assert_int_equal(rig_check(held[i], (uint64_t)i * FAKE_G, FAKE_G), 0);
        pasted_batch_release(held[i]);
    }
}

static void tensors_are_found_by_name_and_order(void **state)
{
    struct fake_server *f = fake_start(0, &good, 1);
    pasted_client *c = rig_open(f, "");
    struct pasted_tensor t;
    pasted_batch *b;
    assert_int_equal(pasted_next(c, &b), 0);
    assert_int_equal(pasted_batch_n_tensors(b), 3);
    assert_int_equal(pasted_batch_tensor_at(b, 2, &t), 0);
    assert_string_equal(t.name, "image");
    assert_int_equal(pasted_batch_tensor_at(b, 3, &t), PASTED_NOT_FOUND);
    assert_int_equal(pasted_batch_tensor(b, "depth", &t), PASTED_NOT_FOUND);
    pasted_batch_release(b);
    pasted_destroy(c);
    fake_stop(f);
}

static void ping_is_answered(void **state)
{
    struct fake_behaviour plan = {.then = FAKE_PING, .after = 1};
    struct fake_server *f = fake_start(0, &plan, 1);
    pasted_client *c = rig_open(f, "");
    for (uint64_t step = 0; step < 4; step++)
        rig_expect(c, step * FAKE_G, FAKE_G);
    rig_sleep_ms(50);
    assert_int_equal(fake_counts(f).pongs, 1);
    pasted_destroy(c);
    fake_stop(f);
}

static void a_closed_client_opens_again(void **state)
{
    struct fake_server *f = fake_start(0, &good, 1);
    pasted_client *c = rig_open(f, "");
    rig_expect(c, 0, FAKE_G);
    assert_int_equal(pasted_open(c, NULL), PASTED_BAD_STATE);
    assert_int_equal(pasted_set(c, "batch", "4"), PASTED_BAD_STATE);
    assert_int_equal(pasted_set(c, "timeout_ms", "1000"), 0);
    pasted_close(c);
    assert_int_equal(pasted_set(c, "batch", "4"), 0);
    assert_int_equal(pasted_open(c, NULL), 0);
    rig_expect(c, 0, 4);
    pasted_destroy(c);
    fake_stop(f);
}

/* A child of an open client must neither hang nor disturb its parent. */
static void fork_leaves_the_parent_streaming(void **state)
{
    struct fake_server *f = fake_start(0, &good, 1);
    pasted_client *c = rig_open(f, "");
    pasted_batch *b, *held;
    int status = -1;
    assert_int_equal(pasted_next(c, &held), 0);
    pid_t child = fork();
    if (child == 0) {
        int bad = pasted_next(c, &b) != PASTED_FORKED;
        bad += rig_check(held, 0, FAKE_G) != 0;
        pasted_batch_release(held);
        pasted_destroy(c);
        _exit(bad);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    pasted_batch_release(held);
    for (uint64_t step = 1; step < 6; step++)
        rig_expect(c, step * FAKE_G, FAKE_G);
    assert_int_equal(rig_stats(c).reconnects, 0);
    pasted_destroy(c);
    fake_stop(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_come_in_order_with_every_byte),
        cmocka_unit_test(rank_takes_its_slice),
        cmocka_unit_test(info_is_what_the_server_opened),
        cmocka_unit_test(an_old_server_is_not_asked),
        cmocka_unit_test(info_fits_structs_of_other_versions),
        cmocka_unit_test(pull_is_out_of_order_and_moves_nothing),
        cmocka_unit_test(seek_drops_what_is_stale),
        cmocka_unit_test(a_slow_consumer_costs_no_more_than_its_prefetch),
        cmocka_unit_test(without_prefetch_nothing_is_asked_for_ahead),
        cmocka_unit_test(who_waits_asks_for_the_next_while_one_is_on_its_way),
        cmocka_unit_test(state_continues_in_another_client),
        cmocka_unit_test(state_of_another_stream_is_refused),
        cmocka_unit_test(batches_outlive_their_client),
        cmocka_unit_test(tensors_are_found_by_name_and_order),
        cmocka_unit_test(ping_is_answered),
        cmocka_unit_test(a_closed_client_opens_again),
        cmocka_unit_test(fork_leaves_the_parent_streaming),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
