/* Makes object and context whole and runs their operations. Pastes nothing and
 * computes no pixel itself. Source: NUMERICS.md, "Operations on the object and
 * its context". */
#include "server/compose/stage.h"

#include <string.h>

#include "server/compose/operations.h"
#include "server/compose/scratch.h"
#include "server/pixel/operation/straight.h"

static size_t pixels(int32_t width, int32_t height)
{
    return (size_t)width * (size_t)height;
}

size_t stage_scratch_bytes(const struct recipe *recipe)
{
    const int32_t w = recipe->width, h = recipe->height;
    if (recipe->background.operations.n_entries == 0 &&
        recipe->object.operations.n_entries == 0)
        return 0;
    return scratch_rgb_bytes(w, h) + scratch_aligned(pixels(w, h) * 4) +
           scratch_aligned(operation_scratch_bytes(w, h));
}

/* The object's rows where they lie in the frame, transparent elsewhere. */
static void pose_object(struct render *r, uint8_t *plane)
{
    const struct plan *p = r->plan;
    const int32_t most = render_block_rows(p->width);
    struct pixel_span span[RENDER_BLOCK_ROWS];
    memset(plane, 0, pixels(p->width, p->height) * 4);
    for (int32_t y = 0; y < p->height; y += most) {
        const int32_t left = p->height - y, n = left < most ? left : most;
        const uint8_t *rgba = r->object_rows;
        if (render_object_rows(r, y, n, span) == 0)
            continue;
        for (int32_t i = 0; i < n; i++) {
            const int32_t x = span[i].begin, n_px = span[i].end - x;
            if (n_px <= 0)
                continue;
            memcpy(plane + ((ptrdiff_t)(y + i) * p->width + x) * 4, rgba,
                   (size_t)n_px * 4);
            rgba += (ptrdiff_t)n_px * 4;
        }
    }
}

/* frame is this function's until it returns. */
static void stage_object(struct render *r, struct operation_frame frame,
                         uint8_t *plane)
{
    const size_t n = pixels(frame.width, frame.height);
    pose_object(r, plane);
    if (straight_from(plane, n, frame.rgb)) {
        frame.covered = plane;
        operations_run(&r->plan->object_operations, &frame);
        straight_into(frame.rgb, n, plane);
    }
    r->staged_object = plane;
}

static void stage_context(struct render *r, const struct operation_frame *frame)
{
    const int32_t most = render_block_rows(frame->width);
    const ptrdiff_t row_bytes = (ptrdiff_t)frame->width * 3;
    for (int32_t y = 0; y < frame->height; y += most) {
        const int32_t left = frame->height - y;
        render_context_rows(r, y, left < most ? left : most,
                            frame->rgb + y * row_bytes, row_bytes);
    }
    operations_run(&r->plan->background_operations, frame);
    r->staged_context = frame->rgb;
}

void stage_run(struct render *r, uint8_t *scratch)
{
    const struct plan *p = r->plan;
    if (p->object_operations.n == 0 && p->background_operations.n == 0)
        return;
    uint8_t *plane = scratch + scratch_rgb_bytes(p->width, p->height);
    const struct operation_frame frame = {
        .rgb = scratch,
        .width = p->width,
        .height = p->height,
        .scratch = plane + scratch_aligned(pixels(p->width, p->height) * 4),
    };
    if (p->object_operations.n > 0)
        stage_object(r, frame, plane);
    if (p->background_operations.n > 0)
        stage_context(r, &frame); /* the object needs its frame no more */
}
