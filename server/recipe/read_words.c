/* One word of a list, or several of which one is drawn for each sample or each
 * has its turn. Reads no numbers (read.c). */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "server/recipe/read.h"

/* NULL when json is no word of the rule. */
static const struct field_word *find_word(const struct field_rule *rule,
                                          const json_t *json)
{
    const char *found = json_string_value(json);
    for (const struct field_word *w = rule->words; w->word != NULL; w++) {
        if (found != NULL && strcmp(found, w->word) == 0) {
            return w;
        }
    }
    return NULL;
}

static int refuse_word(const struct read_place *p,
                       const struct field_rule *rule, const char *more)
{
    char list[120] = "";
    for (const struct field_word *w = rule->words; w->word != NULL; w++) {
        size_t n = strlen(list);
        snprintf(list + n, sizeof(list) - n, "%s\"%s\"", n > 0 ? ", " : "",
                 w->word);
    }
    return read_refuse(p, "must be one of %s%s", list, more);
}

int read_word(const struct read_place *p, const struct field_rule *rule,
              const json_t *json, struct recipe *out)
{
    const struct field_word *w = find_word(rule, json);
    if (w == NULL) {
        return refuse_word(p, rule, "");
    }
    field_word_set(out, rule, w->number);
    return 0;
}

/* In the order of the list, which has as many words as *out has bits. */
static int read_set(const struct read_place *p, const struct field_rule *rule,
                    const json_t *list, struct words *out)
{
    *out = (struct words){0};
    if (json_array_size(list) == 0) { /* of what is no array, too */
        return read_refuse(p, "must be an array of one word or more");
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct read_place at = read_item(p, i);
        const struct field_word *w = find_word(rule, json_array_get(list, i));
        if (w == NULL) {
            return refuse_word(&at, rule, "");
        }
        if ((out->bits & 1u << w->number) != 0) {
            return read_refuse(&at, "%s is named twice", w->word);
        }
        assert(out->n_every < RECIPE_MAX_EVERY);
        out->bits |= 1u << w->number;
        out->every[out->n_every++] = (uint8_t)w->number;
    }
    return 0;
}

/* One word alone is that word. */
static int read_list(const struct read_place *p, const struct field_rule *rule,
                     const json_t *json, struct words *out)
{
    const json_t *every = json_object_get(json, "every");
    struct read_place at = read_down(p, every != NULL ? "every" : "choice");
    int rc =
        read_set(&at, rule,
                 every != NULL ? every : json_object_get(json, "choice"), out);
    if (every == NULL || out->n_every == 1) {
        *out = (struct words){.bits = out->bits};
    }
    return rc;
}

int read_words(const struct read_place *p, const struct field_rule *rule,
               const json_t *json, struct words *out)
{
    const struct field_word *w = find_word(rule, json);
    if (w != NULL) {
        *out = (struct words){.bits = 1u << w->number};
        return 0;
    }
    const bool is_list = json_object_get(json, "choice") != NULL ||
                         json_object_get(json, "every") != NULL;
    if (!is_list || json_object_size(json) != 1) {
        return refuse_word(p, rule,
                           ", or {\"choice\": [...]} or {\"every\": [...]} "
                           "of them");
    }
    return read_list(p, rule, json, out);
}
