/* pastectl feedback put: uploads a table of weights from a text file and says
 * the digest that names it. Makes no table itself. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/args.h"
#include "common/feedback.h"

/* Numbers with white space or commas between; NULL after saying why not. */
static double *read_numbers(const char *path, size_t *out_n)
{
    const size_t most = (size_t)FEEDBACK_MAX_CLASSES * FEEDBACK_MAX_CLASSES;
    FILE *file = fopen(path, "re");
    double *numbers = file != NULL ? calloc(most, sizeof *numbers) : NULL;
    size_t n = 0;
    if (numbers == NULL) {
        fprintf(stderr, "pastectl: %s: %s\n", path, strerror(errno));
    } else {
        while (n < most && fscanf(file, "%lf", &numbers[n]) == 1) {
            n++;
            if (fscanf(file, "%*[ \t\r\n,]") == EOF)
                break;
        }
        if (!feof(file)) {
            fprintf(stderr,
                    "pastectl: %s: number %zu cannot be read (rows of plain "
                    "numbers are wanted), or beyond %d classes\n",
                    path, n + 1, FEEDBACK_MAX_CLASSES);
            free(numbers);
            numbers = NULL;
        }
    }
    if (file != NULL)
        fclose(file);
    *out_n = n;
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

int feedback_run(const struct args *args)
{
    size_t n;
    int code = EXIT_USAGE;
    if (args->words[1] == NULL || strcmp(args->words[0], "put") != 0) {
        fprintf(stderr, "pastectl: feedback takes put FILE\n");
        return code;
    }
    double *numbers = read_numbers(args->words[1], &n);
    if (numbers == NULL)
        return EXIT_ERROR;
    pasted_client *c = args_open(args, &code, "prefetch", "0", NULL);
    if (c != NULL)
        code = put(c, args->words[1], numbers, n);
    pasted_destroy(c);
    free(numbers);
    return code;
}
