/* Images per second through the daemon's own path (plan, render, label) at
 * distinct positions, beside memcpy of the same bytes in the same run. Serves
 * nothing; checks nothing but prints the digest of fixed positions.
 *
 * With --size or --cores: one measurement, whose last line ends in the images
 * per second, for scripts. Without: the table of all. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/tensor.h"
#include "server/pixel/kernels.h"
#include "tests/bench/compose_measure.h"
#include "tests/bench/compose_pools.h"
#include "tests/bench/compose_table.h"

static const char usage[] =
    "usage: compose [--size N] [--cores N] [--preset NAME] [--seconds S]\n"
    "               [--batch SAMPLES] [--floats] [--json]\n"
    "               [--write-pools DIR]\n"
    "               [--images N | --demo | --objects DIR --backgrounds DIR]\n"
    "One measurement with --size or --cores, whose last line ends in images\n"
    "per second; else a table of sizes, presets, cores and kernels.\n"
    "--floats measures f32 NCHW instead of u8 NHWC.\n"
    "--write-pools writes the synthetic images as PNG files, for a daemon.\n"
    "PASTED_CPU chooses the kernels of one measurement.\n";

struct arguments {
    int size, cores, images, batch;
    double seconds;
    const char *preset, *objects, *backgrounds, *write_pools;
    bool demo, json, floats;
};

static const struct option options[] = {
    {"size", required_argument, NULL, 's'},
    {"cores", required_argument, NULL, 'c'},
    {"preset", required_argument, NULL, 'p'},
    {"seconds", required_argument, NULL, 't'},
    {"batch", required_argument, NULL, 'n'},
    {"objects", required_argument, NULL, 'o'},
    {"backgrounds", required_argument, NULL, 'b'},
    {"write-pools", required_argument, NULL, 'w'},
    {"images", required_argument, NULL, 'i'},
    {"demo", no_argument, NULL, 'd'},
    {"floats", no_argument, NULL, 'f'},
    {"json", no_argument, NULL, 'j'},
    {NULL, 0, NULL, 0},
};

static void take(struct arguments *a, int option)
{
    switch (option) {
    case 's':
        a->size = atoi(optarg);
        break;
    case 'c':
        a->cores = atoi(optarg);
        break;
    case 'p':
        a->preset = optarg;
        break;
    case 't':
        a->seconds = atof(optarg);
        break;
    case 'n':
        a->batch = atoi(optarg);
        break;
    case 'o':
        a->objects = optarg;
        break;
    case 'b':
        a->backgrounds = optarg;
        break;
    case 'i':
        a->images = atoi(optarg);
        break;
    case 'w':
        a->write_pools = optarg;
        break;
    case 'd':
        a->demo = true;
        break;
    case 'f':
        a->floats = true;
        break;
    case 'j':
        a->json = true;
        break;
    default:
        fputs(usage, stderr);
        exit(2);
    }
}

static void parse(int argc, char **argv, struct arguments *a)
{
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;)
        take(a, c);
    if (optind == argc && a->images >= 0 && a->images <= POOLS_MOST_IMAGES &&
        a->size >= 0 && a->size <= FRAME_MAX_SIDE && a->cores >= 0 &&
        a->cores <= MEASURE_MOST_CORES && a->batch >= 0 &&
        a->batch <= RECIPE_MAX_BATCH && a->seconds >= 0 &&
        !a->objects == !a->backgrounds &&
        !(a->write_pools && (a->demo || a->objects)))
        return;
    fputs(usage, stderr);
    exit(2);
}

static void measure_one(const struct pools *p, const struct arguments *a)
{
    struct measure_work w = {
        .catalog = p->catalog,
        .n_cores = a->cores ? (uint32_t)a->cores : 1,
        .n_samples = (uint32_t)a->batch,
        .seconds = a->seconds ? a->seconds : 2,
    };
    struct measure_result r;
    struct fault fault = {0};
    if (pixel_kernels_select(getenv("PASTED_CPU"), &fault) < 0 ||
        recipe_preset(a->preset ? a->preset : "bench", &w.recipe, &fault) < 0) {
        fprintf(stderr, "compose: %s\n", fault.text);
        exit(1);
    }
    w.recipe.height = w.recipe.width = a->size ? a->size : 64;
    if (a->floats) {
        w.recipe.output.dtype = TENSOR_F32;
        w.recipe.output.layout = TENSOR_NCHW;
    }
    measure_run(&w, &r);
    printf("pools: %s, %u objects, %u backgrounds, %.0f MB; last-level cache "
           "%.0f MB\n",
           p->kind, p->catalog->n_objects, p->catalog->n_backgrounds,
           (double)p->pool_bytes / 1e6, (double)p->cache_bytes / 1e6);
    printf("SHA-256 of image, positions 0..%d: %s\n",
           MEASURE_DIGEST_SAMPLES - 1, r.digest);
    const double bytes = (double)r.image_bytes;
    printf("compose: median %.0f img/s [%.0f..%.0f], %.1f MB/s, %u rounds\n",
           r.compose.median, r.compose.least, r.compose.most,
           r.compose.median * bytes / 1e6, r.n_rounds);
    printf("memcpy of the same bytes: median %.0f img/s [%.0f..%.0f], "
           "%.1f MB/s\n",
           r.copy.median, r.copy.least, r.copy.most,
           r.copy.median * bytes / 1e6);
    printf("compose / memcpy: %.4f\n", r.compose.median / r.copy.median);
    printf("%d x %d px, %u core(s), kernels %s, images per second: %.1f\n",
           w.recipe.height, w.recipe.width, w.n_cores, pixel_kernels()->name,
           r.compose.median);
}

int main(int argc, char **argv)
{
    struct arguments a = {0};
    struct pools pools;
    parse(argc, argv, &a);
    if (a.demo || a.objects)
        pools_load(&pools, a.objects, a.backgrounds);
    else
        pools_synthetic(&pools, (uint32_t)a.images);
    if (a.write_pools)
        pools_write(&pools, a.write_pools);
    else if (a.json || (!a.size && !a.cores))
        table_print(&pools, a.preset, a.size, a.seconds ? a.seconds : 0.25,
                    a.json);
    else
        measure_one(&pools, &a);
    pools_close(&pools);
    return 0;
}
