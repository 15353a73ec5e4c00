/* The object first, which gives the box, then the context within. Computes no
 * matrix itself (pixel/match.c). Source: NUMERICS.md "The edge". */
#include "server/compose/match.h"

static const struct image_box none = {INT32_MAX, INT32_MAX, 0, 0};

/* By the alphas of a span of row y, where some are at least `least`. */
static void widen(struct image_box *box, const uint8_t *alpha, int32_t least,
                  struct pixel_span span, int32_t y)
{
    int32_t first = 0, last = span.end - span.begin - 1;
    while (first <= last && alpha[(ptrdiff_t)first * 4] < least)
        first++;
    if (first > last)
        return;
    while (alpha[(ptrdiff_t)last * 4] < least)
        last--;
    const int32_t x0 = span.begin + first, x1 = span.begin + last + 1;
    box->x0 = x0 < box->x0 ? x0 : box->x0;
    box->x1 = x1 > box->x1 ? x1 : box->x1;
    box->y0 = y < box->y0 ? y : box->y0;
    box->y1 = y + 1;
}

/* The box of the facts: of alpha >= 128, else of any. */
static struct image_box measure_object(struct render *r,
                                       struct match_sums *sums)
{
    const int32_t most = render_block_rows(r->plan->width);
    struct image_box solid = none, any = none;
    for (int32_t y = 0; y < r->plan->height; y += most) {
        struct pixel_span span[RENDER_BLOCK_ROWS];
        const int32_t left = r->plan->height - y;
        const int32_t n_rows = left < most ? left : most;
        int32_t n;
        const uint8_t *rgba = render_take_object(r, y, n_rows, span, &n);
        const uint8_t *alpha = rgba + 3;
        match_add_object(sums, rgba, n);
        for (int32_t i = 0; n > 0 && i < n_rows; i++) {
            widen(&solid, alpha, 128, span[i], y + i);
            if (solid.x1 == 0)
                widen(&any, alpha, 1, span[i], y + i);
            alpha += (ptrdiff_t)(span[i].end - span[i].begin) * 4;
        }
    }
    return solid.x1 > 0 ? solid : any;
}

static void measure_context(struct render *r, const struct image_box *box,
                            struct match_sums *sums)
{
    const int32_t most = render_block_rows(r->plan->width);
    const ptrdiff_t row_bytes = (ptrdiff_t)r->plan->width * 3;
    for (int32_t y = box->y0; y < box->y1; y += most) {
        const int32_t left = box->y1 - y, n = left < most ? left : most;
        render_put_context(r, y, n, r->block, row_bytes);
        for (int32_t i = 0; i < n; i++)
            match_add_context(sums,
                              r->block + i * row_bytes + (ptrdiff_t)box->x0 * 3,
                              box->x1 - box->x0);
    }
}

void match_run(struct render *r)
{
    if (r->plan->match_q16 == 0)
        return;
    struct match_sums object = {0}, context = {0};
    const struct image_box box = measure_object(r, &object);
    render_rewind(r);
    r->has_match = object.weight > 0;
    if (!r->has_match)
        return;
    measure_context(r, &box, &context);
    match_matrix(&object, &context, r->plan->match_mode, r->plan->match_q16,
                 r->match);
}
