/* A number that may be drawn: JSON -> struct value, with its limits. Knows no
 * other kind of field (read.c) and draws nothing. */
#include <inttypes.h>
#include <string.h>

#include "server/recipe/read.h"
#include "server/recipe/text.h"

/* [lo, hi] with lo <= hi. */
static int read_bounds(const struct read_place *p, const json_t *json,
                       double min, double max, double out[2])
{
    int rc = read_array(p, json, 2, "[lo, hi]");
    for (size_t i = 0; rc == 0 && i < 2; i++) {
        struct read_place at = read_item(p, i);
        rc = read_number(&at, json_array_get(json, i), min, max, &out[i]);
    }
    if (rc == 0 && out[0] > out[1]) {
        char lo[TEXT_NUMBER_BYTES], hi[TEXT_NUMBER_BYTES];
        text_number(out[0], lo);
        text_number(out[1], hi);
        return read_refuse(p, "the lower bound %s is above the upper %s", lo,
                           hi);
    }
    return rc;
}

static void set_constant(struct value *v, double x)
{
    v->kind = VALUE_CONSTANT;
    v->a = x;
    v->b = 0;
}

/* Equal bounds are that constant, so that one meaning has one spelling. */
static int read_uniform(const struct read_place *p, const json_t *json,
                        struct value *v)
{
    double bounds[2];
    int rc = read_bounds(p, json, v->min, v->max, bounds);
    if (rc != 0) {
        return rc;
    }
    if (bounds[0] == bounds[1]) {
        set_constant(v, bounds[0]);
        return 0;
    }
    v->kind = VALUE_UNIFORM;
    v->a = bounds[0];
    v->b = bounds[1];
    return 0;
}

/* Of whose logarithm fixmath_exp (-700 .. 700) gives a number again. */
#define LEAST_OF_LOG 1e-300

static int read_log_uniform(const struct read_place *p, const json_t *json,
                            struct value *v)
{
    int rc = read_uniform(p, json, v);
    if (rc != 0) {
        return rc;
    }
    if (v->a < LEAST_OF_LOG) {
        char found[TEXT_NUMBER_BYTES];
        text_number(v->a, found);
        struct read_place at = read_item(p, 0);
        return read_refuse(&at, "must be %s, not %s",
                           v->a <= 0 ? "greater than 0" : "at least 1e-300",
                           found);
    }
    if (v->kind == VALUE_UNIFORM) {
        v->kind = VALUE_LOG_UNIFORM;
    }
    return 0;
}

static int read_normal(const struct read_place *p, const json_t *json,
                       struct value *v)
{
    double mean = 0, deviation = 0;
    struct read_place first = read_item(p, 0), second = read_item(p, 1);
    int rc = read_array(p, json, 2, "[mean, sd]");
    if (rc == 0) {
        rc =
            read_number(&first, json_array_get(json, 0), v->min, v->max, &mean);
    }
    if (rc == 0) {
        rc = read_number(&second, json_array_get(json, 1), 0, v->max - v->min,
                         &deviation);
    }
    if (rc != 0) {
        return rc;
    }
    set_constant(v, mean);
    if (deviation > 0) {
        v->kind = VALUE_NORMAL;
        v->b = deviation;
    }
    return 0;
}

static int read_choice(const struct read_place *p, const json_t *json,
                       struct value *v)
{
    size_t n = json_array_size(json);
    if (!json_is_array(json) || n == 0 || n > RECIPE_MAX_CHOICES) {
        return read_refuse(p, "must be an array of 1 to %d numbers",
                           RECIPE_MAX_CHOICES);
    }
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        struct read_place at = read_item(p, i);
        rc = read_number(&at, json_array_get(json, i), v->min, v->max,
                         &v->choices[i]);
    }
    if (rc == 0 && n == 1) {
        set_constant(v, v->choices[0]);
        v->choices[0] = 0;
    } else if (rc == 0) {
        v->kind = VALUE_CHOICE;
        v->n_choices = (uint32_t)n;
    }
    return rc;
}

static int read_distribution(const struct read_place *p, const json_t *json,
                             struct value *v)
{
    static const struct {
        const char *name;
        int (*read)(const struct read_place *, const json_t *, struct value *);
    } kinds[] = {{"log_uniform", read_log_uniform},
                 {"normal", read_normal},
                 {"choice", read_choice}};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        const json_t *below = json_object_get(json, kinds[i].name);
        if (below != NULL && json_object_size(json) == 1) {
            struct read_place at = read_down(p, kinds[i].name);
            return kinds[i].read(&at, below, v);
        }
    }
    return read_refuse(p, "must have exactly one of the keys log_uniform, "
                          "normal, choice, or from, to and over");
}

/* What does not move. */
static int read_still(const struct read_place *p, const json_t *json,
                      double min, double max, struct value *out)
{
    struct value v = {.min = min, .max = max};
    int rc;
    if (json_is_number(json)) {
        rc = read_number(p, json, min, max, &v.a);
    } else if (json_is_array(json)) {
        rc = read_uniform(p, json, &v);
    } else if (json_is_object(json)) {
        rc = read_distribution(p, json, &v);
    } else {
        rc = read_refuse(p,
                         "must be a number, [lo, hi] or an object with one of "
                         "log_uniform, normal, choice, not %s",
                         read_type_name(json));
    }
    if (rc == 0) {
        *out = v;
    }
    return rc;
}

static int read_over(const struct read_place *p, const json_t *json,
                     uint64_t out[2])
{
    int rc = read_array(p, json, 2, "[first, last]");
    for (size_t i = 0; rc == 0 && i < 2; i++) {
        const json_t *item = json_array_get(json, i);
        struct read_place at = read_item(p, i);
        if (!json_is_integer(item) || json_integer_value(item) < 0) {
            return read_refuse(&at, "must be an integer from 0 to 2^63-1");
        }
        out[i] = (uint64_t)json_integer_value(item);
    }
    if (rc == 0 && out[0] >= out[1]) {
        rc = read_refuse(p, "the first position must be below the last");
    }
    return rc;
}

/* A constant stands for the range that holds nothing else. */
static int widen_end(const struct read_place *p, enum value_kind kind,
                     struct value *v)
{
    if (v->kind == VALUE_CHOICE) {
        return read_refuse(p, "a choice cannot move");
    }
    if (v->kind == kind || kind == VALUE_CHOICE) {
        return 0;
    }
    if (v->kind != VALUE_CONSTANT) {
        return read_refuse(p, "must be of the same kind as from");
    }
    if (kind == VALUE_LOG_UNIFORM && v->a < LEAST_OF_LOG) {
        return read_refuse(p, "must be %s, as log_uniform is",
                           v->a <= 0 ? "greater than 0" : "at least 1e-300");
    }
    v->kind = kind;
    v->b = kind == VALUE_NORMAL ? 0 : v->a;
    return 0;
}

/* Equal ends are what does not move. Everything between two ends within the
 * limits is within them, and in order. */
static int join_ends(const struct read_place *first,
                     const struct read_place *last, struct value *from,
                     struct value *to, struct value *out)
{
    const struct value still = *from;
    const enum value_kind kind =
        from->kind == VALUE_CONSTANT ? to->kind : from->kind;
    int rc = widen_end(first, kind, from);
    if (rc == 0) {
        rc = widen_end(last, kind, to);
    }
    if (rc != 0) {
        return rc;
    }
    if (from->a == to->a && from->b == to->b) {
        *out = still;
        return 0;
    }
    from->to_a = to->a;
    from->to_b = to->b;
    memcpy(from->over, out->over, sizeof(from->over));
    *out = *from;
    return 0;
}

/* {"from": V, "to": V, "over": [first, last]} */
static int read_curriculum(const struct read_place *p, const json_t *json,
                           double min, double max, struct value *out)
{
    const json_t *from = json_object_get(json, "from");
    const json_t *to = json_object_get(json, "to");
    const json_t *over = json_object_get(json, "over");
    struct read_place first = read_down(p, "from"), last = read_down(p, "to");
    struct read_place when = read_down(p, "over");
    struct value start, end, joined = {.min = min, .max = max};
    if (json_object_size(json) != 3 || from == NULL || to == NULL ||
        over == NULL) {
        return read_refuse(p, "a curriculum has the keys from, to and over");
    }
    int rc = read_still(&first, from, min, max, &start);
    if (rc == 0) {
        rc = read_still(&last, to, min, max, &end);
    }
    if (rc == 0) {
        rc = read_over(&when, over, joined.over);
    }
    if (rc == 0) {
        rc = join_ends(&first, &last, &start, &end, &joined);
    }
    if (rc == 0) {
        *out = joined;
    }
    return rc;
}

int read_value(const struct read_place *p, const json_t *json, double min,
               double max, struct value *out)
{
    const bool moves = json_object_get(json, "from") != NULL ||
                       json_object_get(json, "to") != NULL ||
                       json_object_get(json, "over") != NULL;
    return moves ? read_curriculum(p, json, min, max, out)
                 : read_still(p, json, min, max, out);
}

int read_moving(const struct read_place *p, const json_t *json, double min,
                double max, struct value *out)
{
    struct value v;
    if (!json_is_object(json)) {
        double x = 0;
        int rc = read_number(p, json, min, max, &x);
        if (rc == 0) {
            *out = (struct value){.a = x, .min = min, .max = max};
        }
        return rc;
    }
    int rc = read_value(p, json, min, max, &v);
    if (rc == 0 && v.kind != VALUE_CONSTANT) {
        rc = read_refuse(p, "must be a number, or move from one to another");
    }
    if (rc == 0) {
        *out = v;
    }
    return rc;
}

/* A sum of lines that are nowhere below 0 is 0 at one of their ends, if at
 * all. */
int read_weights(const struct read_place *p, const char *which,
                 const struct value *const *weight, uint32_t n)
{
    bool moves = false;
    for (uint32_t i = 0; i < n; i++) {
        moves |= weight[i]->over[1] > 0;
    }
    for (uint32_t i = 0; i < 2 * n; i++) {
        const uint64_t position = weight[i / 2]->over[i % 2];
        double sum = 0;
        for (uint32_t k = 0; k < n; k++) {
            sum += recipe_number_at(weight[k], position);
        }
        if (sum <= 0 && moves) {
            return read_refuse(p, "%s are all 0 at position %" PRIu64, which,
                               position);
        }
        if (sum <= 0) {
            return read_refuse(p, "%s are all 0", which);
        }
    }
    return 0;
}
