/* What the next sample will read, fetched into the cache while this one
 * renders (twice as fast where the pools are larger than the caches). Reads no
 * pixel itself. Threads: one belongs to one worker. */
#ifndef PASTED_COMPOSE_AHEAD_H
#define PASTED_COMPOSE_AHEAD_H

#include "server/plan/plan.h"

/* Rows of pixels to fetch, top to bottom. */
struct ahead_rows {
    const uint8_t *first;
    ptrdiff_t stride_bytes;
    int32_t row_bytes, n_rows;
    int32_t n_done;
};

struct ahead {
    struct ahead_rows context, object;
};

/* NULL: there is no next sample. */
void ahead_init(struct ahead *a, const struct catalog *catalog,
                const struct plan *next);
/* Asks for the share `done` of `whole` of all rows, less what was asked for. */
void ahead_advance(struct ahead *a, int32_t done, int32_t whole);

#endif
