/* pastectl status: what the server offers, and whether those who take batches
 * find them ready. Pulls nothing. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/cli/args.h"
#include "client/cli/json.h"

/* Class names beyond this many are counted, not printed. */
#define MAX_CLASSES_SHOWN 12

static const char *dtype_word(uint32_t dtype)
{
    switch (dtype) {
    case PASTED_U8:
        return "u8";
    case PASTED_F16:
        return "f16";
    case PASTED_BF16:
        return "bf16";
    case PASTED_F32:
        return "f32";
    default:
        return "?";
    }
}

static const char *channels_word(uint32_t channels)
{
    if (channels == PASTED_GREY)
        return "grey";
    return channels == PASTED_BGR ? "BGR" : "RGB";
}

/* An epoch is filled up to a multiple of the classes, so that some backgrounds
 * meet more objects than the recipe says. */
static void print_backgrounds(const struct pasted_info *info)
{
    uint64_t n = info->n_backgrounds > 0 ? info->n_backgrounds : 1;
    uint64_t least = info->edges_per_epoch / n;
    printf("  backgrounds  %u, %" PRIu64, info->n_backgrounds, least);
    if (info->edges_per_epoch % n > 0)
        printf(" or %" PRIu64, least + 1);
    printf(" objects on each in an epoch\n");
}

static void print_stream(pasted_client *c, const struct pasted_info *info)
{
    uint64_t steps =
        (info->edges_per_epoch + info->global_batch - 1) / info->global_batch;
    printf("stream %s\n", info->stream);
    printf("  fingerprint  %s\n", info->fingerprint);
    printf("  images       %u x %u, %s, %s, %s\n", info->height, info->width,
           dtype_word(info->dtype),
           info->layout == PASTED_NCHW ? "NCHW" : "NHWC",
           channels_word(info->channels));
    bool small = info->batch_bytes < 1000000;
    printf("  batch        %u samples, %.1f %s\n", info->n_samples,
           (double)info->batch_bytes / (small ? 1e3 : 1e6),
           small ? "kB" : "MB");
    printf("  epoch        %" PRIu64 " samples, %" PRIu64 " steps\n",
           info->edges_per_epoch, steps);
    printf("  objects      %u in %u classes\n", info->n_objects,
           info->n_classes);
    print_backgrounds(info);
    printf("  classes      ");
    for (uint32_t i = 0; i < info->n_classes && i < MAX_CLASSES_SHOWN; i++)
        printf("%s%s", i > 0 ? ", " : "", pasted_class_name(c, i));
    if (info->n_classes > MAX_CLASSES_SHOWN)
        printf(" and %u more", info->n_classes - MAX_CLASSES_SHOWN);
    printf("\n");
}

/* Stream of that index in the list of c, over a connection of its own. */
static int show_stream(const struct args *args, pasted_client *c,
                       uint32_t index)
{
    int code = EXIT_OK;
    struct pasted_info info;
    pasted_client *other = args_open(args, &code, "prefetch", "0", "stream",
                                     pasted_stream_name(c, index), NULL);
    if (other == NULL)
        return code;
    int rc = pasted_info(other, &info, sizeof info);
    if (rc == 0)
        print_stream(other, &info);
    else
        code = args_fail(other, rc);
    pasted_destroy(other);
    return code;
}

static int show(const struct args *args, pasted_client *c)
{
    struct pasted_info info;
    int rc = pasted_info(c, &info, sizeof info);
    if (rc != 0)
        return args_fail(c, rc);
    printf("server %s, engine %u, %u stream%s\n", info.server, info.engine,
           info.n_streams, info.n_streams == 1 ? "" : "s");
    if (args->stream != NULL || info.n_streams == 1) {
        print_stream(c, &info);
        return EXIT_OK;
    }
    int code = EXIT_OK;
    for (uint32_t i = 0; i < info.n_streams && code == EXIT_OK; i++)
        code = show_stream(args, c, i);
    return code;
}

#define TEXT_BYTES 300

static const char *member(struct json object, const char *key, char *out)
{
    return json_text(json_member(object, key), out, TEXT_BYTES);
}

/* "97.3 % of 120 batches were ready, 0.41 s stalled" of a stream or a session,
 * after what the readers of a stream are worth where they took batches. */
static void print_readiness(struct json of)
{
    char ready[TEXT_BYTES], waited[TEXT_BYTES], stall[TEXT_BYTES];
    char worth[TEXT_BYTES];
    double n_ready = strtod(member(of, "found_ready", ready), NULL);
    double n = n_ready + strtod(member(of, "waited", waited), NULL);
    if (n > 0 && json_given(json_member(of, "servers_worth")))
        printf("worth %s servers, ", member(of, "servers_worth", worth));
    if (n > 0)
        printf("%.1f %% of %.0f batches were ready, %.2f s stalled\n",
               100 * n_ready / n, n,
               strtod(member(of, "stall_s", stall), NULL));
    else
        printf("no batches yet\n");
}

static void print_session(struct json session)
{
    char number[TEXT_BYTES], peer[TEXT_BYTES], client[TEXT_BYTES];
    char stream[TEXT_BYTES], first[TEXT_BYTES];
    printf(
        "  session %s  %s, %s, stream %s: ", member(session, "session", number),
        member(session, "peer", peer), member(session, "client", client),
        member(session, "stream", stream));
    if (json_given(json_member(session, "first_batch_s")))
        printf("first batch after %.3f s, ",
               strtod(member(session, "first_batch_s", first), NULL));
    print_readiness(session);
}

/* How the server's consumers fare; a server too old to say so is no failure. */
static void show_sessions(pasted_client *c)
{
    const char *text;
    char name[TEXT_BYTES], replicas[TEXT_BYTES];
    if (pasted_ask(c, "sessions", &text) != 0)
        return;
    struct json all = json_read(text);
    struct json list = json_member(all, "streams");
    for (struct json s = json_next(list, (struct json){0}); s.at != NULL;
         s = json_next(list, s)) {
        printf("readiness of %s  ", member(s, "name", name));
        print_readiness(s);
    }
    printf("recommended replicas  %s\n",
           member(all, "recommended_replicas", replicas));
    list = json_member(all, "sessions");
    for (struct json s = json_next(list, (struct json){0}); s.at != NULL;
         s = json_next(list, s))
        print_session(s);
}

int status_run(const struct args *args)
{
    int code = EXIT_OK;
    pasted_client *c = args_open(args, &code, "prefetch", "0", NULL);
    if (c == NULL)
        return code;
    if (!args->quiet)
        code = show(args, c);
    if (!args->quiet && code == EXIT_OK)
        show_sessions(c);
    pasted_destroy(c);
    return code;
}
