/* Measures every row of the table and prints it. Knows no command line. */
#include "tests/bench/compose_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/host.h"
#include "server/pixel/kernels.h"
#include "server/recipe/operation.h"
#include "tests/bench/compose_measure.h"
#include "tests/bench/compose_parts.h"
#include "tests/bench/operations_measure.h"

static const int sizes[] = {32, 64, 224};

struct row {
    const char *preset, *kernels;
    int size;
    uint32_t n_cores;
};

static void cpu_model(char *out, size_t n_bytes)
{
    char line[256];
    snprintf(out, n_bytes, "unknown");
    FILE *f = fopen("/proc/cpuinfo", "r");
    while (f && fgets(line, sizeof line, f)) {
        char *value = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || !value)
            continue;
        value[strcspn(value, "\n\"\\")] = '\0';
        snprintf(out, n_bytes, "%s", value + 2);
        break;
    }
    if (f)
        fclose(f);
}

static void print_row(const struct row *row, const struct measure_result *r,
                      bool as_json, bool is_first)
{
    const double bytes = (double)r->image_bytes;
    if (as_json)
        printf("%s\n    {\"preset\": \"%s\", \"size\": %d, \"cores\": %u, "
               "\"kernels\": \"%s\", \"images_per_second\": {\"median\": %.1f, "
               "\"least\": %.1f, \"most\": %.1f}, \"rounds\": %u, "
               "\"ns_per_pixel\": %.3f, \"of_memcpy\": %.4f, "
               "\"sha256\": \"%s\"}",
               is_first ? "" : ",", row->preset, row->size, row->n_cores,
               row->kernels, r->compose.median, r->compose.least,
               r->compose.most, r->n_rounds,
               1e9 * row->n_cores / r->compose.median / (bytes / 3),
               r->compose.median / r->copy.median, r->digest);
    else
        printf("%-18s %5d %5u  %-10s %10.0f [%.0f..%.0f] %9.3f %9.4f\n",
               row->preset, row->size, row->n_cores, row->kernels,
               r->compose.median, r->compose.least, r->compose.most,
               1e9 * row->n_cores / r->compose.median / (bytes / 3),
               r->compose.median / r->copy.median);
    fflush(stdout);
}

static void print_head(const struct pools *p, bool as_json)
{
    char model[256];
    cpu_model(model, sizeof model);
    if (as_json)
        printf("{\"cpu\": \"%s\", \"cpus\": %u, \"compiler\": \"%s\",\n"
               " \"pools\": {\"kind\": \"%s\", \"objects\": %u, "
               "\"backgrounds\": %u, \"bytes\": %llu, \"cache_bytes\": %llu},"
               "\n  \"rows\": [",
               model, host_cpus(), __VERSION__, p->kind, p->catalog->n_objects,
               p->catalog->n_backgrounds, (unsigned long long)p->pool_bytes,
               (unsigned long long)p->cache_bytes);
    else
        printf("%s, %u CPUs; compiler %s\npools: %s, %u objects, %u "
               "backgrounds, %.0f MB; last-level cache %.0f MB\n"
               "%-18s %5s %5s  %-10s %10s %-18s %s %s\n",
               model, host_cpus(), __VERSION__, p->kind, p->catalog->n_objects,
               p->catalog->n_backgrounds, (double)p->pool_bytes / 1e6,
               (double)p->cache_bytes / 1e6, "preset", "px", "cores", "kernels",
               "images/s", "[least..most]", "ns/px/core", "of memcpy");
}

static void measure(const struct pools *pools, const struct row *row,
                    double seconds, struct measure_result *out)
{
    struct measure_work w = {
        .catalog = pools->catalog, .n_cores = row->n_cores, .seconds = seconds};
    struct fault fault = {0};
    if (recipe_preset(row->preset, &w.recipe, &fault) < 0 ||
        pixel_kernels_select(row->kernels, &fault) < 0) {
        fprintf(stderr, "compose: %s\n", fault.text);
        exit(1);
    }
    w.recipe.width = w.recipe.height = row->size;
    measure_run(&w, out);
}

/* What each further operation costs, with each table of kernels. */
static void print_operations(int side, bool as_json)
{
    const struct pixel_kernels *k;
    struct fault fault = {0};
    if (!as_json) {
        printf("\n%-18s %5s  ns a pixel:", "operation", "px");
        for (uint32_t i = 0; (k = pixel_kernels_at(i)); i++)
            printf(" %10s", k->name);
    }
    for (uint32_t id = 0; id < OPERATION_N; id++) {
        if (!as_json)
            printf("\n%-18s %5d             ", operation_table[id].name, side);
        for (uint32_t i = 0; (k = pixel_kernels_at(i)); i++) {
            pixel_kernels_select(k->name, &fault);
            const double cost = operations_measure(id, side);
            if (as_json)
                printf("%s\n    {\"operation\": \"%s\", \"size\": %d, "
                       "\"kernels\": \"%s\", \"ns_per_pixel\": %.3f}",
                       id + i ? "," : "", operation_table[id].name, side,
                       k->name, cost);
            else
                printf(" %10.2f", cost);
            fflush(stdout);
        }
    }
}

void table_print(const struct pools *pools, const char *preset, int size,
                 double seconds, bool as_json)
{
    const uint32_t n_cpus = host_cpus();
    const uint32_t cores[2] = {1, n_cpus};
    const struct pixel_kernels *k;
    struct measure_result result;
    bool is_first = true;
    print_head(pools, as_json);
    for (uint32_t p = 0; p < recipe_preset_count(); p++) {
        struct row row = {.preset = recipe_preset_name(p)};
        if (preset && strcmp(preset, row.preset) != 0)
            continue;
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
            for (uint32_t i = 0; (k = pixel_kernels_at(i / 2)); i++) {
                row.size = size ? size : sizes[s];
                row.n_cores = cores[i % 2];
                row.kernels = k->name;
                if ((size && s > 0) || (i % 2 && n_cpus == 1))
                    continue;
                measure(pools, &row, seconds, &result);
                print_row(&row, &result, as_json, is_first);
                is_first = false;
            }
    }
    printf("%s", as_json ? "\n  ],\n  \"operations\": [" : "");
    print_operations(size ? size : sizes[2], as_json);
    printf("%s", as_json ? "\n  ],\n  \"parts\": [" : "");
    parts_print(size ? size : sizes[2], seconds, as_json);
    printf("%s", as_json ? "\n  ]}\n" : "\n");
}
