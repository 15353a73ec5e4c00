/* The options: one table from which the command line, --help and the keys of
 * the configuration file are made. */
#ifndef PASTED_DAEMON_OPTIONS_H
#define PASTED_DAEMON_OPTIONS_H

#include <stdio.h>

#include "server/daemon/config.h"

enum option_scope { OPTION_OF_DAEMON, OPTION_OF_POOL, OPTION_OF_STREAM };

enum option_type {
    OPTION_FLAG,     /* bool */
    OPTION_TEXT,     /* char * */
    OPTION_PATH,     /* char *, relative to the configuration file */
    OPTION_ENDPOINT, /* struct config_endpoint */
    OPTION_NUMBER,   /* uint64_t in [min, max] */
    OPTION_SIZE,     /* uint64_t bytes, suffix K, M, G or T */
    OPTION_LEVEL,    /* int64_t, enum log_level */
    OPTION_MATTE,    /* int64_t, enum pool_matte */
    OPTION_SPLIT,    /* int64_t, enum pool_split */
    OPTION_SEED,     /* config_stream.seed and has_seed */
    OPTION_RECIPE,   /* config_stream.recipe_name; in JSON also an object */
    OPTION_CLASSES,  /* config_pool.classes_file; in JSON also an array */
};

struct option_row {
    const char *name;     /* on the command line, after "--"; NULL: file only */
    const char *key;      /* in the file; NULL: command line only */
    const char *argument; /* NULL for a flag */
    enum option_scope scope;
    enum option_type type;
    size_t offset; /* in the struct of its scope */
    uint64_t min, max;
    const char *initial; /* default, as text for people */
    const char *help;    /* with the unit, where there is one */
};

extern const struct option_row option_rows[];
extern const uint32_t option_n_rows;

/* By name on the command line / by key in the file; NULL when unknown. */
const struct option_row *option_find(const char *name);
const struct option_row *option_find_key(enum option_scope scope,
                                         const char *key);

/* Reads text as the row's type into its place in target (the scope's struct).
 * folder: what OPTION_PATH is relative to, or NULL. -ERROR_BAD_ARGUMENT with a
 * sentence (without the option's name), -ERROR_NO_MEMORY. */
int option_set(const struct option_row *row, void *target, const char *text,
               const char *folder, struct fault *fault);

/* The whole command line into c: the file of --config first, then what else
 * it says. -ERROR_BAD_ARGUMENT is a mistake of usage; other codes are of the
 * file. */
int options_read(struct config *c, int argc, const char *const *argv,
                 struct fault *fault);
void options_print_help(FILE *out);

/* "512M" -> bytes; K, M, G, T are powers of 1024. 0 or -ERROR_BAD_ARGUMENT. */
int option_parse_size(const char *text, uint64_t *out);
/* "127.0.0.1:7780", "[::1]:0", "localhost:80". 0 or -ERROR_BAD_ARGUMENT. */
int option_parse_endpoint(const char *text, struct config_endpoint *out);

#endif
