/* The rig of the tests of the store of leases. */
#include "tests/unit/lease_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

int lease_rig_n_changed;

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
    if (o->breaks_off)
        o->store->calls->detach(o->store, o->member);
    else
        o->store->calls->leave(o->store, o->member);
    o->member = NULL;
}

static void on_changed(void *context)
{
    lease_rig_n_changed++;
}

static const struct lease_events events = {on_acked, on_replaced, on_changed};

struct lease_store *lease_rig_store(void)
{
    struct lease_store *s = lease_memory_create(1);
    assert_non_null(s);
    s->events = &events;
    return s;
}

struct group_terms lease_rig_terms(const char *name, uint64_t n_steps)
{
    struct group_terms t = {.stream = "default",
                            .n_steps = n_steps,
                            .global_batch = 8,
                            .world = 1,
                            .lease_ms = 1000};
    snprintf(t.name, sizeof t.name, "%s", name);
    return t;
}

int lease_rig_try_join(struct lease_store *s, struct owner *o,
                       const struct group_terms *terms, const char *member)
{
    struct fault fault = {0};
    *o = (struct owner){.store = s};
    return s->calls->join(s, terms, member, o, &o->member, &fault);
}

void lease_rig_join(struct lease_store *s, struct owner *o,
                    const struct group_terms *terms, const char *member)
{
    assert_int_equal(lease_rig_try_join(s, o, terms, member), 0);
}

struct lease lease_rig_take(struct owner *o, uint64_t now_ns)
{
    struct lease lease = {0};
    if (o->store->calls->acquire(o->store, o->member, &lease) == 1)
        o->store->calls->deliver(o->store, o->member, lease.id, now_ns);
    return lease;
}

int lease_rig_ack(struct owner *o, uint64_t lease, uint64_t now_ns)
{
    o->n_told = 0;
    o->store->calls->ack(o->store, o->member, lease, now_ns);
    assert_int_equal(o->n_told, 1);
    assert_int_equal(o->lease, lease);
    return o->code;
}

struct group_report *lease_rig_report(struct lease_store *s, const char *name,
                                      uint64_t first)
{
    struct group_report *r = NULL;
    assert_int_equal(s->calls->report(s, "default", name, first, &r), 0);
    return r;
}
