/* Times image operations through the daemon's own plans. Prints nothing. */
#include "tests/bench/operations_measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

double operations_measure(uint32_t id, int32_t side)
{
    const size_t n_scratch = operation_scratch_bytes(side, side) / 64 * 64 + 64;
    const struct operation_frame f = {
        .rgb = malloc((size_t)side * (size_t)side * 3),
        .width = side,
        .height = side,
        .scratch = aligned_alloc(64, n_scratch),
    };
    if (!f.rgb || !f.scratch)
        abort();
    const double cost = measure(operation_table[id].name, &f);
    free(f.rgb);
    free(f.scratch);
    return cost;
}
