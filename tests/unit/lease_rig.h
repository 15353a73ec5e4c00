/* What the tests of the store of leases stand on: a store, terms, members that
 * remember what they were told. */
#ifndef PASTED_TESTS_UNIT_LEASE_RIG_H
#define PASTED_TESTS_UNIT_LEASE_RIG_H

#include <stdbool.h>
#include <stdint.h>

#include "server/groups/lease.h"

#define MS 1000000ull

/* A member as a session would be: what it was told last. */
struct owner {
    struct lease_store *store;
    struct lease_member *member;
    uint64_t lease;
    int code, n_told;
    bool breaks_off; /* when it is replaced, rather than leave */
};

extern int lease_rig_n_changed;

struct lease_store *lease_rig_store(void);
/* Of stream "default": batch 8, world 1, leases of a second. */
struct group_terms lease_rig_terms(const char *name, uint64_t n_steps);
int lease_rig_try_join(struct lease_store *s, struct owner *o,
                       const struct group_terms *terms, const char *member);
void lease_rig_join(struct lease_store *s, struct owner *o,
                    const struct group_terms *terms, const char *member);
/* Leases and delivers the next step; its lease, or one with id 0. */
struct lease lease_rig_take(struct owner *o, uint64_t now_ns);
/* The code of its answer. */
int lease_rig_ack(struct owner *o, uint64_t lease, uint64_t now_ns);
/* mem_free() it. */
struct group_report *lease_rig_report(struct lease_store *s, const char *name,
                                      uint64_t first);

#endif
