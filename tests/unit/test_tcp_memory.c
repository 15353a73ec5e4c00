/* Every allocation from accept to the last frame fails once, one after the
 * other: greeting, ASK, OPEN, epoch, batches, PULL, JOIN, LEASE, ACK. The
 * client learns it in words or by the end of the connection, never by silence;
 * nothing is left of its session and the next one is served. (SLOT and RETURN
 * allocate nothing; HTTP's and the pools' are in test_http_server and
 * test_catalog_memory.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/base/mem.h"
#include "tests/unit/tcp_world.h"

static uint8_t frame[WIRE_MAX_CLIENT_BYTES];

static void send_written(struct peer *p, struct bytes_writer *w,
                         enum wire_type type, uint32_t request)
{
    peer_send(p, frame, wire_frame_finish(w, type, request));
}

/* Reads on until that type came; false at an ERROR or the end. */
static bool comes(struct peer *p, int type)
{
    for (;;) {
        int got = peer_read(p);
        if (got == type)
            return true;
        if (got == 0 || got == WIRE_ERROR)
            return false;
    }
}

static bool greet_and_ask(struct peer *p)
{
    struct bytes_writer w;
    const struct wire_hello hello = {
        .min_version = 1,
        .max_version = 1,
        .capabilities = WIRE_CAPABILITY_ASK | WIRE_CAPABILITY_GROUPS,
        .checksum_kinds = PEER_KINDS,
    };
    const struct wire_ask ask = {.what = "operations"};
    wire_frame_begin(&w, frame, sizeof frame);
    wire_encode_hello(&w, &hello);
    send_written(p, &w, WIRE_HELLO, 1);
    if (!comes(p, WIRE_WELCOME))
        return false;
    wire_frame_begin(&w, frame, sizeof frame);
    wire_encode_ask(&w, &ask);
    send_written(p, &w, WIRE_ASK, 2);
    return comes(p, WIRE_REPLY);
}

static bool stream_and_pull(struct peer *p, uint64_t position)
{
    const struct wire_open open = {
        .stream = SMALL, .world = 1, .position = position};
    peer_send_open(p, 3, &open);
    if (!comes(p, WIRE_OPENED))
        return false;
    peer_send_credit(p, 2, 0);
    if (!comes(p, WIRE_BATCH) || !comes(p, WIRE_BATCH))
        return false;
    peer_send_pull(p, 4, position + (1ull << 32));
    return comes(p, WIRE_BATCH);
}

static bool share(struct peer *p, uint64_t number)
{
    struct bytes_writer w;
    struct bytes_reader r;
    struct wire_lease lease;
    struct wire_join join = {
        .n_steps = 4, .world = 1, .stream = SMALL, .member = "m"};
    snprintf(join.group, sizeof join.group, "group%u", (unsigned)number);
    wire_frame_begin(&w, frame, sizeof frame);
    wire_encode_join(&w, &join);
    send_written(p, &w, WIRE_JOIN, 5);
    if (!comes(p, WIRE_OPENED))
        return false;
    peer_send_credit(p, 1, 0);
    if (!comes(p, WIRE_LEASE))
        return false;
    bytes_reader_init(&r, p->payload, (size_t)p->header.payload_bytes);
    assert_int_equal(wire_decode_lease(&r, &lease), 0);
    if (!comes(p, WIRE_BATCH))
        return false;
    wire_frame_begin(&w, frame, sizeof frame);
    wire_encode_ack(&w, &(struct wire_ack){.lease = lease.lease});
    send_written(p, &w, WIRE_ACK, 6);
    return comes(p, WIRE_ACKED);
}

/* All of it, with epochs and a group that nobody had before; false when it was
 * cut short. */
static bool converse(struct world *w, uint64_t number)
{
    struct peer p;
    peer_connect(&p, w->port);
    bool whole = greet_and_ask(&p) && stream_and_pull(&p, number << 36) &&
                 share(&p, number);
    mem_fail_nth(0);
    peer_close(&p);
    world_wait_sessions(w, 0);
    return whole;
}

static void each_allocation_of_a_session_may_fail(void **state)
{
    struct world w;
    struct tcp_config config = world_config();
    uint64_t number = 1, n_cut = 0;
    config.hello_timeout_ms = 120000; /* would end a silence */
    config.leases = lease_memory_create(1);
    assert_non_null(config.leases);
    world_start(&w, &config);
    assert_true(converse(&w, number++));
    uint64_t before = mem_allocations();
    assert_true(converse(&w, number++));
    uint64_t n = mem_allocations() - before;
    assert_true(n > 15); /* it does count */
    for (uint64_t nth = 1; nth <= n; nth++) {
        mem_fail_nth(nth);
        n_cut += !converse(&w, number++);
        if (!converse(&w, number++))
            fail_msg("not served after allocation %u failed", (unsigned)nth);
    }
    print_message("%u allocations; %u cut the session short\n", (unsigned)n,
                  (unsigned)n_cut);
    assert_true(n_cut > n / 4);
    world_stop(&w);
    config.leases->calls->destroy(config.leases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_of_a_session_may_fail),
    };
    return cmocka_run_group_tests(tests, world_setup_group,
                                  world_teardown_group);
}
