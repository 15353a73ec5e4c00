/* The list of image operations -> canonical JSON, and their table ->
 * documentation. Parses nothing. */
#include <string.h>

#include "server/recipe/operation.h"
#include "server/recipe/print.h"

/* The keys of one operation in sorted order: the least above `last`, or
 * NULL. */
static const char *next_key(const struct recipe_operation *o, const char *own,
                            const char *last)
{
    const char *best = NULL;
    for (uint32_t i = 0; i < operation_n_values(o->id) + 2; i++) {
        const char *key = i == 0   ? "op"
                          : i == 1 ? own
                                   : operation_table[o->id].value[i - 2].name;
        if (strcmp(key, last) > 0 && (best == NULL || strcmp(key, best) < 0)) {
            best = key;
        }
    }
    return best;
}

static void put_key(struct text *t, const struct recipe_operation *o,
                    const char *own, const struct value *own_value,
                    const char *key)
{
    const struct operation_rule *rule = &operation_table[o->id];
    text_printf(t, "\"%s\":", key);
    if (strcmp(key, "op") == 0) {
        text_printf(t, "\"%s\"", rule->name);
    } else if (strcmp(key, own) == 0) {
        print_value(t, own_value);
    } else {
        uint32_t i = 0;
        while (strcmp(rule->value[i].name, key) != 0) {
            i++;
        }
        print_value(t, &o->value[i]);
    }
}

static void put_operation(struct text *t, const struct recipe_operation *o,
                          const char *own, const struct value *own_value)
{
    const char *before = "{";
    const char *key = next_key(o, own, "");
    while (key != NULL) {
        text_put(t, before);
        put_key(t, o, own, own_value, key);
        before = ",";
        key = next_key(o, own, key);
    }
    text_put(t, "}");
}

static void put_choice(struct text *t, const struct recipe_operations *list,
                       const struct recipe_entry *entry)
{
    for (uint32_t i = 0; i < entry->n; i++) {
        const struct recipe_operation *o = &list->operation[entry->first + i];
        text_put(t, i == 0 ? "{\"one_of\":[" : ",");
        put_operation(t, o, "weight", &o->weight);
    }
    text_put(t, "],\"probability\":");
    print_value(t, &entry->probability);
    text_put(t, "}");
}

void print_operations(struct text *t, const struct recipe_operations *list)
{
    text_put(t, "[");
    for (uint32_t i = 0; i < list->n_entries; i++) {
        const struct recipe_entry *entry = &list->entry[i];
        text_put(t, i == 0 ? "" : ",");
        if (entry->n > 1) {
            put_choice(t, list, entry);
        } else {
            put_operation(t, &list->operation[entry->first], "probability",
                          &entry->probability);
        }
    }
    text_put(t, "]");
}

static void describe_value(struct text *t, const struct operation_value *v,
                           const struct value *initial)
{
    text_printf(t, "| | `%s` | %s | ", v->name, v->unit);
    text_put_number(t, v->min);
    text_put(t, " .. ");
    text_put_number(t, v->max);
    text_put(t, " | ");
    print_value(t, initial);
    text_printf(t, " | %s |\n", v->text);
}

char *recipe_describe_operations(void)
{
    struct text t = {0};
    text_put(&t, "| op | value | unit | range | default | meaning |\n"
                 "|---|---|---|---|---|---|\n");
    for (uint32_t id = 0; id < OPERATION_N; id++) {
        const struct operation_rule *rule = &operation_table[id];
        const struct recipe_operation initial = operation_default(id);
        text_printf(&t, "| `%s` | | | | | %s%s%s %s ns a pixel. |\n",
                    rule->name, rule->text, rule->like == NULL ? "" : " Like ",
                    rule->like == NULL ? "" : rule->like, rule->cost);
        for (uint32_t i = 0; i < operation_n_values(id); i++) {
            describe_value(&t, &rule->value[i], &initial.value[i]);
        }
    }
    return text_take(&t);
}
