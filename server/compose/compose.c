/* Plan + catalog -> the RGB rows of one sample. Knows no batch. */
#include "server/compose/compose.h"

#include "server/compose/render.h"

void compose_sample(const struct catalog *catalog, const struct plan *plan,
                    void *scratch, uint8_t *out, ptrdiff_t stride_bytes,
                    struct compose_facts *out_facts)
{
    struct render render;
    render_init(&render, catalog, plan, scratch);
    for (int32_t y = 0; y < plan->height; y++)
        render_row(&render, y, out + y * stride_bytes);
    *out_facts = render_facts(&render);
}
