/* The store of leases in memory: who gets which step, what happens to those
 * that are lost, what is bounded, and that a storm of members acknowledges
 * every step once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "server/base/mem.h"
#include "server/groups/memory.h"

#define MS 1000000ull

/* A member as a session would be: what it was told last. */
struct owner {
    struct lease_store *store;
    struct lease_member *member;
    uint64_t lease;
    int code, n_told;
};

static int n_changed;

static void on_acked(void *owner, uint64_t lease, int code)
{
    struct owner *o = owner;
    o->lease = lease;
    o->code = code;
    o->n_told++;
}

static void on_replaced(void *owner)
{
    struct owner *o = owner;
    o->store->calls->leave(o->store, o->member);
    o->member = NULL;
}

static void on_changed(void *context)
{
    n_changed++;
}

static const struct lease_events events = {on_acked, on_replaced, on_changed};

static struct lease_store *make_store(void)
{
    struct lease_store *s = lease_memory_create(1);
    assert_non_null(s);
    s->events = &events;
    return s;
}

static struct group_terms terms_of(const char *name, uint64_t n_steps)
{
    struct group_terms t = {.stream = "default",
                            .n_steps = n_steps,
                            .global_batch = 8,
                            .world = 1,
                            .lease_ms = 1000};
    snprintf(t.name, sizeof t.name, "%s", name);
    return t;
}

static int try_join(struct lease_store *s, struct owner *o,
                    const struct group_terms *terms, const char *member)
{
    struct fault fault = {0};
    *o = (struct owner){.store = s};
    return s->calls->join(s, terms, member, o, &o->member, &fault);
}

static void join(struct lease_store *s, struct owner *o,
                 const struct group_terms *terms, const char *member)
{
    assert_int_equal(try_join(s, o, terms, member), 0);
}

/* Leases and delivers the next step; its lease, or one with id 0. */
static struct lease take(struct owner *o, uint64_t now_ns)
{
    struct lease lease = {0};
    if (o->store->calls->acquire(o->store, o->member, &lease) == 1)
        o->store->calls->deliver(o->store, o->member, lease.id, now_ns);
    return lease;
}

static int ack(struct owner *o, uint64_t lease, uint64_t now_ns)
{
    o->n_told = 0;
    o->store->calls->ack(o->store, o->member, lease, now_ns);
    assert_int_equal(o->n_told, 1);
    assert_int_equal(o->lease, lease);
    return o->code;
}

static struct group_report *report(struct lease_store *s, const char *name,
                                   uint64_t first)
{
    struct group_report *r = NULL;
    assert_int_equal(s->calls->report(s, "default", name, first, &r), 0);
    return r;
}

static void a_lease_without_progress_goes_to_another(void **state)
{
    struct lease_store *s = make_store();
    struct group_terms terms = terms_of("g", 3);
    struct owner a, b;
    join(s, &a, &terms, "a");
    join(s, &b, &terms, "b");
    struct lease first = take(&a, 0), second = take(&a, 0);
    s->calls->tick(s, 999 * MS);
    assert_int_equal(a.n_told, 0);
    s->calls->renew(s, a.member, 500 * MS);
    s->calls->tick(s, 1499 * MS);
    assert_int_equal(a.n_told, 0);
    s->calls->tick(s, 1500 * MS);
    assert_int_equal(a.n_told, 2);
    assert_int_equal(a.code, -ERROR_LEASE_LOST);

    /* It gets nothing until it shows some progress; the other at once. */
    assert_int_equal(take(&a, 1500 * MS).id, 0);
    struct lease again = take(&b, 1500 * MS);
    assert_int_equal(again.step, 0);
    assert_int_equal(again.delivery, 2);
    assert_int_not_equal(again.id, first.id);
    assert_int_equal(ack(&b, again.id, 1500 * MS), 0);
    assert_int_equal(ack(&a, first.id, 1500 * MS), -ERROR_LEASE_LOST);
    assert_int_equal(ack(&a, second.id, 1500 * MS), -ERROR_LEASE_LOST);
    assert_int_equal(take(&a, 1500 * MS).step, 1); /* an ACK is a sign */
    s->calls->destroy(s);
}

static void what_was_not_delivered_neither_expires_nor_counts(void **state)
{
    struct lease_store *s = make_store();
    struct group_terms terms = terms_of("g", 3);
    struct owner a;
    struct lease lease;
    join(s, &a, &terms, "a");
    assert_int_equal(s->calls->acquire(s, a.member, &lease), 1);
    s->calls->tick(s, 3600000 * MS);
    assert_int_equal(a.n_told, 0);
    assert_int_equal(ack(&a, lease.id, 0), -ERROR_LEASE_LOST);
    n_changed = 0;
    s->calls->release(s, a.member, lease.id);
    assert_int_equal(n_changed, 1);
    struct lease next = take(&a, 0);
    assert_int_equal(next.step, 0);
    assert_int_equal(next.delivery, 1);
    s->calls->destroy(s);
}

static void the_first_member_fixes_the_terms(void **state)
{
    struct lease_store *s = make_store();
    struct group_terms terms = terms_of("g", 3), other;
    struct owner a, b;
    join(s, &a, &terms, "a");
#define DIFFERS(field, code)                                                   \
    other = terms;                                                             \
    other.field++;                                                             \
    assert_int_equal(try_join(s, &b, &other, "b"), -(code));
    DIFFERS(n_steps, ERROR_GROUP)
    DIFFERS(position, ERROR_GROUP)
    DIFFERS(global_batch, ERROR_GROUP)
    DIFFERS(world, ERROR_GROUP)
    DIFFERS(lease_ms, ERROR_GROUP)
    DIFFERS(fingerprint[31], ERROR_FINGERPRINT)
#undef DIFFERS
    other = terms;
    other.lease_ms = 0;
    join(s, &b, &other, "b");
    s->calls->destroy(s);
}

static void a_name_that_joins_again_takes_the_place(void **state)
{
    struct lease_store *s = make_store();
    struct group_terms terms = terms_of("g", 3);
    struct owner old, new;
    join(s, &old, &terms, "a");
    take(&old, 0);
    join(s, &new, &terms, "a");
    assert_null(old.member);
    assert_int_equal(take(&new, 0).delivery, 2);
    struct group_report *r = report(s, "g", 0);
    assert_int_equal(r->n_members, 1);
    assert_int_equal(r->members[0].n_lost, 1);
    mem_free(r);
    s->calls->destroy(s);
}

static void names_that_are_none_are_refused(void **state)
{
    static const char *const bad[] = {"",         " ",  "a b", "a/b",
                                      "\xc3\xa9", "\"", "a\n"};
    struct lease_store *s = make_store();
    struct owner a;
    char longest[66];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct group_terms terms = terms_of(bad[i], 3), good = terms_of("g", 3);
        assert_int_equal(try_join(s, &a, &terms, "a"), -ERROR_BAD_ARGUMENT);
        assert_int_equal(try_join(s, &a, &good, bad[i]), -ERROR_BAD_ARGUMENT);
    }
    memset(longest, 'x', 65);
    longest[65] = '\0';
    struct group_terms good = terms_of("g", 3);
    assert_int_equal(try_join(s, &a, &good, longest), -ERROR_BAD_ARGUMENT);
    join(s, &a, &good, longest + 1);
    s->calls->destroy(s);
}

static void groups_and_members_are_bounded(void **state)
{
    static struct owner owners[GROUP_MAX_MEMBERS + GROUPS_MAX + 2];
    struct lease_store *s = make_store();
    struct owner *next = owners;
    char name[16];
    struct group_terms terms = terms_of("g", 300);
    for (int i = 0; i < GROUP_MAX_MEMBERS; i++) {
        snprintf(name, sizeof name, "m%d", i);
        join(s, next++, &terms, name);
    }
    assert_int_equal(try_join(s, next, &terms, "late"), -ERROR_OVERLOADED);
    /* Who left makes room; what it had done is no longer told by name. */
    struct lease lease = take(&owners[0], 0);
    assert_int_equal(ack(&owners[0], lease.id, 0), 0);
    s->calls->leave(s, owners[0].member);
    join(s, next++, &terms, "late");
    struct group_report *r = report(s, "g", 0);
    assert_int_equal(r->n_rows, 1);
    assert_int_equal(r->rows[0].member, GROUP_NO_MEMBER);
    mem_free(r);

    for (int i = 1; i < GROUPS_MAX; i++) {
        snprintf(name, sizeof name, "g%d", i);
        struct group_terms other = terms_of(name, 1);
        join(s, next++, &other, "a");
    }
    struct group_terms more = terms_of("more", 1);
    assert_int_equal(try_join(s, next, &more, "a"), -ERROR_OVERLOADED);
    /* A group that has ended and is left makes room. */
    struct owner *last = next - 1;
    lease = take(last, 0);
    assert_int_equal(ack(last, lease.id, 0), 0);
    s->calls->leave(s, last->member);
    join(s, next, &more, "a");
    s->calls->destroy(s);
}

static void open_steps_are_bounded(void **state)
{
    struct lease_store *s = make_store();
    struct group_terms terms = terms_of("g", 0);
    struct owner a;
    join(s, &a, &terms, "a");
    for (int i = 0; i < GROUP_MAX_OPEN; i++)
        assert_int_equal(take(&a, 0).step, i);
    assert_int_equal(take(&a, 0).id, 0);
    struct group_report *r = report(s, "g", 0);
    assert_int_equal(r->n_open, GROUP_MAX_OPEN);
    mem_free(r);
    s->calls->destroy(s);
}

/* More steps than rows: coverage stays exact, stories of old steps go. */
static void a_group_without_end_keeps_its_memory(void **state)
{
    struct lease_store *s = make_store();
    struct group_terms terms = terms_of("g", 0);
    struct owner a, b;
    const uint64_t n = GROUP_MAX_ROWS + 5000;
    join(s, &a, &terms, "a");
    join(s, &b, &terms, "b");
    uint64_t held = take(&b, 0).id; /* step 0, for ever */
    for (uint64_t i = 1; i < n; i++)
        assert_int_equal(ack(i % 2 ? &a : &b, take(i % 2 ? &a : &b, 0).id, 0),
                         0);
    struct group_report *r = report(s, "g", 0);
    assert_int_equal(r->n_begun, n);
    assert_int_equal(r->n_acknowledged, n - 1);
    assert_int_equal(r->n_open, 1);
    assert_int_equal(r->rows_from, n - GROUP_MAX_ROWS);
    assert_int_equal(r->n_rows, GROUP_MAX_REPORT_ROWS);
    assert_int_equal(r->rows_next, r->rows_from + GROUP_MAX_REPORT_ROWS);
    mem_free(r);
    r = report(s, "g", n - 10);
    assert_int_equal(r->n_rows, 10);
    assert_int_equal(r->rows_next, 0);
    mem_free(r);
    assert_int_equal(ack(&b, held, 0), 0);
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

/* One turn of one member: it joins, leaves, takes, acknowledges or sleeps. */
static void storm_turn(struct lease_store *s, struct owner *o,
                       struct lease held[4], uint8_t *acked, uint64_t now_ns)
{
    struct group_terms terms = terms_of("storm", STORM_STEPS);
    char name[8];
    uint32_t i = chance(4);
    if (!o->member) {
        snprintf(name, sizeof name, "m%u", chance(9));
        uint32_t n = chance(2);
        if (n == 0)
            return;
        memset(held, 0, 4 * sizeof *held);
        join(s, o, &terms, name);
        return;
    }
    switch (chance(12)) {
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
            held[i] = take(o, now_ns);
        } else {
            if (ack(o, held[i].id, now_ns) == 0)
                acked[held[i].step]++;
            held[i].id = 0;
        }
    }
}

static void a_storm_acknowledges_every_step_once(void **state)
{
    struct lease_store *s = make_store();
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
            struct group_report *r = report(s, "storm", 0);
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

static void joining_survives_the_loss_of_any_allocation(void **state)
{
    struct lease_store *s = make_store();
    struct group_terms terms = terms_of("g", 300);
    struct owner a;
    int rc = -1;
    for (uint64_t nth = 1; rc != 0; nth++) {
        assert_true(nth < 10);
        mem_fail_nth(nth);
        rc = try_join(s, &a, &terms, "a");
        mem_fail_nth(0);
        assert_true(rc == 0 || rc == -ERROR_NO_MEMORY);
    }
    mem_fail_nth(1); /* the rows: forgotten, not needed */
    struct lease lease = take(&a, 0);
    mem_fail_nth(0);
    assert_int_equal(ack(&a, lease.id, 0), 0);
    lease = take(&a, 0);
    assert_int_equal(ack(&a, lease.id, 0), 0);
    struct group_report *r = report(s, "g", 0);
    assert_int_equal(r->n_acknowledged, 2);
    assert_int_equal(r->rows_from, 1);
    assert_int_equal(r->n_rows, 1);
    mem_free(r);
    mem_fail_nth(1);
    assert_int_equal(s->calls->report(s, "default", "g", 0, &r),
                     -ERROR_NO_MEMORY);
    mem_fail_nth(1);
    assert_null(lease_memory_create(1));
    mem_fail_nth(0);
    s->calls->destroy(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lease_without_progress_goes_to_another),
        cmocka_unit_test(what_was_not_delivered_neither_expires_nor_counts),
        cmocka_unit_test(the_first_member_fixes_the_terms),
        cmocka_unit_test(a_name_that_joins_again_takes_the_place),
        cmocka_unit_test(names_that_are_none_are_refused),
        cmocka_unit_test(groups_and_members_are_bounded),
        cmocka_unit_test(open_steps_are_bounded),
        cmocka_unit_test(a_group_without_end_keeps_its_memory),
        cmocka_unit_test(a_storm_acknowledges_every_step_once),
        cmocka_unit_test(joining_survives_the_loss_of_any_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
