/* pastectl feedback: lists the tables that the server has, prints one, or
 * uploads one from a text file and says the digest that names it. Makes no
 * table itself. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/args.h"
#include "client/cli/json.h"
#include "common/feedback.h"

/* To the next number; false where the file ends. */
static bool skip_between(FILE *file, size_t *line)
{
    int c;
    while ((c = getc(file)) != EOF && strchr(" \t\r\n,", c) != NULL && c != 0)
        *line += c == '\n';
    if (c == EOF)
        return false;
    ungetc(c, file);
    return true;
}

/* Fills numbers, most of them at most. False after saying why not. */
static bool read_all(FILE *file, const char *path, double *numbers, size_t most,
                     size_t *out_n)
{
    size_t n = 0, line = 1;
    bool more = skip_between(file, &line);
    while (more && n < most && fscanf(file, "%lf", &numbers[n]) == 1) {
        n++;
        more = skip_between(file, &line);
    }
    *out_n = n;
    if (ferror(file))
        fprintf(stderr, "pastectl: %s: %s\n", path, strerror(errno));
    else if (more && n == most)
        fprintf(stderr, "pastectl: %s: more than %d rows of as many numbers\n",
                path, FEEDBACK_MAX_CLASSES);
    else if (more)
        fprintf(stderr,
                "pastectl: %s: line %zu: number %zu of the file cannot be "
                "read; rows of plain numbers are wanted\n",
                path, line, n + 1);
    return !more && !ferror(file);
}

/* Numbers with white space or commas between; NULL after saying why not. */
static double *read_numbers(const char *path, size_t *out_n)
{
    const size_t most = (size_t)FEEDBACK_MAX_CLASSES * FEEDBACK_MAX_CLASSES;
    FILE *file = fopen(path, "re");
    double *numbers = file != NULL ? calloc(most, sizeof *numbers) : NULL;
    if (numbers == NULL) {
        fprintf(stderr, "pastectl: %s: %s\n", path, strerror(errno));
    } else if (!read_all(file, path, numbers, most, out_n)) {
        free(numbers);
        numbers = NULL;
    }
    if (file != NULL)
        fclose(file);
    return numbers;
}

static int put(pasted_client *c, const char *path, const double *numbers,
               size_t n_numbers)
{
    struct pasted_info info;
    char state[2048];
    int status = pasted_info(c, &info, sizeof info);
    if (status != 0)
        return args_fail(c, status);
    if (n_numbers != (size_t)info.n_classes * info.n_classes) {
        fprintf(stderr,
                "pastectl: %s: %zu numbers; %u rows of as many are wanted, one "
                "for each class of stream %s\n",
                path, n_numbers, info.n_classes, info.stream);
        return EXIT_ERROR;
    }
    status = pasted_feedback(c, numbers, info.n_classes);
    if (status == 0)
        status = pasted_state(c, state, sizeof state);
    if (status != 0)
        return args_fail(c, status);
    const char *digest = strstr(state, "\"feedback\":\"");
    printf("%.64s\n", digest != NULL ? digest + strlen("\"feedback\":\"") : "");
    return EXIT_OK;
}

static int run_put(const struct args *args)
{
    size_t n;
    int code = EXIT_ERROR;
    double *numbers = read_numbers(args->words[1], &n);
    if (numbers == NULL)
        return code;
    pasted_client *c = args_open(args, &code, "prefetch", "0", NULL);
    if (c != NULL)
        code = put(c, args->words[1], numbers, n);
    pasted_destroy(c);
    free(numbers);
    return code;
}

/* Digests go to standard output first of a line, for scripts. */
static void print_list(struct json list)
{
    char digest[80], n[16], in_use[8], unused[24];
    struct json tables = json_member(list, "feedback");
    struct json t = json_next(tables, (struct json){0});
    if (t.at == NULL)
        fprintf(stderr, "the server has no feedback tables\n");
    for (; t.at != NULL; t = json_next(tables, t)) {
        json_text(json_member(t, "in_use"), in_use, sizeof in_use);
        printf("%s  %s classes, ",
               json_text(json_member(t, "feedback"), digest, sizeof digest),
               json_text(json_member(t, "n_classes"), n, sizeof n));
        if (strcmp(in_use, "true") == 0)
            printf("in use\n");
        else
            printf("unused for %s s\n",
                   json_text(json_member(t, "unused_seconds"), unused,
                             sizeof unused));
    }
}

/* As put reads it: a row for each class. */
static void print_table(struct json table)
{
    char weight[16];
    struct json rows = json_member(table, "weights");
    for (struct json r = json_next(rows, (struct json){0}); r.at != NULL;
         r = json_next(rows, r)) {
        const char *between = "";
        for (struct json w = json_next(r, (struct json){0}); w.at != NULL;
             w = json_next(r, w)) {
            printf("%s%s", between, json_text(w, weight, sizeof weight));
            between = " ";
        }
        putchar('\n');
    }
}

/* digest: of the table to print, or NULL for the list. */
static int run_ask(const struct args *args, const char *digest)
{
    int code = EXIT_OK;
    char question[PASTED_NAME_BYTES];
    const char *text;
    pasted_client *c = args_create(args, &code);
    if (c == NULL)
        return code;
    snprintf(question, sizeof question, "feedback%s%s", digest ? " " : "",
             digest ? digest : "");
    int rc = pasted_ask(c, question, &text);
    if (rc != 0)
        code = args_fail(c, rc);
    else if (args->json)
        printf("%s%s", text, strchr(text, '\n') != NULL ? "" : "\n");
    else if (digest != NULL)
        print_table(json_read(text));
    else
        print_list(json_read(text));
    pasted_destroy(c);
    return code;
}

int feedback_run(const struct args *args)
{
    const char *what = args->words[0], *word = args->words[1];
    if (what != NULL && strcmp(what, "list") == 0 && word == NULL)
        return run_ask(args, NULL);
    if (what != NULL && strcmp(what, "show") == 0 && word != NULL)
        return run_ask(args, word);
    if (what != NULL && strcmp(what, "put") == 0 && word != NULL)
        return run_put(args);
    fprintf(stderr, "pastectl: feedback takes: list, show DIGEST, put FILE\n");
    return EXIT_USAGE;
}
