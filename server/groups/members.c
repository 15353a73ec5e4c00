/* Who belongs to which group of the store in memory, and on which terms. Leases
 * nothing. Threads: loop thread only. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "server/base/host.h"
#include "server/base/mem.h"
#include "server/groups/memory.h"

static bool is_name(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz"
                            "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-");
    return n > 0 && n < GROUP_NAME_BYTES && name[n] == '\0';
}

struct group *memory_find(struct memory *s, const char *stream,
                          const char *name)
{
    for (uint32_t i = 0; i < GROUPS_MAX; i++) {
        struct group *g = s->groups[i];
        if (g && strcmp(g->terms.name, name) == 0 &&
            strcmp(g->terms.stream, stream) == 0)
            return g;
    }
    return NULL;
}

void memory_forget(struct memory *s, uint32_t i)
{
    struct group *g = s->groups[i];
    if (!g)
        return;
    for (uint32_t m = 0; m < GROUP_MAX_MEMBERS; m++)
        mem_free(g->members[m].handle);
    mem_free(g->rows);
    mem_free(g);
    s->groups[i] = NULL;
}

/* A free place, else that of a group which nobody needs: it has ended, or has
 * been without members for its time. */
static int find_place(struct memory *s)
{
    uint64_t now_ns = host_now_ns();
    for (int i = 0; i < GROUPS_MAX; i++)
        if (!s->groups[i])
            return i;
    for (int i = 0; i < GROUPS_MAX; i++) {
        const struct group *g = s->groups[i];
        if (g->n_here > 0 || (!memory_has_ended(g) &&
                              now_ns - g->idle_since_ns <= GROUP_IDLE_NS))
            continue;
        memory_forget(s, (uint32_t)i);
        return i;
    }
    return -1;
}

static int create_group(struct memory *s, const struct group_terms *terms,
                        struct group **out, struct fault *fault)
{
    int place = find_place(s);
    if (place < 0)
        return fault_set(fault, ERROR_OVERLOADED,
                         "this server has %d groups, and no room for more",
                         GROUPS_MAX);
    struct group *g = mem_calloc(1, sizeof *g);
    if (!g)
        return fault_set(fault, ERROR_NO_MEMORY, "no memory for a group");
    g->terms = *terms;
    if (g->terms.lease_ms == 0)
        g->terms.lease_ms = GROUP_DEFAULT_LEASE_MS;
    g->idle_since_ns = host_now_ns();
    s->groups[place] = g;
    *out = g;
    return 0;
}

static int differs(const struct group_terms *terms, const char *field,
                   uint64_t has, uint64_t wanted, struct fault *fault)
{
    return fault_set(fault, ERROR_GROUP,
                     "group %s has %s %" PRIu64 ", not %" PRIu64
                     ": its first member chose",
                     terms->name, field, has, wanted);
}

static int check_terms(const struct group_terms *has,
                       const struct group_terms *wanted, struct fault *fault)
{
    if (memcmp(has->fingerprint, wanted->fingerprint,
               sizeof has->fingerprint) != 0)
        return fault_set(fault, ERROR_FINGERPRINT,
                         "group %s has another fingerprint than stream %s has "
                         "now",
                         has->name, has->stream);
    if (has->global_batch != wanted->global_batch)
        return differs(has, "global_batch", has->global_batch,
                       wanted->global_batch, fault);
    if (has->world != wanted->world)
        return differs(has, "world", has->world, wanted->world, fault);
    if (has->position != wanted->position)
        return differs(has, "position", has->position, wanted->position, fault);
    if (has->n_steps != wanted->n_steps)
        return differs(has, "steps", has->n_steps, wanted->n_steps, fault);
    if (wanted->lease_ms && has->lease_ms != wanted->lease_ms)
        return differs(has, "lease_ms", has->lease_ms, wanted->lease_ms, fault);
    return 0;
}

static struct member *find_member(struct group *g, const char *name)
{
    for (uint32_t i = 0; i < GROUP_MAX_MEMBERS; i++)
        if (strcmp(g->members[i].name, name) == 0)
            return &g->members[i];
    return NULL;
}

/* A place for a new name: a free one, else that of who left first. Rows that
 * named it forget it. */
static struct member *take_place(struct group *g)
{
    struct member *oldest = NULL;
    for (uint32_t i = 0; i < GROUP_MAX_MEMBERS; i++) {
        struct member *m = &g->members[i];
        if (m->name[0] == '\0')
            return m;
        if (!m->handle && (!oldest || m->seen_ns < oldest->seen_ns))
            oldest = m;
    }
    if (!oldest)
        return NULL;
    uint16_t row_member = (uint16_t)(oldest - g->members + 1);
    for (uint32_t i = 0; i < g->capacity_rows; i++)
        if (g->rows[i].member == row_member)
            g->rows[i].member = 0;
    memory_return(g, oldest, NULL, 0); /* what it may not come back for */
    *oldest = (struct member){0};
    return oldest;
}

static int enter(struct group *g, const char *name, void *owner,
                 struct lease_member **out, struct fault *fault)
{
    struct member *m = find_member(g, name);
    if (!m)
        m = take_place(g);
    if (!m)
        return fault_set(fault, ERROR_OVERLOADED,
                         "group %s has %d members, and no room for more",
                         g->terms.name, GROUP_MAX_MEMBERS);
    struct lease_member *handle = mem_calloc(1, sizeof *handle);
    if (!handle)
        return fault_set(fault, ERROR_NO_MEMORY, "no memory for a member");
    snprintf(m->name, sizeof m->name, "%s", name);
    *handle = (struct lease_member){g, m, owner};
    m->handle = handle;
    m->suspended = false;
    g->n_here++;
    *out = handle;
    return 0;
}

int memory_join(struct lease_store *store, const struct group_terms *terms,
                const char *name, void *owner, struct lease_member **out,
                struct fault *fault)
{
    struct memory *s = memory_of(store);
    if (!is_name(terms->name) || !is_name(name))
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "names of groups and members are 1 to %d of A-Z a-z "
                         "0-9 _ . : -",
                         GROUP_NAME_BYTES - 1);
    struct group *g = memory_find(s, terms->stream, terms->name);
    int rc = g ? check_terms(&g->terms, terms, fault)
               : create_group(s, terms, &g, fault);
    if (rc != 0)
        return rc;
    struct member *m = find_member(g, name);
    if (m && m->handle)
        s->base.events->replaced(m->handle->owner);
    assert(!m || !m->handle);
    return enter(g, name, owner, out, fault);
}
