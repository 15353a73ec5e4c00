/* What follows from the table of keys alone: look-ups and defaults. Neither
 * reads nor writes JSON. */
#include "server/recipe/field.h"

#include <assert.h>
#include <string.h>

const struct field_rule *field_find(const char *pointer)
{
    for (uint32_t i = 0; i < field_count; i++) {
        if (strcmp(field_table[i].pointer, pointer) == 0) {
            return &field_table[i];
        }
    }
    return NULL;
}

bool field_is_section(const char *pointer)
{
    size_t n = strlen(pointer);
    for (uint32_t i = 0; i < field_count; i++) {
        if (strncmp(field_table[i].pointer, pointer, n) == 0 &&
            field_table[i].pointer[n] == '/') {
            return true;
        }
    }
    return false;
}

const char *field_kind_name(enum field_kind kind)
{
    static const char *const names[FIELD_N_KINDS] = {
        [FIELD_SIZE] = "[h, w]",
        [FIELD_INTEGER] = "integer",
        [FIELD_SEED] = "integer",
        [FIELD_WORD] = "word",
        [FIELD_WORDS] = "word, choice or every",
        [FIELD_BOOL] = "boolean",
        [FIELD_NUMBER] = "number",
        [FIELD_MOVING] = "number or curriculum",
        [FIELD_VALUE] = "value",
        [FIELD_RANGE] = "[lo, hi]",
        [FIELD_COLOUR] = "three values",
        [FIELD_TENSORS] = "list of names",
        [FIELD_TRIPLE] = "three numbers",
        [FIELD_OPERATIONS] = "list of operations"};
    return names[kind];
}

const char *field_tensor_name(enum recipe_tensor tensor)
{
    static const char *const names[TENSOR_N] = {
        [TENSOR_LABEL] = "label",
        [TENSOR_OBJECT] = "object",
        [TENSOR_BACKGROUND] = "background",
        [TENSOR_POSITION] = "position",
        [TENSOR_BOX] = "box",
        [TENSOR_VISIBLE] = "visible",
        [TENSOR_DISTRACTOR] = "distractor",
        [TENSOR_CANDIDATE] = "candidate",
        [TENSOR_KEYPOINTS] = "keypoints",
        [TENSOR_MASK] = "mask",
        [TENSOR_PLANE] = "plane",
        [TENSOR_CONTEXT] = "context",
        [TENSOR_IMAGE] = "image"};
    return names[tensor];
}

void *field_in(struct recipe *r, const struct field_rule *rule)
{
    return (char *)r + rule->offset;
}

const void *field_of(const struct recipe *r, const struct field_rule *rule)
{
    return (const char *)r + rule->offset;
}

uint32_t field_word_get(const struct recipe *r, const struct field_rule *rule)
{
    const void *at = field_of(r, rule);
    if (rule->bytes == 1) {
        return *(const uint8_t *)at;
    }
    assert(rule->bytes == sizeof(uint32_t));
    uint32_t number;
    memcpy(&number, at, sizeof(number));
    return number;
}

void field_word_set(struct recipe *r, const struct field_rule *rule,
                    uint32_t number)
{
    if (rule->bytes == 1) {
        *(uint8_t *)field_in(r, rule) = (uint8_t)number;
        return;
    }
    assert(rule->bytes == sizeof(uint32_t));
    memcpy(field_in(r, rule), &number, sizeof(number));
}

static struct value initial_value(const struct field_rule *rule)
{
    bool drawn = rule->initial[1] != 0;
    return (struct value){.kind = drawn ? VALUE_UNIFORM : VALUE_CONSTANT,
                          .a = rule->initial[0],
                          .b = drawn ? rule->initial[1] : 0,
                          .min = rule->min,
                          .max = rule->max};
}

static void set_initial(struct recipe *r, const struct field_rule *rule)
{
    const double *initial = rule->initial;
    void *at = field_in(r, rule);
    switch (rule->kind) {
    case FIELD_SIZE:
    case FIELD_RANGE:
        ((int32_t *)at)[0] = (int32_t)initial[0];
        ((int32_t *)at)[1] = (int32_t)initial[1];
        break;
    case FIELD_WORDS:
        *(struct words *)at = (struct words){.bits = (uint32_t)initial[0]};
        break;
    case FIELD_INTEGER:
    case FIELD_TENSORS:
        *(uint32_t *)at = (uint32_t)initial[0];
        break;
    case FIELD_SEED:
        *(uint64_t *)at = (uint64_t)initial[0];
        break;
    case FIELD_WORD:
    case FIELD_BOOL:
        field_word_set(r, rule, (uint32_t)initial[0]);
        break;
    case FIELD_NUMBER:
        *(double *)at = initial[0];
        break;
    case FIELD_MOVING:
    case FIELD_VALUE:
        *(struct value *)at = initial_value(rule);
        break;
    case FIELD_COLOUR:
        for (int i = 0; i < 3; i++) {
            ((struct value *)at)[i] = initial_value(rule);
        }
        break;
    case FIELD_TRIPLE:
        for (int i = 0; i < 3; i++) {
            ((float *)at)[i] = (float)initial[i];
        }
        break;
    case FIELD_OPERATIONS: /* none: all zero */
    case FIELD_N_KINDS:
        break;
    }
}

void recipe_default(struct recipe *out)
{
    memset(out, 0, sizeof(*out)); /* padding too */
    for (uint32_t i = 0; i < field_count; i++) {
        set_initial(out, &field_table[i]);
    }
}
