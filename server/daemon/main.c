/* pasted, the program: command line -> configuration -> daemon_run. Holds no
 * logic of its own. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "server/base/mem.h"
#include "server/base/version.h"
#include "server/daemon/options.h"
#include "server/daemon/run.h"
#include "server/pixel/kernels.h"

static int list_operations(void)
{
    char *table = recipe_describe_operations();

    if (!table)
        return EXIT_SOFTWARE;
    fputs(table, stdout);
    mem_free(table);
    return EXIT_SUCCESS;
}

/* Returns an exit code, or -1 to go on. */
static int answer_at_once(const struct config *config)
{
    if (config->help)
        options_print_help(stdout);
    else if (config->version)
        printf("pasted %s (engine %d)\n", PASTED_VERSION_TEXT, ENGINE_VERSION);
    else if (config->list_operations)
        return list_operations();
    else
        return -1;
    return EXIT_SUCCESS;
}

static int run(struct config *config, int argc, char **argv)
{
    struct fault fault = {0};
    int rc = options_read(config, argc, (const char *const *)argv, &fault);
    int answered = rc ? -1 : answer_at_once(config);

    if (answered >= 0)
        return answered;
    if (rc == 0 && !config->config_file && config->n_pools == 0)
        rc = fault_set(&fault, ERROR_BAD_ARGUMENT,
                       "--demo, or --objects and --backgrounds, or --config "
                       "is wanted; --help lists all");
    if (rc == 0)
        rc = config_check(config, &fault);
    if (rc == 0)
        rc = config_resolve(config, &fault);
    if (rc == 0)
        rc = pixel_kernels_select(getenv("PASTED_CPU"), &fault);
    if (rc) {
        fprintf(stderr, "pasted: %s\n", fault.text);
        return daemon_exit_code(rc);
    }
    if (!config->check)
        return daemon_run(config);
    printf("pasted: the configuration is good: %u pool%s, %u stream%s\n",
           (unsigned)config->n_pools, config->n_pools == 1 ? "" : "s",
           (unsigned)config->n_streams, config->n_streams == 1 ? "" : "s");
    return EXIT_SUCCESS;
}

/* A shell's usual 1024 descriptors are fewer than the sessions we take. */
static void raise_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* One heap for all threads. glibc's own one for each grows by megabytes where a
 * worker builds what the loop drops (an epoch), and another worker builds the
 * next. Nobody waits for it: composing allocates nothing. */
static void share_heap(void)
{
    (void)mallopt(M_ARENA_MAX, 1);
}

int main(int argc, char **argv)
{
    raise_descriptors();
    share_heap();
    struct config *config = config_create();

    if (!config)
        return EXIT_SOFTWARE;
    int exit_code = run(config, argc, argv);
    config_destroy(config);
    return exit_code;
}
