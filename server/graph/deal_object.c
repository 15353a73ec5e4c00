/* Dealing by shares, for classes of unequal size that are balanced by object:
 * systematic sampling on a line of classes. Does not choose objects.
 *
 * Every row gets floor(share) of each class outright. What is left over of a
 * class, at most one card a row, lies as a stretch of that length on a line;
 * with n rows to go, a row takes the classes under points n apart, beginning
 * at random:
 *
 *   |--a--|-b-|----c----|d|---e---|      lengths <= n = 9
 *        ^         ^         ^           points n apart
 *
 * No stretch is longer than n, so no class is hit twice, and one that is
 * exactly n long, which every later row must have, is always hit: the totals
 * come out exactly. A class that was hit moves to a random place on the line,
 * so that pairs of classes do not stay neighbours (or n apart).
 * Source: systematic sampling with unequal probabilities (Madow 1949). */
#include "server/graph/deal.h"

#include <assert.h>

#include "server/base/mem.h"

struct line {
    uint32_t n;       /* places = K */
    uint32_t *class;  /* [n] which class lies there */
    uint32_t *length; /* [n] by place */
    uint32_t *tree;   /* [n + 1] Fenwick tree of the lengths */
    uint32_t total;
};

struct sharer {
    struct graph_epoch *e;
    struct laps *laps;
    struct draws draws;
    struct line line;
    uint32_t *cards; /* [degree + 1] classes of a row */
    uint32_t *hits;  /* [degree + 1] places on the line */
    uint32_t *base;  /* [n_base] classes that every row has */
    uint32_t n_base;
};

static void line_add(struct line *l, uint32_t place, uint32_t amount)
{
    l->length[place] += amount; /* modulo 2^32: also subtracts */
    for (uint32_t i = place + 1; i <= l->n; i += i & -i)
        l->tree[i] += amount;
}

/* The place whose stretch covers the point; point < total. */
static uint32_t line_find(const struct line *l, uint32_t point)
{
    uint32_t place = 0, step = 1;
    while (step <= l->n / 2)
        step *= 2;
    for (; step > 0; step /= 2) {
        if (place + step <= l->n && l->tree[place + step] <= point) {
            place += step;
            point -= l->tree[place];
        }
    }
    return place;
}

static void line_swap(struct line *l, uint32_t p, uint32_t q)
{
    uint32_t c = l->class[p], more = l->length[q] - l->length[p];
    l->class[p] = l->class[q];
    l->class[q] = c;
    line_add(l, p, more);
    line_add(l, q, 0u - more);
}

static void line_fini(struct line *l)
{
    mem_free(l->class);
    mem_free(l->length);
    mem_free(l->tree);
}

static int line_init(struct line *l, uint32_t n)
{
    *l = (struct line){.n = n};
    l->class = mem_calloc(n, sizeof(*l->class));
    l->length = mem_calloc(n, sizeof(*l->length));
    l->tree = mem_calloc((size_t)n + 1, sizeof(*l->tree));
    if (l->class == NULL || l->length == NULL || l->tree == NULL)
        return -ERROR_NO_MEMORY;
    return 0;
}

static void sharer_fini(struct sharer *s)
{
    line_fini(&s->line);
    mem_free(s->cards);
    mem_free(s->hits);
    mem_free(s->base);
}

static int sharer_init(struct sharer *s, struct graph_epoch *e,
                       struct laps *laps)
{
    *s = (struct sharer){.e = e, .laps = laps};
    draws_init(&s->draws, e->spec.seed, e->epoch, PHILOX_GRAPH_DECK);
    size_t n_cards = (size_t)e->degree + 1;
    s->cards = mem_calloc(n_cards, sizeof(*s->cards));
    s->hits = mem_calloc(n_cards, sizeof(*s->hits));
    s->base = mem_calloc(n_cards, sizeof(*s->base));
    if (s->cards == NULL || s->hits == NULL || s->base == NULL)
        return -ERROR_NO_MEMORY;
    return line_init(&s->line, e->spec.n_classes);
}

/* Splits each class into what all rows get and the rest, on the line. */
static void lay_out(struct sharer *s)
{
    struct line *line = &s->line;
    uint32_t n_rows = s->e->spec.n_backgrounds;
    for (uint32_t i = 0; i < line->n; i++)
        line->class[i] = i;
    draws_shuffle(&s->draws, line->class, line->n);
    for (uint32_t i = 0; i < line->n; i++) {
        uint32_t c = line->class[i];
        uint32_t n_edges = s->laps->classes[c].n_edges;
        for (uint32_t n = n_edges / n_rows; n > 0; n--)
            s->base[s->n_base++] = c; /* their sum is <= degree */
        line_add(line, i, n_edges % n_rows);
        line->total += n_edges % n_rows;
    }
}

/* A start in [0, n_rows) that puts exactly n_points on the line. */
static uint32_t draw_start(struct sharer *s, uint32_t n_rows, uint32_t n_points)
{
    uint32_t rest = s->line.total % n_rows;
    if (n_points > s->line.total / n_rows) {
        assert(n_points == s->line.total / n_rows + 1 && rest > 0);
        return draws_below(&s->draws, rest);
    }
    assert(n_points == s->line.total / n_rows);
    return rest + draws_below(&s->draws, n_rows - rest);
}

/* Takes n_points classes off the line into s->cards. */
static void take_points(struct sharer *s, uint32_t n_rows, uint32_t n_points)
{
    struct line *line = &s->line;
    uint32_t point = draw_start(s, n_rows, n_points);
    for (uint32_t i = 0; i < n_points; i++, point += n_rows) {
        s->hits[i] = line_find(line, point);
        s->cards[i] = line->class[s->hits[i]];
    }
    for (uint32_t i = 0; i < n_points; i++)
        line_add(line, s->hits[i], 0u - 1);
    line->total -= n_points;
    for (uint32_t i = 0; i < n_points; i++)
        line_swap(line, s->hits[i], draws_below(&s->draws, line->n));
}

static void deal_row(struct sharer *s, uint32_t row, uint32_t start)
{
    struct graph_epoch *e = s->e;
    uint32_t degree = graph_row_degree(e, row);
    uint32_t n_points = degree - s->n_base;
    take_points(s, e->spec.n_backgrounds - row, n_points);
    for (uint32_t i = 0; i < s->n_base; i++)
        s->cards[n_points + i] = s->base[i];
    draws_shuffle(&s->draws, s->cards, degree);
    for (uint32_t i = 0; i < degree; i++)
        e->objects[start + i] = laps_take(s->laps, s->cards[i], row);
}

int deal_shares(struct graph_epoch *e, struct laps *laps, struct fault *fault)
{
    struct sharer s;
    int rc = sharer_init(&s, e, laps);
    if (rc == 0) {
        lay_out(&s);
        uint32_t start = 0;
        for (uint32_t row = 0; row < e->spec.n_backgrounds; row++) {
            deal_row(&s, row, start);
            start += graph_row_degree(e, row);
        }
    } else {
        fault_set(fault, ERROR_NO_MEMORY, "no memory for a line of %u classes",
                  e->spec.n_classes);
    }
    sharer_fini(&s);
    return rc;
}
