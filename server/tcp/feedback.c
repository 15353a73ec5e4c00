/* Answers FEEDBACK: keeps a table and says its digest. Needs no stream and
 * moves none. Threads: loop thread only. */
#include <stdio.h>

#include "server/base/mem.h"
#include "server/tcp/session.h"

void feedback_drop(struct session *s)
{
    mem_free(s->table);
    s->table = NULL;
    s->server->large_bytes -= s->table_bytes;
    s->table_bytes = 0;
}

int feedback_begin(struct session *s, const struct wire_header *h,
                   uint8_t **out_payload)
{
    feedback_drop(s);
    if (h->payload_bytes > SERVER_MAX_LARGE_BYTES - s->server->large_bytes)
        return -ERROR_OVERLOADED;
    s->table = mem_calloc(1, (size_t)h->payload_bytes);
    if (!s->table)
        return -ERROR_NO_MEMORY;
    s->table_bytes = h->payload_bytes;
    s->server->large_bytes += s->table_bytes;
    *out_payload = s->table;
    return 0;
}

int feedback_on_upload(struct session *s, const struct wire_header *h,
                       struct bytes_reader *r)
{
    struct wire_feedback m;
    struct fault fault = {0};
    struct feedback *table;
    char hex[DIGEST_HEX_BYTES], text[DIGEST_HEX_BYTES + 16];
    if (wire_decode_feedback(r, &m) != 0)
        return -ERROR_BAD_FRAME;
    const struct stream *stream = stream_find(s->server->streams, m.stream);
    int status =
        stream
            ? feedback_store_put(s->server->config.feedback, stream,
                                 m.n_classes, m.weights, &table, &fault)
            : fault_set(&fault, ERROR_NOT_FOUND, "no stream \"%s\"", m.stream);
    if (status != 0) {
        session_refuse(s, h->request, status, fault.text);
        return 0;
    }
    digest_hex(&table->digest, hex);
    feedback_unref(table);
    snprintf(text, sizeof text, "{\"feedback\":\"%s\"}", hex);
    ask_reply(s, h->request, text);
    return 0;
}
