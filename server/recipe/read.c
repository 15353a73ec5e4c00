/* Readers of the single fields of a recipe, one for each kind in the table.
 * Neither walks the document nor knows the keys. */
#include "server/recipe/read.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "server/recipe/text.h"

int read_refuse(const struct read_place *p, const char *format, ...)
{
    char sentence[400];
    va_list list;
    va_start(list, format);
    vsnprintf(sentence, sizeof(sentence), format, list);
    va_end(list);
    return fault_set(p->fault, ERROR_BAD_RECIPE, "%s: %s",
                     p->pointer[0] == '\0' ? "/" : p->pointer, sentence);
}

const char *read_type_name(const json_t *json)
{
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
        return "an integer";
    case JSON_REAL:
        return "a number with a fraction";
    case JSON_TRUE:
    case JSON_FALSE:
        return "a boolean";
    case JSON_NULL:
        break;
    }
    return "null";
}

struct read_place read_down(const struct read_place *p, const char *step)
{
    struct read_place below = *p;
    size_t n = strlen(below.pointer);
    snprintf(below.pointer + n, sizeof(below.pointer) - n, "/%s", step);
    return below;
}

struct read_place read_item(const struct read_place *p, size_t index)
{
    char step[24];
    snprintf(step, sizeof(step), "%zu", index);
    return read_down(p, step);
}

struct read_place read_down_key(const struct read_place *p, const char *key)
{
    struct read_place below = *p;
    size_t n = strlen(below.pointer);
    if (n + 3 >= READ_POINTER_BYTES) {
        return below;
    }
    below.pointer[n++] = '/';
    for (; *key != '\0' && n + 3 < READ_POINTER_BYTES; key++) {
        if (*key == '~' || *key == '/') {
            below.pointer[n++] = '~';
            below.pointer[n++] = *key == '~' ? '0' : '1';
        } else {
            unsigned char c = (unsigned char)*key;
            below.pointer[n++] = c < 0x20 || c == 0x7f ? '?' : *key;
        }
    }
    below.pointer[n] = '\0';
    return below;
}

static int check_limits(const struct read_place *p, double x, double min,
                        double max)
{
    char limit[TEXT_NUMBER_BYTES], found[TEXT_NUMBER_BYTES];
    text_number(x, found);
    if (x < min) {
        text_number(min, limit);
        return read_refuse(p, "must be at least %s, not %s", limit, found);
    }
    if (x > max) {
        text_number(max, limit);
        return read_refuse(p, "must be at most %s, not %s", limit, found);
    }
    return 0;
}

int read_number(const struct read_place *p, const json_t *json, double min,
                double max, double *out)
{
    if (!json_is_number(json)) {
        return read_refuse(p, "must be a number, not %s", read_type_name(json));
    }
    double x = json_number_value(json) + 0.0; /* -0 becomes 0 */
    int rc = check_limits(p, x, min, max);
    if (rc == 0) {
        *out = x;
    }
    return rc;
}

static int read_integer(const struct read_place *p, const json_t *json,
                        double min, double max, int64_t *out)
{
    if (!json_is_integer(json)) {
        return read_refuse(p, "must be an integer, not %s",
                           read_type_name(json));
    }
    int64_t x = json_integer_value(json);
    int rc = check_limits(p, (double)x, min, max);
    if (rc == 0) {
        *out = x;
    }
    return rc;
}

int read_array(const struct read_place *p, const json_t *json, size_t n,
               const char *shape)
{
    if (!json_is_array(json)) {
        return read_refuse(p, "must be %s, not %s", shape,
                           read_type_name(json));
    }
    if (json_array_size(json) != n) {
        return read_refuse(p, "must be %s, not an array of %zu", shape,
                           json_array_size(json));
    }
    return 0;
}

static int read_size(const struct read_place *p, const struct field_rule *rule,
                     const json_t *json, void *at)
{
    int32_t *size = at;
    int64_t side[2] = {0, 0};
    int rc = 0;
    if (json_is_number(json)) {
        rc = read_integer(p, json, rule->min, rule->max, &side[0]);
        side[1] = side[0];
    } else {
        rc = read_array(p, json, 2, "[h, w] or one integer");
        for (size_t i = 0; rc == 0 && i < 2; i++) {
            struct read_place below = read_item(p, i);
            rc = read_integer(&below, json_array_get(json, i), rule->min,
                              rule->max, &side[i]);
        }
    }
    if (rc == 0) {
        size[0] = (int32_t)side[0];
        size[1] = (int32_t)side[1];
    }
    return rc;
}

static int read_range(const struct read_place *p, const struct field_rule *rule,
                      const json_t *json, void *at)
{
    int64_t bound[2] = {0, 0};
    int rc = read_array(p, json, 2, "[lo, hi]");
    for (size_t i = 0; rc == 0 && i < 2; i++) {
        struct read_place below = read_item(p, i);
        rc = read_integer(&below, json_array_get(json, i), rule->min, rule->max,
                          &bound[i]);
    }
    if (rc == 0 && bound[0] > bound[1]) {
        rc = read_refuse(p, "the lower bound %d is above the upper %d",
                         (int)bound[0], (int)bound[1]);
    }
    if (rc == 0) {
        ((int32_t *)at)[0] = (int32_t)bound[0];
        ((int32_t *)at)[1] = (int32_t)bound[1];
    }
    return rc;
}

static int read_seed(const struct read_place *p, const json_t *json,
                     uint64_t *out)
{
    if (json_is_integer(json) && json_integer_value(json) >= 0) {
        *out = (uint64_t)json_integer_value(json);
        return 0;
    }
    const char *digits = json_string_value(json);
    size_t n = digits == NULL ? 0 : strlen(digits);
    bool decimal = n > 0 && n <= 20 && strspn(digits, "0123456789") == n;
    uint64_t seed = 0;
    for (size_t i = 0; decimal && i < n; i++) {
        uint64_t digit = (uint64_t)(digits[i] - '0');
        decimal = seed <= (UINT64_MAX - digit) / 10;
        seed = seed * 10 + digit;
    }
    if (!decimal) {
        return read_refuse(p, "must be an integer from 0 to 2^63-1, or a "
                              "string of decimal digits up to 2^64-1");
    }
    *out = seed;
    return 0;
}

static int refuse_tensor(const struct read_place *p)
{
    char known[160] = "";
    for (uint32_t i = 0; i < TENSOR_N; i++) {
        size_t n = strlen(known);
        snprintf(known + n, sizeof(known) - n, "%s%s", i > 0 ? ", " : "",
                 field_tensor_name(i));
    }
    return read_refuse(p, "must be one of %s", known);
}

static int read_tensors(const struct read_place *p, const json_t *json,
                        uint32_t *out)
{
    if (!json_is_array(json)) {
        return read_refuse(p, "must be an array of names, not %s",
                           read_type_name(json));
    }
    uint32_t bits = 0;
    for (size_t i = 0; i < json_array_size(json); i++) {
        struct read_place at = read_item(p, i);
        const char *name = json_string_value(json_array_get(json, i));
        uint32_t tensor = 0;
        while (tensor < TENSOR_N &&
               (name == NULL || strcmp(name, field_tensor_name(tensor)) != 0)) {
            tensor++;
        }
        if (tensor == TENSOR_N) {
            return refuse_tensor(&at);
        }
        if ((bits & 1u << tensor) != 0) {
            return read_refuse(&at, "%s is named twice", name);
        }
        bits |= 1u << tensor;
    }
    *out = bits | 1u << TENSOR_IMAGE;
    return 0;
}

static int read_triple(const struct read_place *p,
                       const struct field_rule *rule, const json_t *json,
                       float *out)
{
    double x[3];
    int rc = read_array(p, json, 3, "three numbers [r, g, b]");
    for (size_t i = 0; rc == 0 && i < 3; i++) {
        struct read_place at = read_item(p, i);
        rc = read_number(&at, json_array_get(json, i), rule->min, rule->max,
                         &x[i]);
    }
    for (size_t i = 0; rc == 0 && i < 3; i++) {
        out[i] = (float)x[i];
    }
    return rc;
}

static int read_colour(const struct read_place *p,
                       const struct field_rule *rule, const json_t *json,
                       struct value *out)
{
    int rc = read_array(p, json, 3, "three values [r, g, b]");
    for (size_t i = 0; rc == 0 && i < 3; i++) {
        struct read_place at = read_item(p, i);
        rc = read_value(&at, json_array_get(json, i), rule->min, rule->max,
                        &out[i]);
    }
    return rc;
}

static int read_bool(const struct read_place *p, const json_t *json, bool *out)
{
    if (!json_is_boolean(json)) {
        return read_refuse(p, "must be true or false, not %s",
                           read_type_name(json));
    }
    *out = json_is_true(json);
    return 0;
}

static int read_count(const struct read_place *p, const struct field_rule *rule,
                      const json_t *json, uint32_t *out)
{
    int64_t x = 0;
    int rc = read_integer(p, json, rule->min, rule->max, &x);
    if (rc == 0) {
        *out = (uint32_t)x;
    }
    return rc;
}

int read_field(const struct read_place *p, const struct field_rule *rule,
               const json_t *json, struct recipe *out)
{
    void *at = field_in(out, rule);
    switch (rule->kind) {
    case FIELD_SIZE:
        return read_size(p, rule, json, at);
    case FIELD_INTEGER:
        return read_count(p, rule, json, at);
    case FIELD_SEED:
        return read_seed(p, json, at);
    case FIELD_WORDS:
        return read_words(p, rule, json, at);
    case FIELD_WORD:
        return read_word(p, rule, json, out);
    case FIELD_BOOL:
        return read_bool(p, json, at);
    case FIELD_NUMBER:
        return read_number(p, json, rule->min, rule->max, at);
    case FIELD_MOVING:
        return read_moving(p, json, rule->min, rule->max, at);
    case FIELD_VALUE:
        return read_value(p, json, rule->min, rule->max, at);
    case FIELD_RANGE:
        return read_range(p, rule, json, at);
    case FIELD_COLOUR:
        return read_colour(p, rule, json, at);
    case FIELD_TENSORS:
        return read_tensors(p, json, at);
    case FIELD_TRIPLE:
        return read_triple(p, rule, json, at);
    case FIELD_OPERATIONS:
        return read_operations(p, json, at);
    case FIELD_N_KINDS:
        break;
    }
    return read_refuse(p, "has no reader");
}
