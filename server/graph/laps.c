/* Laps of objects. Does not deal classes.
 *
 *   partial lap    whole laps, n_edges div size of them
 *   [extra turns]  [o3 o1 o4 o2] [o2 o4 ...
 *                        ^row r begins  ^ row r goes on: its o4, o2 are
 *                                         deferred within this lap
 *
 * Putting the partial lap first means that a lap with a deferral is always a
 * whole one, so that there are enough other objects to come before. */
#include "server/graph/laps.h"

#include <assert.h>

#include "server/base/mem.h"

/* Whether the object at place p of n is one of the `n_extra` whose turn it is:
 * evenly spaced places that move on by one every epoch. Each stretch of
 * places holds its floor or ceil share, and so does each run of epochs. */
static bool has_turn(uint32_t p, uint32_t n, uint32_t n_extra, uint64_t epoch)
{
    uint32_t shift = (uint32_t)(epoch % n);
    uint64_t q = p >= shift ? p - shift : (uint64_t)p + n - shift;
    return (q + 1) * n_extra / n != q * n_extra / n;
}

static void swap(uint32_t *a, uint32_t *b)
{
    uint32_t t = *a;
    *a = *b;
    *b = t;
}

/* Puts the objects whose turn it is last, in fresh order: the partial lap.
 * turns: the seed's fixed order of who is where in the rotation. */
static void begin_class(struct laps *l, const struct graph_epoch *e, uint32_t c,
                        struct draws *turns)
{
    uint32_t first = e->spec.class_first[c];
    uint32_t size = e->spec.class_first[c + 1] - first;
    uint32_t n = e->decked ? size : graph_n_objects(&e->spec);
    uint32_t n_dealt = e->decked ? e->n_edges / e->spec.n_classes : e->n_edges;
    uint32_t *part = l->order + first;

    for (uint32_t i = 0; i < size; i++)
        part[i] = first + i;
    draws_shuffle(turns, part, size);
    uint32_t n_front = 0;
    for (uint32_t i = 0; i < size; i++)
        if (!has_turn(e->decked ? i : first + i, n, n_dealt % n, e->epoch))
            swap(&part[n_front++], &part[i]);
    draws_shuffle(&l->draws, part + n_front, size - n_front);

    uint32_t n_edges = n_dealt / n * size + (size - n_front);
    l->classes[c] = (struct lap){
        .first = first,
        .size = size,
        .n_edges = n_edges,
        .most_in_a_row =
            (n_edges + e->spec.n_backgrounds - 1) / e->spec.n_backgrounds,
        .next = n_front,
    };
}

int laps_init(struct laps *l, const struct graph_epoch *e, struct fault *fault)
{
    *l = (struct laps){0};
    l->classes = mem_calloc(e->spec.n_classes, sizeof(*l->classes));
    l->order = mem_calloc(graph_n_objects(&e->spec), sizeof(*l->order));
    if (l->classes == NULL || l->order == NULL) {
        laps_fini(l);
        return fault_set(fault, ERROR_NO_MEMORY,
                         "no memory for the laps of %u objects",
                         graph_n_objects(&e->spec));
    }
    struct draws turns;
    draws_init(&turns, e->spec.seed, 0, PHILOX_GRAPH_EXTRA);
    draws_init(&l->draws, e->spec.seed, e->epoch, PHILOX_GRAPH_LAP);
    for (uint32_t c = 0; c < e->spec.n_classes; c++)
        begin_class(l, e, c, &turns);
    return 0;
}

void laps_fini(struct laps *l)
{
    mem_free(l->classes);
    mem_free(l->order);
    *l = (struct laps){0};
}

/* A new lap in the middle of a row: what the row holds was dealt last, so it
 * lies at the end, and must not come among the first that the row may still
 * take. Uniform over the orders that obey this. */
static void begin_lap(struct laps *l, struct lap *lap)
{
    uint32_t *part = l->order + lap->first;
    uint32_t n_held = lap->n_taken_by_row;
    lap->next = 0;
    if (n_held == 0) {
        draws_shuffle(&l->draws, part, lap->size);
        return;
    }
    assert(n_held < lap->most_in_a_row && lap->most_in_a_row <= lap->size);
    uint32_t n_first = lap->most_in_a_row - n_held;
    draws_choose(&l->draws, part, lap->size - n_held, n_first);
    draws_shuffle(&l->draws, part + n_first, lap->size - n_first);
}

uint32_t laps_take(struct laps *l, uint32_t c, uint32_t row)
{
    struct lap *lap = &l->classes[c];
    if (lap->row_plus_1 != row + 1) {
        lap->row_plus_1 = row + 1;
        lap->n_taken_by_row = 0;
    }
    if (lap->next == lap->size)
        begin_lap(l, lap);
    lap->n_taken_by_row++;
    return l->order[lap->first + lap->next++];
}
