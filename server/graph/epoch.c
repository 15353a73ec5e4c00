/* Builds one epoch's graph: counts, keys, and the dealt objects. Where an edge
 * lies in emission order is order.c's. */
#include "server/graph/epoch.h"

#include <assert.h>

#include "server/base/mem.h"
#include "server/graph/deal.h"

static struct philox_block key_of(const struct graph_epoch *e, uint64_t epoch,
                                  enum philox_purpose purpose, uint32_t slot)
{
    return philox_draw(e->spec.seed, epoch,
                       philox_purpose_word(purpose, slot, 0), 0);
}

/* Which background is which row. The rows with an extra edge are drawn from
 * this epoch's window of the seed's order of turns, the others from the rest;
 * the window moves on by its width every epoch, so that over any run of epochs
 * the counts differ by one at most. */
static void set_backgrounds(struct graph_epoch *e)
{
    uint32_t n = e->spec.n_backgrounds, n_extra = e->n_extra;
    uint64_t first = e->epoch % n * n_extra % n;
    struct feistel turns, extra = {0}, others;
    /* slot 0 of EXTRA orders the objects' turns (laps.c) */
    feistel_init(&turns, n, key_of(e, 0, PHILOX_GRAPH_EXTRA, 1));
    if (n_extra > 0)
        feistel_init(&extra, n_extra,
                     key_of(e, e->epoch, PHILOX_GRAPH_BACKGROUND, 1));
    feistel_init(&others, n - n_extra,
                 key_of(e, e->epoch, PHILOX_GRAPH_BACKGROUND, 0));
    for (uint32_t row = 0; row < n; row++) {
        uint64_t turn = row < n_extra
                            ? feistel_permute(&extra, row)
                            : n_extra + feistel_permute(&others, row - n_extra);
        e->backgrounds[row] =
            (uint32_t)feistel_permute(&turns, (first + turn) % n);
    }
}

/* Correlated: whose each background is, in all epochs alike. */
static void set_own_backgrounds(struct graph_epoch *e)
{
    struct feistel owners;
    feistel_init(&owners, e->spec.n_backgrounds,
                 key_of(e, 0, PHILOX_GRAPH_BACKGROUND, 2));
    for (uint32_t place = 0; place < e->spec.n_backgrounds; place++)
        e->backgrounds[place] = (uint32_t)feistel_permute(&owners, place);
}

static void set_up(struct graph_epoch *e, const struct graph_spec *spec,
                   uint64_t epoch)
{
    uint64_t n_edges = graph_edges_per_epoch(spec);
    assert(n_edges > 0 && n_edges <= GRAPH_MAX_EDGES);
    e->spec = *spec;
    e->epoch = epoch;
    e->n_edges = (uint32_t)n_edges;
    e->degree = e->n_edges / spec->n_backgrounds;
    e->n_extra = e->n_edges % spec->n_backgrounds;
    e->decked = graph_spec_is_decked(spec);
    struct philox_block key = key_of(e, epoch, PHILOX_GRAPH_ORDER, 0);
    feistel_init(&e->edge_order, n_edges, key);
    if (e->decked)
        feistel_init(&e->round_order, n_edges / spec->n_classes, key);
}

static int deal(struct graph_epoch *e, struct fault *fault)
{
    struct laps laps;
    int rc = laps_init(&laps, e, fault);
    if (rc != 0)
        return rc;
    rc = e->decked ? deal_decks(e, &laps, fault) : deal_shares(e, &laps, fault);
    laps_fini(&laps);
    return rc;
}

static int fill(struct graph_epoch *e, struct fault *fault)
{
    if (e->spec.pairing == GRAPH_INDEPENDENT)
        return 0; /* drawn when asked for */
    bool with_places = e->decked && e->spec.order == GRAPH_MIXED;
    e->objects = mem_calloc(e->n_edges, sizeof(*e->objects));
    e->backgrounds = mem_calloc(e->spec.n_backgrounds, sizeof(*e->backgrounds));
    if (with_places)
        e->places = mem_calloc(e->n_edges, sizeof(*e->places));
    if (e->objects == NULL || e->backgrounds == NULL ||
        (with_places && e->places == NULL))
        return fault_set(fault, ERROR_NO_MEMORY,
                         "no memory for an epoch of %u edges", e->n_edges);
    if (e->spec.pairing == GRAPH_CORRELATED)
        set_own_backgrounds(e);
    else
        set_backgrounds(e);
    return deal(e, fault);
}

int graph_epoch_create(const struct graph_spec *spec, uint64_t epoch,
                       struct graph_epoch **out_epoch, struct fault *fault)
{
    struct graph_epoch *e = mem_calloc(1, sizeof(*e));
    if (e == NULL)
        return fault_set(fault, ERROR_NO_MEMORY, "no memory for a graph");
    set_up(e, spec, epoch);
    int rc = fill(e, fault);
    if (rc != 0) {
        graph_epoch_destroy(e);
        return rc;
    }
    *out_epoch = e;
    return 0;
}

void graph_epoch_destroy(struct graph_epoch *e)
{
    if (e == NULL)
        return;
    mem_free(e->objects);
    mem_free(e->places);
    mem_free(e->backgrounds);
    mem_free(e);
}
