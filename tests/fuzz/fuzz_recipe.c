/* Fuzz target: bytes as a recipe. What parses must print a canonical form that
 * reads back as the same recipe; what does not must say why. */
#include <stdlib.h>
#include <string.h>

#include "server/base/mem.h"
#include "server/recipe/recipe.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    struct fault fault = {0};
    struct recipe r, again;
    if (recipe_parse((const char *)data, n_bytes, &r, &fault) != 0) {
        if (fault.code == 0 || fault.text[0] == '\0') {
            abort();
        }
        return 0;
    }
    char *text = recipe_canonical(&r, true);
    if (text == NULL || recipe_parse(text, strlen(text), &again, NULL) != 0) {
        abort();
    }
    char *text_again = recipe_canonical(&again, true);
    if (text_again == NULL || strcmp(text, text_again) != 0) {
        abort();
    }
    mem_free(text);
    mem_free(text_again);
    return 0;
}
