/* The one table of a recipe's keys, from which parser, canonical printer,
 * defaults and documentation are made. Reads no JSON itself. */
#ifndef PASTED_RECIPE_FIELD_H
#define PASTED_RECIPE_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/recipe/recipe.h"

enum field_kind {
    FIELD_SIZE,       /* int32_t[2] */
    FIELD_INTEGER,    /* uint32_t */
    FIELD_SEED,       /* uint64_t */
    FIELD_WORD,       /* an enum, uint8_t or bool, as field_rule.bytes says */
    FIELD_WORDS,      /* struct words */
    FIELD_BOOL,       /* bool */
    FIELD_NUMBER,     /* double */
    FIELD_MOVING,     /* struct value, a constant that may move */
    FIELD_VALUE,      /* struct value */
    FIELD_RANGE,      /* int32_t[2] */
    FIELD_COLOUR,     /* struct value[3] */
    FIELD_TENSORS,    /* uint32_t, a bit for each enum recipe_tensor */
    FIELD_TRIPLE,     /* float[3] */
    FIELD_OPERATIONS, /* struct recipe_operations */
    FIELD_N_KINDS,
};

struct field_word {
    const char *word;
    uint32_t number;
};

struct field_rule {
    const char *pointer; /* RFC 6901 */
    enum field_kind kind;
    size_t offset, bytes;           /* in struct recipe */
    const char *unit;               /* "" for none */
    double min, max;                /* inclusive, of every number in it */
    const struct field_word *words; /* FIELD_WORD(S); last a NULL word */
    /* The default: one number, [lo, hi] of a value, [h, w], or three. */
    double initial[3];
    bool only_slices; /* decides no byte of a sample: not in the fingerprint */
    const char *text; /* the meaning, one sentence */
};

extern const struct field_rule field_table[];
extern const uint32_t field_count;

/* NULL when no key has this pointer. */
const struct field_rule *field_find(const char *pointer);
/* Does some key stand below this pointer ("/object")? "" is the root. */
bool field_is_section(const char *pointer);

const char *field_kind_name(enum field_kind kind); /* as in RECIPE.md */
const char *field_tensor_name(enum recipe_tensor tensor);

/* Where the field lies. */
void *field_in(struct recipe *r, const struct field_rule *rule);
const void *field_of(const struct recipe *r, const struct field_rule *rule);
uint32_t field_word_get(const struct recipe *r, const struct field_rule *rule);
void field_word_set(struct recipe *r, const struct field_rule *rule,
                    uint32_t number);

#endif
