/* /openapi.json (OpenAPI 3.1), made from the route table and the table of
 * parameters, so that it cannot say what is not served. */
#include <stdio.h>
#include <string.h>

#include "server/base/version.h"
#include "server/http/route.h"

#define DIGEST_PATTERN "^[0-9A-Fa-f]{64}$"

/* {name}s of paths: what they are. */
static json_t *capture_schema(const char *name)
{
    if (strcmp(name, "stream") == 0 || strcmp(name, "preset") == 0)
        return json_pack("{s:s, s:s}", "type", "string", "pattern",
                         "^[A-Za-z0-9_.-]{1,64}$");
    if (strcmp(name, "feedback") == 0)
        return json_pack("{s:s, s:s}", "type", "string", "pattern",
                         DIGEST_PATTERN);
    return json_pack("{s:s, s:s, s:i}", "type", "integer", "format", "int64",
                     "minimum", 0);
}

static void add_path_parameters(json_t *list, const char *pattern)
{
    for (const char *open = strchr(pattern, '{'); open;
         open = strchr(open + 1, '{')) {
        char name[32];
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(open + 1, "}"),
                 open + 1);
        json_array_append_new(list, json_pack("{s:s, s:s, s:b, s:o}", "name",
                                              name, "in", "path", "required", 1,
                                              "schema", capture_schema(name)));
    }
}

static json_t *param_schema(enum http_param p)
{
    if (http_param_is_digest(p))
        return json_pack("{s:s, s:s}", "type", "string", "pattern",
                         DIGEST_PATTERN);
    if (http_param_word(p, 0)) {
        json_t *words = json_array();
        for (uint32_t i = 0; http_param_word(p, i); i++)
            json_array_append_new(words, json_string(http_param_word(p, i)));
        return json_pack("{s:s, s:o}", "type", "string", "enum", words);
    }
    return json_pack("{s:s, s:s, s:I, s:I}", "type", "integer", "format",
                     "int64", "minimum", (json_int_t)http_param_min(p),
                     "maximum", (json_int_t)http_param_max(p));
}

static json_t *parameters(const struct http_route *route)
{
    json_t *list = json_array();

    add_path_parameters(list, route->pattern);
    for (int p = 0; p < HTTP_PARAM_COUNT; p++) {
        if (!(route->params & (1u << p)))
            continue;
        json_array_append_new(list, json_pack("{s:s, s:s, s:b, s:s, s:o}",
                                              "name", http_param_key(p), "in",
                                              "query", "required", 0,
                                              "description", http_param_help(p),
                                              "schema", param_schema(p)));
    }
    return list;
}

/* The media type without its parameters stands first in the content map. */
static json_t *responses(const struct http_route *route)
{
    json_t *problem =
        json_pack("{s:s}", "$ref", "#/components/responses/Problem");
    json_t *all =
        json_pack("{s:{s:s, s:{s:{}}}, s:o}", "200", "description",
                  route->summary, "content", route->media, "default", problem);

    if (!route->open)
        json_object_set_new(
            all, "304",
            json_pack("{s:s}", "description",
                      "Not modified: If-None-Match names the entity tag."));
    return all;
}

static json_t *schema_of_upload(void)
{
    json_t *row = json_pack("{s:s, s:{s:s, s:i}}", "type", "array", "items",
                            "type", "number", "minimum", 0);
    return json_pack("{s:s, s:[s,s], s:{s:{s:s}, s:{s:s, s:o}}}", "type",
                     "object", "required", "stream", "weights", "properties",
                     "stream", "type", "string", "weights", "type", "array",
                     "items", row);
}

static json_t *put_operation(const struct http_route *route)
{
    char id[64];

    snprintf(id, sizeof(id), "%sPut", route->operation);
    json_t *answers = responses(route);
    json_object_del(answers, "304");
    return json_pack("{s:s, s:s, s:{s:b, s:{s:{s:o}}}, s:o}", "operationId", id,
                     "summary", http_route_put(route)->summary, "requestBody",
                     "required", 1, "content", "application/json", "schema",
                     schema_of_upload(), "responses", answers);
}

static json_t *path_item(const struct http_route *route)
{
    static const char *const methods[] = {"get", "head"};
    json_t *item = json_object();

    for (int m = 0; m < 2; m++) {
        char id[64];
        snprintf(id, sizeof(id), "%s%s", route->operation, m ? "Head" : "");
        json_t *operation =
            json_pack("{s:s, s:s, s:o, s:o}", "operationId", id, "summary",
                      route->summary, "parameters", parameters(route),
                      "responses", responses(route));
        if (route->open)
            json_object_set_new(operation, "security", json_array());
        json_object_set_new(item, methods[m], operation);
    }
    if (http_route_put(route))
        json_object_set_new(item, "put", put_operation(route));
    return item;
}

static json_t *components(void)
{
    json_t *problem = json_pack(
        "{s:s, s:[s,s,s,s], s:{s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}, "
        "s:{s:s}, s:{s:s}}}",
        "type", "object", "required", "type", "title", "status", "detail",
        "properties", "type", "type", "string", "title", "type", "string",
        "status", "type", "integer", "detail", "type", "string", "instance",
        "type", "string", "code", "type", "string", "retry_after_seconds",
        "type", "integer");
    json_t *response = json_pack("{s:s, s:{s:{s:{s:s}}}}", "description",
                                 "Anything else, as RFC 9457 says.", "content",
                                 "application/problem+json", "schema", "$ref",
                                 "#/components/schemas/Problem");

    return json_pack("{s:{s:o}, s:{s:o}, s:{s:{s:s, s:s}}}", "schemas",
                     "Problem", problem, "responses", "Problem", response,
                     "securitySchemes", "bearer", "type", "http", "scheme",
                     "bearer");
}

json_t *http_openapi(void)
{
    json_t *paths = json_object();

    for (uint32_t i = 0; i < http_n_routes; i++)
        json_object_set_new(paths, http_routes[i].pattern,
                            path_item(&http_routes[i]));
    return json_pack(
        "{s:s, s:{s:s, s:s, s:s, s:{s:s}}, s:[{s:s}], s:[{s:[]},{}], s:o, s:o}",
        "openapi", "3.1.0", "info", "title", "pasted", "version",
        PASTED_VERSION_TEXT, "description",
        "Balanced cut-and-paste training images: what a stream holds, its "
        "samples, its batches.",
        "license", "name", "MIT", "servers", "url", "/", "security", "bearer",
        "paths", paths, "components", components());
}

void http_get_openapi(struct http_request *r)
{
    http_answer_json(r, http_openapi());
}
