/* Plan + catalog -> the RGB rows of one sample. Knows no batch. */
#include "server/compose/compose.h"

#include "server/compose/match.h"

void compose_sample(const struct catalog *catalog, const struct plan *plan,
                    void *scratch, uint8_t *out, ptrdiff_t stride_bytes,
                    struct compose_facts *out_facts)
{
    const int32_t most = render_block_rows(plan->width);
    struct render render;
    render_init(&render, catalog, plan, NULL, NULL, scratch);
    match_run(&render);
    for (int32_t y = 0; y < plan->height; y += most) {
        int32_t left = plan->height - y;
        render_rows(&render, y, left < most ? left : most,
                    out + y * stride_bytes, stride_bytes);
    }
    *out_facts = render_facts(&render);
}
