/* Two sweeps along the columns, then the lower envelope of parabolas along a
 * row. Keeps nothing. */
#include "server/pixel/distance.h"

void distance_columns(struct distance_grid *g, int16_t *below)
{
    for (int32_t y = 1; y < g->height; y++) {
        int16_t *row = g->row + (int64_t)y * g->width;
        for (int32_t x = 0; x < g->width; x++)
            row[x] = row[x] < 0 ? row[x - g->width] : row[x];
    }
    for (int32_t x = 0; x < g->width; x++)
        below[x] = -1;
    for (int32_t y = g->height - 1; y >= 0; y--) {
        int16_t *row = g->row + (int64_t)y * g->width;
        for (int32_t x = 0; x < g->width; x++) {
            if (row[x] == y)
                below[x] = (int16_t)y;
            else if (below[x] >= 0 && (row[x] < 0 || below[x] - y < y - row[x]))
                row[x] = below[x];
        }
    }
}

/* What row y sees of its columns. */
struct parabolas {
    const int16_t *row;
    int64_t y;
};

/* Squared distance within column i. */
static int64_t down(const struct parabolas *p, int32_t i)
{
    const int64_t d = p->row[i] - p->y;
    return d * d;
}

static int64_t squared(const struct parabolas *p, int32_t x, int32_t i)
{
    return (int64_t)(x - i) * (x - i) + down(p, i);
}

/* The last x where column i is as near as column u > i; 0 or more. */
static int64_t last_of(const struct parabolas *p, int32_t i, int32_t u)
{
    return ((int64_t)u * u - (int64_t)i * i + down(p, u) - down(p, i)) /
           (2 * (int64_t)(u - i));
}

void distance_row(const struct distance_grid *g, int32_t y, int32_t *envelope,
                  int32_t *out)
{
    const struct parabolas p = {g->row + (int64_t)y * g->width, y};
    int32_t *column = envelope, *from = envelope + g->width, n = 0;
    for (int32_t u = 0; u < g->width; u++) {
        if (p.row[u] < 0)
            continue;
        while (n > 0 && squared(&p, from[n - 1], column[n - 1]) >
                            squared(&p, from[n - 1], u))
            n--;
        const int64_t first = n > 0 ? 1 + last_of(&p, column[n - 1], u) : 0;
        if (first < g->width) {
            column[n] = u;
            from[n++] = (int32_t)first;
        }
    }
    for (int32_t x = g->width - 1; x >= 0; x--) {
        out[x] = n > 0 ? column[n - 1] : -1;
        n -= n > 0 && x == from[n - 1];
    }
}
