/* The list of image operations: JSON -> its place in a recipe, by the table of
 * operation.h. Knows no other key. */
#include <stdio.h>
#include <string.h>

#include "server/recipe/operation.h"
#include "server/recipe/read.h"

/* Where an item may stand decides what it may hold beside its values. */
enum place { IN_LIST, IN_CHOICE };

static const char *own_key(enum place place)
{
    return place == IN_LIST ? "probability" : "weight";
}

static int refuse_key(const struct read_place *p, enum operation_id id,
                      enum place place)
{
    char known[160];
    size_t n = (size_t)snprintf(known, sizeof(known), "op, %s", own_key(place));
    for (uint32_t i = 0; i < operation_n_values(id) && n < sizeof(known); i++) {
        n += (size_t)snprintf(known + n, sizeof(known) - n, ", %s",
                              operation_table[id].value[i].name);
    }
    return read_refuse(p, "unknown key; known here: %s", known);
}

static int read_name(const struct read_place *p, const json_t *json,
                     enum operation_id *out)
{
    const char *name = json_string_value(json_object_get(json, "op"));
    *out = name == NULL ? OPERATION_N : operation_find(name);
    if (*out != OPERATION_N) {
        return 0;
    }
    char known[380] = "";
    for (uint32_t i = 0; i < OPERATION_N; i++) {
        size_t n = strlen(known);
        snprintf(known + n, sizeof(known) - n, "%s%s", i > 0 ? ", " : "",
                 operation_table[i].name);
    }
    struct read_place at = read_down(p, "op");
    return read_refuse(&at, "must be one of %s", known);
}

/* One key beside "op". */
static int read_key(const struct read_place *p, const char *key,
                    const json_t *json, enum place place,
                    struct recipe_operation *o, struct value *probability)
{
    struct read_place at = read_down_key(p, key);
    if (strcmp(key, own_key(place)) == 0) {
        return place == IN_LIST ? read_moving(&at, json, 0, 1, probability)
                                : read_moving(&at, json, 0, 1e6, &o->weight);
    }
    for (uint32_t i = 0; i < operation_n_values(o->id); i++) {
        const struct operation_value *rule = &operation_table[o->id].value[i];
        if (strcmp(key, rule->name) == 0) {
            return read_value(&at, json, rule->min, rule->max, &o->value[i]);
        }
    }
    return refuse_key(&at, o->id, place);
}

/* One operation at the end of the list; *probability is that of IN_LIST. */
static int read_operation(const struct read_place *p, const json_t *json,
                          enum place place, struct recipe_operations *list,
                          struct value *probability)
{
    enum operation_id id;
    if (!json_is_object(json)) {
        return read_refuse(p, "must be an object, not %s",
                           read_type_name(json));
    }
    int rc = read_name(p, json, &id);
    if (rc != 0) {
        return rc;
    }
    if (list->n_operations == RECIPE_MAX_OPERATIONS) {
        return read_refuse(p, "more than %d operations", RECIPE_MAX_OPERATIONS);
    }
    struct recipe_operation *o = &list->operation[list->n_operations++];
    *o = operation_default(id);
    const char *key;
    json_t *below;
    json_object_foreach((json_t *)json, key, below)
    {
        if (strcmp(key, "op") == 0) {
            continue;
        }
        rc = read_key(p, key, below, place, o, probability);
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

static int check_choice_keys(const struct read_place *p, const json_t *json)
{
    const char *key;
    json_t *below;
    json_object_foreach((json_t *)json, key, below)
    {
        if (strcmp(key, "one_of") != 0 && strcmp(key, "probability") != 0) {
            struct read_place at = read_down_key(p, key);
            return read_refuse(&at,
                               "unknown key; known here: one_of, probability");
        }
    }
    return 0;
}

/* Of the alternatives from `first` on. */
static int check_weights(const struct read_place *p,
                         const struct recipe_operations *list, uint32_t first)
{
    const struct value *weight[RECIPE_MAX_OPERATIONS];
    uint32_t n = 0;
    for (uint32_t i = first; i < list->n_operations; i++) {
        weight[n++] = &list->operation[i].weight;
    }
    return read_weights(p, "the weights", weight, n);
}

/* {"one_of": [...], "probability": p} */
static int read_choice(const struct read_place *p, const json_t *json,
                       struct recipe_operations *list,
                       struct value *probability)
{
    const json_t *items = json_object_get(json, "one_of");
    const json_t *chance = json_object_get(json, "probability");
    struct read_place in = read_down(p, "one_of");
    struct read_place at = read_down(p, "probability");
    const uint32_t first = list->n_operations;
    int rc = check_choice_keys(p, json);
    if (rc == 0 && chance != NULL) {
        rc = read_moving(&at, chance, 0, 1, probability);
    }
    if (rc == 0 && (!json_is_array(items) || json_array_size(items) < 2)) {
        rc = read_refuse(&in, "must be an array of two operations or more");
    }
    for (size_t i = 0; rc == 0 && i < json_array_size(items); i++) {
        struct read_place below = read_item(&in, i);
        rc = read_operation(&below, json_array_get(items, i), IN_CHOICE, list,
                            NULL);
    }
    return rc == 0 ? check_weights(&in, list, first) : rc;
}

int read_operations(const struct read_place *p, const json_t *json,
                    struct recipe_operations *out)
{
    struct recipe_operations list = {0};
    if (!json_is_array(json)) {
        return read_refuse(p, "must be an array of operations, not %s",
                           read_type_name(json));
    }
    for (size_t i = 0; i < json_array_size(json); i++) {
        struct read_place at = read_item(p, i);
        const json_t *item = json_array_get(json, i);
        if (list.n_entries == RECIPE_MAX_OPERATIONS) {
            return read_refuse(&at, "more than %d operations",
                               RECIPE_MAX_OPERATIONS);
        }
        struct recipe_entry *entry = &list.entry[list.n_entries++];
        entry->first = list.n_operations;
        entry->probability = (struct value){.a = 1, .max = 1};
        int rc = json_object_get(item, "one_of") != NULL
                     ? read_choice(&at, item, &list, &entry->probability)
                     : read_operation(&at, item, IN_LIST, &list,
                                      &entry->probability);
        if (rc != 0) {
            return rc;
        }
        entry->n = list.n_operations - entry->first;
    }
    *out = list;
    return 0;
}
