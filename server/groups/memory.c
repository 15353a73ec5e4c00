/* The store of leases in one server's memory: groups, members, steps. Knows no
 * sockets and no streams. Threads: loop thread only.
 *
 * Steps below `n_begun` that are not open are acknowledged: that is all the
 * coverage there is to keep exactly, so memory does not grow with steps. Who
 * had which step is kept for the latest GROUP_MAX_ROWS. */
#include "server/groups/memory.h"

#include <inttypes.h>
#include <string.h>

#include "server/base/host.h"
#include "server/base/mem.h"
#include "server/base/metrics.h"

#define MS_NS      1000000ull
#define FIRST_ROWS 256

static void changed(struct memory *s)
{
    if (s->base.events && s->base.events->changed)
        s->base.events->changed(s->base.events_context);
}

/* Steps. */

static struct open_step *find_lease(struct group *g, const struct member *m,
                                    uint64_t lease)
{
    for (uint32_t i = 0; i < g->n_open; i++)
        if (g->open[i].lease == lease && &g->members[g->open[i].member] == m)
            return &g->open[i];
    return NULL;
}

static struct open_step *lowest_returned(struct group *g)
{
    struct open_step *lowest = NULL;
    for (uint32_t i = 0; g->n_returned > 0 && i < g->n_open; i++)
        if (g->open[i].lease == 0 &&
            (!lowest || g->open[i].step < lowest->step))
            lowest = &g->open[i];
    return lowest;
}

/* The step waits for whoever asks next. */
static void give_back(struct group *g, struct open_step *o)
{
    g->members[o->member].n_leases--;
    o->lease = 0;
    o->member = 0;
    o->kept_ns = 0;
    o->sent = false;
    g->n_returned++;
}

static uint32_t row_at(const struct group *g, uint64_t step)
{
    return (uint32_t)(step % g->capacity_rows);
}

/* Room for the row of step n_begun. Where memory is short the oldest go. */
static void grow_rows(struct group *g)
{
    uint64_t n = g->n_begun - g->rows_from;
    if (n < g->capacity_rows)
        return;
    uint32_t capacity = g->capacity_rows ? g->capacity_rows * 2 : FIRST_ROWS;
    struct step_row *rows =
        capacity <= GROUP_MAX_ROWS ? mem_calloc(capacity, sizeof *rows) : NULL;
    if (!rows) {
        g->rows_from = g->capacity_rows ? g->rows_from + 1 : g->n_begun + 1;
        return;
    }
    for (uint64_t step = g->rows_from; step < g->n_begun; step++)
        rows[step % capacity] = g->rows[row_at(g, step)];
    mem_free(g->rows);
    g->rows = rows;
    g->capacity_rows = capacity;
}

static struct open_step *begin_step(struct group *g)
{
    if (g->n_open == GROUP_MAX_OPEN ||
        (g->terms.n_steps > 0 && g->n_begun == g->terms.n_steps))
        return NULL;
    grow_rows(g);
    struct open_step *o = &g->open[g->n_open++];
    *o = (struct open_step){.step = g->n_begun++};
    g->n_returned++;
    return o;
}

static int acquire(struct lease_store *store, struct lease_member *handle,
                   struct lease *out)
{
    struct memory *s = memory_of(store);
    struct group *g = handle->group;
    struct member *m = handle->member;
    if (memory_has_ended(g))
        return -ERROR_ENDED;
    if (m->suspended)
        return 0;
    struct open_step *o = lowest_returned(g);
    if (!o)
        o = begin_step(g);
    if (!o)
        return 0;
    g->n_returned--;
    o->lease = s->next_lease++;
    o->member = (uint32_t)(m - g->members);
    m->n_leases++;
    *out = (struct lease){o->lease, o->step, o->n_deliveries + 1};
    return 1;
}

static void deliver(struct lease_store *store, struct lease_member *handle,
                    uint64_t lease, uint64_t now_ns)
{
    struct group *g = handle->group;
    struct open_step *o = find_lease(g, handle->member, lease);
    (void)store;
    if (!o)
        return;
    o->sent = true;
    o->deadline_ns = now_ns + g->terms.lease_ms * MS_NS;
    o->n_deliveries++;
    g->n_deliveries++;
    handle->member->n_delivered++;
    metric_add(
        o->n_deliveries > 1 ? METRIC_GROUP_REISSUED : METRIC_GROUP_ISSUED, 1);
}

static void renew(struct lease_store *store, struct lease_member *handle,
                  uint64_t now_ns)
{
    struct group *g = handle->group;
    struct memory *s = memory_of(store);
    uint32_t member = (uint32_t)(handle->member - g->members);
    for (uint32_t i = 0; i < g->n_open; i++)
        if (g->open[i].lease != 0 && g->open[i].member == member)
            g->open[i].deadline_ns = now_ns + g->terms.lease_ms * MS_NS;
    if (handle->member->suspended) {
        handle->member->suspended = false;
        changed(s);
    }
}

/* What its member holds may be kept from now on for as long as ever. */
static void forget_kept(struct group *g, uint32_t member)
{
    for (uint32_t i = 0; i < g->n_open; i++)
        if (g->open[i].member == member)
            g->open[i].kept_ns = 0;
}

static void ack(struct lease_store *store, struct lease_member *handle,
                uint64_t lease, uint64_t now_ns)
{
    struct memory *s = memory_of(store);
    struct group *g = handle->group;
    struct member *m = handle->member;
    struct open_step *o = lease ? find_lease(g, m, lease) : NULL;
    renew(store, handle, now_ns);
    if (!o || !o->sent) {
        m->n_refused++;
        g->n_refused++;
        metric_add(METRIC_GROUP_REFUSED, 1);
        s->base.events->acked(handle->owner, lease, -ERROR_LEASE_LOST);
        return;
    }
    if (o->step >= g->rows_from)
        g->rows[row_at(g, o->step)] = (struct step_row){
            (uint16_t)(o->member + 1),
            (uint16_t)(o->n_deliveries < UINT16_MAX ? o->n_deliveries
                                                    : UINT16_MAX)};
    forget_kept(g, o->member);
    *o = g->open[--g->n_open];
    m->n_leases--;
    m->n_acknowledged++;
    g->n_acknowledged++;
    metric_add(METRIC_GROUP_ACKNOWLEDGED, 1);
    s->base.events->acked(handle->owner, lease, 0);
    if (memory_has_ended(g))
        changed(s);
}

static void release(struct lease_store *store, struct lease_member *handle,
                    uint64_t lease)
{
    struct open_step *o = find_lease(handle->group, handle->member, lease);
    if (!o)
        return;
    give_back(handle->group, o);
    changed(memory_of(store));
}

/* Members and groups. */

static bool is_listed(const uint64_t *leases, uint32_t n_leases, uint64_t lease)
{
    for (uint32_t i = 0; i < n_leases; i++)
        if (leases[i] == lease)
            return true;
    return false;
}

void memory_return(struct group *g, struct member *m, const uint64_t *kept,
                   uint32_t n_kept)
{
    for (uint32_t i = 0; i < g->n_open; i++) {
        struct open_step *o = &g->open[i];
        if (o->lease == 0 || &g->members[o->member] != m ||
            is_listed(kept, n_kept, o->lease))
            continue;
        m->n_lost += o->sent;
        give_back(g, o);
    }
}

static void go(struct memory *s, struct lease_member *handle, bool had_more)
{
    struct group *g = handle->group;
    struct member *m = handle->member;
    m->handle = NULL;
    m->seen_ns = host_now_ns();
    if (--g->n_here == 0)
        g->idle_since_ns = m->seen_ns;
    mem_free(handle);
    if (had_more)
        changed(s);
}

static void leave(struct lease_store *store, struct lease_member *handle)
{
    if (!handle)
        return;
    bool had = handle->member->n_leases > 0;
    memory_return(handle->group, handle->member, NULL, 0);
    go(memory_of(store), handle, had);
}

static void detach(struct lease_store *store, struct lease_member *handle)
{
    struct group *g = handle->group;
    uint32_t had = handle->member->n_leases;
    for (uint32_t i = 0; i < g->n_open; i++) {
        struct open_step *o = &g->open[i];
        if (o->lease != 0 && !o->sent &&
            &g->members[o->member] == handle->member)
            give_back(g, o);
    }
    go(memory_of(store), handle, handle->member->n_leases < had);
}

/* Of m's leases those that JOINs have kept for too long go back. */
static void return_aged(struct group *g, struct member *m, uint64_t now_ns)
{
    const uint64_t most_ns = GROUP_KEPT_LEASES * MS_NS * g->terms.lease_ms;
    for (uint32_t i = 0; i < g->n_open; i++) {
        struct open_step *o = &g->open[i];
        if (o->lease == 0 || &g->members[o->member] != m)
            continue;
        if (o->kept_ns == 0) {
            o->kept_ns = now_ns;
        } else if (now_ns - o->kept_ns >= most_ns) {
            m->n_lost++;
            give_back(g, o);
            metric_add(METRIC_GROUP_EXPIRED, 1);
        }
    }
}

static void keep(struct lease_store *store, struct lease_member *handle,
                 const uint64_t *leases, uint32_t n_leases, uint64_t now_ns)
{
    struct memory *s = memory_of(store);
    struct group *g = handle->group;
    struct member *m = handle->member;
    uint32_t had = m->n_leases;
    memory_return(g, m, leases, n_leases);
    return_aged(g, m, now_ns);
    if (m->n_leases < had)
        changed(s);
    if (n_leases > 0)
        renew(store, handle, now_ns);
    for (uint32_t i = 0; i < n_leases; i++)
        if (!find_lease(g, m, leases[i]))
            s->base.events->acked(handle->owner, leases[i], -ERROR_LEASE_LOST);
}

static void expire(struct memory *s, struct group *g, uint64_t now_ns)
{
    bool any = false;
    for (uint32_t i = 0; i < g->n_open; i++) {
        struct open_step *o = &g->open[i];
        if (o->lease == 0 || !o->sent || o->deadline_ns > now_ns)
            continue;
        struct member *m = &g->members[o->member];
        uint64_t lease = o->lease;
        m->n_lost++;
        m->suspended = true; /* until it shows some progress */
        give_back(g, o);
        any = true;
        metric_add(METRIC_GROUP_EXPIRED, 1);
        if (m->handle)
            s->base.events->acked(m->handle->owner, lease, -ERROR_LEASE_LOST);
    }
    if (any)
        changed(s);
}

static void tick(struct lease_store *store, uint64_t now_ns)
{
    struct memory *s = memory_of(store);
    for (uint32_t i = 0; i < GROUPS_MAX; i++) {
        struct group *g = s->groups[i];
        if (!g)
            continue;
        expire(s, g, now_ns);
        /* The caller's clock may stand a little before the last leave's. */
        if (g->n_here == 0 && now_ns > g->idle_since_ns + GROUP_IDLE_NS)
            memory_forget(s, i);
    }
}

static const struct group_terms *terms(const struct lease_member *m)
{
    return &m->group->terms;
}

static uint32_t list(struct lease_store *store, const char *stream,
                     char (*out)[GROUP_NAME_BYTES], uint32_t max)
{
    struct memory *s = memory_of(store);
    uint32_t n = 0;
    for (uint32_t i = 0; i < GROUPS_MAX && n < max; i++)
        if (s->groups[i] && strcmp(s->groups[i]->terms.stream, stream) == 0)
            memcpy(out[n++], s->groups[i]->terms.name, GROUP_NAME_BYTES);
    return n;
}

static void destroy(struct lease_store *store)
{
    struct memory *s = memory_of(store);
    for (uint32_t i = 0; i < GROUPS_MAX; i++)
        memory_forget(s, i);
    mem_free(s);
}

struct lease_store *lease_memory_create(uint64_t first_id)
{
    static const struct lease_calls calls = {
        .join = memory_join,
        .leave = leave,
        .detach = detach,
        .keep = keep,
        .terms = terms,
        .acquire = acquire,
        .deliver = deliver,
        .renew = renew,
        .ack = ack,
        .release = release,
        .tick = tick,
        .report = memory_report,
        .list = list,
        .destroy = destroy,
    };
    struct memory *s = mem_calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->magic = MEMORY_MAGIC;
    s->base.calls = &calls;
    s->next_lease = first_id ? first_id : 1;
    return &s->base;
}
