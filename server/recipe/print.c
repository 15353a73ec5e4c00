/* A recipe -> canonical JSON, and the table of keys -> documentation.
 * Parses nothing. */
#include <inttypes.h>
#include <string.h>

#include "server/recipe/field.h"
#include "server/recipe/print.h"
#include "server/recipe/text.h"

static void put_pair(struct text *t, double a, double b)
{
    text_put(t, "[");
    text_put_number(t, a);
    text_put(t, ",");
    text_put_number(t, b);
    text_put(t, "]");
}

static void put_end(struct text *t, const struct value *v, double a, double b)
{
    const bool is_range =
        v->kind == VALUE_UNIFORM || v->kind == VALUE_LOG_UNIFORM;
    if (v->kind == VALUE_CONSTANT || (is_range && a == b) ||
        (v->kind == VALUE_NORMAL && b == 0)) {
        text_put_number(t, a);
        return;
    }
    const char *name = v->kind == VALUE_NORMAL ? "normal" : "log_uniform";
    if (v->kind != VALUE_UNIFORM) {
        text_printf(t, "{\"%s\":", name);
    }
    put_pair(t, a, b);
    text_put(t, v->kind != VALUE_UNIFORM ? "}" : "");
}

static void put_choice(struct text *t, const struct value *v)
{
    for (uint32_t i = 0; i < v->n_choices; i++) {
        text_put(t, i == 0 ? "{\"choice\":[" : ",");
        text_put_number(t, v->choices[i]);
    }
    text_put(t, "]}");
}

void print_value(struct text *t, const struct value *v)
{
    if (v->kind == VALUE_CHOICE) {
        put_choice(t, v);
    } else if (v->over[1] == 0) {
        put_end(t, v, v->a, v->b);
    } else {
        text_put(t, "{\"from\":");
        put_end(t, v, v->a, v->b);
        text_printf(t,
                    ",\"over\":[%" PRIu64 ",%" PRIu64 "],\"to\":", v->over[0],
                    v->over[1]);
        put_end(t, v, v->to_a, v->to_b);
        text_put(t, "}");
    }
}

static void put_word(struct text *t, const struct recipe *r,
                     const struct field_rule *rule)
{
    uint32_t number = field_word_get(r, rule);
    for (const struct field_word *w = rule->words; w->word != NULL; w++) {
        if (w->number == number) {
            text_printf(t, "\"%s\"", w->word);
        }
    }
}

static void put_every(struct text *t, const struct words *words,
                      const struct field_rule *rule)
{
    for (uint32_t i = 0; i < words->n_every; i++) {
        const struct field_word *w = rule->words;
        while (w->number != words->every[i]) {
            w++;
        }
        text_printf(t, "%s\"%s\"", i == 0 ? "{\"every\":[" : ",", w->word);
    }
    text_put(t, "]}");
}

/* One word, every one as listed, or a choice in the order of the table. */
static void put_words(struct text *t, const struct words *words,
                      const struct field_rule *rule)
{
    const uint32_t bits = words->bits;
    if (words->n_every > 0) {
        put_every(t, words, rule);
        return;
    }
    const bool is_choice = (bits & (bits - 1)) != 0;
    const char *before = is_choice ? "{\"choice\":[" : "";
    for (const struct field_word *w = rule->words; w->word != NULL; w++) {
        if ((bits & 1u << w->number) != 0) {
            text_printf(t, "%s\"%s\"", before, w->word);
            before = ",";
        }
    }
    text_put(t, is_choice ? "]}" : "");
}

static void put_tensors(struct text *t, uint32_t bits)
{
    const char *before = "[";
    for (uint32_t i = 0; i < TENSOR_N; i++) {
        if ((bits & 1u << i) != 0 || i == TENSOR_IMAGE) {
            text_printf(t, "%s\"%s\"", before, field_tensor_name(i));
            before = ",";
        }
    }
    text_put(t, "]");
}

/* Integers above 2^63-1 stand in quotes: few JSON readers take them bare. */
static void put_seed(struct text *t, uint64_t seed)
{
    text_printf(t, seed <= INT64_MAX ? "%" PRIu64 : "\"%" PRIu64 "\"", seed);
}

static void put_triple(struct text *t, const float x[3])
{
    for (int i = 0; i < 3; i++) {
        char number[TEXT_NUMBER_BYTES];
        text_float(x[i], number);
        text_printf(t, "%s%s", i == 0 ? "[" : ",", number);
    }
    text_put(t, "]");
}

static void put_colour(struct text *t, const struct value v[3])
{
    for (int i = 0; i < 3; i++) {
        text_put(t, i == 0 ? "[" : ",");
        print_value(t, &v[i]);
    }
    text_put(t, "]");
}

static void put_field(struct text *t, const struct recipe *r,
                      const struct field_rule *rule)
{
    const void *at = field_of(r, rule);
    switch (rule->kind) {
    case FIELD_SIZE:
    case FIELD_RANGE:
        put_pair(t, ((const int32_t *)at)[0], ((const int32_t *)at)[1]);
        break;
    case FIELD_INTEGER:
        text_printf(t, "%" PRIu32, *(const uint32_t *)at);
        break;
    case FIELD_SEED:
        put_seed(t, *(const uint64_t *)at);
        break;
    case FIELD_WORD:
        put_word(t, r, rule);
        break;
    case FIELD_WORDS:
        put_words(t, at, rule);
        break;
    case FIELD_BOOL:
        text_put(t, *(const bool *)at ? "true" : "false");
        break;
    case FIELD_NUMBER:
        text_put_number(t, *(const double *)at);
        break;
    case FIELD_MOVING:
    case FIELD_VALUE:
        print_value(t, at);
        break;
    case FIELD_COLOUR:
        put_colour(t, at);
        break;
    case FIELD_TENSORS:
        put_tensors(t, *(const uint32_t *)at);
        break;
    case FIELD_TRIPLE:
        put_triple(t, at);
        break;
    case FIELD_OPERATIONS:
        print_operations(t, at);
        break;
    case FIELD_N_KINDS:
        break;
    }
}

/* The next key after `last` in the order of pointers; '/' sorts before every
 * character of a key, so this is also the sorted order of every object. */
static const struct field_rule *next_rule(const char *last, bool everything)
{
    const struct field_rule *best = NULL;
    for (uint32_t i = 0; i < field_count; i++) {
        const struct field_rule *rule = &field_table[i];
        if (strcmp(rule->pointer, last) > 0 &&
            (everything || !rule->only_slices) &&
            (best == NULL || strcmp(rule->pointer, best->pointer) < 0)) {
            best = rule;
        }
    }
    return best;
}

/* Closes and opens objects on the way from one key to the next: "/a/b" to
 * "/c" closes one, "/c" to "/d/e/f" opens two. */
static void put_way(struct text *t, const char *from, const char *to)
{
    size_t shared = 0; /* length of the common sections, with the last '/' */
    for (size_t i = 0; from[i] != '\0' && from[i] == to[i]; i++) {
        if (from[i] == '/') {
            shared = i + 1;
        }
    }
    for (const char *c = from + shared; *c != '\0'; c++) {
        if (*c == '/' && shared > 0) {
            text_put(t, "}");
        }
    }
    text_put(t, shared > 0 ? "," : "{");
    const char *step = to + (shared > 0 ? shared : 1);
    for (size_t n = strcspn(step, "/"); step[n] == '/';
         n = strcspn(step, "/")) {
        text_printf(t, "\"%.*s\":{", (int)n, step);
        step += n + 1;
    }
    text_printf(t, "\"%s\":", step);
}

char *recipe_canonical(const struct recipe *r, bool everything)
{
    struct text t = {0};
    const char *last = "";
    const struct field_rule *rule = next_rule(last, everything);
    while (rule != NULL) {
        put_way(&t, last, rule->pointer);
        put_field(&t, r, rule);
        last = rule->pointer;
        rule = next_rule(last, everything);
    }
    for (const char *c = last; *c != '\0'; c++) {
        if (*c == '/') {
            text_put(&t, "}");
        }
    }
    return text_take(&t);
}

static void put_limits(struct text *t, const struct field_rule *rule)
{
    if (rule->words != NULL) {
        for (const struct field_word *w = rule->words; w->word != NULL; w++) {
            text_printf(t, "%s%s", w == rule->words ? "" : ", ", w->word);
        }
    } else if (rule->kind == FIELD_SEED) {
        text_put(t, "0 .. 2^64-1");
    } else if (rule->kind == FIELD_BOOL) {
        text_put(t, "true, false");
    } else if (rule->kind == FIELD_TENSORS) {
        for (uint32_t i = 0; i < TENSOR_N; i++) {
            text_printf(t, "%s%s", i == 0 ? "" : ", ", field_tensor_name(i));
        }
    } else if (rule->kind == FIELD_OPERATIONS) {
        text_printf(t, "0 .. %d entries", RECIPE_MAX_OPERATIONS);
    } else {
        text_put_number(t, rule->min);
        text_put(t, " .. ");
        text_put_number(t, rule->max);
    }
}

static void put_tensors_left_out(struct text *t, uint32_t tensors)
{
    text_put(t, "all");
    const char *before = " but ";
    for (uint32_t i = 0; i < TENSOR_N; i++) {
        if ((tensors >> i & 1) == 0) {
            text_printf(t, "%s%s", before, field_tensor_name(i));
            before = ", ";
        }
    }
}

char *recipe_describe(void)
{
    struct recipe initial;
    recipe_default(&initial);
    struct text t = {0};
    text_put(&t, "| key | kind | unit | range | default | meaning |\n"
                 "|---|---|---|---|---|---|\n");
    for (uint32_t i = 0; i < field_count; i++) {
        const struct field_rule *rule = &field_table[i];
        text_printf(&t, "| %s | %s | %s | ", rule->pointer,
                    field_kind_name(rule->kind), rule->unit);
        put_limits(&t, rule);
        text_put(&t, " | ");
        if (rule->kind == FIELD_TENSORS) {
            put_tensors_left_out(&t, initial.labels.tensors);
        } else {
            put_field(&t, &initial, rule);
        }
        text_printf(&t, " | %s |\n", rule->text);
    }
    return text_take(&t);
}
