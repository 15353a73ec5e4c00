/* Leases that outlive a connection: who keeps them and how long, and that a
 * storm of members that come, go and break off acknowledges every step once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "server/base/host.h"
#include "server/base/mem.h"
#include "server/base/metrics.h"
#include "tests/unit/lease_rig.h"

static void a_broken_connection_keeps_what_was_delivered(void **state)
{
    struct lease_store *s = lease_rig_store();
    struct group_terms terms = lease_rig_terms("g", 5);
    struct owner a, b;
    struct lease kept, lost, unsent;
    const uint64_t t = host_now_ns();
    lease_rig_join(s, &a, &terms, "a");
    lease_rig_join(s, &b, &terms, "b");
    kept = lease_rig_take(&a, t);
    lost = lease_rig_take(&a, t);
    assert_int_equal(s->calls->acquire(s, a.member, &unsent), 1);
    lease_rig_n_changed = 0;
    s->calls->detach(s, a.member);
    assert_int_equal(lease_rig_n_changed, 1); /* what was not sent is free */
    assert_int_equal(lease_rig_take(&b, t).step, 2);
    assert_int_equal(lease_rig_take(&b, t).step, 3);
    s->calls->tick(s, t + 999 * MS);
    assert_int_equal(lease_rig_take(&b, t).step, 4);

    lease_rig_join(s, &a, &terms, "a");
    const uint64_t listed[] = {kept.id, unsent.id};
    s->calls->keep(s, a.member, listed, 2, t + 999 * MS);
    assert_int_equal(a.n_told, 1);
    assert_int_equal(a.lease, unsent.id);
    assert_int_equal(a.code, -ERROR_LEASE_LOST);
    struct lease again =
        lease_rig_take(&b, t); /* not listed: back to the group */
    assert_int_equal(again.step, lost.step);
    assert_int_equal(again.delivery, 2);
    s->calls->tick(s, t + 1998 * MS); /* the lease lasts anew */
    assert_int_equal(lease_rig_ack(&a, kept.id, t), 0);
    assert_int_equal(lease_rig_ack(&a, lost.id, t), -ERROR_LEASE_LOST);
    s->calls->destroy(s);
}

static void a_lease_of_who_does_not_come_back_ends_in_its_time(void **state)
{
    struct lease_store *s = lease_rig_store();
    struct group_terms terms = lease_rig_terms("g", 1);
    struct owner a, b;
    lease_rig_join(s, &a, &terms, "a");
    lease_rig_join(s, &b, &terms, "b");
    struct lease lease = lease_rig_take(&a, 0);
    s->calls->detach(s, a.member);
    s->calls->tick(s, 999 * MS);
    assert_int_equal(lease_rig_take(&b, 999 * MS).id, 0);
    s->calls->tick(s, 1000 * MS);
    assert_int_equal(lease_rig_take(&b, 1000 * MS).delivery, 2);
    lease_rig_join(s, &a, &terms, "a");
    s->calls->keep(s, a.member, &lease.id, 1, 1000 * MS);
    assert_int_equal(a.code, -ERROR_LEASE_LOST);
    s->calls->destroy(s);
}

/* Breaks off, and joins again with that lease. */
static void come_back(struct lease_store *s, struct owner *o, uint64_t lease,
                      uint64_t now_ns)
{
    struct group_terms terms = lease_rig_terms("g", 2);
    if (o->member)
        s->calls->detach(s, o->member);
    lease_rig_join(s, o, &terms, "a");
    s->calls->keep(s, o->member, &lease, 1, now_ns);
    s->calls->renew(s, o->member, now_ns); /* a CREDIT, as clients send */
}

/* It held its step for ever, and a group of which it had the last one did not
 * end. */
static void joining_again_for_ever_keeps_no_lease_for_ever(void **state)
{
    struct lease_store *s = lease_rig_store();
    struct group_terms terms = lease_rig_terms("g", 2);
    struct owner a = {.store = s}, b;
    lease_rig_join(s, &b, &terms, "b");
    lease_rig_join(s, &a, &terms, "a");
    struct lease lease = lease_rig_take(&a, 0);
    for (uint64_t ms = 500; ms < 10500; ms += 500) {
        come_back(s, &a, lease.id, ms * MS);
        s->calls->tick(s, ms * MS);
        assert_int_equal(a.n_told, 0);
    }
    assert_int_equal(lease_rig_take(&b, 10000 * MS).step, 1);
    lease_rig_n_changed = 0;
    const int64_t n_expired = metric_get(METRIC_GROUP_EXPIRED);
    come_back(s, &a, lease.id, 10500 * MS);
    assert_int_equal(metric_get(METRIC_GROUP_EXPIRED), n_expired + 1);
    assert_int_equal(a.n_told, 1);
    assert_int_equal(a.code, -ERROR_LEASE_LOST);
    assert_int_equal(a.lease, lease.id);
    assert_int_equal(lease_rig_n_changed, 1);
    assert_int_equal(lease_rig_take(&b, 10500 * MS).delivery, 2);
    s->calls->destroy(s);
}

/* A slow trainer on a bad network: each step of its takes nine tenths of that
 * time, and its connection breaks all the while. */
static void
who_acknowledges_keeps_the_rest_through_any_number_of_joins(void **state)
{
    struct lease_store *s = lease_rig_store();
    struct group_terms terms = lease_rig_terms("g", 0);
    struct owner a = {.store = s};
    lease_rig_join(s, &a, &terms, "a");
    struct lease now = lease_rig_take(&a, 0);
    uint64_t ms = 0;
    for (int step = 0; step < 5; step++) {
        struct lease next = lease_rig_take(&a, ms * MS);
        const uint64_t both[] = {now.id, next.id};
        for (uint64_t end = ms + 9000; ms < end; ms += 500) {
            s->calls->detach(s, a.member);
            terms = lease_rig_terms("g", 0);
            lease_rig_join(s, &a, &terms, "a");
            s->calls->keep(s, a.member, both, 2, ms * MS);
            s->calls->tick(s, ms * MS);
            assert_int_equal(a.n_told, 0);
        }
        assert_int_equal(lease_rig_ack(&a, now.id, ms * MS), 0);
        now = next;
    }
    s->calls->destroy(s);
}

/* Its place is needed: the group must not lose the step with it. */
static void who_is_forgotten_gives_back_what_it_kept(void **state)
{
    static struct owner owners[GROUP_MAX_MEMBERS + 1];
    struct lease_store *s = lease_rig_store();
    struct group_terms terms = lease_rig_terms("g", 1);
    char name[16];
    for (int i = 0; i <= GROUP_MAX_MEMBERS; i++) {
        snprintf(name, sizeof name, "m%d", i);
        lease_rig_join(s, &owners[i], &terms, name);
        if (i == 0) {
            lease_rig_take(&owners[0], 0);
            s->calls->detach(s, owners[0].member);
        }
    }
    assert_int_equal(lease_rig_take(&owners[GROUP_MAX_MEMBERS], 0).delivery, 2);
    s->calls->destroy(s);
}

static uint64_t seed;

static uint32_t chance(uint32_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 33) % n;
}

#define STORM_MEMBERS 6
#define STORM_STEPS   500

/* Under a name that it had, or that another has, with what it holds, or some
 * of it; what it has lost it learns in time. */
static void storm_join(struct lease_store *s, struct owner *o,
                       struct lease held[4], uint64_t now_ns)
{
    struct group_terms terms = lease_rig_terms("storm", STORM_STEPS);
    uint64_t kept[4];
    uint32_t n = 0;
    char name[8];
    snprintf(name, sizeof name, "m%u", chance(9));
    for (int i = 0; i < 4; i++)
        if (held[i].id && chance(4))
            kept[n++] = held[i].id;
        else
            held[i].id = 0;
    lease_rig_join(s, o, &terms, name);
    o->breaks_off = chance(2);
    s->calls->keep(s, o->member, kept, n, now_ns);
}

/* One turn of one member: it joins, leaves, breaks off, takes, acknowledges or
 * sleeps. */
static void storm_turn(struct lease_store *s, struct owner *o,
                       struct lease held[4], uint8_t *acked, uint64_t now_ns)
{
    uint32_t i = chance(4);
    if (!o->member) {
        if (chance(2))
            storm_join(s, o, held, now_ns);
        return;
    }
    switch (chance(13)) {
    case 12:
        s->calls->detach(s, o->member);
        o->member = NULL;
        break;
    case 0:
        s->calls->leave(s, o->member);
        o->member = NULL;
        break;
    case 1:
        s->calls->renew(s, o->member, now_ns);
        break;
    case 2:
        break;
    default:
        if (held[i].id == 0) {
            held[i] = lease_rig_take(o, now_ns);
        } else {
            if (lease_rig_ack(o, held[i].id, now_ns) == 0)
                acked[held[i].step]++;
            held[i].id = 0;
        }
    }
}

static void a_storm_acknowledges_every_step_once(void **state)
{
    struct lease_store *s = lease_rig_store();
    static struct owner owners[STORM_MEMBERS];
    static struct lease held[STORM_MEMBERS][4];
    uint8_t acked[STORM_STEPS] = {0};
    const char *given = getenv("PASTED_TEST_SEED");
    seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    printf("seed %llu\n", (unsigned long long)seed);
    seed = seed * 0x9E3779B97F4A7C15ull | 1;
    memset(owners, 0, sizeof owners);
    bool ended = false;
    uint64_t now_ns = 0;
    for (int turn = 0; turn < 2000000 && !ended; turn++) {
        uint32_t who = chance(STORM_MEMBERS);
        now_ns += chance(40) * MS;
        s->calls->tick(s, now_ns);
        storm_turn(s, &owners[who], held[who], acked, now_ns);
        if (turn % 256 == 0 && turn > 0) {
            struct group_report *r = lease_rig_report(s, "storm", 0);
            ended = r->ended;
            assert_true(r->n_acknowledged + r->n_open == r->n_begun);
            mem_free(r);
        }
    }
    assert_true(ended);
    for (int i = 0; i < STORM_STEPS; i++)
        assert_int_equal(acked[i], 1);
    s->calls->destroy(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_broken_connection_keeps_what_was_delivered),
        cmocka_unit_test(a_lease_of_who_does_not_come_back_ends_in_its_time),
        cmocka_unit_test(joining_again_for_ever_keeps_no_lease_for_ever),
        cmocka_unit_test(
            who_acknowledges_keeps_the_rest_through_any_number_of_joins),
        cmocka_unit_test(who_is_forgotten_gives_back_what_it_kept),
        cmocka_unit_test(a_storm_acknowledges_every_step_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
