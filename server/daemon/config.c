/* struct config: made with defaults, filled from a file, checked, freed. Knows
 * no option by name (options.c) and no JSON (config_json.c). */
#include "server/daemon/config.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "server/base/host.h"
#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/http/listen.h"
#include "server/serve/feedback_store.h"

#define MAX_DEFAULT_BUDGET_BYTES (1ull << 30)
#define MIN_BUDGET_BYTES         (1ull << 20)

struct config *config_create(void)
{
    struct config *c = mem_calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    c->streams = mem_calloc(STREAMS_MAX, sizeof(*c->streams));
    if (!c->streams) {
        mem_free(c);
        return NULL;
    }
    c->http = (struct config_endpoint){"127.0.0.1", 7780};
    c->tcp = (struct config_endpoint){"127.0.0.1", 7700};
    c->grace_s = 5;
    const struct feedback_limits feedback = feedback_limits_default();
    c->feedback_tables = feedback.max_tables;
    c->feedback_classes = feedback.max_classes;
    c->feedback_budget_bytes = feedback.max_bytes;
    c->feedback_lifetime_s = feedback.lifetime_ns / 1000000000;
    c->shared_budget_bytes = UINT64_MAX;
    c->log_level = LOG_INFO;
    return c;
}

static void pool_fini(struct config_pool *pool)
{
    for (uint32_t i = 0; i < pool->n_classes; i++)
        mem_free(pool->classes[i]);
    mem_free(pool->classes);
    mem_free(pool->classes_file);
    mem_free(pool->objects);
    mem_free(pool->backgrounds);
}

void config_destroy(struct config *c)
{
    if (!c)
        return;
    for (uint32_t i = 0; i < c->n_pools; i++)
        pool_fini(&c->pools[i]);
    for (uint32_t i = 0; i < c->n_streams; i++) {
        mem_free(c->streams[i].pool_name);
        mem_free(c->streams[i].recipe_name);
        mem_free(c->streams[i].recipe_text);
    }
    mem_free(c->streams);
    mem_free(c->unix_path);
    mem_free(c->token_file);
    mem_free(c->config_file);
    mem_free(c->port_file);
    mem_free(c);
}

bool config_name_is_valid(const char *name)
{
    size_t n = strlen(name);

    if (n == 0 || n >= CONFIG_NAME_BYTES)
        return false;
    for (; *name; name++)
        if (!isalnum((unsigned char)*name) && !strchr("_.-", *name))
            return false;
    return true;
}

static int check_name(const char *name, struct fault *fault)
{
    if (config_name_is_valid(name))
        return 0;
    return fault_set(fault, ERROR_BAD_CONFIG,
                     "a name has 1 to 64 of A-Z a-z 0-9 _ . -");
}

struct config_pool *config_add_pool(struct config *c, const char *name,
                                    struct fault *fault)
{
    if (check_name(name, fault))
        return NULL;
    if (c->n_pools == CONFIG_MAX_POOLS) {
        fault_set(fault, ERROR_BAD_CONFIG, "more than %d pools",
                  CONFIG_MAX_POOLS);
        return NULL;
    }
    struct config_pool *pool = &c->pools[c->n_pools++];
    strcpy(pool->name, name);
    return pool;
}

struct config_stream *config_add_stream(struct config *c, const char *name,
                                        struct fault *fault)
{
    if (check_name(name, fault))
        return NULL;
    if (c->n_streams == STREAMS_MAX) {
        fault_set(fault, ERROR_BAD_CONFIG, "more than %d streams", STREAMS_MAX);
        return NULL;
    }
    struct config_stream *stream = &c->streams[c->n_streams++];
    strcpy(stream->name, name);
    return stream;
}

int config_read_text(const char *path, size_t max_bytes, char **out_text,
                     size_t *out_bytes, struct fault *fault)
{
    FILE *file = fopen(path, "rbe");
    char *text = NULL;
    int rc = 0;

    if (!file)
        return fault_set(fault, errno == ENOENT ? ERROR_NOT_FOUND : ERROR_IO,
                         "%.200s: %s", path, strerror(errno));
    /* Read in one piece, a byte more than allowed to see that it is too long;
     * grown by halves so that small files take little. */
    size_t room = 65536, n = 0;
    for (;;) {
        char *grown = mem_realloc(text, room + 1);
        if (!grown) {
            rc = fault_set(fault, ERROR_NO_MEMORY, "%.200s: out of memory",
                           path);
            goto close_file;
        }
        text = grown;
        n += fread(text + n, 1, room - n, file);
        if (n < room)
            break;
        if (n > max_bytes) {
            rc = fault_set(fault, ERROR_TOO_LARGE,
                           "%.200s: longer than %zu bytes", path, max_bytes);
            goto close_file;
        }
        room *= 2;
    }
    if (ferror(file) || n > max_bytes) {
        rc = fault_set(fault, ERROR_IO, "%.200s: %s", path,
                       ferror(file) ? strerror(errno) : "too long");
        goto close_file;
    }
    text[n] = '\0';
    *out_text = text;
    *out_bytes = n;
    text = NULL;
close_file:
    mem_free(text);
    fclose(file);
    return rc;
}

int config_read_file(struct config *c, const char *path, struct fault *fault)
{
    char *text, folder[1024];
    size_t n_bytes;
    const char *slash = strrchr(path, '/');
    int rc = config_read_text(path, CONFIG_MAX_BYTES, &text, &n_bytes, fault);

    if (rc)
        return rc;
    snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) : 0,
             path);
    if (slash == path)
        strcpy(folder, "/");
    rc = config_read_json(c, text, n_bytes, folder, fault);
    mem_free(text);
    return rc ? fault_prefix(fault, "%.200s", path) : 0;
}

static int check_pool(const struct config_pool *p, struct fault *fault)
{
    bool files = p->objects || p->backgrounds;

    if (p->demo && files)
        return fault_set(fault, ERROR_BAD_CONFIG,
                         "pool \"%s\": either the demo pools or paths",
                         p->name);
    if (!p->demo && !(p->objects && p->backgrounds))
        return fault_set(fault, ERROR_BAD_CONFIG,
                         "pool \"%s\": both objects and backgrounds are "
                         "wanted, or demo",
                         p->name);
    return 0;
}

static int find_pool(const struct config *c, struct config_stream *s,
                     struct fault *fault)
{
    if (!s->pool_name && c->n_pools == 1)
        return 0;
    if (!s->pool_name)
        return fault_set(fault, ERROR_BAD_CONFIG,
                         "/streams/%s: \"pool\" is wanted: there are several",
                         s->name);
    for (uint32_t i = 0; i < c->n_pools; i++) {
        if (strcmp(c->pools[i].name, s->pool_name) == 0) {
            s->pool = i;
            return 0;
        }
    }
    return fault_set(fault, ERROR_BAD_CONFIG,
                     "/streams/%s/pool: there is no pool \"%.64s\"", s->name,
                     s->pool_name);
}

static int check_endpoint(const struct config *c, const char *name,
                          const struct config_endpoint *e, struct fault *fault)
{
    if (c->token_file || c->allow_anonymous || listen_is_loopback(e->address))
        return 0;
    return fault_set(fault, ERROR_BAD_CONFIG,
                     "%s: %s can be reached from other machines: name a token "
                     "file, or allow anonymous clients",
                     name, e->address);
}

static void fill_in(struct config *c)
{
    uint64_t memory = host_memory_bytes();

    if (c->workers == 0)
        c->workers = host_cpus() < 256 ? host_cpus() : 256;
    if (c->batch_budget_bytes == 0) {
        c->batch_budget_bytes = memory / 4;
        if (c->batch_budget_bytes > MAX_DEFAULT_BUDGET_BYTES)
            c->batch_budget_bytes = MAX_DEFAULT_BUDGET_BYTES;
    }
    if (c->shared_budget_bytes == UINT64_MAX)
        c->shared_budget_bytes = c->batch_budget_bytes / 2;
    if (c->memory_limit_bytes == 0 && memory > c->batch_budget_bytes)
        c->memory_limit_bytes = memory - c->batch_budget_bytes;
}

static int check_feedback(const struct config *c, struct fault *fault)
{
    uint64_t largest = feedback_memory_bytes((uint32_t)c->feedback_classes);

    if (c->feedback_budget_bytes >= largest)
        return 0;
    return fault_set(fault, ERROR_BAD_CONFIG,
                     "feedback_budget: one table of feedback_classes (%u) "
                     "takes %llu bytes",
                     (unsigned)c->feedback_classes,
                     (unsigned long long)largest);
}

int config_check(struct config *c, struct fault *fault)
{
    int rc = 0;

    if (c->n_pools == 0 || c->n_streams == 0)
        return fault_set(fault, ERROR_BAD_CONFIG,
                         "there is nothing to serve: --demo, or --objects and "
                         "--backgrounds, or --config");
    for (uint32_t i = 0; rc == 0 && i < c->n_pools; i++)
        rc = check_pool(&c->pools[i], fault);
    for (uint32_t i = 0; rc == 0 && i < c->n_streams; i++)
        rc = find_pool(c, &c->streams[i], fault);
    if (rc == 0)
        rc = check_endpoint(c, "http", &c->http, fault);
    if (rc == 0)
        rc = check_endpoint(c, "tcp", &c->tcp, fault);
    if (rc)
        return rc;
    fill_in(c);
    if (c->batch_budget_bytes < MIN_BUDGET_BYTES)
        return fault_set(fault, ERROR_BAD_CONFIG,
                         "batch_budget: at least 1M is wanted");
    if (c->shared_budget_bytes > c->batch_budget_bytes - MIN_BUDGET_BYTES / 2)
        return fault_set(fault, ERROR_BAD_CONFIG,
                         "shared_budget: it is a part of batch_budget, and at "
                         "least 512K of that are wanted beside it");
    return check_feedback(c, fault);
}
