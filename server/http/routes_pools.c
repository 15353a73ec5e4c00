/* /v1/pools: what was loaded, what was skipped and why. */
#include "server/http/route.h"
#include "server/pool/catalog.h"

static json_t *skips_json(const struct catalog *c)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < c->n_skips; i++) {
        json_t *skip = json_pack("{s:s, s:s}", "path", c->skips[i].path,
                                 "reason", c->skips[i].reason);
        if (!skip) /* a file name that is no UTF-8 */
            skip = json_pack("{s:s, s:s}", "path", "?", "reason",
                             c->skips[i].reason);
        json_array_append_new(list, skip);
    }
    return list;
}

static json_t *classes_json(const struct catalog *c)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < c->n_classes; i++) {
        json_int_t n = c->class_first[i + 1] - c->class_first[i];
        json_t *class = json_pack("{s:i, s:s, s:I}", "id", (int)i, "name",
                                  c->classes[i], "objects", n);
        if (!class)
            class = json_pack("{s:i, s:s, s:I}", "id", (int)i, "name", "?",
                              "objects", n);
        json_array_append_new(list, class);
    }
    return list;
}

static json_t *pool_json(const char *name, const struct catalog *c)
{
    char digest[DIGEST_HEX_BYTES];

    digest_hex(&c->digest, digest);
    return json_pack(
        "{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "name", name,
        "digest", digest, "objects", (json_int_t)c->n_objects, "backgrounds",
        (json_int_t)c->n_backgrounds, "n_classes", (json_int_t)c->n_classes,
        "objects_skipped", (json_int_t)c->n_objects_skipped,
        "backgrounds_skipped", (json_int_t)c->n_backgrounds_skipped,
        "image_bytes", (json_int_t)c->image_bytes, "predicted_bytes",
        (json_int_t)c->predicted_bytes, "skipped", skips_json(c), "classes",
        classes_json(c));
}

void http_get_pools(struct http_request *r)
{
    const struct http_pools *pools = r->server->config.pools;
    json_t *list = json_array();

    if (!pools || pools->n_pools == 0) {
        json_decref(list);
        http_fail(r, ERROR_OVERLOADED, "the pools are being loaded");
        return;
    }
    for (uint32_t i = 0; i < pools->n_pools; i++)
        json_array_append_new(
            list, pool_json(pools->pool[i].name, pools->pool[i].catalog));
    http_answer_json(r, json_pack("{s:o}", "pools", list));
}
