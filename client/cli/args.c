/* Parses pastectl's options and opens the client that they describe. */
#include "client/cli/args.h"

#include <getopt.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct option_row {
    const char *name;
    const char *value; /* what it takes, for the help; NULL: a switch */
    unsigned commands;
    size_t field;    /* const char *, or bool for a switch */
    const char *key; /* of pasted_set; NULL: pastectl's own */
    const char *help;
};

#define FIELD(name) offsetof(struct args, name)

static const struct option_row rows[] = {
    {"server", "HOST:PORT[,...]", CMD_ANY, FIELD(server), "servers",
     "servers to try in turn, or unix:/PATH (127.0.0.1:7700)"},
    {"stream", "NAME", CMD_STREAM | CMD_GROUP | CMD_FEEDBACK, FIELD(stream),
     "stream", "stream (the server's first)"},
    {"token-file", "FILE", CMD_ANY, FIELD(token_file), "token_file",
     "bearer token: the first line of FILE"},
    {"fingerprint", "HEX", CMD_STREAM, FIELD(fingerprint), "fingerprint",
     "insist on this stream"},
    {"timeout", "MS", CMD_STREAM, FIELD(timeout), "timeout_ms",
     "how long to wait for a batch (30000)"},
    {"batch", "G", CMD_BATCHES, FIELD(batch), "batch",
     "global batch size (the stream's)"},
    {"rank", "R", CMD_BATCHES, FIELD(rank), "rank", "this rank (0)"},
    {"world", "W", CMD_BATCHES, FIELD(world), "world", "of W ranks (1)"},
    {"from", "POSITION", CMD_PULL | CMD_BENCH, FIELD(position), "position",
     "cursor to begin at (0; bench: one not served before)"},
    {"position", "POSITION", CMD_PREVIEW, FIELD(position), "position",
     "cursor of the batch (0)"},
    {"checksum", "KIND", CMD_BATCHES, FIELD(checksum), "checksum",
     "none, crc32, xxh3 (xxh3; none from a unix: server)"},
    {"prefetch", "N", CMD_PULL | CMD_BENCH, FIELD(prefetch), "prefetch",
     "batches to hold ahead (2)"},
    {"dtype", "TYPE", CMD_PULL | CMD_BENCH, FIELD(dtype), "dtype",
     "of the image: u8, f16, bf16, f32 (the stream's)"},
    {"layout", "ORDER", CMD_PULL | CMD_BENCH, FIELD(layout), "layout",
     "of the image: nhwc, nchw (the stream's)"},
    {"candidates", "K", CMD_BATCHES, FIELD(candidates), "candidates",
     "poses of each sample, side by side in a batch (1)"},
    {"feedback", "HEX", CMD_BATCHES, FIELD(feedback), "feedback",
     "with this feedback table, which the server has (none)"},
    {"replay", "N", CMD_PULL | CMD_BENCH, FIELD(replay), "replay",
     "go round in N steps: composed once, then from the cache"},
    {"group", "NAME", CMD_PULL, FIELD(group), "group",
     "take steps as a member of this group"},
    {"member", "NAME", CMD_PULL, FIELD(member), "member",
     "this member's name in the group (made up)"},
    {"ring", "SWITCH", CMD_BATCHES, FIELD(ring), "ring",
     "on or off: batches of a unix: server by memory (on)"},
    {"out", "PATH", CMD_PULL | CMD_PREVIEW, FIELD(out), NULL,
     "pull: FILE.npz or a folder; preview: FILE.png"},
    {"format", "FORMAT", CMD_PULL, FIELD(format), NULL,
     "npz or png (by --out: npz for FILE.npz, else png)"},
    {"steps", "N", CMD_PULL, FIELD(steps_text), NULL, "batches to pull (1)"},
    {"columns", "N", CMD_PREVIEW, FIELD(columns_text), NULL,
     "images in a row (as square as it gets)"},
    {"seconds", "N", CMD_BENCH, FIELD(seconds_text), NULL,
     "time to measure, all ways together (15)"},
    {"json", NULL, CMD_RECIPE | CMD_GROUP | CMD_FEEDBACK, FIELD(json), NULL,
     "print the server's JSON instead of text"},
    {"quiet", NULL, CMD_ANY, FIELD(quiet), NULL, "print nothing but errors"},
    {"help", NULL, CMD_ANY, FIELD(help), NULL, "show this and exit"},
    {"version", NULL, CMD_ANY, FIELD(version), NULL,
     "show the version and exit"},
};
#define N_ROWS ((int)(sizeof rows / sizeof rows[0]))

static void make_long_options(struct option *out, unsigned bit)
{
    int n = 0;
    for (int i = 0; i < N_ROWS; i++)
        if ((rows[i].commands & bit) == bit)
            out[n++] = (struct option){.name = rows[i].name,
                                       .has_arg = rows[i].value != NULL
                                                      ? required_argument
                                                      : no_argument,
                                       .val = 256 + i};
    out[n] = (struct option){0};
}

static bool parse_count(const char *name, const char *text, uint64_t *out)
{
    char *end = NULL;
    if (text == NULL)
        return true;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || value == 0 ||
        value > 1000000000ull) {
        fprintf(stderr,
                "pastectl: --%s takes a whole number from 1 to 1000000000, "
                "not '%s'\n",
                name, text);
        return false;
    }
    *out = value;
    return true;
}

static bool parse_own(struct args *args)
{
    return parse_count("steps", args->steps_text, &args->steps) &&
           parse_count("seconds", args->seconds_text, &args->seconds) &&
           parse_count("columns", args->columns_text, &args->columns);
}

int args_parse(struct args *args, int argc, char **argv, unsigned bit,
               bool until_word)
{
    struct option options[N_ROWS + 1];
    int code;
    make_long_options(options, bit);
    args->command = bit;
    optind = 0; /* glibc: begin anew */
    while ((code = getopt_long(argc, argv, until_word ? "+hq" : "hq", options,
                               NULL)) != -1) {
        if (code == 'h')
            args->help = true;
        else if (code == 'q')
            args->quiet = true;
        else if (code < 256)
            return -1;
        else if (rows[code - 256].value == NULL)
            *(bool *)(void *)((char *)args + rows[code - 256].field) = true;
        else
            *(const char **)(void *)((char *)args + rows[code - 256].field) =
                optarg;
    }
    return parse_own(args) ? optind : -1;
}

static void print_rows(unsigned bit)
{
    for (int i = 0; i < N_ROWS; i++) {
        char name[48];
        if ((rows[i].commands & bit) != bit)
            continue;
        snprintf(name, sizeof name, "--%s%s%s", rows[i].name,
                 rows[i].value != NULL ? " " : "",
                 rows[i].value != NULL ? rows[i].value : "");
        printf("  %-26s %s\n", name, rows[i].help);
    }
}

void args_help(const struct command *commands, const struct command *one)
{
    printf("usage: pastectl %s %s%s[OPTION...]\n\n",
           one != NULL ? one->name : "COMMAND",
           one != NULL && one->words != NULL ? one->words : "",
           one != NULL && one->words != NULL ? " " : "");
    if (one != NULL) {
        printf("%s\n\noptions\n", one->summary);
        print_rows(one->bit);
        return;
    }
    printf("Talks to a pasted server over its binary protocol.\n\ncommands\n");
    for (const struct command *c = commands; c->name != NULL; c++)
        printf("  %-10s %s\n", c->name, c->summary);
    printf("\noptions (pastectl COMMAND --help shows those of one command)\n");
    print_rows(CMD_STREAM);
    printf("\nexit codes: 0 done, 1 failed, 2 usage, 3 no server, no such "
           "stream, group,\ntable, preset or operation, or no answer\n");
}

static int exit_of(int status)
{
    switch (status) {
    case PASTED_CLOSED:
    case PASTED_TIMEOUT:
    case PASTED_NOT_FOUND:
    case PASTED_UNKNOWN_FEEDBACK:
    case PASTED_DRAINING:
        return EXIT_NOTHING;
    case PASTED_BAD_ARGUMENT:
        return EXIT_USAGE;
    default:
        return EXIT_ERROR;
    }
}

int args_fail(pasted_client *c, int status)
{
    fprintf(stderr, "pastectl: %s\n", pasted_error(c));
    return exit_of(status);
}

/* What the option of this field is called in the command at hand. */
static const char *name_of(size_t field, unsigned command)
{
    const char *name = "";
    for (int i = 0; i < N_ROWS; i++)
        if (rows[i].field == field &&
            (name[0] == '\0' || (rows[i].commands & command) != 0))
            name = rows[i].name;
    return name;
}

/* What the command line gave, by the table. out_name: of what is refused. */
static int set_given(pasted_client *c, const struct args *args,
                     const char **out_name)
{
    for (int i = 0; i < N_ROWS; i++) {
        if (rows[i].key == NULL)
            continue;
        const char *value =
            *(const char *const *)(const void *)((const char *)args +
                                                 rows[i].field);
        int rc = value != NULL ? pasted_set(c, rows[i].key, value) : 0;
        if (rc != 0) {
            *out_name = name_of(rows[i].field, args->command);
            return rc;
        }
    }
    return 0;
}

pasted_client *args_create(const struct args *args, int *out_exit)
{
    char name[64];
    const char *refused = NULL;
    pasted_client *c = pasted_create();
    if (c == NULL) {
        fprintf(stderr, "pastectl: out of memory\n");
        *out_exit = EXIT_ERROR;
        return NULL;
    }
    snprintf(name, sizeof name, "pastectl %s", pasted_version());
    int rc = pasted_set(c, "name", name);
    if (rc == 0)
        rc = set_given(c, args, &refused);
    if (rc == 0)
        return c;
    if (refused != NULL) { /* the library may have another name for it */
        fprintf(stderr, "pastectl: --%s: %s\n", refused, pasted_error(c));
        *out_exit = exit_of(rc);
    } else {
        *out_exit = args_fail(c, rc);
    }
    pasted_destroy(c);
    return NULL;
}

pasted_client *args_open(const struct args *args, int *out_exit, ...)
{
    int rc = 0;
    pasted_client *c = args_create(args, out_exit);
    if (c == NULL)
        return NULL;
    va_list list;
    va_start(list, out_exit);
    for (const char *key; (key = va_arg(list, const char *)) != NULL;) {
        const char *value = va_arg(list, const char *);
        if (rc == 0)
            rc = pasted_set(c, key, value);
    }
    va_end(list);
    if (rc == 0)
        rc = pasted_open(c, NULL);
    if (rc == 0)
        return c;
    *out_exit = args_fail(c, rc);
    pasted_destroy(c);
    return NULL;
}
