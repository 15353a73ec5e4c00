/* Measures one key after the other beside the recipe `bench`, which has none
 * of them. Knows no command line; image operations are compose_table's. */
#include "tests/bench/compose_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/pixel/kernels.h"
#include "tests/bench/compose_measure.h"
#include "tests/bench/compose_pools.h"

#define OBJECT(keys)     ",\"object\":{" keys "}"
#define BACKGROUND(keys) ",\"background\":{" keys "}"
#define OUTPUT(keys)     ",\"output\":{" keys "}"
#define TENSOR(name)     ",\"labels\":{\"tensors\":[\"" name "\"]}"
/* In the place of photographs: what is cheaper than these is below 0. */
#define CONTEXT(keys) ",\"context\":{\"background\":0," keys "}"

static const struct {
    const char *name, *json;
} parts[] = {
    {"edge hard", OBJECT("\"edge\":\"hard\"")},
    {"edge feather 2", OBJECT("\"edge\":\"feather\",\"feather\":2")},
    {"edge box", OBJECT("\"edge\":\"box\"")},
    {"edge eroded", OBJECT("\"edge\":\"eroded\"")},
    {"edge motion 9", OBJECT("\"edge\":\"motion\",\"motion_length\":9")},
    {"stroke 3", OBJECT("\"stroke\":3")},
    {"match mean", OBJECT("\"match\":1")},
    {"match mean_std", OBJECT("\"match\":1,\"match_mode\":\"mean_std\"")},
    {"two_thirds", OBJECT("\"blend\":\"two_thirds\"")},
    {"two_thirds_frame", OBJECT("\"blend\":\"two_thirds_frame\"")},
    {"perspective", OBJECT("\"perspective\":0.3")},
    {"elastic", OBJECT("\"elastic\":3")},
    {"object colour", OBJECT("\"brightness\":1.2,\"hue\":0.1")},
    {"object operation", OBJECT("\"operations\":[{\"op\":\"invert\"}]")},
    {"background colour", BACKGROUND("\"brightness\":1.2,\"hue\":0.1")},
    {"background turned", BACKGROUND("\"rotate\":[-180,180]")},
    {"padding reflect", BACKGROUND("\"scale\":2,\"padding\":\"reflect\"")},
    {"noise", CONTEXT("\"noise\":1")},
    {"gaussian_noise", CONTEXT("\"gaussian_noise\":1")},
    {"solid", CONTEXT("\"solid\":1")},
    {"gradient", CONTEXT("\"gradient\":1")},
    {"texture noise", CONTEXT("\"texture\":1,\"texture_kind\":\"noise\"")},
    {"texture stripes", CONTEXT("\"texture\":1,\"texture_kind\":\"stripes\"")},
    {"texture checker", CONTEXT("\"texture\":1,\"texture_kind\":\"checker\"")},
    {"mask", TENSOR("mask")},
    {"plane", TENSOR("plane")},
    {"context", TENSOR("context")},
    {"grey", OUTPUT("\"channels\":\"grey\"")},
    {"min-max", OUTPUT("\"normalize\":\"min-max\"")},
    {"mean-std", OUTPUT("\"normalize\":\"mean-std\"")},
    {"equalize", OUTPUT("\"normalize\":\"equalize\"")},
    {"nchw", OUTPUT("\"layout\":\"nchw\"")},
    {"f32", OUTPUT("\"dtype\":\"f32\"")},
    {"f16", OUTPUT("\"dtype\":\"f16\"")},
};
#define N_PARTS (sizeof parts / sizeof parts[0])

/* Of a round: short, so that some round is not disturbed. */
#define ROUND_BYTES (1 << 20)

/* Nanoseconds a pixel of the fastest round, so that differences are small. */
static double cost_of(const struct catalog *catalog, const char *json, int side,
                      double seconds)
{
    struct measure_work w = {
        .catalog = catalog,
        .n_cores = 1,
        .n_samples = (uint32_t)(ROUND_BYTES / (side * side * 3) + 1),
        .seconds = seconds};
    struct measure_result r;
    struct fault fault = {0};
    char text[256];
    const int n = snprintf(text, sizeof text,
                           "{\"preset\":\"bench\",\"size\":%d%s}", side, json);
    if (recipe_parse(text, (size_t)n, &w.recipe, &fault) < 0) {
        fprintf(stderr, "compose: %s\n", fault.text);
        exit(1);
    }
    measure_run(&w, &r);
    return 1e9 / r.compose.most / side / side;
}

static void print_head(void)
{
    const struct pixel_kernels *k;
    printf("\n\n%-18s %5s  ns a pixel:", "beside bench", "px");
    for (uint32_t i = 0; (k = pixel_kernels_at(i)); i++)
        printf(" %10s", k->name);
}

void parts_print(int side, double seconds, bool as_json)
{
    struct synthetic_spec spec = pools_spec;
    struct synthetic made;
    const struct pixel_kernels *k;
    struct fault fault = {0};
    spec.strokes = true;
    synthetic_make(&made, &spec);
    if (!as_json)
        print_head();
    for (size_t part = 0; part < N_PARTS; part++) {
        if (!as_json)
            printf("\n%-18s %5d             ", parts[part].name, side);
        for (uint32_t i = 0; (k = pixel_kernels_at(i)); i++) {
            pixel_kernels_select(k->name, &fault);
            const double cost =
                cost_of(&made.catalog, parts[part].json, side, seconds) -
                cost_of(&made.catalog, "", side, seconds);
            if (as_json)
                printf("%s\n    {\"part\": \"%s\", \"size\": %d, "
                       "\"kernels\": \"%s\", \"ns_per_pixel\": %.3f}",
                       part + i ? "," : "", parts[part].name, side, k->name,
                       cost);
            else
                printf(" %10.2f", cost);
            fflush(stdout);
        }
    }
    synthetic_fini(&made);
}
