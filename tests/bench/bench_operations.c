/* Nanoseconds per pixel of every image operation at its defaults, through the
 * daemon's own plans. Checks nothing.
 *
 *   operations [SIDE [NAME]]     SIDE px, 224 by default */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/pixel/kernels.h"
#include "server/plan/operations.h"
#include "server/recipe/operation.h"

#define N_PLANS 64
#define ROUNDS  7

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void make_plans(const char *name, int32_t side, struct plan *plans)
{
    static struct recipe recipe; /* large */
    char text[128];
    int n = snprintf(text, sizeof text,
                     "{\"size\":%d,\"image\":{\"operations\":[{\"op\":\"%s\"}]"
                     "}}",
                     side, name);
    struct fault fault = {0};
    if (recipe_parse(text, (size_t)n, &recipe, &fault) < 0) {
        fprintf(stderr, "operations: %s\n", fault.text);
        exit(1);
    }
    for (uint32_t i = 0; i < N_PLANS; i++) {
        const struct draws d = {.seed = 1, .position = i};
        memset(&plans[i], 0, sizeof plans[i]);
        plans[i].width = plans[i].height = side;
        operations_to_plan(&d, &recipe, &plans[i]);
    }
}

/* Smooth with some noise, so that tables and branches see a photograph. */
static void fill(uint8_t *rgb, int32_t side)
{
    uint32_t random = 1;
    for (int32_t y = 0; y < side; y++)
        for (int32_t x = 0; x < side * 3; x++) {
            random = random * 1664525 + 1013904223;
            rgb[y * side * 3 + x] =
                (uint8_t)((x + y) * 160 / side / 3 + (random >> 27));
        }
}

/* The best of a few rounds over all plans, per pixel. */
static double measure(const char *name, const struct operation_frame *f)
{
    static struct plan plans[N_PLANS];
    double best = 1e30;
    make_plans(name, f->width, plans);
    for (int round = 0; round < ROUNDS; round++) {
        double sum = 0;
        for (uint32_t i = 0; i < N_PLANS; i++) {
            fill(f->rgb, f->width);
            double begin = now_ns();
            operation_apply(f, plans[i].operations.list[0].id,
                            plans[i].operations.list[0].p);
            sum += now_ns() - begin;
        }
        best = sum < best ? sum : best;
    }
    return best / N_PLANS / f->width / f->height;
}

int main(int argc, char **argv)
{
    const int32_t side = argc > 1 ? atoi(argv[1]) : 224;
    if (side < 1 || side > FRAME_MAX_SIDE)
        return 2;
    size_t n_scratch = operation_scratch_bytes(side, side) / 64 * 64 + 64;
    const struct operation_frame f = {
        .rgb = malloc((size_t)side * (size_t)side * 3),
        .width = side,
        .height = side,
        .scratch = aligned_alloc(64, n_scratch),
    };
    if (!f.rgb || !f.scratch)
        return 1;
    printf("kernels %s, %d px, ns per pixel\n", pixel_kernels()->name, side);
    for (uint32_t i = 0; i < OPERATION_N; i++)
        if (argc < 3 || strcmp(argv[2], operation_table[i].name) == 0)
            printf("%-16s %7.2f\n", operation_table[i].name,
                   measure(operation_table[i].name, &f));
    free(f.rgb);
    free(f.scratch);
    return 0;
}
