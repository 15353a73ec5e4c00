/* Groups: members share one sequence of steps, first come, first served. Each
 * step is leased to one member, acknowledged once, and leased again when its
 * member is gone. This file is what sessions and reports need of a store of
 * leases; memory.c is the store of one server. A store that several servers
 * share can stand behind the same calls: answers come as events, and acquire
 * may say "not now" until `changed`.
 *
 *   step: never leased -> LEASED -> acknowledged
 *                          |  ^
 *       lost or given back v  | acquire (lowest step first)
 *                        RETURNED
 *
 * A member whose connection broke is still the holder of what it was sent: it
 * may join again under its name, and keep, until the leases are over.
 *
 * Threads: loop thread only. */
#ifndef PASTED_GROUPS_LEASE_H
#define PASTED_GROUPS_LEASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/wire.h"

/* Bounds of one server. Beyond: -ERROR_OVERLOADED, or wait. */
#define GROUPS_MAX             64
#define GROUP_MAX_MEMBERS      256   /* names that a group remembers */
#define GROUP_MAX_OPEN         1024  /* steps leased or returned */
#define GROUP_MAX_ROWS         65536 /* latest steps whose story is kept */
#define GROUP_MAX_REPORT_ROWS  4096
#define GROUP_NAME_BYTES       65 /* [A-Za-z0-9_.:-]{1,64} and NUL */
#define GROUP_DEFAULT_LEASE_MS 60000
#define GROUP_MIN_LEASE_MS     100
#define GROUP_MAX_LEASE_MS     (24 * 3600 * 1000)
/* For so many times lease_ms, from the first JOIN that keeps it, a lease can be
 * kept by further ones, unless its member acknowledges something: who breaks
 * off and comes back without end gives its steps to others at last. */
#define GROUP_KEPT_LEASES 10
/* A group without members is forgotten after this. */
#define GROUP_IDLE_NS 600000000000ull

/* What the first member fixes. Step k of the group holds the n_samples
 * positions from position + k * n_samples. */
struct group_terms {
    char stream[WIRE_MAX_NAME_BYTES];
    char name[GROUP_NAME_BYTES];
    uint8_t fingerprint[WIRE_FINGERPRINT_BYTES];
    uint64_t position;
    uint64_t n_steps; /* 0: no end */
    uint32_t global_batch, world;
    uint32_t lease_ms; /* 0: the first member's, or the default */
};

struct lease {
    uint64_t id; /* 0: none */
    uint64_t step;
    uint32_t delivery; /* 1 for the step's first */
};

struct lease_member; /* one session in one group */

struct lease_events {
    /* An ack was taken (code 0) or refused, or the lease ended unasked
     * (-ERROR_LEASE_LOST); owner is a member's. */
    void (*acked)(void *owner, uint64_t lease, int code);
    /* Another session joined under this member's name: the owner must leave, or
     * detach, before this returns. */
    void (*replaced)(void *owner);
    /* Who was told "not now" may ask again. Called from within other calls:
     * do not call back. */
    void (*changed)(void *context);
};

struct group_report;

struct lease_store {
    const struct lease_calls *calls;
    const struct lease_events *events;
    void *events_context;
};

struct lease_calls {
    /* Names that are no names: -ERROR_BAD_ARGUMENT; other terms than the
     * group's: -ERROR_GROUP or -ERROR_FINGERPRINT, naming the field; no room:
     * -ERROR_OVERLOADED, -ERROR_NO_MEMORY. */
    int (*join)(struct lease_store *s, const struct group_terms *terms,
                const char *member, void *owner, struct lease_member **out,
                struct fault *fault);
    /* Returns what it holds. NULL is fine. */
    void (*leave)(struct lease_store *s, struct lease_member *m);
    /* Leaves, for its connection broke: what was delivered to it is its name's
     * until the lease is over. */
    void (*detach)(struct lease_store *s, struct lease_member *m);
    /* Who has just joined still holds these of its name's leases, and gives the
     * others back; -ERROR_LEASE_LOST of those that are not its name's, or were
     * kept for too long. */
    void (*keep)(struct lease_store *s, struct lease_member *m,
                 const uint64_t *leases, uint32_t n_leases, uint64_t now_ns);
    /* What the group is, until leave. */
    const struct group_terms *(*terms)(const struct lease_member *m);
    /* 1: *out; 0: nothing now; -ERROR_ENDED: all is acknowledged. */
    int (*acquire)(struct lease_store *s, struct lease_member *m,
                   struct lease *out);
    /* The step's batch is on its way: the clock starts. */
    void (*deliver)(struct lease_store *s, struct lease_member *m,
                    uint64_t lease, uint64_t now_ns);
    /* A sign of progress: all that it holds lasts anew. */
    void (*renew)(struct lease_store *s, struct lease_member *m,
                  uint64_t now_ns);
    /* Answered by events->acked, perhaps before this returns. */
    void (*ack)(struct lease_store *s, struct lease_member *m, uint64_t lease,
                uint64_t now_ns);
    /* Not delivered: back to the group. */
    void (*release)(struct lease_store *s, struct lease_member *m,
                    uint64_t lease);
    /* Ends what is overdue. To be called every now and then. */
    void (*tick)(struct lease_store *s, uint64_t now_ns);
    /* Free *out with mem_free. -ERROR_NOT_FOUND, -ERROR_NO_MEMORY. */
    int (*report)(struct lease_store *s, const char *stream, const char *name,
                  uint64_t first_row, struct group_report **out);
    /* Names of the stream's groups; how many. */
    uint32_t (*list)(struct lease_store *s, const char *stream,
                     char (*out)[GROUP_NAME_BYTES], uint32_t max);
    void (*destroy)(struct lease_store *s);
};

/* The store in this server's memory; first_id: no lease of a server before it
 * had that number. NULL: no memory. */
struct lease_store *lease_memory_create(uint64_t first_id);

#define GROUP_NO_MEMBER UINT32_MAX

struct group_report_member {
    char name[GROUP_NAME_BYTES];
    bool here;
    uint32_t n_leases;
    uint64_t n_delivered, n_acknowledged, n_lost, n_refused;
};

/* A step that is leased or returned. */
struct group_report_open {
    uint64_t step;
    uint32_t member; /* index, or GROUP_NO_MEMBER */
    uint32_t n_deliveries;
};

/* n_steps acknowledged steps from `first`, each by that member after that
 * many deliveries. */
struct group_report_row {
    uint64_t first, n_steps;
    uint32_t member, n_deliveries;
};

struct group_report {
    struct group_terms terms;
    bool ended;
    uint64_t n_begun; /* steps that were ever leased: all below it */
    uint64_t n_acknowledged, n_deliveries, n_returned, n_refused;
    uint64_t rows_from; /* rows of earlier steps are forgotten */
    uint64_t rows_next; /* where another report would go on; 0: done */
    uint32_t n_members, n_open, n_rows;
    struct group_report_member *members;
    struct group_report_open *open; /* by step */
    struct group_report_row *rows;  /* by step */
};

/* The report as JSON, mem_free()d by the caller. -ERROR_NOT_FOUND,
 * -ERROR_NO_MEMORY. name NULL: the list of the stream's groups. */
int group_report_text(struct lease_store *s, const char *stream,
                      const char *name, uint64_t first_row, char **out_text,
                      struct fault *fault);

#endif
