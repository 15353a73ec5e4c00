/* The store of leases in memory: who gets which step, what happens to those
 * that are lost, what is bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/base/mem.h"
#include "server/groups/memory.h"
#include "tests/unit/lease_rig.h"

static void a_lease_without_progress_goes_to_another(void **state)
{
    struct lease_store *s = lease_rig_store();
    struct group_terms terms = lease_rig_terms("g", 3);
    struct owner a, b;
    lease_rig_join(s, &a, &terms, "a");
    lease_rig_join(s, &b, &terms, "b");
    struct lease first = lease_rig_take(&a, 0), second = lease_rig_take(&a, 0);
    s->calls->tick(s, 999 * MS);
    assert_int_equal(a.n_told, 0);
    s->calls->renew(s, a.member, 500 * MS);
    s->calls->tick(s, 1499 * MS);
    assert_int_equal(a.n_told, 0);
    s->calls->tick(s, 1500 * MS);
    assert_int_equal(a.n_told, 2);
    assert_int_equal(a.code, -ERROR_LEASE_LOST);

    /* It gets nothing until it shows some progress; the other at once. */
    assert_int_equal(lease_rig_take(&a, 1500 * MS).id, 0);
    struct lease again = lease_rig_take(&b, 1500 * MS);
    assert_int_equal(again.step, 0);
    assert_int_equal(again.delivery, 2);
    assert_int_not_equal(again.id, first.id);
    assert_int_equal(lease_rig_ack(&b, again.id, 1500 * MS), 0);
    assert_int_equal(lease_rig_ack(&a, first.id, 1500 * MS), -ERROR_LEASE_LOST);
    assert_int_equal(lease_rig_ack(&a, second.id, 1500 * MS),
                     -ERROR_LEASE_LOST);
    assert_int_equal(lease_rig_take(&a, 1500 * MS).step,
                     1); /* an ACK is a sign */
    s->calls->destroy(s);
}

static void what_was_not_delivered_neither_expires_nor_counts(void **state)
{
    struct lease_store *s = lease_rig_store();
    struct group_terms terms = lease_rig_terms("g", 3);
    struct owner a;
    struct lease lease;
    lease_rig_join(s, &a, &terms, "a");
    assert_int_equal(s->calls->acquire(s, a.member, &lease), 1);
    s->calls->tick(s, 3600000 * MS);
    assert_int_equal(a.n_told, 0);
    assert_int_equal(lease_rig_ack(&a, lease.id, 0), -ERROR_LEASE_LOST);
    lease_rig_n_changed = 0;
    s->calls->release(s, a.member, lease.id);
    assert_int_equal(lease_rig_n_changed, 1);
    struct lease next = lease_rig_take(&a, 0);
    assert_int_equal(next.step, 0);
    assert_int_equal(next.delivery, 1);
    s->calls->destroy(s);
}

static void the_first_member_fixes_the_terms(void **state)
{
    struct lease_store *s = lease_rig_store();
    struct group_terms terms = lease_rig_terms("g", 3), other;
    struct owner a, b;
    lease_rig_join(s, &a, &terms, "a");
#define DIFFERS(field, code)                                                   \
    other = terms;                                                             \
    other.field++;                                                             \
    assert_int_equal(lease_rig_try_join(s, &b, &other, "b"), -(code));
    DIFFERS(n_steps, ERROR_GROUP)
    DIFFERS(position, ERROR_GROUP)
    DIFFERS(global_batch, ERROR_GROUP)
    DIFFERS(world, ERROR_GROUP)
    DIFFERS(lease_ms, ERROR_GROUP)
    DIFFERS(fingerprint[31], ERROR_FINGERPRINT)
#undef DIFFERS
    other = terms;
    other.lease_ms = 0;
    lease_rig_join(s, &b, &other, "b");
    s->calls->destroy(s);
}

static void a_name_that_joins_again_takes_the_place(void **state)
{
    struct lease_store *s = lease_rig_store();
    struct group_terms terms = lease_rig_terms("g", 3);
    struct owner old, new;
    lease_rig_join(s, &old, &terms, "a");
    lease_rig_take(&old, 0);
    lease_rig_join(s, &new, &terms, "a");
    assert_null(old.member);
    assert_int_equal(lease_rig_take(&new, 0).delivery, 2);
    struct group_report *r = lease_rig_report(s, "g", 0);
    assert_int_equal(r->n_members, 1);
    assert_int_equal(r->members[0].n_lost, 1);
    mem_free(r);
    s->calls->destroy(s);
}

static void names_that_are_none_are_refused(void **state)
{
    static const char *const bad[] = {"",         " ",  "a b", "a/b",
                                      "\xc3\xa9", "\"", "a\n"};
    struct lease_store *s = lease_rig_store();
    struct owner a;
    char longest[66];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct group_terms terms = lease_rig_terms(bad[i], 3),
                           good = lease_rig_terms("g", 3);
        assert_int_equal(lease_rig_try_join(s, &a, &terms, "a"),
                         -ERROR_BAD_ARGUMENT);
        assert_int_equal(lease_rig_try_join(s, &a, &good, bad[i]),
                         -ERROR_BAD_ARGUMENT);
    }
    memset(longest, 'x', 65);
    longest[65] = '\0';
    struct group_terms good = lease_rig_terms("g", 3);
    assert_int_equal(lease_rig_try_join(s, &a, &good, longest),
                     -ERROR_BAD_ARGUMENT);
    lease_rig_join(s, &a, &good, longest + 1);
    s->calls->destroy(s);
}

static void groups_and_members_are_bounded(void **state)
{
    static struct owner owners[GROUP_MAX_MEMBERS + GROUPS_MAX + 2];
    struct lease_store *s = lease_rig_store();
    struct owner *next = owners;
    char name[16];
    struct group_terms terms = lease_rig_terms("g", 300);
    for (int i = 0; i < GROUP_MAX_MEMBERS; i++) {
        snprintf(name, sizeof name, "m%d", i);
        lease_rig_join(s, next++, &terms, name);
    }
    assert_int_equal(lease_rig_try_join(s, next, &terms, "late"),
                     -ERROR_OVERLOADED);
    /* Who left makes room; what it had done is no longer told by name. */
    struct lease lease = lease_rig_take(&owners[0], 0);
    assert_int_equal(lease_rig_ack(&owners[0], lease.id, 0), 0);
    s->calls->leave(s, owners[0].member);
    lease_rig_join(s, next++, &terms, "late");
    struct group_report *r = lease_rig_report(s, "g", 0);
    assert_int_equal(r->n_rows, 1);
    assert_int_equal(r->rows[0].member, GROUP_NO_MEMBER);
    mem_free(r);

    for (int i = 1; i < GROUPS_MAX; i++) {
        snprintf(name, sizeof name, "g%d", i);
        struct group_terms other = lease_rig_terms(name, 1);
        lease_rig_join(s, next++, &other, "a");
    }
    struct group_terms more = lease_rig_terms("more", 1);
    assert_int_equal(lease_rig_try_join(s, next, &more, "a"),
                     -ERROR_OVERLOADED);
    /* A group that has ended and is left makes room. */
    struct owner *last = next - 1;
    lease = lease_rig_take(last, 0);
    assert_int_equal(lease_rig_ack(last, lease.id, 0), 0);
    s->calls->leave(s, last->member);
    lease_rig_join(s, next, &more, "a");
    s->calls->destroy(s);
}

static void open_steps_are_bounded(void **state)
{
    struct lease_store *s = lease_rig_store();
    struct group_terms terms = lease_rig_terms("g", 0);
    struct owner a;
    lease_rig_join(s, &a, &terms, "a");
    for (int i = 0; i < GROUP_MAX_OPEN; i++)
        assert_int_equal(lease_rig_take(&a, 0).step, i);
    assert_int_equal(lease_rig_take(&a, 0).id, 0);
    struct group_report *r = lease_rig_report(s, "g", 0);
    assert_int_equal(r->n_open, GROUP_MAX_OPEN);
    mem_free(r);
    s->calls->destroy(s);
}

/* More steps than rows: coverage stays exact, stories of old steps go. */
static void a_group_without_end_keeps_its_memory(void **state)
{
    struct lease_store *s = lease_rig_store();
    struct group_terms terms = lease_rig_terms("g", 0);
    struct owner a, b;
    const uint64_t n = GROUP_MAX_ROWS + 5000;
    lease_rig_join(s, &a, &terms, "a");
    lease_rig_join(s, &b, &terms, "b");
    uint64_t held = lease_rig_take(&b, 0).id; /* step 0, for ever */
    for (uint64_t i = 1; i < n; i++)
        assert_int_equal(lease_rig_ack(i % 2 ? &a : &b,
                                       lease_rig_take(i % 2 ? &a : &b, 0).id,
                                       0),
                         0);
    struct group_report *r = lease_rig_report(s, "g", 0);
    assert_int_equal(r->n_begun, n);
    assert_int_equal(r->n_acknowledged, n - 1);
    assert_int_equal(r->n_open, 1);
    assert_int_equal(r->rows_from, n - GROUP_MAX_ROWS);
    assert_int_equal(r->n_rows, GROUP_MAX_REPORT_ROWS);
    assert_int_equal(r->rows_next, r->rows_from + GROUP_MAX_REPORT_ROWS);
    mem_free(r);
    r = lease_rig_report(s, "g", n - 10);
    assert_int_equal(r->n_rows, 10);
    assert_int_equal(r->rows_next, 0);
    mem_free(r);
    assert_int_equal(lease_rig_ack(&b, held, 0), 0);
    s->calls->destroy(s);
}

static void joining_survives_the_loss_of_any_allocation(void **state)
{
    struct lease_store *s = lease_rig_store();
    struct group_terms terms = lease_rig_terms("g", 300);
    struct owner a;
    int rc = -1;
    for (uint64_t nth = 1; rc != 0; nth++) {
        assert_true(nth < 10);
        mem_fail_nth(nth);
        rc = lease_rig_try_join(s, &a, &terms, "a");
        mem_fail_nth(0);
        assert_true(rc == 0 || rc == -ERROR_NO_MEMORY);
    }
    mem_fail_nth(1); /* the rows: forgotten, not needed */
    struct lease lease = lease_rig_take(&a, 0);
    mem_fail_nth(0);
    assert_int_equal(lease_rig_ack(&a, lease.id, 0), 0);
    lease = lease_rig_take(&a, 0);
    assert_int_equal(lease_rig_ack(&a, lease.id, 0), 0);
    struct group_report *r = lease_rig_report(s, "g", 0);
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
        cmocka_unit_test(joining_survives_the_loss_of_any_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
