/* The table of operations and look-ups in it. Reads no JSON. */
#include "server/recipe/operation.h"

#include <string.h>

/* Deviation of the noise's normal numbers (operation/noise.c). */
#define NORMAL_DEVIATION 522.5580270
#define Q16              65536.0
#define Q12              4096.0

/* A row: name, then its values as {name, unit, min, max, {default lo, hi},
 * scale, text}, then what it is like, its cost, its sentence. */
const struct operation_rule operation_table[OPERATION_N] = {
    [OPERATION_BOX_BLUR] =
        {"box_blur",
         {{"kx",
           "px",
           1,
           OPERATION_MAX_BOX,
           {3, 3},
           0,
           "Width of the box; an even number stands for the odd one above."},
          {"ky", "px", 1, OPERATION_MAX_BOX, {3, 3}, 0, "Its height."}},
         .like = "cv2.blur within 1.",
         .cost = "2.1 / 0.5",
         .text = "The mean of a box, mirrored at the border."},
    [OPERATION_GAUSSIAN_BLUR] =
        {"gaussian_blur",
         {{"sigma", "px", 0, 5, {0.5, 1.5}, 256, "Deviation; 0 leaves it."}},
         .like = "cv2.GaussianBlur of 2 ceil(3 sigma) + 1 taps within 1.",
         .cost = "1.8 / 0.9",
         .text = "A Gaussian cut off at three sigma, mirrored at the border."},
    [OPERATION_GAUSSIAN_NOISE] =
        {"gaussian_noise",
         {{"sigma",
           "level",
           0,
           100,
           {0, 10},
           Q16 / NORMAL_DEVIATION,
           "Deviation."}},
         .is_random = true,
         .like = "normal to 4.4 sigma, excess kurtosis -0.12.",
         .cost = "11 / 1.5",
         .text = "Adds normal noise to every byte, each by itself."},
    [OPERATION_EXPOSURE] =
        {"exposure",
         {{"factor", "", 0, 8, {0.7, 1.4}, Q12, "1 leaves it."}},
         .like = "v * factor within 1.",
         .cost = "0.8 / 0.8",
         .text =
             "Multiplies every channel and clamps, after what stands before "
             "it in the list."},
};

uint32_t operation_n_values(enum operation_id id)
{
    uint32_t n = 0;
    while (n < RECIPE_OPERATION_VALUES && operation_table[id].value[n].name) {
        n++;
    }
    return n;
}

enum operation_id operation_find(const char *name)
{
    uint32_t id = 0;
    while (id < OPERATION_N && strcmp(operation_table[id].name, name) != 0) {
        id++;
    }
    return (enum operation_id)id;
}

struct recipe_operation operation_default(enum operation_id id)
{
    struct recipe_operation o = {.id = id, .weight = 1};
    for (uint32_t i = 0; i < operation_n_values(id); i++) {
        const struct operation_value *rule = &operation_table[id].value[i];
        const bool drawn = rule->initial[0] < rule->initial[1];
        o.value[i] = (struct value){
            .kind = drawn ? VALUE_UNIFORM : VALUE_CONSTANT,
            .a = rule->initial[0],
            .b = drawn ? rule->initial[1] : 0,
            .min = rule->min,
            .max = rule->max,
        };
    }
    return o;
}
