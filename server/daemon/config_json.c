/* The configuration file: JSON into struct config by the table of options.
 * Strict and pure: reads no other file. Errors: "<JSON pointer>: sentence". */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "server/base/mem.h"
#include "server/daemon/options.h"

#define POINTER_BYTES 160

static int refuse_type(struct fault *fault, const char *wanted)
{
    return fault_set(fault, ERROR_BAD_CONFIG, "%s is wanted", wanted);
}

/* Whether the JSON type suits; numbers and flags become text for option_set. */
static int value_text(const struct option_row *row, const json_t *value,
                      char number[32], const char **out, struct fault *fault)
{
    bool is_number = row->type == OPTION_NUMBER || row->type == OPTION_SIZE ||
                     row->type == OPTION_SEED;

    if (row->type == OPTION_FLAG) {
        if (!json_is_boolean(value))
            return refuse_type(fault, "true or false");
        *out = json_is_true(value) ? "true" : "false";
        return 0;
    }
    if (is_number && json_is_integer(value)) {
        if (json_integer_value(value) < 0)
            return refuse_type(fault, "a number that is not negative");
        snprintf(number, 32, "%" JSON_INTEGER_FORMAT,
                 json_integer_value(value));
        *out = number;
        return 0;
    }
    if (row->type == OPTION_NUMBER)
        return refuse_type(fault, "a whole number");
    if (!json_is_string(value))
        return refuse_type(fault, is_number
                                      ? "a whole number or a string of one"
                                      : "a string");
    *out = json_string_value(value);
    return 0;
}

static int set_classes(struct config_pool *pool, const json_t *array,
                       struct fault *fault)
{
    size_t n = json_array_size(array);

    if (n == 0 || n > CONFIG_MAX_CLASSES)
        return fault_set(fault, ERROR_BAD_CONFIG, "1 to %d names are wanted",
                         CONFIG_MAX_CLASSES);
    pool->classes = mem_calloc(n, sizeof(*pool->classes));
    if (!pool->classes)
        return fault_set(fault, ERROR_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < n; i++) {
        const char *name = json_string_value(json_array_get(array, i));
        if (!name || !*name)
            return refuse_type(fault, "an array of names that are not empty");
        pool->classes[i] = mem_strdup(name);
        if (!pool->classes[i])
            return fault_set(fault, ERROR_NO_MEMORY, "out of memory");
        pool->n_classes++;
    }
    return 0;
}

static int set_recipe(struct config_stream *stream, const json_t *object,
                      struct fault *fault)
{
    char *text = json_dumps(object, JSON_COMPACT);

    stream->recipe_text = text ? mem_strdup(text) : NULL;
    free(text);
    return stream->recipe_text
               ? 0
               : fault_set(fault, ERROR_NO_MEMORY, "out of memory");
}

static int set_value(const struct option_row *row, void *target,
                     const json_t *value, const char *folder,
                     struct fault *fault)
{
    char number[32];
    const char *text = NULL;

    if (row->type == OPTION_CLASSES && json_is_array(value))
        return set_classes(target, value, fault);
    if (row->type == OPTION_RECIPE && json_is_object(value))
        return set_recipe(target, value, fault);
    int rc = value_text(row, value, number, &text, fault);
    if (rc)
        return rc;
    /* A recipe that is named like a file lies beside the configuration. */
    bool is_file = row->type == OPTION_RECIPE && strpbrk(text, "./");
    struct option_row as = *row;
    if (is_file)
        as.type = OPTION_PATH;
    rc = option_set(&as, target, text, folder, fault);
    if (rc == -ERROR_BAD_ARGUMENT && fault)
        fault->code = ERROR_BAD_CONFIG;
    return rc == -ERROR_BAD_ARGUMENT ? -ERROR_BAD_CONFIG : rc;
}

static int refuse_key(enum option_scope scope, const char *key,
                      struct fault *fault)
{
    char known[400];
    size_t n = 0;

    n += (size_t)snprintf(known, sizeof(known), "%s",
                          scope == OPTION_OF_DAEMON ? "pools, streams" : "");
    for (uint32_t i = 0; i < option_n_rows; i++) {
        const struct option_row *row = &option_rows[i];
        if (row->scope == scope && row->key && n < sizeof(known))
            n += (size_t)snprintf(known + n, sizeof(known) - n, "%s%s",
                                  n ? ", " : "", row->key);
    }
    return fault_set(fault, ERROR_BAD_CONFIG,
                     "unknown key \"%.40s\"; known are: %s", key, known);
}

/* All keys of an object that is one scope's struct. */
static int read_object(enum option_scope scope, void *target, json_t *object,
                       const char *pointer, const char *folder,
                       struct fault *fault)
{
    const char *key;
    json_t *value;

    if (!json_is_object(object)) {
        refuse_type(fault, "an object");
        return fault_prefix(fault, "%s", *pointer ? pointer : "/");
    }
    json_object_foreach(object, key, value)
    {
        const struct option_row *row = option_find_key(scope, key);
        if (scope == OPTION_OF_DAEMON &&
            (strcmp(key, "pools") == 0 || strcmp(key, "streams") == 0))
            continue;
        if (!row) {
            refuse_key(scope, key, fault);
            return fault_prefix(fault, "%s", *pointer ? pointer : "/");
        }
        if (set_value(row, target, value, folder, fault))
            return fault_prefix(fault, "%s/%s", pointer, key);
    }
    return 0;
}

/* The objects under "pools" or "streams". */
static int read_group(struct config *c, json_t *root, enum option_scope scope,
                      const char *folder, struct fault *fault)
{
    const char *group = scope == OPTION_OF_POOL ? "pools" : "streams";
    json_t *objects = json_object_get(root, group), *value;
    const char *name;

    if (!json_is_object(objects) || json_object_size(objects) == 0) {
        refuse_type(fault, "an object with at least one member");
        return fault_prefix(fault, "/%s", group);
    }
    json_object_foreach(objects, name, value)
    {
        char pointer[POINTER_BYTES];
        void *target = scope == OPTION_OF_POOL
                           ? (void *)config_add_pool(c, name, fault)
                           : (void *)config_add_stream(c, name, fault);
        snprintf(pointer, sizeof(pointer), "/%s/%.70s", group, name);
        if (!target)
            return fault_prefix(fault, "%s", pointer);
        int rc = read_object(scope, target, value, pointer, folder, fault);
        if (rc)
            return rc;
    }
    return 0;
}

int config_read_json(struct config *c, const char *text, size_t n_bytes,
                     const char *folder, struct fault *fault)
{
    struct fault own = {0};
    json_error_t error;
    json_t *root = json_loadb(text, n_bytes, JSON_REJECT_DUPLICATES, &error);

    if (!fault)
        fault = &own;
    if (!root)
        return fault_set(fault, ERROR_BAD_CONFIG, "line %d column %d: %s",
                         error.line, error.column, error.text);
    int rc = read_object(OPTION_OF_DAEMON, c, root, "", folder, fault);
    if (rc == 0)
        rc = read_group(c, root, OPTION_OF_POOL, folder, fault);
    if (rc == 0)
        rc = read_group(c, root, OPTION_OF_STREAM, folder, fault);
    json_decref(root);
    return rc;
}
