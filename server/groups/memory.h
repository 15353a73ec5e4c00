/* What the files of the store in memory share; private to server/groups. */
#ifndef PASTED_GROUPS_MEMORY_H
#define PASTED_GROUPS_MEMORY_H

#include <assert.h>

#include "server/groups/lease.h"

#define MEMORY_MAGIC 0x4c454153u

struct member {
    char name[GROUP_NAME_BYTES]; /* "": a free place */
    struct lease_member *handle; /* NULL: not here */
    uint64_t seen_ns;            /* when it left */
    bool suspended;              /* let a lease pass: gets none */
    uint32_t n_leases;
    uint64_t n_delivered, n_acknowledged, n_lost, n_refused;
};

struct open_step {
    uint64_t step;
    uint64_t lease; /* 0: returned */
    uint64_t deadline_ns;
    uint64_t kept_ns; /* first kept by a JOIN since an ACK; 0: not */
    uint32_t member;
    uint32_t n_deliveries;
    bool sent; /* deadline_ns holds */
};

/* Of an acknowledged step; the member is its index + 1, 0: forgotten. */
struct step_row {
    uint16_t member, n_deliveries;
};

struct group {
    struct group_terms terms;
    struct member members[GROUP_MAX_MEMBERS];
    uint32_t n_here;
    uint64_t idle_since_ns; /* while n_here is 0 */
    uint64_t n_begun;
    struct open_step open[GROUP_MAX_OPEN];
    uint32_t n_open, n_returned;
    struct step_row *rows; /* a ring, at step % capacity_rows */
    uint32_t capacity_rows;
    uint64_t rows_from;
    uint64_t n_acknowledged, n_deliveries, n_refused;
};

struct lease_member {
    struct group *group;
    struct member *member;
    void *owner;
};

struct memory {
    struct lease_store base; /* first: found again from it */
    uint32_t magic;
    uint64_t next_lease;
    struct group *groups[GROUPS_MAX];
};

static inline struct memory *memory_of(struct lease_store *s)
{
    struct memory *m = (struct memory *)s;
    assert(m->magic == MEMORY_MAGIC);
    return m;
}

/* Every step of the group is acknowledged. */
static inline bool memory_has_ended(const struct group *g)
{
    return g->terms.n_steps > 0 && g->n_begun == g->terms.n_steps &&
           g->n_open == 0;
}

/* memory.c */

/* m's leases but those kept go back to the group; the caller tells. */
void memory_return(struct group *g, struct member *m, const uint64_t *kept,
                   uint32_t n_kept);

/* members.c */
int memory_join(struct lease_store *store, const struct group_terms *terms,
                const char *name, void *owner, struct lease_member **out,
                struct fault *fault);
void memory_forget(struct memory *s, uint32_t i);
struct group *memory_find(struct memory *s, const char *stream,
                          const char *name);

/* memory_report.c */
int memory_report(struct lease_store *store, const char *stream,
                  const char *name, uint64_t first_row,
                  struct group_report **out);

#endif
