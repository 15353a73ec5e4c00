/* What became of a group's steps, from the store in memory. Changes nothing.
 * Threads: loop thread only. */
#include <stdlib.h>
#include <string.h>

#include "server/base/mem.h"
#include "server/groups/memory.h"

static int by_step(const void *a, const void *b)
{
    const struct group_report_open *x = a, *y = b;
    return (x->step > y->step) - (x->step < y->step);
}

static void report_members(const struct group *g, struct group_report *r,
                           uint32_t *out_index)
{
    for (uint32_t i = 0; i < GROUP_MAX_MEMBERS; i++) {
        const struct member *m = &g->members[i];
        out_index[i] = GROUP_NO_MEMBER;
        if (m->name[0] == '\0')
            continue;
        out_index[i] = r->n_members;
        struct group_report_member *out = &r->members[r->n_members++];
        memcpy(out->name, m->name, sizeof out->name);
        out->here = m->handle != NULL;
        out->n_leases = m->n_leases;
        out->n_delivered = m->n_delivered;
        out->n_acknowledged = m->n_acknowledged;
        out->n_lost = m->n_lost;
        out->n_refused = m->n_refused;
    }
}

static void report_open(const struct group *g, struct group_report *r,
                        const uint32_t *index)
{
    for (uint32_t i = 0; i < g->n_open; i++) {
        const struct open_step *o = &g->open[i];
        r->open[r->n_open++] = (struct group_report_open){
            .step = o->step,
            .member = o->lease ? index[o->member] : GROUP_NO_MEMBER,
            .n_deliveries = o->n_deliveries,
        };
    }
    qsort(r->open, r->n_open, sizeof *r->open, by_step);
}

/* Runs of steps with one story; those that are open interrupt them. */
static void report_rows(const struct group *g, struct group_report *r,
                        uint64_t first, const uint32_t *index)
{
    uint32_t next_open = 0;
    struct group_report_row *run = NULL;
    uint64_t step = first > g->rows_from ? first : g->rows_from;
    for (; step < g->n_begun; step++) {
        while (next_open < r->n_open && r->open[next_open].step < step)
            next_open++;
        if (next_open < r->n_open && r->open[next_open].step == step) {
            run = NULL;
            continue;
        }
        const struct step_row *row = &g->rows[step % g->capacity_rows];
        uint32_t member =
            row->member ? index[row->member - 1] : GROUP_NO_MEMBER;
        if (!run || run->member != member ||
            run->n_deliveries != row->n_deliveries) {
            if (r->n_rows == GROUP_MAX_REPORT_ROWS)
                break;
            run = &r->rows[r->n_rows++];
            *run =
                (struct group_report_row){step, 0, member, row->n_deliveries};
        }
        run->n_steps++;
    }
    r->rows_next = step < g->n_begun ? step : 0;
}

/* One block of memory, its arrays behind the struct. */
static struct group_report *make_report(void)
{
    struct group_report *r =
        mem_calloc(1, sizeof *r + GROUP_MAX_MEMBERS * sizeof *r->members +
                          GROUP_MAX_OPEN * sizeof *r->open +
                          GROUP_MAX_REPORT_ROWS * sizeof *r->rows);
    if (!r)
        return NULL;
    r->members = (struct group_report_member *)(void *)(r + 1);
    r->open =
        (struct group_report_open *)(void *)(r->members + GROUP_MAX_MEMBERS);
    r->rows = (struct group_report_row *)(void *)(r->open + GROUP_MAX_OPEN);
    return r;
}

int memory_report(struct lease_store *store, const char *stream,
                  const char *name, uint64_t first_row,
                  struct group_report **out)
{
    uint32_t index[GROUP_MAX_MEMBERS];
    const struct group *g = memory_find(memory_of(store), stream, name);
    if (!g)
        return -ERROR_NOT_FOUND;
    struct group_report *r = make_report();
    if (!r)
        return -ERROR_NO_MEMORY;
    r->terms = g->terms;
    r->n_begun = g->n_begun;
    r->n_acknowledged = g->n_acknowledged;
    r->n_deliveries = g->n_deliveries;
    r->n_returned = g->n_returned;
    r->n_refused = g->n_refused;
    r->rows_from = g->rows_from;
    r->ended = memory_has_ended(g);
    report_members(g, r, index);
    report_open(g, r, index);
    report_rows(g, r, first_row, index);
    *out = r;
    return 0;
}
