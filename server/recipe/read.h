/* One key's JSON -> its place in a recipe. Knows the kinds of fields, not the
 * shape of the whole document (parse.c). */
#ifndef PASTED_RECIPE_READ_H
#define PASTED_RECIPE_READ_H

#include <jansson.h>

#include "server/recipe/field.h"

#define READ_POINTER_BYTES 160

/* Where in the document we are, for the sentence of an error. */
struct read_place {
    char pointer[READ_POINTER_BYTES];
    struct fault *fault;
};

/* -ERROR_BAD_RECIPE with "<pointer>: <sentence>". */
int read_refuse(const struct read_place *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Reads json as the rule says; 0 or -ERROR_BAD_RECIPE, *out then undefined. */
int read_field(const struct read_place *p, const struct field_rule *rule,
               const json_t *json, struct recipe *out);

/* The same of a list of operations. */
int read_operations(const struct read_place *p, const json_t *json,
                    struct recipe_operations *out);

/* The same of a word, and of a word, {"choice": [...]} or {"every": [...]}.
 */
int read_word(const struct read_place *p, const struct field_rule *rule,
              const json_t *json, struct recipe *out);
int read_words(const struct read_place *p, const struct field_rule *rule,
               const json_t *json, struct words *out);

/* The readers of single numbers: -ERROR_BAD_RECIPE outside min .. max. */
int read_number(const struct read_place *p, const json_t *json, double min,
                double max, double *out);
int read_value(const struct read_place *p, const json_t *json, double min,
               double max, struct value *out);
/* A constant, which may move. */
int read_moving(const struct read_place *p, const json_t *json, double min,
                double max, struct value *out);
/* Refuses weights, `which` they are said to be, that are all 0 at a position.
 */
int read_weights(const struct read_place *p, const char *which,
                 const struct value *const *weight, uint32_t n);
/* Refuses what is not an array of n; `shape` says what should have been. */
int read_array(const struct read_place *p, const json_t *json, size_t n,
               const char *shape);

/* The place one step down, "/object/scale" -> "/object/scale/1": of a step
 * that is ours, of an index, of a key from outside (escaped as RFC 6901 wants
 * it; what does not fit or print is shown as '?', since it is for people). */
struct read_place read_down(const struct read_place *p, const char *step);
struct read_place read_item(const struct read_place *p, size_t index);
struct read_place read_down_key(const struct read_place *p, const char *key);

/* "an object", "a string", ... */
const char *read_type_name(const json_t *json);

#endif
