/* Feedback tables as JSON. Keeps none (feedback_store.c). */
#include "server/serve/feedback_text.h"

#include <inttypes.h>
#include <stdio.h>

#include "server/base/mem.h"
#include "server/recipe/text.h"

char *feedback_list_text(const struct feedback_store *s)
{
    struct text t = {0};
    struct feedback_entry e;

    text_put(&t, "{\"feedback\":[");
    for (uint32_t i = 0; feedback_store_entry(s, i, &e); i++) {
        char hex[DIGEST_HEX_BYTES];
        digest_hex(&e.table->digest, hex);
        text_printf(&t,
                    "%s\n{\"feedback\":\"%s\",\"n_classes\":%" PRIu32
                    ",\"href\":\"/v1/feedback/%s\",\"in_use\":%s,"
                    "\"unused_seconds\":%" PRIu64 "}",
                    i > 0 ? "," : "", hex, e.table->n_classes, hex,
                    e.is_held ? "true" : "false", e.unused_ns / 1000000000);
    }
    text_put(&t, "]}\n");
    return text_take(&t);
}

static char *put_number(char *out, uint32_t v)
{
    char digits[10];
    int n = 0;

    do
        digits[n++] = (char)('0' + v % 10);
    while ((v /= 10) > 0);
    while (n > 0)
        *out++ = digits[--n];
    return out;
}

/* {"feedback":...,"n_classes":n,"weights":[[...],...]}: by hand, since a
 * formatted print of each weight would take the loop's time. */
char *feedback_table_text(const struct feedback *table)
{
    const uint32_t n = table->n_classes;
    char hex[DIGEST_HEX_BYTES];
    char *text = mem_calloc(1, 160 + (size_t)n * (6 * (size_t)n + 2));

    if (!text)
        return NULL;
    digest_hex(&table->digest, hex);
    char *at = text + sprintf(text,
                              "{\"feedback\":\"%s\",\"n_classes\":%" PRIu32
                              ",\"weights\":[",
                              hex, n);
    for (uint32_t row = 0; row < n; row++) {
        for (uint32_t i = 0; i < n; i++) {
            *at++ = i > 0 ? ',' : '[';
            at = put_number(at, feedback_weight(table, row, i));
        }
        *at++ = ']';
        *at++ = row + 1 < n ? ',' : ']';
    }
    *at = '}';
    return text;
}
