/* The two frames that tell a client what it has: WELCOME and OPENED. Reads no
 * message. Threads: loop thread only. */
#include <stdio.h>
#include <string.h>

#include "server/base/mem.h"
#include "server/base/version.h"
#include "server/tcp/session.h"

static size_t write_welcome(struct wire_welcome *m, uint32_t capabilities,
                            uint32_t request, uint8_t *frame, size_t n_bytes)
{
    struct bytes_writer w;
    m->capabilities = capabilities;
    wire_frame_begin(&w, frame, n_bytes);
    wire_encode_welcome(&w, m);
    return wire_frame_finish(&w, WIRE_WELCOME, request);
}

void announce_welcome(struct session *s, uint32_t request)
{
    const struct tcp_server *server = s->server;
    const struct stream_set *streams = server->streams;
    const size_t n_bytes =
        WIRE_HEADER_BYTES + 64 +
        (streams->n_streams + 1) * (size_t)(2 + WIRE_MAX_NAME_BYTES);
    struct wire_welcome *m = mem_calloc(1, sizeof *m);
    uint8_t *frame = mem_calloc(1, n_bytes);
    if (!m || !frame) {
        session_break(s, SESSION_END_ERROR, "no memory to say WELCOME");
        goto out;
    }
    m->version = WIRE_VERSION;
    m->checksum = (uint8_t)s->checksum;
    m->engine = ENGINE_VERSION;
    m->max_batch_samples = store_max_samples(server->store);
    m->max_batch_bytes = store_max_batch_bytes(server->store);
    m->max_credit_batches = server->config.max_credit_batches;
    m->max_credit_bytes = server->config.max_credit_bytes;
    m->max_pulls = SESSION_MAX_PULLS;
    m->idle_timeout_ms = server->config.idle_timeout_ms;
    snprintf(m->server, sizeof m->server, "pasted %s", PASTED_VERSION_TEXT);
    m->n_streams = (uint16_t)streams->n_streams;
    for (uint32_t i = 0; i < streams->n_streams; i++)
        memcpy(m->streams[i], streams->stream[i]->name, WIRE_MAX_NAME_BYTES);
    size_t n = write_welcome(m, s->capabilities, request, frame, n_bytes);
    if ((s->capabilities & WIRE_CAPABILITY_RING) &&
        transport_send_fd(&s->transport, frame, n,
                          store_shared_fd(server->store)) == 0)
        goto out;
    s->capabilities &= ~WIRE_CAPABILITY_RING;
    n = write_welcome(m, s->capabilities, request, frame, n_bytes);
    session_send_frame(s, frame, n);
out:
    mem_free(frame);
    mem_free(m);
}

static struct wire_opened opened(const struct session *s)
{
    const struct catalog *catalog = s->stream->catalog;
    struct wire_opened m = {
        .seed = s->stream->recipe.seed,
        .edges_per_epoch = s->stream->edges_per_epoch,
        .position = s->cursor,
        .batch_bytes = s->batch_bytes,
        .global_batch = s->global_batch,
        .rank = s->rank,
        .world = s->world,
        .n_samples = s->n_samples,
        .n_objects = catalog->n_objects,
        .n_backgrounds = catalog->n_backgrounds,
        .objects_per_background = s->stream->graph.objects_per_background,
        .height = (uint32_t)s->stream->recipe.height,
        .width = (uint32_t)s->stream->recipe.width,
        .dtype = s->dtype,
        .layout = s->layout,
        .channels = s->stream->recipe.output.channels,
        .output = s->stream->output,
        .n_classes = catalog->n_classes,
    };
    memcpy(m.fingerprint, s->stream->fingerprint.bytes, sizeof m.fingerprint);
    if (s->member)
        member_describe(s, &m);
    return m;
}

/* Class names come from folder names: cut and made valid text. */
static void write_class(struct bytes_writer *w, const char *name)
{
    char text[WIRE_MAX_NAME_BYTES];
    snprintf(text, sizeof text, "%s", name);
    bytes_text_clean(text);
    bytes_write_string(w, text);
}

void announce_opened(struct session *s, uint32_t request)
{
    const struct catalog *catalog = s->stream->catalog;
    const struct wire_opened m = opened(s);
    size_t n_bytes = WIRE_HEADER_BYTES + 128;
    for (uint32_t i = 0; i < catalog->n_classes; i++)
        n_bytes += 2 + strnlen(catalog->classes[i], WIRE_MAX_NAME_BYTES);
    uint8_t *frame = mem_calloc(1, n_bytes);
    if (!frame) {
        session_break(s, SESSION_END_ERROR, "no memory to say OPENED");
        return;
    }
    struct bytes_writer w;
    wire_frame_begin(&w, frame, n_bytes);
    wire_encode_opened(&w, &m);
    for (uint32_t i = 0; i < catalog->n_classes; i++)
        write_class(&w, catalog->classes[i]);
    n_bytes = wire_frame_finish(&w, WIRE_OPENED, request);
    if (n_bytes > 0)
        session_send_frame(s, frame, n_bytes);
    else
        session_fail(s, SESSION_END_ERROR, request, ERROR_TOO_LARGE,
                     "the names of the classes fit in no frame");
    mem_free(frame);
}
