/* pastectl group: the groups of a stream, and the coverage of one: its members
 * and what became of each step. Joins none. */
#include <stdio.h>
#include <string.h>

#include "client/cli/args.h"
#include "client/cli/json.h"

#define TEXT_BYTES 256
#define MAX_ROWS   40 /* of steps; --json shows all */

static const char *member(struct json object, const char *key, char *out)
{
    return json_text(json_member(object, key), out, TEXT_BYTES);
}

static void print_terms(struct json report)
{
    char group[TEXT_BYTES], stream[TEXT_BYTES], batch[TEXT_BYTES];
    char world[TEXT_BYTES], position[TEXT_BYTES], steps[TEXT_BYTES];
    char begun[TEXT_BYTES], done[TEXT_BYTES], sent[TEXT_BYTES];
    char waiting[TEXT_BYTES], refused[TEXT_BYTES], ended[TEXT_BYTES];
    member(report, "ended", ended);
    printf("group %s of stream %s%s\n", member(report, "group", group),
           member(report, "stream", stream),
           strcmp(ended, "true") == 0 ? ", ended" : "");
    printf("  steps         %s from position %s, batch %s, world %s\n",
           json_given(json_member(report, "steps"))
               ? member(report, "steps", steps)
               : "no end",
           member(report, "position", position),
           member(report, "global_batch", batch),
           member(report, "world", world));
    printf("  acknowledged  %s of %s begun, %s deliveries, %s waiting, "
           "%s acknowledgements refused\n",
           member(report, "acknowledged", done), member(report, "begun", begun),
           member(report, "deliveries", sent),
           member(report, "waiting", waiting),
           member(report, "refused", refused));
}

static void print_members(struct json members)
{
    char name[TEXT_BYTES], here[TEXT_BYTES], leases[TEXT_BYTES];
    char sent[TEXT_BYTES], done[TEXT_BYTES], lost[TEXT_BYTES];
    printf("  %-32s %-5s %7s %10s %13s %6s\n", "member", "here", "leases",
           "delivered", "acknowledged", "lost");
    for (struct json m = json_next(members, (struct json){0}); m.at != NULL;
         m = json_next(members, m))
        printf("  %-32s %-5s %7s %10s %13s %6s\n", member(m, "name", name),
               strcmp(member(m, "here", here), "true") == 0 ? "yes" : "no",
               member(m, "leases", leases), member(m, "delivered", sent),
               member(m, "acknowledged", done), member(m, "lost", lost));
}

/* "1 time", "2 times". */
static const char *times_word(const char *n)
{
    return strcmp(n, "1") == 0 ? "time" : "times";
}

static void print_open(struct json open)
{
    char step[TEXT_BYTES], name[TEXT_BYTES], times[TEXT_BYTES];
    for (struct json o = json_next(open, (struct json){0}); o.at != NULL;
         o = json_next(open, o)) {
        bool leased = json_given(json_member(o, "member"));
        member(o, "deliveries", times);
        printf("  step %s: %s%s, delivered %s %s, not acknowledged\n",
               member(o, "step", step), leased ? "leased to " : "waiting",
               leased ? member(o, "member", name) : "", times,
               times_word(times));
    }
}

static void print_rows(struct json rows)
{
    char first[TEXT_BYTES], n[TEXT_BYTES], name[TEXT_BYTES];
    char times[TEXT_BYTES];
    int n_rows = 0;
    for (struct json r = json_next(rows, (struct json){0}); r.at != NULL;
         r = json_next(rows, r)) {
        if (n_rows++ == MAX_ROWS) {
            printf("  ... (--json shows all)\n");
            return;
        }
        member(r, "deliveries", times);
        printf("  from step %-10s %6s by %s, delivered %s %s\n",
               member(r, "first", first), member(r, "steps", n),
               json_given(json_member(r, "member")) ? member(r, "member", name)
                                                    : "(forgotten)",
               times, times_word(times));
    }
}

static void print_report(struct json report)
{
    print_terms(report);
    print_members(json_member(report, "members"));
    print_open(json_member(report, "open"));
    print_rows(json_member(report, "rows"));
}

/* Names alone go to standard output, for scripts. */
static void print_names(struct json list, const char *stream)
{
    char name[TEXT_BYTES];
    struct json groups = json_member(list, "groups");
    struct json g = json_next(groups, (struct json){0});
    if (g.at == NULL)
        fprintf(stderr, "stream %s has no groups\n", stream);
    for (; g.at != NULL; g = json_next(groups, g))
        printf("%s\n", json_text(g, name, sizeof name));
}

/* The stream that was named, else the server's first. */
static int find_stream(pasted_client *c, const struct args *args, char *out)
{
    struct pasted_info info;
    if (args->stream != NULL) {
        snprintf(out, PASTED_NAME_BYTES, "%s", args->stream);
        return 0;
    }
    int rc = pasted_set(c, "prefetch", "0");
    if (rc == 0)
        rc = pasted_open(c, NULL);
    if (rc == 0)
        rc = pasted_info(c, &info, sizeof info);
    if (rc == 0)
        memcpy(out, info.stream, sizeof info.stream);
    pasted_close(c);
    return rc;
}

int group_run(const struct args *args)
{
    int code = EXIT_OK;
    char stream[PASTED_NAME_BYTES], question[2 * PASTED_NAME_BYTES];
    const char *text, *name = args->words[0];
    pasted_client *c = args_create(args, &code);
    if (c == NULL)
        return code;
    int rc = find_stream(c, args, stream);
    snprintf(question, sizeof question, "%s %s%s%s", name ? "group" : "groups",
             stream, name ? " " : "", name ? name : "");
    if (rc == 0)
        rc = pasted_ask(c, question, &text);
    if (rc != 0)
        code = args_fail(c, rc);
    else if (args->json)
        printf("%s\n", text);
    else if (name != NULL)
        print_report(json_read(text));
    else
        print_names(json_read(text), stream);
    pasted_destroy(c);
    return code;
}
