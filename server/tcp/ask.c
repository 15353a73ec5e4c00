/* Answers ASK: a word or two, and what this server says of it as JSON. Needs no
 * stream and moves none. Threads: loop thread only. */
#include <stdio.h>
#include <string.h>

#include "common/digits.h"
#include "server/base/host.h"
#include "server/base/mem.h"
#include "server/recipe/topic.h"
#include "server/serve/feedback_text.h"
#include "server/tcp/session.h"

void ask_reply(struct session *s, uint32_t request, const char *text)
{
    const size_t n_text = strlen(text);
    const size_t n_bytes = WIRE_HEADER_BYTES + n_text;
    uint8_t *frame = mem_calloc(1, n_bytes);
    if (!frame) {
        session_break(s, SESSION_END_ERROR, "no memory to say REPLY");
        return;
    }
    struct bytes_writer w;
    wire_frame_begin(&w, frame, n_bytes);
    bytes_write_span(&w, text, n_text);
    session_send_frame(s, frame, wire_frame_finish(&w, WIRE_REPLY, request));
    mem_free(frame);
}

/* "sessions": as ask_group. */
static int ask_sessions(const struct session *s, const char *what,
                        char **out_text, struct fault *fault)
{
    if (strcmp(what, "sessions") != 0)
        return 1;
    *out_text =
        demand_json_text(s->server->store, s->server->streams, host_now_ns());
    return *out_text ? 0
                     : fault_set(fault, ERROR_NO_MEMORY, "%s",
                                 error_sentence(ERROR_NO_MEMORY));
}

/* "groups STREAM", "group STREAM NAME [FIRST]": 0, a negative code, or 1 when
 * the question is another. */
static int ask_group(const struct session *s, const char *what, char **out_text,
                     struct fault *fault)
{
    char words[4][WIRE_MAX_NAME_BYTES] = {{0}};
    uint64_t first = 0;
    int n = sscanf(what, "%255s %255s %255s %255s", words[0], words[1],
                   words[2], words[3]);
    bool list = n == 2 && strcmp(words[0], "groups") == 0;
    bool one = (n == 3 || n == 4) && strcmp(words[0], "group") == 0;
    if (!s->server->config.leases || (!list && !one))
        return 1;
    if (n == 4 && !digits_read(words[3], &first))
        return fault_set(fault, ERROR_NOT_FOUND,
                         "the first step of a report is a number");
    return group_report_text(s->server->config.leases, words[1],
                             list ? NULL : words[2], first, out_text, fault);
}

/* "recipe STREAM": as ask_group. */
static int ask_recipe(const struct session *s, const char *what,
                      char **out_text, struct fault *fault)
{
    static const char word[] = "recipe ";
    if (strncmp(what, word, strlen(word)) != 0)
        return 1;
    const char *name = what + strlen(word);
    const struct stream *stream = stream_find(s->server->streams, name);
    if (!stream)
        return fault_set(fault, ERROR_NOT_FOUND, "there is no stream \"%.64s\"",
                         name);
    return recipe_in_words(&stream->recipe, out_text, fault);
}

/* "feedback" and "feedback DIGEST": as ask_group. */
static int ask_feedback(const struct session *s, const char *what,
                        char **out_text, struct fault *fault)
{
    static const char word[] = "feedback ";
    const struct feedback_store *store = s->server->config.feedback;
    const struct feedback *table = NULL;
    struct digest digest;
    if (strcmp(what, "feedback") == 0) {
        *out_text = feedback_list_text(store);
    } else if (strncmp(what, word, strlen(word)) != 0) {
        return 1;
    } else {
        const char *hex = what + strlen(word);
        if (digest_from_hex(hex, &digest) == 0)
            table = feedback_store_look(store, &digest);
        if (!table)
            return fault_set(fault, ERROR_NOT_FOUND,
                             "there is no feedback table \"%.64s\"", hex);
        *out_text = feedback_table_text(table);
    }
    return *out_text ? 0
                     : fault_set(fault, ERROR_NO_MEMORY, "%s",
                                 error_sentence(ERROR_NO_MEMORY));
}

/* What is no question at all is told of all that there are. */
static int ask_topic(const char *what, char **out_text, struct fault *fault)
{
    static const char word[] = "preset ";
    int status = recipe_topic(what, out_text, fault);
    if (status != -ERROR_NOT_FOUND || strncmp(what, word, strlen(word)) == 0)
        return status;
    return fault_set(fault, ERROR_NOT_FOUND,
                     "nothing is known of this; there are: operations, "
                     "presets, preset NAME, recipe STREAM, sessions, groups "
                     "STREAM, group STREAM NAME [STEP], feedback, feedback "
                     "DIGEST");
}

static int find_text(const struct session *s, const char *what, char **out_text,
                     struct fault *fault)
{
    int status = ask_sessions(s, what, out_text, fault);
    if (status == 1)
        status = ask_group(s, what, out_text, fault);
    if (status == 1)
        status = ask_recipe(s, what, out_text, fault);
    if (status == 1)
        status = ask_feedback(s, what, out_text, fault);
    if (status == 1)
        status = ask_topic(what, out_text, fault);
    if (status != 0 || strlen(*out_text) <= WIRE_MAX_REPLY_BYTES)
        return status;
    mem_free(*out_text);
    return fault_set(fault, ERROR_TOO_LARGE,
                     "the answer is longer than a REPLY may be; HTTP has it");
}

int ask_answer(struct session *s, const struct wire_header *h,
               struct bytes_reader *r)
{
    struct fault fault = {0};
    struct wire_ask m;
    char *text;
    if (wire_decode_ask(r, &m) != 0)
        return -ERROR_BAD_FRAME;
    int status = find_text(s, m.what, &text, &fault);
    if (status != 0) {
        session_refuse(s, h->request, status, fault.text);
        return 0;
    }
    ask_reply(s, h->request, text);
    mem_free(text);
    return 0;
}
