/* pastectl: finds the command and runs it. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "client/cli/args.h"

static const struct command commands[] = {
    {"status", CMD_STATUS, 0, NULL, "show the server's streams and their sizes",
     status_run},
    {"pull", CMD_PULL, 0, NULL,
     "pull batches into an .npz file or a folder of PNGs", pull_run},
    {"preview", CMD_PREVIEW, 0, NULL, "write one batch as a grid in a PNG",
     preview_run},
    {"recipe", CMD_RECIPE, 2, "ops [NAME]|list|show NAME",
     "list the operations or the presets that the server knows, or show a "
     "preset",
     recipe_run},
    {"group", CMD_GROUP, 1, "[NAME]",
     "list the groups of a stream, or show who had which step of one",
     group_run},
    {"feedback", CMD_FEEDBACK, 2, "list|show DIGEST|put FILE",
     "list the server's feedback tables, print one, or upload one (a row of "
     "numbers for each class) and print the digest that names it",
     feedback_run},
    {"bench", CMD_BENCH, 0, NULL,
     "measure the stream beside memcpy and a raw loopback socket", bench_run},
    {0},
};

static const struct command *find(const char *name)
{
    for (const struct command *c = commands; c->name != NULL; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

static int usage(const char *why, const char *what)
{
    fprintf(stderr, "pastectl: %s%s; try pastectl --help\n", why, what);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    struct args args = {.steps = 1, .seconds = 15};
    const struct command *command = NULL;
    int at = args_parse(&args, argc, argv, CMD_STREAM, true);
    if (at < 0)
        return EXIT_USAGE;
    if (at < argc) {
        command = find(argv[at]);
        if (command == NULL)
            return usage("no command ", argv[at]);
        int rest = args_parse(&args, argc - at, argv + at, command->bit, false);
        if (rest < 0)
            return EXIT_USAGE;
        if (rest + command->max_words < argc - at)
            return usage("do not know what to do with ",
                         argv[at + rest + command->max_words]);
        for (int i = 0; at + rest + i < argc; i++)
            args.words[i] = argv[at + rest + i];
    }
    if (args.version)
        printf("pastectl %s\n", pasted_version());
    else if (args.help)
        args_help(commands, command);
    if (args.version || args.help)
        return EXIT_OK;
    signal(SIGXFSZ, SIG_IGN); /* a write beyond a limit fails instead */
    if (command == NULL)
        return usage("a command is needed", "");
    return command->run(&args);
}
