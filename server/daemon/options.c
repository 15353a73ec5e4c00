/* The table of options, and the command line and --help made from it. Reads
 * no value itself (values.c) and no file (config.c). */
#include "server/daemon/options.h"

#include <stddef.h>
#include <string.h>

#include "server/base/version.h"
#include "server/serve/feedback_store.h"

#define DAEMON(field) OPTION_OF_DAEMON, offsetof(struct config, field)
#define POOL(field)   OPTION_OF_POOL, offsetof(struct config_pool, field)
#define STREAM(field) OPTION_OF_STREAM, offsetof(struct config_stream, field)
#define ROW(name, key, argument, type, place, lo, hi, initial, help)           \
    ROW_(name, key, argument, type, place, lo, hi, initial, help)
#define ROW_(name, key, argument, type, scope, offset, lo, hi, initial, help)  \
    {                                                                          \
        name, key, argument, scope, type, offset, lo, hi, initial, help        \
    }

/* name, key, argument, type, place, smallest, largest, default, help */
const struct option_row option_rows[] = {
    ROW("objects", "objects", "PATH", OPTION_PATH, POOL(objects), 0, 0, NULL,
        "folder per class, flat folder or JSON manifest of cut-outs"),
    ROW("backgrounds", "backgrounds", "PATH", OPTION_PATH, POOL(backgrounds), 0,
        0, NULL, "folder tree of background images"),
    ROW("demo", "demo", NULL, OPTION_FLAG, POOL(demo), 0, 0, NULL,
        "the built-in pools instead of files"),
    ROW("matte", "matte", "alpha|corners|mask|mask-inverted", OPTION_MATTE,
        POOL(matte), 0, 0, "alpha", "what is transparent in an object"),
    ROW("split", "split", "all|train|val", OPTION_SPLIT, POOL(split), 0, 0,
        "all", "which part of the backgrounds to use"),
    ROW("max-side", "max_side", "PX", OPTION_NUMBER, POOL(max_side), 0, 16384,
        "0", "halve backgrounds until no side is longer, pixels; 0: never"),
    ROW("classes", "classes", "FILE", OPTION_CLASSES, POOL(classes_file), 0, 0,
        NULL, "class names in order, one a line (in a config also an array)"),
    ROW("strict", "strict", NULL, OPTION_FLAG, POOL(strict), 0, 0, NULL,
        "one bad file refuses the start instead of being skipped"),
    ROW(NULL, "pool", "NAME", OPTION_TEXT, STREAM(pool_name), 0, 0, NULL,
        "the pool it draws from"),
    ROW("recipe", "recipe", "PRESET|FILE", OPTION_RECIPE, STREAM(recipe_name),
        0, 0, NULL, "how samples are made (in a config also an object)"),
    ROW("seed", "seed", "N", OPTION_SEED, STREAM(seed), 0, 0, "the recipe's",
        "seed of every random decision, below 2^64"),
    ROW("http", "http", "ADDR:PORT", OPTION_ENDPOINT, DAEMON(http), 0, 0,
        "127.0.0.1:7780", "where HTTP listens; port 0: any free one"),
    ROW("tcp", "tcp", "ADDR:PORT", OPTION_ENDPOINT, DAEMON(tcp), 0, 0,
        "127.0.0.1:7700", "where the binary protocol listens"),
    ROW("unix", "unix", "PATH", OPTION_PATH, DAEMON(unix_path), 0, 0, NULL,
        "a Unix socket for clients on this host, who get batches by memory"),
    ROW("token-file", "token_file", "FILE", OPTION_PATH, DAEMON(token_file), 0,
        0, NULL, "bearer tokens that are let in, one a line"),
    ROW("allow-anonymous", "allow_anonymous", NULL, OPTION_FLAG,
        DAEMON(allow_anonymous), 0, 0, NULL,
        "listen beyond loopback without tokens"),
    ROW("workers", "workers", "N", OPTION_NUMBER, DAEMON(workers), 0, 256,
        "0: as many as CPUs", "threads that compose"),
    ROW("memory-limit", "memory_limit", "SIZE", OPTION_SIZE,
        DAEMON(memory_limit_bytes), 0, UINT64_MAX,
        "0: host memory less the batch budget",
        "bytes that decoded pools may take"),
    ROW("batch-budget", "batch_budget", "SIZE", OPTION_SIZE,
        DAEMON(batch_budget_bytes), 0, 1ull << 42,
        "0: a quarter of host memory, at most 1G",
        "bytes that batches may take"),
    ROW("shared-budget", "shared_budget", "SIZE", OPTION_SIZE,
        DAEMON(shared_budget_bytes), 0, 1ull << 42, "half of it",
        "of the batch budget, what clients of the Unix socket map; 0: none"),
    ROW("feedback-tables", "feedback_tables", "N", OPTION_NUMBER,
        DAEMON(feedback_tables), 1, FEEDBACK_STORE_MAX_TABLES, "256",
        "feedback tables of trainers to keep at most"),
    ROW("feedback-classes", "feedback_classes", "N", OPTION_NUMBER,
        DAEMON(feedback_classes), 1, FEEDBACK_MAX_CLASSES, "1024",
        "classes that a feedback table may have at most"),
    ROW("feedback-budget", "feedback_budget", "SIZE", OPTION_SIZE,
        DAEMON(feedback_budget_bytes), 64u << 10, 1ull << 40, "64M",
        "bytes that feedback tables may take"),
    ROW("feedback-lifetime", "feedback_lifetime", "S", OPTION_NUMBER,
        DAEMON(feedback_lifetime_s), 1, 30 * 86400, "3600",
        "seconds that a feedback table is kept without use"),
    ROW("grace", "grace", "S", OPTION_NUMBER, DAEMON(grace_s), 0, 3600, "5",
        "seconds that SIGTERM leaves to open sessions"),
    ROW("log-level", "log_level", "error|warn|info|debug", OPTION_LEVEL,
        DAEMON(log_level), 0, 0, "info", "what the log holds"),
    ROW("config", NULL, "FILE", OPTION_TEXT, DAEMON(config_file), 0, 0, NULL,
        "several pools and streams as JSON; options here override it"),
    ROW("port-file", NULL, "FILE", OPTION_TEXT, DAEMON(port_file), 0, 0, NULL,
        "written with {\"http\":PORT,\"tcp\":PORT} once ports are known"),
    ROW("check", NULL, NULL, OPTION_FLAG, DAEMON(check), 0, 0, NULL,
        "read everything, load nothing, exit"),
    ROW("list-operations", NULL, NULL, OPTION_FLAG, DAEMON(list_operations), 0,
        0, NULL, "the image operations that a recipe may name, as a table"),
    ROW("help", NULL, NULL, OPTION_FLAG, DAEMON(help), 0, 0, NULL, "this text"),
    ROW("version", NULL, NULL, OPTION_FLAG, DAEMON(version), 0, 0, NULL,
        "the version"),
};

const uint32_t option_n_rows = sizeof(option_rows) / sizeof(option_rows[0]);

const struct option_row *option_find(const char *name)
{
    for (uint32_t i = 0; i < option_n_rows; i++)
        if (option_rows[i].name && strcmp(option_rows[i].name, name) == 0)
            return &option_rows[i];
    return NULL;
}

const struct option_row *option_find_key(enum option_scope scope,
                                         const char *key)
{
    for (uint32_t i = 0; i < option_n_rows; i++)
        if (option_rows[i].scope == scope && option_rows[i].key &&
            strcmp(option_rows[i].key, key) == 0)
            return &option_rows[i];
    return NULL;
}

/* One option of the command line, as it stands there. */
struct given {
    const struct option_row *row;
    const char *value;
};

/* Takes argv[*i] and, where its value follows apart, argv[*i + 1]. */
static int take(int argc, const char *const *argv, int *i, struct given *out,
                struct fault *fault)
{
    const char *word = argv[*i];
    char name[40];

    if (strcmp(word, "-h") == 0)
        word = "--help";
    const char *equals = strchr(word, '=');
    size_t n = equals ? (size_t)(equals - word) : strlen(word);
    if (strncmp(word, "--", 2) != 0 || n - 2 >= sizeof(name))
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "unknown argument \"%.60s\"; --help lists all", word);
    memcpy(name, word + 2, n - 2);
    name[n - 2] = '\0';
    out->row = option_find(name);
    if (!out->row)
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "unknown option \"--%s\"; --help lists all", name);
    out->value = equals ? equals + 1 : "true";
    if (!out->row->argument || equals)
        return 0;
    if (*i + 1 >= argc)
        return fault_set(fault, ERROR_BAD_ARGUMENT, "--%s wants %s", name,
                         out->row->argument);
    out->value = argv[++*i];
    return 0;
}

/* The first pool and stream, made when an option first speaks of them. */
static void *target_of(struct config *c, enum option_scope scope,
                       struct fault *fault)
{
    if (scope == OPTION_OF_DAEMON)
        return c;
    if (c->n_pools == 0 && !config_add_pool(c, "default", fault))
        return NULL;
    if (c->n_streams == 0 && !config_add_stream(c, "default", fault))
        return NULL;
    return scope == OPTION_OF_POOL ? (void *)&c->pools[0]
                                   : (void *)&c->streams[0];
}

static int apply(struct config *c, const struct given *g, struct fault *fault)
{
    if (c->config_file && g->row->scope != OPTION_OF_DAEMON)
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "--%s: with --config this belongs into the file",
                         g->row->name);
    void *target = target_of(c, g->row->scope, fault);
    if (!target)
        return -ERROR_NO_MEMORY;
    int rc = option_set(g->row, target, g->value, NULL, fault);
    return rc ? fault_prefix(fault, "--%s", g->row->name) : 0;
}

/* pass 0 reads --config and what is answered at once, pass 1 the others. */
static int read_pass(struct config *c, int argc, const char *const *argv,
                     int pass, struct fault *fault)
{
    for (int i = 1; i < argc; i++) {
        struct given g = {0};
        int rc = take(argc, argv, &i, &g, fault);
        if (rc)
            return rc;
        bool early = g.row->type == OPTION_TEXT || g.row->type == OPTION_FLAG;
        early = early && (strcmp(g.row->name, "config") == 0 ||
                          strcmp(g.row->name, "help") == 0 ||
                          strcmp(g.row->name, "list-operations") == 0 ||
                          strcmp(g.row->name, "version") == 0);
        if (early != (pass == 0))
            continue;
        rc = apply(c, &g, fault);
        if (rc)
            return rc;
    }
    return 0;
}

int options_read(struct config *c, int argc, const char *const *argv,
                 struct fault *fault)
{
    int rc = read_pass(c, argc, argv, 0, fault);

    if (rc || c->help || c->version || c->list_operations)
        return rc;
    if (c->config_file) {
        rc = config_read_file(c, c->config_file, fault);
        if (rc)
            return rc;
    }
    return read_pass(c, argc, argv, 1, fault);
}

static void print_row(FILE *out, const struct option_row *row)
{
    char left[64];

    if (!row->name)
        return;
    snprintf(left, sizeof(left), "--%s%s%s", row->name,
             row->argument ? " " : "", row->argument ? row->argument : "");
    fprintf(out, "  %-28s%s%s", left, strlen(left) > 27 ? "\n" : "",
            strlen(left) > 27 ? "                              " : "");
    fprintf(out, "%s", row->help);
    if (row->initial)
        fprintf(out, " [%s]", row->initial);
    fputc('\n', out);
}

void options_print_help(FILE *out)
{
    fprintf(out,
            "pasted %s: balanced cut-and-paste training images over the "
            "network.\n\n"
            "  pasted --demo [options]\n"
            "  pasted --objects PATH --backgrounds PATH [options]\n"
            "  pasted --config FILE [options]\n\n",
            PASTED_VERSION_TEXT);
    for (uint32_t i = 0; i < option_n_rows; i++)
        print_row(out, &option_rows[i]);
    fputs(
        "\nSIZE takes K, M, G or T (powers of 1024). Keys of a configuration "
        "file are the\noptions with \"_\" for \"-\": {\"http\": ..., "
        "\"pools\": {NAME: {...}},\n\"streams\": {NAME: {\"pool\": NAME, "
        "\"recipe\": ..., \"seed\": ...}}}.\nExit codes: 0 stopped by SIGTERM "
        "or SIGINT, 64 usage, 69 cannot listen,\n70 internal, 78 "
        "configuration, recipe or pools; a second signal ends it at once.\n",
        out);
}
