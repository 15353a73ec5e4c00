/* Dealing from decks with carry-over: every round is a freshly shuffled deck
 * of all K classes, and where a row straddles two decks, the new deck's order
 * is drawn so that the row keeps floor or ceil of degree / K of each class.
 * Does not choose objects.
 *
 *     deck n            deck n + 1        (K = 6, degree 4)
 *   [ c a f d | e b ] [ . . | . . . . ]
 *     --row 0--  ---- row 1 ----          so these two are neither e nor b
 */
#include "server/graph/deal.h"

#include "server/base/mem.h"

struct dealer {
    struct graph_epoch *e;
    struct laps *laps;
    struct draws draws;
    uint32_t *deck;   /* [K] classes, in the round's order */
    uint32_t *held;   /* [K] classes of the row's first, partial deck */
    uint8_t *is_held; /* [K], all zero between uses */
    uint32_t n_held;
    uint32_t row, row_start, row_end; /* edges [row_start, row_end) */
};

static int dealer_init(struct dealer *d, struct graph_epoch *e,
                       struct laps *laps)
{
    uint32_t k = e->spec.n_classes;
    *d = (struct dealer){.e = e, .laps = laps};
    d->row_end = graph_row_degree(e, 0);
    draws_init(&d->draws, e->spec.seed, e->epoch, PHILOX_GRAPH_DECK);
    d->deck = mem_calloc(k, sizeof(*d->deck));
    d->held = mem_calloc(k, sizeof(*d->held));
    d->is_held = mem_calloc(k, sizeof(*d->is_held));
    if (d->deck == NULL || d->held == NULL || d->is_held == NULL)
        return -ERROR_NO_MEMORY;
    for (uint32_t c = 0; c < k; c++)
        d->deck[c] = c;
    return 0;
}

static void dealer_fini(struct dealer *d)
{
    mem_free(d->deck);
    mem_free(d->held);
    mem_free(d->is_held);
}

/* Moves the held classes to the deck's end. */
static void held_to_the_end(struct dealer *d)
{
    for (uint32_t i = 0; i < d->n_held; i++)
        d->is_held[d->held[i]] = 1;
    uint32_t n_front = 0;
    for (uint32_t i = 0; i < d->e->spec.n_classes; i++) {
        uint32_t c = d->deck[i];
        if (d->is_held[c])
            continue;
        d->deck[i] = d->deck[n_front];
        d->deck[n_front++] = c;
    }
    for (uint32_t i = 0; i < d->n_held; i++)
        d->is_held[d->held[i]] = 0;
}

/* The row ends after n_first cards of the new deck. With its held ones it has
 * n_held + n_first beside whole decks: at most K of them must all differ; if
 * they are more, every class must be there once at least. Uniform over the
 * orders that obey this. */
static void shuffle_after_held(struct dealer *d, uint32_t n_first)
{
    uint32_t k = d->e->spec.n_classes, n_free = k - d->n_held;
    held_to_the_end(d);
    if (n_first <= n_free) {
        draws_choose(&d->draws, d->deck, n_free, n_first);
    } else {
        draws_choose(&d->draws, d->deck + n_free, d->n_held, n_first - n_free);
        draws_shuffle(&d->draws, d->deck, n_first);
    }
    draws_shuffle(&d->draws, d->deck + n_first, k - n_first);
}

static void next_row(struct dealer *d)
{
    d->row++;
    d->row_start = d->row_end;
    d->row_end += graph_row_degree(d->e, d->row);
}

static void shuffle_deck(struct dealer *d, uint32_t start)
{
    uint32_t k = d->e->spec.n_classes;
    if (d->row_end == start)
        next_row(d);
    if (d->row_start < start && d->n_held > 0 && d->row_end - start < k)
        shuffle_after_held(d, d->row_end - start);
    else
        draws_shuffle(&d->draws, d->deck, k);
}

static void deal_deck(struct dealer *d, uint32_t start)
{
    struct graph_epoch *e = d->e;
    uint32_t k = e->spec.n_classes;
    for (uint32_t i = 0; i < k; i++) {
        if (start + i == d->row_end)
            next_row(d);
        uint32_t c = d->deck[i];
        e->objects[start + i] = laps_take(d->laps, c, d->row);
        if (e->places != NULL)
            e->places[start + c] = (uint16_t)i;
    }
}

/* Remembers what a row that began in this deck holds, if it goes on in the
 * next one; one that began before keeps what it held. */
static void keep_held(struct dealer *d, uint32_t start)
{
    uint32_t k = d->e->spec.n_classes;
    if (d->row_start < start)
        return;
    d->n_held = 0;
    if (d->row_start > start)
        for (uint32_t i = d->row_start - start; i < k; i++)
            d->held[d->n_held++] = d->deck[i];
}

int deal_decks(struct graph_epoch *e, struct laps *laps, struct fault *fault)
{
    struct dealer d;
    int rc = dealer_init(&d, e, laps);
    if (rc == 0) {
        uint32_t k = e->spec.n_classes;
        for (uint32_t start = 0; start < e->n_edges; start += k) {
            shuffle_deck(&d, start);
            deal_deck(&d, start);
            keep_held(&d, start);
        }
    } else {
        fault_set(fault, ERROR_NO_MEMORY, "no memory for a deck of %u classes",
                  e->spec.n_classes);
    }
    dealer_fini(&d);
    return rc;
}
