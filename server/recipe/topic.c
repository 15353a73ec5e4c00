/* The table of operations and the presets -> indented JSON. Parses nothing:
 * what is indented here was printed here. */
#include "server/recipe/topic.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "server/base/mem.h"
#include "server/recipe/operation.h"
#include "server/recipe/print.h"
#include "server/recipe/text.h"

#define LINE_CHARS   80
#define INDENT_CHARS 2
#define MAX_DEPTH    16

/* The tables' own text: quotes and backslashes, no control characters. */
static void put_string(struct text *t, const char *string)
{
    text_put(t, "\"");
    for (const char *c = string; *c != '\0'; c++) {
        text_printf(t, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
    }
    text_put(t, "\"");
}

static void put_member(struct text *t, const char *key, const char *string)
{
    text_printf(t, "\"%s\":", key);
    put_string(t, string);
}

static void put_number(struct text *t, const char *key, double x)
{
    text_printf(t, ",\"%s\":", key);
    text_put_number(t, x);
}

static void put_cost(struct text *t, const char *cost)
{
    double ns[3];
    if (sscanf(cost, "%lf / %lf / %lf", &ns[0], &ns[1], &ns[2]) != 3) {
        t->failed = true;
        return;
    }
    text_put(t, ",\"cost_ns_per_px\":{\"portable\":");
    text_put_number(t, ns[0]);
    put_number(t, "avx2", ns[1]);
    put_number(t, "avx512", ns[2]);
    text_put(t, "}");
}

static void put_value(struct text *t, const struct operation_value *rule,
                      const struct value *initial)
{
    text_put(t, "{");
    put_member(t, "name", rule->name);
    text_put(t, ",");
    put_member(t, "unit", rule->unit);
    put_number(t, "min", rule->min);
    put_number(t, "max", rule->max);
    text_put(t, ",\"default\":");
    print_value(t, initial);
    text_put(t, ",");
    put_member(t, "text", rule->text);
    text_put(t, "}");
}

static void put_operation(struct text *t, enum operation_id id)
{
    const struct operation_rule *rule = &operation_table[id];
    const struct recipe_operation initial = operation_default(id);
    text_put(t, "{");
    put_member(t, "name", rule->name);
    text_put(t, ",");
    put_member(t, "text", rule->text);
    text_put(t, ",\"like\":");
    if (rule->like != NULL) {
        put_string(t, rule->like);
    } else {
        text_put(t, "null");
    }
    text_printf(t, ",\"random\":%s", rule->is_random ? "true" : "false");
    put_cost(t, rule->cost);
    text_put(t, ",\"values\":[");
    for (uint32_t i = 0; i < operation_n_values(id); i++) {
        text_put(t, i == 0 ? "" : ",");
        put_value(t, &rule->value[i], &initial.value[i]);
    }
    text_put(t, "]}");
}

static void put_operations(struct text *t)
{
    for (uint32_t id = 0; id < OPERATION_N; id++) {
        text_put(t, id == 0 ? "{\"operations\":[" : ",");
        put_operation(t, (enum operation_id)id);
    }
    text_put(t, "]}");
}

static void put_presets(struct text *t)
{
    for (uint32_t i = 0; i < recipe_preset_count(); i++) {
        text_put(t, i == 0 ? "{\"presets\":[{" : ",{");
        put_member(t, "name", recipe_preset_name(i));
        text_put(t, ",");
        put_member(t, "source", recipe_preset_source(i));
        text_put(t, "}");
    }
    text_put(t, "]}");
}

/* Indenting. What fits on the rest of its line stays on it. */

static void put_break(struct text *t, int depth)
{
    text_printf(t, "\n%*s", depth * INDENT_CHARS, "");
}

/* Characters up to the end of the string that begins here, quotes included. */
static size_t string_chars(const char *at)
{
    size_t n = 1;
    while (at[n] != '"') {
        n += at[n] == '\\' ? 2 : 1;
    }
    return n + 1;
}

/* Characters that the value which begins here takes on one line, with a space
 * after each comma and colon. */
static size_t line_chars(const char *at)
{
    size_t n = 0;
    int depth = 0;
    for (; *at != '\0'; at++) {
        if (*at == '"') {
            size_t n_string = string_chars(at);
            n += n_string;
            at += n_string - 1;
            continue;
        }
        depth += (*at == '{' || *at == '[') - (*at == '}' || *at == ']');
        n += *at == ',' || *at == ':' ? 2 : 1;
        if (depth == 0) {
            break;
        }
    }
    return n;
}

/* Copies compact JSON. whole[d]: the value at depth d stays on its line. */
static void put_indented(struct text *t, const char *at)
{
    bool whole[MAX_DEPTH + 1] = {false};
    int depth = 0;
    size_t line = 0; /* where the line begins */
    while (*at != '\0' && !t->failed) {
        size_t n = *at == '"' ? string_chars(at) : 1;
        bool opens = *at == '{' || *at == '[';
        bool closes = *at == '}' || *at == ']';
        if (opens) {
            assert(depth < MAX_DEPTH);
            size_t column = t->n_bytes - line;
            bool fits = column + line_chars(at) + 1 <= LINE_CHARS;
            whole[depth + 1] = whole[depth] || fits;
            depth++;
        }
        if (closes && !whole[depth]) {
            line = t->n_bytes + 1;
            put_break(t, depth - 1);
        }
        text_printf(t, "%.*s", (int)n, at);
        if ((opens || *at == ',') && !whole[depth]) {
            line = t->n_bytes + 1;
            put_break(t, depth);
        } else if (*at == ',' || *at == ':') {
            text_put(t, " ");
        }
        depth -= closes;
        at += n;
    }
    text_put(t, "\n");
}

/* Compact JSON of the topic; *out NULL when memory is short. */
static int compact(const char *topic, char **out, struct fault *fault)
{
    static const char preset[] = "preset ";
    struct text t = {0};
    if (strcmp(topic, "operations") == 0) {
        put_operations(&t);
    } else if (strcmp(topic, "presets") == 0) {
        put_presets(&t);
    } else if (strncmp(topic, preset, strlen(preset)) == 0) {
        struct recipe r;
        int rc = recipe_preset(topic + strlen(preset), &r, fault);
        if (rc != 0) {
            return rc;
        }
        *out = recipe_canonical(&r, true);
        return 0;
    } else {
        return fault_set(fault, ERROR_NOT_FOUND,
                         "nothing is known of this; there are: "
                         "operations, presets, preset NAME");
    }
    *out = text_take(&t);
    return 0;
}

/* Frees the line; NULL: memory was short. */
static int indent(char *line, char **out_json, struct fault *fault)
{
    struct text t = {0};
    if (line != NULL) {
        put_indented(&t, line);
    }
    mem_free(line);
    *out_json = text_take(&t);
    return *out_json != NULL ? 0
                             : fault_set(fault, ERROR_NO_MEMORY,
                                         "no memory for the description");
}

int recipe_topic(const char *topic, char **out_json, struct fault *fault)
{
    char *line = NULL;
    int rc = compact(topic, &line, fault);
    return rc != 0 ? rc : indent(line, out_json, fault);
}

int recipe_in_words(const struct recipe *r, char **out_json,
                    struct fault *fault)
{
    return indent(recipe_canonical(r, true), out_json, fault);
}
