/* What a recipe may say, as JSON for people and programs: the operations, the
 * presets, one preset. HTTP and the binary protocol send the same text. */
#ifndef PASTED_RECIPE_TOPIC_H
#define PASTED_RECIPE_TOPIC_H

#include "common/error.h"
#include "server/recipe/recipe.h"

/* "operations", "presets" or "preset NAME" (a whole recipe, every key): an
 * indented JSON text that ends with a line feed, NUL-terminated, freed with
 * mem_free. -ERROR_NOT_FOUND with what there is, -ERROR_NO_MEMORY. */
int recipe_topic(const char *topic, char **out_json, struct fault *fault);
/* The same of a recipe in use, every key. -ERROR_NO_MEMORY. */
int recipe_in_words(const struct recipe *r, char **out_json,
                    struct fault *fault);

#endif
