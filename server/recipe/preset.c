/* Presets: recipes by name, as the JSON a user would write. No new key lives
 * here. Source: notes in RECIPE.md; Jin & Rinard, arXiv 2005.14707 and its
 * released code. */
#include <stdio.h>
#include <string.h>

#include "server/recipe/recipe.h"

struct preset {
    const char *name;
    const char *source;
    const char *json;
};

static const struct preset presets[] = {
    {"default", "General-purpose ranges: every default of RECIPE.md.", "{}"},

    {"jin-rinard-signs",
     "Traffic signs as in the code of Jin & Rinard (arXiv 2005.14707) at "
     "full curriculum, with its perspective (of the sign's box, not the "
     "frame), wrapped normal noise, box blur and exposure; still without "
     "the random order of its jitter.",
     "{\"size\":64,\"batch\":43,\"graph\":{\"order\":\"mixed\"},"
     "\"object\":{\"scale\":[0.65,1.05],\"rotate\":[-5,5],\"shear\":[-5,5],"
     "\"translate\":{\"x\":[0.35,0.65],\"y\":[0.35,0.65]},\"flip\":0,"
     "\"perspective\":0.5,\"min_visible\":0,\"edge\":\"hard\"},"
     "\"image\":{\"brightness\":[0.2,1.8],\"contrast\":[0.2,1.8],"
     "\"saturation\":[0.2,1.8],\"hue\":[-0.05,0.05],\"operations\":["
     "{\"op\":\"box_blur\",\"kx\":{\"choice\":[1,3,5,7,9]},"
     "\"ky\":{\"choice\":[1,3,5,7,9]}},"
     "{\"op\":\"exposure\",\"factor\":[0.68,1.48]}]},"
     "\"context\":{\"background\":0,\"gaussian_noise\":1,\"noise_sigma\":255}"
     "}"},

    {"jin-rinard-digits",
     "Digits as in the code of Jin & Rinard (arXiv 2005.14707) at full "
     "curriculum, with its perspective (of the digit's box, not the frame) and "
     "its two-to-one blending (where the digit covers); without its box blur "
     "and threshold, which act on the digit alone.",
     "{\"size\":28,\"batch\":10,\"graph\":{\"order\":\"mixed\"},"
     "\"object\":{\"scale\":[0.75,1.05],\"rotate\":[-15,15],"
     "\"shear\":[-40,40],\"translate\":{\"x\":[0.35,0.65],"
     "\"y\":[0.35,0.65]},\"flip\":0,\"perspective\":0.5,"
     "\"min_visible\":0,\"edge\":\"alpha\","
     "\"blend\":\"two_thirds\"},"
     "\"image\":{\"brightness\":1,\"contrast\":1,\"saturation\":1,\"hue\":0},"
     "\"context\":{\"background\":0,\"noise\":1,\"noise_range\":[0,127]}}"},

    {"bench",
     "The work of the benchmarks: any rotation, 10 degrees of shear, a crop "
     "and flip of the background, brightness, contrast, saturation and hue.",
     "{\"background\":{\"scale\":[0.5,1],\"crop\":\"random\",\"flip\":0.5},"
     "\"object\":{\"scale\":[0.4,0.7],\"rotate\":[-180,180],"
     "\"shear\":[-10,10],\"translate\":{\"x\":[0.3,0.7],\"y\":[0.3,0.7]},"
     "\"flip\":0,\"min_visible\":0,\"edge\":\"alpha\"},"
     "\"image\":{\"brightness\":[0.7,1.3],\"contrast\":[0.7,1.3],"
     "\"saturation\":[0.7,1.3],\"hue\":[-0.05,0.05]}}"},
};

#define N_PRESETS (sizeof(presets) / sizeof(presets[0]))

uint32_t recipe_preset_count(void)
{
    return (uint32_t)N_PRESETS;
}

const char *recipe_preset_name(uint32_t i)
{
    return i < N_PRESETS ? presets[i].name : NULL;
}

const char *recipe_preset_source(uint32_t i)
{
    return i < N_PRESETS ? presets[i].source : NULL;
}

int recipe_preset(const char *name, struct recipe *out, struct fault *fault)
{
    char known[200] = "";
    for (size_t i = 0; i < N_PRESETS; i++) {
        if (strcmp(name, presets[i].name) == 0) {
            return recipe_parse(presets[i].json, strlen(presets[i].json), out,
                                fault);
        }
        size_t n = strlen(known);
        snprintf(known + n, sizeof(known) - n, "%s%s", n > 0 ? ", " : "",
                 presets[i].name);
    }
    return fault_set(fault, ERROR_NOT_FOUND,
                     "no preset of this name; there are: %s", known);
}
