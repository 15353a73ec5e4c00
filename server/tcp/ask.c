/* Answers ASK: a word or two, and what this server says of it as JSON. Needs no
 * stream and moves none. Threads: loop thread only. */
#include <string.h>

#include "server/base/mem.h"
#include "server/recipe/topic.h"
#include "server/tcp/session.h"

static void send_reply(struct session *s, uint32_t request, const char *text)
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

int gateway_ask(struct session *s, const struct wire_header *h,
                struct bytes_reader *r)
{
    struct fault fault = {0};
    struct wire_ask m;
    char *text;
    if (wire_decode_ask(r, &m) != 0)
        return -ERROR_BAD_FRAME;
    int status = recipe_topic(m.what, &text, &fault);
    if (status != 0) {
        session_refuse(s, h->request, status, fault.text);
        return 0;
    }
    send_reply(s, h->request, text);
    mem_free(text);
    return 0;
}
