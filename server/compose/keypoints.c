/* Writes keypoints and marks those that a render shows. Source: NUMERICS.md,
 * "Labels from pixels". */
#include "server/compose/keypoints.h"

#include <string.h>

#include "server/plan/keypoint.h"

#define ITEM_BYTES (3 * sizeof(float))

struct keypoints keypoints_begin(uint8_t *out, uint32_t n,
                                 const struct plan *plan,
                                 const struct catalog *catalog)
{
    const struct pool_object *o = &catalog->objects[plan->object];
    struct keypoints k = {out, n, o->n_keypoints < n ? o->n_keypoints : n};
    if (!out)
        return k;
    memset(out, 0, n * ITEM_BYTES); /* absent */
    for (uint32_t i = 0; i < k.n_object; i++) {
        float item[3] = {0, 0, KEYPOINT_ABSENT};
        if (keypoint_seen(plan, &o->keypoints[i], item))
            item[2] = KEYPOINT_HIDDEN;
        memcpy(out + i * ITEM_BYTES, item, ITEM_BYTES);
    }
    return k;
}

/* Alpha at frame pixel (x, y) of the spans' rows, which begin at row y0. */
static uint8_t alpha_at(const struct pixel_span *span, const uint8_t *rgba,
                        int32_t y0, int32_t x, int32_t y)
{
    for (; y0 < y; y0++, span++)
        if (span->end > span->begin)
            rgba += (ptrdiff_t)(span->end - span->begin) * 4;
    if (x < span->begin || x >= span->end)
        return 0;
    return rgba[(ptrdiff_t)(x - span->begin) * 4 + 3];
}

void keypoints_see(const struct keypoints *k, int32_t y, int32_t n_rows,
                   const struct pixel_span *span, const uint8_t *rgba)
{
    for (uint32_t i = 0; k->out && span && i < k->n_object; i++) {
        float item[3];
        memcpy(item, k->out + i * ITEM_BYTES, ITEM_BYTES);
        if (item[2] != KEYPOINT_HIDDEN || item[0] < 0 || item[1] < (float)y ||
            item[1] >= (float)(y + n_rows))
            continue;
        if (alpha_at(span, rgba, y, (int32_t)item[0], (int32_t)item[1]) == 0)
            continue;
        item[2] = KEYPOINT_SEEN;
        memcpy(k->out + i * ITEM_BYTES, item, ITEM_BYTES);
    }
}
