/* Presets: recipes by name, as the JSON a user would write. No new key lives
 * here. Source: RECIPE.md "Presets" says of each number where it is from. */
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
     "full curriculum.",
     "{\"size\":64,\"batch\":43,\"graph\":{\"order\":\"mixed\"},"
     "\"object\":{\"scale\":[0.65,1.05],\"rotate\":[-5,5],\"shear\":[-5,"
     "5],\"translate\":{\"x\":[0.35,0.65],\"y\":[0.35,0.65]},\"flip\":0,"
     "\"perspective\":0.5,\"perspective_of\":\"frame\","
     "\"min_visible\":0,\"edge\":\"hard\"},\"image\":{\"brightness\":1,"
     "\"contrast\":1,\"saturation\":1,\"hue\":0,"
     "\"operations\":[{\"op\":\"jitter\",\"brightness\":[0.2,1.8],"
     "\"contrast\":[0.2,1.8],\"saturation\":[0.2,1.8],\"hue\":[-0.05,"
     "0.05]},{\"op\":\"box_blur\",\"kx\":[0,10],\"ky\":[0,10]},"
     "{\"op\":\"exposure\",\"factor\":[0.68,1.48]}]},"
     "\"context\":{\"background\":0,\"gaussian_noise\":1,"
     "\"noise_sigma\":255}}"},

    {"jin-rinard-signs-curriculum",
     "The same, every range as wide as the epoch has it: a = "
     "clamp((epoch - 2) / 160, 0, 1) of epochs of 4300 samples.",
     "{\"preset\":\"jin-rinard-signs\","
     "\"object\":{\"scale\":{\"from\":1,\"to\":[0.65,1.05],"
     "\"over\":[8600,696600]},\"rotate\":{\"from\":0,\"to\":[-5,5],"
     "\"over\":[8600,696600]},\"shear\":{\"from\":0,\"to\":[-5,5],"
     "\"over\":[8600,696600]},\"translate\":{\"x\":{\"from\":0.5,"
     "\"to\":[0.35,0.65],\"over\":[8600,696600]},\"y\":{\"from\":0.5,"
     "\"to\":[0.35,0.65],\"over\":[8600,696600]}},"
     "\"perspective\":{\"from\":0,\"to\":0.5,\"over\":[8600,696600]}},"
     "\"image\":{\"operations\":[{\"op\":\"jitter\","
     "\"brightness\":{\"from\":1,\"to\":[0.2,1.8],\"over\":[8600,"
     "696600]},\"contrast\":{\"from\":1,\"to\":[0.2,1.8],\"over\":[8600,"
     "696600]},\"saturation\":{\"from\":1,\"to\":[0.2,1.8],"
     "\"over\":[8600,696600]},\"hue\":{\"from\":0,\"to\":[-0.05,0.05],"
     "\"over\":[8600,696600]}},{\"op\":\"box_blur\",\"kx\":{\"from\":0,"
     "\"to\":[0,10],\"over\":[8600,696600]},\"ky\":{\"from\":0,"
     "\"to\":[0,10],\"over\":[8600,696600]}},{\"op\":\"exposure\","
     "\"factor\":{\"from\":1,\"to\":[0.68,1.48],\"over\":[8600,"
     "696600]}}]}}"},

    {"jin-rinard-signs-chain",
     "The same in chains, the published superimposition: each object is "
     "changed as it is pasted, a context only when it is new.",
     "{\"preset\":\"jin-rinard-signs\",\"image\":{\"operations\":[]},"
     "\"object\":{\"operations\":[{\"op\":\"jitter\",\"brightness\":[0.2,1.8],"
     "\"contrast\":[0.2,1.8],\"saturation\":[0.2,1.8],\"hue\":[-0.05,"
     "0.05]},{\"op\":\"box_blur\",\"kx\":[0,10],\"ky\":[0,10]},"
     "{\"op\":\"exposure\",\"factor\":[0.68,1.48]}]},"
     "\"background\":{\"operations\":[{\"op\":\"jitter\",\"brightness\":[0.2,1."
     "8],"
     "\"contrast\":[0.2,1.8],\"saturation\":[0.2,1.8],\"hue\":[-0.05,"
     "0.05]},{\"op\":\"box_blur\",\"kx\":[0,10],\"ky\":[0,10]},"
     "{\"op\":\"exposure\",\"factor\":[0.68,1.48]}]},"
     "\"chain\":{\"slots\":43,\"reset\":0.171}}"},

    {"jin-rinard-digits",
     "Digits as in the code of Jin & Rinard (arXiv 2005.14707) at full "
     "curriculum; objects are opaque tiles, black on white.",
     "{\"size\":28,\"batch\":10,\"graph\":{\"order\":\"mixed\"},"
     "\"object\":{\"scale\":[0.75,1.05],\"rotate\":[-15,15],"
     "\"shear\":[-40,40],\"translate\":{\"x\":[0.35,0.65],\"y\":[0.35,"
     "0.65]},\"flip\":0,\"perspective\":0.5,"
     "\"perspective_of\":\"frame\",\"min_visible\":0,\"edge\":\"alpha\","
     "\"operations\":[{\"op\":\"box_blur\",\"kx\":[0,4.5],\"ky\":[0,"
     "4.5]},{\"op\":\"invert\"},{\"op\":\"threshold\",\"level\":51,"
     "\"rest\":1}],\"blend\":\"two_thirds_frame\"},"
     "\"image\":{\"brightness\":1,\"contrast\":1,\"saturation\":1,"
     "\"hue\":0},\"context\":{\"background\":0,\"noise\":1,"
     "\"noise_range\":[0,127],\"noise_channels\":\"grey\"},"
     "\"output\":{\"channels\":\"grey\"}}"},

    {"jin-rinard-digits-curriculum",
     "The same, every range as wide as the epoch has it: a = "
     "clamp((epoch - 2) / 50, 0, 1) of epochs of 1000 samples.",
     "{\"preset\":\"jin-rinard-digits\","
     "\"object\":{\"scale\":{\"from\":1,\"to\":[0.75,1.05],"
     "\"over\":[2000,52000]},\"rotate\":{\"from\":0,\"to\":[-15,15],"
     "\"over\":[2000,52000]},\"shear\":{\"from\":0,\"to\":[-40,40],"
     "\"over\":[2000,52000]},\"translate\":{\"x\":{\"from\":0.5,"
     "\"to\":[0.35,0.65],\"over\":[2000,52000]},\"y\":{\"from\":0.5,"
     "\"to\":[0.35,0.65],\"over\":[2000,52000]}},"
     "\"perspective\":{\"from\":0,\"to\":0.5,\"over\":[2000,52000]},"
     "\"operations\":[{\"op\":\"box_blur\",\"kx\":{\"from\":0,\"to\":[0,"
     "4.5],\"over\":[2000,52000]},\"ky\":{\"from\":0,\"to\":[0,4.5],"
     "\"over\":[2000,52000]}},{\"op\":\"invert\"},{\"op\":\"threshold\","
     "\"level\":51,\"rest\":1}]}}"},

    {"jin-rinard-digits-chain",
     "The same in chains, the published superimposition.",
     "{\"preset\":\"jin-rinard-digits\",\"chain\":{\"slots\":10,"
     "\"reset\":0.212}}"},

    {"synsign",
     "Signs of the size of SynSign (Moiseev et al., ACIVS 2013), made as "
     "by Tabelini Torres et al. (IJCNN 2019): SynSign's own ranges are "
     "not published.",
     "{\"size\":40,\"batch\":43,\"graph\":{\"order\":\"mixed\"},"
     "\"background\":{\"operations\":[{\"op\":\"offset\","
     "\"level\":[-120,120]}]},\"object\":{\"scale\":[0.7,0.95],"
     "\"rotate\":[-10,10],\"shear\":0,\"translate\":{\"x\":[0.45,0.55],"
     "\"y\":[0.45,0.55]},\"flip\":0,\"perspective\":[0.14,0.28],"
     "\"min_visible\":0.9,\"edge\":\"eroded\",\"match\":1,"
     "\"match_mode\":\"luma\",\"operations\":[{\"op\":\"uniform_noise\","
     "\"amplitude\":15}]},\"image\":{\"brightness\":[0.75,1.25],"
     "\"contrast\":1,\"saturation\":1,\"hue\":0,"
     "\"operations\":[{\"op\":\"gaussian_blur\",\"sigma\":[0,2.2]}]}}"},

    {"cut-paste-learn",
     "Cut, Paste and Learn (Dwibedi et al., ICCV 2017) with the defaults "
     "of its code, one object an image, every scene once with each edge.",
     "{\"size\":[480,640],\"batch\":8,\"graph\":{\"balance\":\"object\","
     "\"order\":\"mixed\"},\"background\":{\"scale\":1,"
     "\"crop\":\"center\",\"flip\":0},\"object\":{\"scale\":[0.25,0.6],"
     "\"rotate\":[-30,30],\"shear\":0,\"translate\":{\"x\":[0,1],"
     "\"y\":[0,1]},\"flip\":0,\"min_visible\":0.5625,"
     "\"edge\":{\"every\":[\"feather\",\"hard\",\"box\",\"motion\"]},"
     "\"feather\":2,\"feather_radius\":2,\"motion_length\":{\"choice\":[3,5,7,"
     "9]},"
     "\"motion_angle\":[0,180]},\"image\":{\"brightness\":1,"
     "\"contrast\":1,\"saturation\":1,\"hue\":0}}"},

    {"copy-paste",
     "Simple Copy-Paste (Ghiasi et al., CVPR 2021), large scale jitter "
     "as in torchvision's references, one object an image.",
     "{\"size\":1024,\"batch\":8,\"graph\":{\"order\":\"mixed\"},"
     "\"background\":{\"scale\":{\"choice\":[6.275,3.596,2.52,1.939,"
     "1.576,1.328,1.147,1.009,0.901,0.814,0.742,0.682,0.631,0.587,0.549,"
     "0.515]},\"flip\":0.5,\"padding\":\"colour\","
     "\"padding_colour\":[105,105,105]},\"object\":{\"scale\":[0.1,2],"
     "\"rotate\":0,\"shear\":0,\"translate\":{\"x\":[0,1],\"y\":[0,1]},"
     "\"flip\":0.5,\"min_visible\":0.01,\"edge\":\"alpha\"},"
     "\"image\":{\"brightness\":1,\"contrast\":1,\"saturation\":1,"
     "\"hue\":0}}"},

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
    char known[512] = "";
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
