/* The table of operations and look-ups in it. Reads no JSON. */
#include "server/recipe/operation.h"

#include <string.h>

#include "server/pixel/normal.h"

#define Q16 65536.0
#define Q12 4096.0

/* A row: name, then its values as {name, unit, min, max, {default lo, hi},
 * scale, text}, then what it is like, its cost, its sentence. */
const struct operation_rule operation_table[OPERATION_N] = {
    [OPERATION_BOX_BLUR] =
        {"box_blur",
         {{"kx",
           "px",
           0,
           OPERATION_MAX_BOX,
           {3, 3},
           0,
           "Width of the box; an even number stands for the odd one above."},
          {"ky", "px", 0, OPERATION_MAX_BOX, {3, 3}, 0, "Its height."}},
         .like = "cv2.blur within 1.",
         .cost = "2.0 / 1.2 / 0.5",
         .text = "The mean of a box, mirrored at the border."},
    [OPERATION_GAUSSIAN_BLUR] =
        {"gaussian_blur",
         {{"sigma", "px", 0, 5, {0.5, 1.5}, 256, "Deviation; 0 leaves it."}},
         .like = "cv2.GaussianBlur of 2 ceil(3 sigma) + 1 taps within 1.",
         .cost = "1.8 / 1.2 / 0.9",
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
         .cost = "19 / 3.9 / 1.8",
         .text = "Adds normal noise to every byte, each by itself."},
    [OPERATION_EXPOSURE] =
        {"exposure",
         {{"factor", "", 0, 8, {0.7, 1.4}, Q12, "1 leaves it."}},
         .like = "v * factor within 1.",
         .cost = "0.8 / 0.8 / 0.8",
         .text =
             "Multiplies every channel and clamps, after what stands before "
             "it in the list."},
    [OPERATION_GAMMA] = {"gamma",
                         {{"gamma",
                           "exponent",
                           0.1,
                           10,
                           {0.8, 1.25},
                           Q12,
                           "Above 1 darkens, 1 leaves it."}},
                         .like = "255 * (v / 255)^gamma within 1.",
                         .cost = "0.8 / 0.8 / 0.8",
                         .text = "A power curve through black and white."},
    [OPERATION_CHANNEL_GAIN] =
        {"channel_gain",
         {{"red", "factor", 0, 8, {0.9, 1.1}, Q12, "1 leaves it."},
          {"green", "factor", 0, 8, {0.9, 1.1}, Q12, "1 leaves it."},
          {"blue", "factor", 0, 8, {0.9, 1.1}, Q12, "1 leaves it."}},
         .cost = "0.8 / 0.8 / 0.8",
         .text = "Multiplies each channel by a factor of its own."},
    [OPERATION_GREYSCALE] = {"greyscale",
                             {{0}},
                             .like = "Pillow's convert(\"L\"), exactly.",
                             .cost = "0.9 / 0.4 / 0.3",
                             .text = "All channels become the luma."},
    [OPERATION_INVERT] = {"invert",
                          {{0}},
                          .like = "ImageOps.invert, exactly.",
                          .cost = "0.1 / 0.0 / 0.0",
                          .text = "255 less every byte."},
    [OPERATION_POSTERIZE] =
        {"posterize",
         {{"bits", "bits", 1, 8, {4, 7}, 1, "Kept of each byte, rounded."}},
         .like = "ImageOps.posterize, exactly.",
         .cost = "0.1 / 0.0 / 0.0",
         .text = "Clears the low bits of every byte."},
    [OPERATION_SOLARIZE] =
        {"solarize",
         {{"threshold", "level", 0, 256, {128, 256}, 1, "256 leaves it."}},
         .like = "ImageOps.solarize, exactly.",
         .cost = "0.4 / 0.2 / 0.1",
         .text = "Inverts every byte from the threshold up."},
    [OPERATION_AUTOCONTRAST] =
        {"autocontrast",
         {{"cutoff",
           "percent",
           0,
           49,
           {0, 0},
           256,
           "Of the pixels at either end that are left out."}},
         .like = "ImageOps.autocontrast, exactly.",
         .cost = "2.7 / 1.4 / 1.4",
         .text = "Stretches each channel over all levels."},
    [OPERATION_EQUALIZE] = {"equalize",
                            {{0}},
                            .like = "ImageOps.equalize, exactly.",
                            .cost = "1.4 / 1.4 / 1.4",
                            .text = "Flattens each channel's histogram."},
    [OPERATION_UNIFORM_NOISE] =
        {"uniform_noise",
         {{"amplitude", "level", 0, 127, {0, 15}, 1, "Rounded."}},
         .is_random = true,
         .cost = "9.8 / 2.1 / 0.9",
         .text =
             "Adds to every byte what is uniform in -amplitude .. amplitude."},
    [OPERATION_SALT_PEPPER] =
        {"salt_pepper",
         {{"amount", "fraction", 0, 1, {0, 0.02}, Q16, "Of the pixels."}},
         .is_random = true,
         .cost = "2.6 / 1.4 / 1.0",
         .text = "Makes pixels black or white, equally often."},
    [OPERATION_SHARPEN] =
        {"sharpen",
         {{"amount", "factor", 0, 4, {0.2, 1}, 256, "0 leaves it."}},
         .cost = "3.8 / 1.3 / 0.5",
         .text = "Adds what a 3 x 3 binomial blur takes away."},
    [OPERATION_CHANNEL_SHUFFLE] = {"channel_shuffle",
                                   {{0}},
                                   .is_random = true,
                                   .cost = "1.1 / 1.0 / 0.9",
                                   .text = "One of the six orders of red, "
                                           "green and blue, equally often."},
    [OPERATION_WHITE_BALANCE] =
        {"white_balance",
         {{"temperature",
           "stops",
           -2,
           2,
           {-0.2, 0.2},
           Q16,
           "Of red against blue; positive is warmer."},
          {"tint",
           "stops",
           -2,
           2,
           {-0.1, 0.1},
           Q16,
           "Of green against both; positive is greener."}},
         .cost = "0.8 / 0.8 / 0.8",
         .text = "Gains of the channels as another light would give."},
    [OPERATION_SHOT_NOISE] =
        {"shot_noise",
         {{"sigma",
           "level",
           0,
           100,
           {0, 10},
           Q16 / NORMAL_DEVIATION,
           "Deviation at level 255."}},
         .is_random = true,
         .cost = "17 / 4.2 / 2.7",
         .text = "Adds normal noise whose deviation grows as the root of the "
                 "level, as photons do."},
    [OPERATION_MOTION_BLUR] =
        {"motion_blur",
         {{"length", "px", 1, OPERATION_MAX_BOX, {3, 9}, 1, "Rounded."},
          {"angle",
           "degrees",
           -360,
           360,
           {-90, 90},
           Q16,
           "Of the line, counter-clockwise from the x axis."}},
         .cost = "1.7 / 0.9 / 0.8",
         .text = "The mean of pixels along a line, mirrored at the border."},
    [OPERATION_DOWNSCALE] = {"downscale",
                             {{"factor",
                               "frame side",
                               0.05,
                               1,
                               {0.25, 0.75},
                               Q16,
                               "Side of the coarser grid."}},
                             .cost = "9.7 / 6.8 / 7.8",
                             .text =
                                 "Box means on a coarser grid, bilinear back."},
    [OPERATION_COARSE_DROPOUT] =
        {"coarse_dropout",
         {{"holes", "", 1, OPERATION_MAX_HOLES, {1, 2}, 1, "Rounded."},
          {"height",
           "frame height",
           0,
           1,
           {0.1, 0.2},
           Q16,
           "Of every hole; a pixel at least."},
          {"width",
           "frame width",
           0,
           1,
           {0.1, 0.2},
           Q16,
           "Of every hole; a pixel at least."},
          {"level", "level", 0, 255, {0, 0}, 1, "That fills it."}},
         .is_random = true,
         .cost = "0.0 / 0.0 / 0.0",
         .text = "Paints rectangles at random places."},
    [OPERATION_JPEG] =
        {"jpeg",
         {{"quality", "", 1, 100, {60, 95}, 1, "As of libjpeg; rounded."},
          {"subsampling",
           "",
           1,
           2,
           {2, 2},
           1,
           "Of chroma: 1 is 4:4:4, 2 is 4:2:0."}},
         .like = "Pillow's at 4:4:4 but for rounding; 4:2:0 repeats chroma "
                 "where it smooths.",
         .cost = "44 / 5.3 / 3.6",
         .text = "What JPEG loses: colours, DCT, quantisation and back."},
    [OPERATION_LIGHT] =
        {"light",
         {{"strength",
           "",
           -1,
           1,
           {-0.4, 0.4},
           Q16,
           "The factor goes from 1 to 1 + strength."},
          {"angle",
           "degrees",
           -360,
           360,
           {-180, 180},
           Q16,
           "Where it goes, counter-clockwise from the x axis."}},
         .cost = "3.2 / 0.8 / 0.3",
         .text = "Light or shade that grows from one side to the other."},
    [OPERATION_DEFOCUS] = {"defocus",
                           {{"radius",
                             "px",
                             0,
                             OPERATION_MAX_DEFOCUS,
                             {1, 3},
                             256,
                             "Below 1 leaves it."}},
                           .cost = "5.2 / 1.4 / 1.3",
                           .text =
                               "The mean of a disc, mirrored at the border."},
    [OPERATION_BRIGHTNESS] =
        {"brightness",
         {{"factor", "", 0, 4, {0.8, 1.2}, Q12, "1 leaves it."}},
         .like = "ImageEnhance.Brightness within 1.",
         .cost = "2.8 / 0.3 / 0.2",
         .text = "Multiplies every channel and clamps."},
    [OPERATION_CONTRAST] =
        {"contrast",
         {{"factor", "", 0, 4, {0.8, 1.2}, Q12, "1 leaves it."}},
         .like = "ImageEnhance.Contrast, but about 128 where that takes the "
                 "mean luma.",
         .cost = "2.8 / 0.3 / 0.2",
         .text = "Stretches about the level 128 and clamps."},
    [OPERATION_SATURATION] =
        {"saturation",
         {{"factor", "", 0, 4, {0.8, 1.2}, Q12, "0 is grey, 1 leaves it."}},
         .like = "ImageEnhance.Color within 2, 1 below factor 2.",
         .cost = "2.8 / 0.3 / 0.2",
         .text = "Stretches about the luma and clamps."},
    [OPERATION_HUE] = {"hue",
                       {{"turns",
                         "turns",
                         -0.5,
                         0.5,
                         {-0.03, 0.03},
                         Q16,
                         "Positive goes from red to yellow."}},
                       .cost = "2.8 / 0.3 / 0.2",
                       .text = "Rotates in the YIQ plane and clamps."},
    [OPERATION_JITTER] =
        {"jitter",
         {{"brightness", "factor", 0, 4, {0.8, 1.2}, Q12, "1 leaves it."},
          {"contrast", "factor", 0, 4, {0.8, 1.2}, Q12, "About 128."},
          {"saturation", "factor", 0, 4, {0.8, 1.2}, Q12, "0 is grey."},
          {"hue", "turns", -0.5, 0.5, {-0.03, 0.03}, Q16, "0 leaves it."}},
         .is_random = true,
         .like = "torchvision's ColorJitter but for the centre of contrast and "
                 "the plane of hue.",
         .cost = "11 / 1.0 / 0.5",
         .text =
             "These four one after the other, each clamped, in one of their "
             "24 orders, equally often."},
    [OPERATION_THRESHOLD] =
        {"threshold",
         {{"level", "level", 0, 255, {128, 128}, 1, "Rounded."},
          {"rest",
           "factor",
           0,
           1,
           {0, 0},
           256,
           "Of what does not lie above: 0 makes it black, 1 leaves it."}},
         .cost = "0.5 / 0.3 / 0.1",
         .text = "Bytes above the level become 255."},
    [OPERATION_OFFSET] =
        {"offset",
         {{"level", "level", -255, 255, {-20, 20}, 1, "Rounded; 0 leaves it."}},
         .cost = "1.2 / 0.6 / 0.3",
         .text = "Adds the same to every byte and clamps."},
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
    struct recipe_operation o = {.id = id, .weight = {.a = 1, .max = 1e6}};
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
