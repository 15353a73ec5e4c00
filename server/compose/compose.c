/* Plan + catalog -> the RGB rows of one sample. Knows no batch. */
#include "server/compose/compose.h"

#include "server/compose/match.h"

void compose_sample(const struct catalog *catalog, const struct plan *plan,
                    void *scratch, uint8_t *out, ptrdiff_t stride_bytes,
                    struct compose_facts *out_facts)
{
    struct render render;
    render_init(&render, catalog, plan, NULL, NULL, scratch);
    match_run(&render);
    render_whole(&render, out, stride_bytes);
    *out_facts = render_facts(&render);
}
