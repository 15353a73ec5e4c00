/* What the daemon is told, from the command line and from a JSON file: plain
 * data with its defaults, its reader and its check. Opens no socket, loads no
 * pool. */
#ifndef PASTED_DAEMON_CONFIG_H
#define PASTED_DAEMON_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "server/pool/catalog.h"
#include "server/recipe/recipe.h"
#include "server/serve/stream.h"

#define CONFIG_MAX_BYTES   (8u << 20) /* of the JSON text */
#define CONFIG_MAX_POOLS   64
#define CONFIG_NAME_BYTES  65 /* [A-Za-z0-9_.-]{1,64} */
#define CONFIG_MAX_CLASSES 65536

struct config_endpoint {
    char address[64]; /* numeric */
    uint16_t port;
};

/* Text fields are owned (mem_free) and NULL where not given. */
struct config_pool {
    char name[CONFIG_NAME_BYTES];
    bool demo, strict;
    char *objects, *backgrounds;
    char *classes_file; /* one name a line; resolved into classes */
    char **classes;
    uint32_t n_classes;
    int64_t matte; /* enum pool_matte */
    int64_t split; /* enum pool_split */
    uint64_t max_side;
};

struct config_stream {
    char name[CONFIG_NAME_BYTES];
    char *pool_name;   /* NULL: the only pool */
    uint32_t pool;     /* index, after config_check */
    char *recipe_name; /* preset or file */
    char *recipe_text; /* JSON */
    bool has_seed;
    uint64_t seed;
    struct recipe recipe; /* after config_resolve */
};

struct config {
    struct config_endpoint http, tcp;
    char *unix_path; /* of a Unix socket beside tcp */
    char *token_file;
    bool allow_anonymous;
    uint64_t workers;            /* 0: host_cpus() */
    uint64_t memory_limit_bytes; /* 0: host memory less the batch budget */
    uint64_t batch_budget_bytes; /* 0: min(1 GiB, host memory / 4) */
    /* Of these, what clients of this host may map; without a Unix socket 0.
     * Before config_check UINT64_MAX: half. */
    uint64_t shared_budget_bytes;
    /* Limits of feedback tables; the budget holds one of the largest. */
    uint64_t feedback_tables, feedback_classes;
    uint64_t feedback_budget_bytes, feedback_lifetime_s;
    uint64_t grace_s;
    int64_t log_level; /* enum log_level */
    char *config_file, *port_file;
    bool check, help, list_operations, version;
    uint32_t n_pools, n_streams;
    struct config_pool pools[CONFIG_MAX_POOLS];
    struct config_stream *streams; /* [STREAMS_MAX] */
};

/* On the heap, with defaults; NULL when memory is short. */
struct config *config_create(void);
void config_destroy(struct config *c); /* NULL is fine */

/* Adds what a configuration file says. Paths in it are relative to folder
 * (NULL: to where the daemon runs). Strict: "<JSON pointer>: sentence" with
 * -ERROR_BAD_CONFIG; -ERROR_NO_MEMORY. c is in an unknown but destroyable
 * state afterwards. Reads no other file. */
int config_read_json(struct config *c, const char *text, size_t n_bytes,
                     const char *folder, struct fault *fault);
/* Reads the file (-ERROR_NOT_FOUND, -ERROR_IO, -ERROR_TOO_LARGE) and adds it.
 */
int config_read_file(struct config *c, const char *path, struct fault *fault);

/* What does not fit together: -ERROR_BAD_CONFIG with a sentence. Fills in
 * defaults that depend on the machine and stream.pool. */
int config_check(struct config *c, struct fault *fault);
/* Reads the recipes and class lists that are named: -ERROR_BAD_RECIPE,
 * -ERROR_NOT_FOUND, -ERROR_BAD_CONFIG, -ERROR_IO. */
int config_resolve(struct config *c, struct fault *fault);

/* [A-Za-z0-9_.-]{1,64} */
bool config_name_is_valid(const char *name);
/* The next free slot with this name; NULL with fault when there is none. */
struct config_pool *config_add_pool(struct config *c, const char *name,
                                    struct fault *fault);
struct config_stream *config_add_stream(struct config *c, const char *name,
                                        struct fault *fault);

/* A whole file of at most max_bytes, NUL-terminated, mem_free.
 * -ERROR_NOT_FOUND, -ERROR_IO, -ERROR_TOO_LARGE, -ERROR_NO_MEMORY. */
int config_read_text(const char *path, size_t max_bytes, char **out_text,
                     size_t *out_bytes, struct fault *fault);

#endif
