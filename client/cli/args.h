/* The command line of pastectl: one table of options, from which the parser
 * and the help are made. Acts on nothing. */
#ifndef PASTED_CLIENT_CLI_ARGS_H
#define PASTED_CLIENT_CLI_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include "client/include/pasted.h"

/* Exit codes. */
enum {
    EXIT_OK = 0,
    EXIT_ERROR = 1,
    EXIT_USAGE = 2,
    EXIT_NOTHING = 3, /* no server, no stream, no answer in time */
};

/* Which commands know an option, as bits. */
enum {
    CMD_STATUS = 1,
    CMD_PULL = 2,
    CMD_PREVIEW = 4,
    CMD_BENCH = 8,
    CMD_RECIPE = 16,
    CMD_GROUP = 32,
    CMD_FEEDBACK = 64,
    CMD_STREAM = 15, /* those that open one, but CMD_FEEDBACK */
    CMD_BATCHES = CMD_PULL | CMD_PREVIEW | CMD_BENCH,
    CMD_ANY = 127,
};

#define ARGS_MAX_WORDS 2

struct args {
    /* Handed to pasted_set as they are; NULL: the library's default. */
    const char *server, *stream, *token_file, *fingerprint, *timeout;
    const char *batch, *rank, *world, *position, *checksum, *prefetch;
    const char *dtype, *layout, *ring, *replay, *candidates, *group, *member;
    const char *feedback;
    /* pastectl's own. */
    const char *out, *format;
    const char *steps_text, *seconds_text, *columns_text;
    uint64_t steps, seconds, columns;
    bool quiet, help, version, json;
    unsigned command;                  /* its bit */
    const char *words[ARGS_MAX_WORDS]; /* behind the command; NULL: none */
};

struct command {
    const char *name;
    unsigned bit;
    int max_words;     /* that may follow its name */
    const char *words; /* for the help; NULL: none */
    const char *summary;
    int (*run)(const struct args *args);
};

/* Parses options up to the first word that is none (when until_word) or all;
 * bit names the command, CMD_STREAM before it is known. Returns the index in
 * argv of what follows, or -1 after saying why on stderr. */
int args_parse(struct args *args, int argc, char **argv, unsigned bit,
               bool until_word);

void args_help(const struct command *commands, const struct command *one);

/* A client with the options that args give, not open; else NULL, the reason on
 * stderr and the exit code in *out_exit. */
pasted_client *args_create(const struct args *args, int *out_exit);

/* An open client as args say, else NULL, the reason on stderr and the exit
 * code in *out_exit. Keys given here (key, value, ..., NULL) win. */
pasted_client *args_open(const struct args *args, int *out_exit, ...)
    __attribute__((sentinel));

/* Says why a call failed; the exit code. */
int args_fail(pasted_client *c, int status);

/* The commands. */
int status_run(const struct args *args);
int pull_run(const struct args *args);
int preview_run(const struct args *args);
int bench_run(const struct args *args);
int group_run(const struct args *args);
int recipe_run(const struct args *args);
int feedback_run(const struct args *args);

#endif
