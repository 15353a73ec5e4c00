/* Says which parts of two fingerprints differ. Computes no digest. */
#include "common/fingerprint.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static unsigned engine_of(const uint8_t *fingerprint)
{
    return (unsigned)fingerprint[0] << 8 | fingerprint[1];
}

void fingerprint_explain(const uint8_t found[FINGERPRINT_BYTES],
                         const uint8_t expected[FINGERPRINT_BYTES],
                         char out[FINGERPRINT_TEXT_BYTES])
{
    static const struct {
        int from, to;
        const char *name;
    } part[] = {
        {FINGERPRINT_CATALOG_AT, FINGERPRINT_RECIPE_AT,
         "the catalog (images or classes)"},
        {FINGERPRINT_RECIPE_AT, FINGERPRINT_BYTES, "the recipe"},
        {FINGERPRINT_SEED_AT, FINGERPRINT_CATALOG_AT, "the seed"},
        {0, FINGERPRINT_SEED_AT, "the engine"},
    };
    enum { N_PARTS = sizeof part / sizeof part[0] };
    int n = 0, n_different = 0, left;
    bool differs[N_PARTS];

    for (int i = 0; i < N_PARTS; i++) {
        differs[i] = memcmp(found + part[i].from, expected + part[i].from,
                            (size_t)(part[i].to - part[i].from)) != 0;
        n_different += differs[i];
    }
    left = n_different;
    for (int i = 0; i < N_PARTS; i++) {
        if (!differs[i])
            continue;
        left--;
        n += snprintf(out + n, (size_t)(FINGERPRINT_TEXT_BYTES - n), "%s%s",
                      part[i].name,
                      left > 1    ? ", "
                      : left == 1 ? " and "
                                  : "");
    }
    n += snprintf(out + n, (size_t)(FINGERPRINT_TEXT_BYTES - n), "%s",
                  n_different == 0   ? "nothing differs"
                  : n_different == 1 ? " differs"
                                     : " differ");
    if (differs[N_PARTS - 1])
        snprintf(out + n, (size_t)(FINGERPRINT_TEXT_BYTES - n),
                 " (version %u, expected %u)", engine_of(found),
                 engine_of(expected));
}
