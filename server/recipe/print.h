/* Parts of the canonical form that more than one file writes. */
#ifndef PASTED_RECIPE_PRINT_H
#define PASTED_RECIPE_PRINT_H

#include "server/recipe/recipe.h"
#include "server/recipe/text.h"

void print_value(struct text *t, const struct value *v);
void print_operations(struct text *t, const struct recipe_operations *list);

#endif
