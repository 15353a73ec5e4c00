/* pastectl recipe: the operations and presets that the server knows. Opens no
 * stream. */
#include <stdio.h>
#include <string.h>

#include "client/cli/args.h"
#include "client/cli/json.h"

#define LINE_CHARS 80
#define TEXT_BYTES 1024

/* Words of text in lines of LINE_CHARS, all but the first after `indent`
 * spaces; `column` is where the first begins. */
static void print_wrapped(const char *text, int indent, int column)
{
    while (*text != '\0') {
        int n = (int)strcspn(text, " ");
        if (column > indent && column + 1 + n > LINE_CHARS) {
            printf("\n%*s", indent, "");
            column = indent;
        } else if (column > indent) {
            putchar(' ');
            column++;
        }
        printf("%.*s", n, text);
        column += n;
        text += n;
        text += strspn(text, " ");
    }
    putchar('\n');
}

static const char *member(struct json object, const char *key, char *out)
{
    return json_text(json_member(object, key), out, TEXT_BYTES);
}

static void print_value(struct json value)
{
    char name[TEXT_BYTES], unit[TEXT_BYTES], min[TEXT_BYTES], max[TEXT_BYTES];
    char initial[TEXT_BYTES], text[TEXT_BYTES], line[6 * TEXT_BYTES];
    member(value, "unit", unit);
    snprintf(line, sizeof line, "%s%s%s .. %s, default %s. %s", unit,
             unit[0] != '\0' ? ", " : "", member(value, "min", min),
             member(value, "max", max), member(value, "default", initial),
             member(value, "text", text));
    int column = printf("  %-16s", member(value, "name", name));
    print_wrapped(line, 18, column);
}

static void print_cost(struct json cost)
{
    char a[TEXT_BYTES], b[TEXT_BYTES], c[TEXT_BYTES];
    if (!json_given(cost))
        return;
    printf("  %s / %s / %s ns a pixel (portable / AVX2 / AVX-512)\n",
           member(cost, "portable", a), member(cost, "avx2", b),
           member(cost, "avx512", c));
}

static void print_operation(struct json operation)
{
    char name[TEXT_BYTES], text[TEXT_BYTES], like[TEXT_BYTES];
    printf("%s\n  ", member(operation, "name", name));
    print_wrapped(member(operation, "text", text), 2, 2);
    if (json_given(json_member(operation, "like"))) {
        printf("  Like");
        print_wrapped(member(operation, "like", like), 2, 6);
    }
    print_cost(json_member(operation, "cost_ns_per_px"));
    struct json values = json_member(operation, "values");
    for (struct json v = json_next(values, (struct json){0}); v.at != NULL;
         v = json_next(values, v))
        print_value(v);
}

/* All operations, or the one of that name. */
static int print_operations(struct json operations, const char *only)
{
    char name[TEXT_BYTES];
    int n = 0;
    for (struct json o = json_next(operations, (struct json){0}); o.at != NULL;
         o = json_next(operations, o)) {
        if (only != NULL && strcmp(member(o, "name", name), only) != 0)
            continue;
        if (n++ > 0)
            putchar('\n');
        print_operation(o);
    }
    if (n > 0)
        return EXIT_OK;
    fprintf(stderr,
            "pastectl: the server has no operation '%s'; pastectl "
            "recipe ops lists all\n",
            only != NULL ? only : "");
    return EXIT_NOTHING;
}

static int print_presets(struct json presets)
{
    char name[TEXT_BYTES], source[TEXT_BYTES];
    for (struct json p = json_next(presets, (struct json){0}); p.at != NULL;
         p = json_next(presets, p)) {
        int column = printf("%-20s", member(p, "name", name));
        if (column > 20)
            column = printf("\n%20s", "") - 1;
        print_wrapped(member(p, "source", source), 20, column);
    }
    return EXIT_OK;
}

static int print_answer(const struct args *args, const char *what,
                        const char *text)
{
    if (args->quiet)
        return EXIT_OK;
    if (args->json || strcmp(what, "show") == 0) {
        fputs(text, stdout);
        return EXIT_OK;
    }
    struct json all = json_read(text);
    if (strcmp(what, "ops") == 0)
        return print_operations(json_member(all, "operations"), args->words[1]);
    return print_presets(json_member(all, "presets"));
}

/* What to ask the server, into out; NULL, or what is wrong with the words. */
static const char *make_question(const struct args *args, char *out,
                                 size_t out_bytes)
{
    const char *what = args->words[0], *name = args->words[1];
    int n = -1;
    if (what == NULL)
        return "wants one of: ops [NAME], list, show NAME";
    if (strcmp(what, "ops") == 0)
        n = snprintf(out, out_bytes, "operations");
    else if (strcmp(what, "list") == 0 && name == NULL)
        n = snprintf(out, out_bytes, "presets");
    else if (strcmp(what, "show") == 0 && name != NULL)
        n = snprintf(out, out_bytes, "preset %s", name);
    if (n < 0)
        return "takes: ops [NAME], list, show NAME";
    return (size_t)n < out_bytes ? NULL : "show: the name is too long";
}

int recipe_run(const struct args *args)
{
    int code = EXIT_OK;
    char question[PASTED_NAME_BYTES];
    const char *text, *wrong = make_question(args, question, sizeof question);
    if (wrong != NULL) {
        fprintf(stderr, "pastectl: recipe %s\n", wrong);
        return EXIT_USAGE;
    }
    pasted_client *c = args_create(args, &code);
    if (c == NULL)
        return code;
    int rc = pasted_ask(c, question, &text);
    code =
        rc == 0 ? print_answer(args, args->words[0], text) : args_fail(c, rc);
    pasted_destroy(c);
    return code;
}
