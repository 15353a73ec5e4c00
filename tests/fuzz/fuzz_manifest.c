/* Fuzz target: bytes as a manifest. No entry that is accepted leaves the
 * manifest's folder; what is refused says where. */
#include <stdlib.h>
#include <string.h>

#include "server/pool/manifest.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    const struct pool_config config = {.limits = pool_limits_default()};
    struct pool_entries list = {0};
    struct manifest_classes classes = {0};
    struct fault fault = {0};
    int code = manifest_parse(data, n_bytes, "pool/m.json", &config, &list,
                              &classes, &fault);

    if (code && strncmp(fault.text, "pool/m.json:", 12) != 0)
        abort();
    for (uint32_t i = 0; !code && i < list.n; i++) {
        const struct pool_entry *e = &list.at[i];

        if (strncmp(e->path, "pool/", 5) != 0 || strstr(e->path, "/../") ||
            !e->class_name[0])
            abort();
    }
    pool_entries_fini(&list);
    manifest_classes_fini(&classes);
    return 0;
}
