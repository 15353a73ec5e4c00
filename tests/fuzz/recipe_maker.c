/* A maker for each kind of field. Refusals are wanted too: a number in sixteen
 * lies outside of its limits. */
#include "tests/fuzz/recipe_maker.h"

#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#include "server/recipe/field.h"
#include "server/recipe/operation.h"

uint32_t feed_byte(struct feed *f)
{
    return f->at < f->n_bytes ? f->data[f->at++] : 0;
}

static double make_number(struct feed *f, double min, double max)
{
    const double span = max - min;
    switch (feed_byte(f) % 16) {
    case 0:
        return min;
    case 1:
        return max;
    case 2:
        return min + span * 1e-9;
    case 3:
        return max - span * 1e-9;
    case 4:
        return min <= 0 && max >= 0 ? -0.0 : min;
    case 5:
        return min <= 0 && max > 0 ? 5e-324 : min;
    case 6:
        return min <= 1 && max >= 1 ? 1 : max;
    case 7:
        return feed_byte(f) % 16 == 0 ? max + 1e300 : min + span / 2;
    default:
        return min + span * feed_byte(f) / 255;
    }
}

static json_t *make_range(struct feed *f, double min, double max)
{
    const double a = make_number(f, min, max), b = make_number(f, min, max);
    const bool is_bad = feed_byte(f) == 255;
    const bool swap = (a > b) != is_bad;
    return json_pack("[f, f]", swap ? b : a, swap ? a : b);
}

static json_t *make_choice(struct feed *f, double min, double max)
{
    json_t *list = json_array();
    const uint32_t n = 1 + feed_byte(f) % 64 * (RECIPE_MAX_CHOICES + 1) / 64;
    for (uint32_t i = 0; i < n; i++)
        json_array_append_new(list, json_real(make_number(f, min, max)));
    return json_pack("{s: o}", "choice", list);
}

static json_t *make_still(struct feed *f, uint32_t kind, double min, double max)
{
    switch (kind) {
    case VALUE_UNIFORM:
        return make_range(f, min, max);
    case VALUE_LOG_UNIFORM:
        return json_pack("{s: o}", "log_uniform",
                         make_range(f, min > 0 ? min : max * 1e-4, max));
    case VALUE_NORMAL:
        return json_pack("{s: [f, f]}", "normal", make_number(f, min, max),
                         make_number(f, 0, max - min));
    case VALUE_CHOICE:
        return make_choice(f, min, max);
    default:
        return json_real(make_number(f, min, max));
    }
}

static json_t *make_position(struct feed *f)
{
    static const json_int_t far[] = {0,       1,         2,         7,
                                     1 << 30, 1ll << 53, 1ll << 62, INT64_MAX};
    const uint32_t which = feed_byte(f);
    return json_integer(which == 255 ? -1 : far[which % 8]);
}

static json_t *make_curriculum(struct feed *f, uint32_t kind, double min,
                               double max)
{
    json_t *from = make_still(f, kind, min, max);
    json_t *to = make_still(f, kind, min, max);
    json_t *first = make_position(f), *last = make_position(f);
    if (json_integer_value(first) > json_integer_value(last) &&
        feed_byte(f) != 255) {
        json_t *other = first;
        first = last;
        last = other;
    }
    if (json_equal(first, last) && json_integer_value(last) < INT64_MAX)
        json_integer_set(last, json_integer_value(last) + 1);
    return json_pack("{s: o, s: o, s: [o, o]}", "from", from, "to", to, "over",
                     first, last);
}

static json_t *make_value(struct feed *f, double min, double max)
{
    const uint32_t kind = feed_byte(f) % 8;
    return kind < 5 ? make_still(f, kind, min, max)
                    : make_curriculum(f, feed_byte(f) % 4, min, max);
}

static json_t *make_moving(struct feed *f, double min, double max)
{
    return feed_byte(f) % 3 ? make_still(f, VALUE_CONSTANT, min, max)
                            : make_curriculum(f, VALUE_CONSTANT, min, max);
}

static json_t *make_operation(struct feed *f, const char *own, double most)
{
    const enum operation_id id =
        (enum operation_id)(feed_byte(f) % OPERATION_N);
    const struct operation_rule *rule = &operation_table[id];
    json_t *o = json_pack("{s: s}", "op", rule->name);
    for (uint32_t i = 0; i < operation_n_values(id); i++)
        if (feed_byte(f) % 4)
            json_object_set_new(
                o, rule->value[i].name,
                make_value(f, rule->value[i].min, rule->value[i].max));
    if (feed_byte(f) % 8 == 0)
        json_object_set_new(o, own, make_moving(f, 0, most));
    return o;
}

static json_t *make_operations(struct feed *f)
{
    json_t *list = json_array();
    const uint32_t most = feed_byte(f) % 8 ? 4 : RECIPE_MAX_OPERATIONS + 2;
    const uint32_t n = feed_byte(f) % most;
    for (uint32_t i = 0; i < n; i++) {
        json_t *choice = json_array();
        for (uint32_t k = feed_byte(f); k % 4 == 3; k /= 4)
            json_array_append_new(choice, make_operation(f, "weight", 1e6));
        if (json_array_size(choice) == 0) {
            json_decref(choice);
            json_array_append_new(list, make_operation(f, "probability", 1));
        } else {
            json_array_append_new(list, json_pack("{s: o, s: o}", "one_of",
                                                  choice, "probability",
                                                  make_moving(f, 0, 1)));
        }
    }
    return list;
}

static json_t *make_word(struct feed *f, const struct field_rule *rule)
{
    uint32_t n = 0;
    while (rule->words[n].word)
        n++;
    return json_string(rule->words[feed_byte(f) % n].word);
}

static json_t *make_words(struct feed *f, const struct field_rule *rule)
{
    const uint32_t how = feed_byte(f) % 4;
    if (how < 2)
        return make_word(f, rule);
    json_t *list = json_array();
    const uint32_t bits = feed_byte(f);
    for (uint32_t i = 0; rule->words[i].word; i++)
        if (bits >> i & 1)
            json_array_append_new(list, json_string(rule->words[i].word));
    if (bits >> 6 == 3)
        json_array_append_new(list, make_word(f, rule)); /* a second time */
    return json_pack("{s: o}", how == 2 ? "choice" : "every", list);
}

static json_t *make_tensors(struct feed *f)
{
    json_t *list = json_array();
    const uint32_t bits = feed_byte(f) | feed_byte(f) << 8;
    for (int i = 0; i < TENSOR_N; i++)
        if (bits >> i & 1)
            json_array_append_new(
                list, json_string(field_tensor_name((enum recipe_tensor)i)));
    return list;
}

/* Small, for the sake of time; both sides of every block of a kernel. */
static json_t *make_size(struct feed *f)
{
    static const int sides[] = {1,  2,  3,  4,  5,  7,  8,  9,  15, 16,
                                17, 31, 32, 33, 40, 47, 63, 64, 65, 130};
    const int h = sides[feed_byte(f) % (sizeof sides / sizeof sides[0])];
    const int w = sides[feed_byte(f) % (sizeof sides / sizeof sides[0])];
    return json_pack("[i, i]", h > 64 && w > 64 ? 3 : h, w);
}

static json_t *make_three(struct feed *f, const struct field_rule *rule)
{
    json_t *list = json_array();
    for (int i = 0; i < 3; i++)
        json_array_append_new(
            list, rule->kind == FIELD_COLOUR
                      ? make_value(f, rule->min, rule->max)
                      : json_real(make_number(f, rule->min, rule->max)));
    return list;
}

static json_t *make_integer(struct feed *f, const struct field_rule *rule)
{
    const double x = make_number(f, rule->min, rule->max);
    return json_integer(x < 9e18 ? (json_int_t)x : INT64_MAX);
}

static json_t *make_field(struct feed *f, const struct field_rule *rule)
{
    switch (rule->kind) {
    case FIELD_SIZE:
        return make_size(f);
    case FIELD_INTEGER:
    case FIELD_SEED:
        return make_integer(f, rule);
    case FIELD_WORD:
        return make_word(f, rule);
    case FIELD_WORDS:
        return make_words(f, rule);
    case FIELD_BOOL:
        return json_boolean(feed_byte(f) & 1);
    case FIELD_NUMBER:
        return json_real(make_number(f, rule->min, rule->max));
    case FIELD_MOVING:
        return make_moving(f, rule->min, rule->max);
    case FIELD_VALUE:
        return make_value(f, rule->min, rule->max);
    case FIELD_RANGE: {
        const uint32_t a = feed_byte(f), b = feed_byte(f);
        return json_pack("[i, i]", (int)(a < b ? a : b), (int)(a < b ? b : a));
    }
    case FIELD_COLOUR:
    case FIELD_TRIPLE:
        return make_three(f, rule);
    case FIELD_TENSORS:
        return make_tensors(f);
    case FIELD_OPERATIONS:
        return make_operations(f);
    default:
        return json_null();
    }
}

/* At its pointer, below sections made on the way. */
static void put_field(json_t *root, const char *pointer, json_t *field)
{
    json_t *at = root;
    const char *from = pointer + 1;
    for (const char *to; (to = strchr(from, '/')); from = to + 1) {
        char key[64] = "";
        memcpy(key, from, (size_t)(to - from));
        if (!json_object_get(at, key))
            json_object_set_new(at, key, json_object());
        at = json_object_get(at, key);
    }
    json_object_set_new(at, from, field);
}

char *recipe_maker_json(struct feed *f)
{
    json_t *root = json_object();
    put_field(root, "/size", make_size(f));
    const uint32_t n = feed_byte(f) % 24;
    for (uint32_t i = 0; i < n; i++) {
        const struct field_rule *rule =
            &field_table[feed_byte(f) % field_count];
        put_field(root, rule->pointer, make_field(f, rule));
    }
    char *text = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    return text;
}
