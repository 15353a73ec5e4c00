/* Frames over one connection. Holds no batch and never retries. */
#include "client/lib/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/lib/clock.h"
#include "common/digits.h"
#include "common/fingerprint.h"

void session_init(struct session *s, const struct options *options, int wake_fd,
                  bool (*stopping)(void *context), void *context)
{
    memset(s, 0, sizeof *s);
    s->options = options;
    connection_init(&s->connection, wake_fd, stopping, context);
}

/* The socket lives on while something of the ring is held. */
static void leave(struct session *s)
{
    if (s->ring != NULL) {
        ring_leave(s->ring, s->connection.fd);
        s->connection.fd = -1;
        s->ring = NULL;
    }
    s->n_held = 0;
    connection_close(&s->connection);
}

void session_fini(struct session *s)
{
    leave(s);
    free(s->control);
    s->control = NULL;
    s->control_capacity = 0;
}

int session_flush(struct session *s, int64_t deadline_ns, struct fault *fault)
{
    size_t n_bytes = s->n_held;
    s->n_held = 0;
    return n_bytes == 0 ? 0
                        : connection_write(&s->connection, s->held, n_bytes,
                                           deadline_ns, fault);
}

static int send_frame(struct session *s, struct bytes_writer *w,
                      enum wire_type type, uint32_t request,
                      int64_t deadline_ns, struct fault *fault)
{
    size_t n_bytes = wire_frame_finish(w, type, request);
    if (n_bytes == 0)
        return fault_set(fault, ERROR_INTERNAL, "a %s does not fit",
                         wire_type_name(type));
    if (s->n_held + n_bytes <= sizeof s->held) {
        memcpy(s->held + s->n_held, w->start, n_bytes);
        s->n_held += n_bytes;
        return session_flush(s, deadline_ns, fault);
    }
    int rc = session_flush(s, deadline_ns, fault);
    return rc ? rc
              : connection_write(&s->connection, w->start, n_bytes, deadline_ns,
                                 fault);
}

int session_send_credit(struct session *s, uint32_t request,
                        const struct wire_credit *credit, int64_t deadline_ns,
                        struct fault *fault)
{
    uint8_t bytes[WIRE_HEADER_BYTES + 48];
    struct bytes_writer w;
    struct wire_credit m = *credit;
    m.has_pace = (s->welcome.capabilities & WIRE_CAPABILITY_PACE) != 0;
    wire_frame_begin(&w, bytes, sizeof bytes);
    wire_encode_credit(&w, &m);
    return send_frame(s, &w, WIRE_CREDIT, request, deadline_ns, fault);
}

int session_send_seek(struct session *s, uint32_t request, uint64_t position,
                      int64_t deadline_ns, struct fault *fault)
{
    uint8_t bytes[WIRE_HEADER_BYTES + 16];
    struct bytes_writer w;
    wire_frame_begin(&w, bytes, sizeof bytes);
    wire_encode_seek(&w, &(struct wire_seek){.position = position});
    return send_frame(s, &w, WIRE_SEEK, request, deadline_ns, fault);
}

int session_send_pull(struct session *s, uint32_t request, uint64_t position,
                      int64_t deadline_ns, struct fault *fault)
{
    uint8_t bytes[WIRE_HEADER_BYTES + 16];
    struct bytes_writer w;
    wire_frame_begin(&w, bytes, sizeof bytes);
    wire_encode_pull(&w, &(struct wire_pull){.position = position});
    return send_frame(s, &w, WIRE_PULL, request, deadline_ns, fault);
}

int session_send_payload(struct session *s, const struct wire_header *h,
                         const uint8_t *payload, int64_t deadline_ns,
                         struct fault *fault)
{
    uint8_t front[WIRE_HEADER_BYTES];
    wire_encode_header(front, h);
    int rc = session_flush(s, deadline_ns, fault);
    if (rc == 0)
        rc = connection_write(&s->connection, front, sizeof front, deadline_ns,
                              fault);
    if (rc == 0)
        rc = connection_write(&s->connection, payload, (size_t)h->payload_bytes,
                              deadline_ns, fault);
    return rc;
}

int session_send_ack(struct session *s, uint64_t lease, int64_t deadline_ns,
                     struct fault *fault)
{
    uint8_t bytes[WIRE_HEADER_BYTES + 16];
    struct bytes_writer w;
    wire_frame_begin(&w, bytes, sizeof bytes);
    wire_encode_ack(&w, &(struct wire_ack){.lease = lease});
    return send_frame(s, &w, WIRE_ACK, 0, deadline_ns, fault);
}

int session_send_returns(struct session *s, int64_t deadline_ns,
                         struct fault *fault)
{
    enum { FRAME_BYTES = WIRE_HEADER_BYTES + 8 };
    uint64_t slot;
    int rc = 0;
    while (rc == 0 && s->ring != NULL &&
           ring_take_released(s->ring, &slot, 1) == 1) {
        struct bytes_writer w;
        if (s->n_held + FRAME_BYTES > sizeof s->held)
            rc = session_flush(s, deadline_ns, fault);
        wire_frame_begin(&w, s->held + s->n_held, FRAME_BYTES);
        wire_encode_return(&w, &(struct wire_return){.slot = slot});
        s->n_held += wire_frame_finish(&w, WIRE_RETURN, 0);
    }
    return rc;
}

static int send_ping(struct session *s, enum wire_type type, uint32_t request,
                     uint64_t token, int64_t deadline_ns, struct fault *fault)
{
    uint8_t bytes[WIRE_HEADER_BYTES + 16];
    struct bytes_writer w;
    wire_frame_begin(&w, bytes, sizeof bytes);
    wire_encode_ping(&w, &(struct wire_ping){.token = token});
    return send_frame(s, &w, type, request, deadline_ns, fault);
}

int session_send_ping(struct session *s, int64_t deadline_ns,
                      struct fault *fault)
{
    return send_ping(s, WIRE_PING, 0, (uint64_t)clock_now_ns(), deadline_ns,
                     fault);
}

void session_close(struct session *s)
{
    uint8_t bytes[WIRE_HEADER_BYTES + 32];
    struct bytes_writer w;
    if (s->connection.fd >= 0) {
        struct wire_close goodbye = {0};
        wire_frame_begin(&w, bytes, sizeof bytes);
        wire_encode_close(&w, &goodbye);
        /* Whether it arrives does not matter: the socket's end says it too. */
        (void)send_frame(s, &w, WIRE_CLOSE, 0, clock_now_ns(), NULL);
    }
    leave(s);
}

static bool make_room(struct session *s, size_t n_bytes)
{
    if (s->control_capacity >= n_bytes)
        return true;
    uint8_t *grown = realloc(s->control, n_bytes);
    if (grown == NULL)
        return false;
    s->control = grown;
    s->control_capacity = n_bytes;
    return true;
}

int session_read(struct session *s, int64_t deadline_ns, struct fault *fault)
{
    uint8_t bytes[WIRE_HEADER_BYTES];
    struct wire_header *h = &s->frame.header;
    int rc = connection_read(&s->connection, bytes, sizeof bytes, deadline_ns,
                             fault);
    if (rc == 0)
        rc = frame_decode_header(bytes, s->options->max_batch_bytes, h, fault);
    if (rc != 0 || h->type == WIRE_BATCH)
        return rc;
    size_t n_bytes = (size_t)h->payload_bytes;
    if (!make_room(s, n_bytes > 0 ? n_bytes : 1))
        return fault_set(fault, ERROR_NO_MEMORY, "out of memory");
    rc = connection_read(&s->connection, s->control, n_bytes, deadline_ns,
                         fault);
    if (rc == 0)
        rc = frame_decode(&s->frame, s->control, fault);
    if (rc == 0 && h->type == WIRE_PING)
        rc = send_ping(s, WIRE_PONG, h->request, s->frame.u.ping.token,
                       deadline_ns, fault);
    return rc;
}

int session_server_error(const struct session *s, struct fault *fault)
{
    bool is_error = s->frame.header.type == WIRE_ERROR;
    int code = is_error ? s->frame.u.error.code : s->frame.u.close.code;
    const char *text = is_error ? s->frame.u.error.text : s->frame.u.close.text;
    if (strcmp(error_word(code), "unknown") == 0 || code == 0)
        code = is_error ? ERROR_INTERNAL : ERROR_CLOSED;
    return fault_set(fault, (enum error_code)code, "the server says: %s",
                     text[0] != '\0' ? text : error_sentence(code));
}

/* Reads until a frame of that type; whatever else may come first is answered
 * or refused. */
static int expect(struct session *s, int type, int64_t deadline_ns,
                  struct fault *fault)
{
    for (;;) {
        int rc = session_read(s, deadline_ns, fault);
        if (rc != 0)
            return rc;
        int got = s->frame.header.type;
        if (got == type)
            return 0;
        if (got == WIRE_ERROR)
            s->retry_after_ms = s->frame.u.error.retry_after_ms;
        if (got == WIRE_ERROR || got == WIRE_CLOSE)
            return session_server_error(s, fault);
        if (got == WIRE_DRAIN)
            return fault_set(fault, ERROR_DRAINING, "the server is stopping");
        if (got != WIRE_PING && got != WIRE_PONG)
            return fault_set(fault, ERROR_BAD_FRAME,
                             "the server sent %s where %s belongs",
                             wire_type_name(got), wire_type_name(type));
    }
}

/* What WELCOME granted must have been asked for, and the memory be there. */
static int take_ring(struct session *s, bool asked, struct fault *fault)
{
    struct connection *c = &s->connection;
    int fd = c->passed_fd;
    c->takes_fd = false;
    c->passed_fd = -1;
    bool granted = s->welcome.capabilities & WIRE_CAPABILITY_RING;
    if (granted && asked && fd >= 0)
        return ring_create(fd, c->wake_fd, &s->ring, fault);
    if (fd >= 0)
        close(fd);
    if (!granted)
        return 0;
    return fault_set(fault, ERROR_BAD_FRAME,
                     asked ? "the server promised memory and passed none"
                           : "the server granted what was not asked for");
}

int session_hello(struct session *s, int64_t deadline_ns, struct fault *fault)
{
    uint8_t bytes[WIRE_MAX_CLIENT_BYTES];
    struct bytes_writer w;
    const bool is_unix = s->connection.is_unix;
    const bool ring = is_unix && s->options->ring;
    const uint32_t kinds = options_kinds(s->options, is_unix);
    struct wire_hello hello = {.min_version = WIRE_VERSION,
                               .max_version = WIRE_VERSION,
                               .capabilities =
                                   WIRE_CAPABILITY_ASK | WIRE_CAPABILITY_PACE |
                                   WIRE_CAPABILITY_HARD |
                                   (ring ? WIRE_CAPABILITY_RING : 0),
                               .checksum_kinds = kinds};
    memcpy(hello.client, s->options->name, sizeof hello.client);
    if (s->options->group[0] != '\0')
        hello.capabilities |= WIRE_CAPABILITY_GROUPS | WIRE_CAPABILITY_KEEP;
    if (s->options->replay > 0)
        hello.capabilities |= WIRE_CAPABILITY_REPLAY;
    int rc = options_token(s->options, hello.token, fault);
    if (rc != 0)
        return rc;
    wire_frame_begin(&w, bytes, sizeof bytes);
    wire_encode_hello(&w, &hello);
    s->connection.takes_fd = ring;
    rc = send_frame(s, &w, WIRE_HELLO, 0, deadline_ns, fault);
    if (rc == 0)
        rc = expect(s, WIRE_WELCOME, deadline_ns, fault);
    if (rc == -ERROR_TIMEOUT) /* what speaks HTTP waits for more of a line */
        return fault_set(fault, ERROR_TIMEOUT,
                         "no answer in time; is it the port of HTTP?");
    if (rc != 0)
        return rc;
    s->welcome = s->frame.u.welcome;
    rc = take_ring(s, ring, fault);
    if (rc != 0)
        return rc;
    if (s->welcome.version != WIRE_VERSION)
        return fault_set(fault, ERROR_UNSUPPORTED,
                         "the server chose version %u of the protocol",
                         s->welcome.version);
    if ((kinds >> s->welcome.checksum & 1) == 0)
        return fault_set(fault, ERROR_BAD_FRAME,
                         "the server chose a checksum that was not offered");
    return 0;
}

/* OPENED is in s->frame: is it what OPEN or JOIN asked for? */
static int check_opened(struct session *s, const struct wire_open *asked,
                        uint32_t request, struct fault *fault)
{
    s->opened = s->frame.u.opened;
    const struct wire_opened *o = &s->opened;
    if (s->frame.header.request != request || o->position != asked->position ||
        o->rank != asked->rank || o->world != asked->world ||
        (asked->global_batch != 0 && o->global_batch != asked->global_batch))
        return fault_set(fault, ERROR_BAD_FRAME,
                         "the server opened something else than was asked");
    if (asked->has_fingerprint && memcmp(o->fingerprint, asked->fingerprint,
                                         sizeof o->fingerprint) != 0) {
        char why[FINGERPRINT_TEXT_BYTES];
        fingerprint_explain(o->fingerprint, asked->fingerprint, why);
        return fault_set(fault, ERROR_FINGERPRINT,
                         "the stream's fingerprint is not the expected one: %s",
                         why);
    }
    if (o->batch_bytes < WIRE_BATCH_HEAD_BYTES + WIRE_TENSOR_BYTES)
        return fault_set(fault, ERROR_BAD_FRAME,
                         "the server's batches have no tensors");
    if (o->batch_bytes > s->options->max_batch_bytes)
        return fault_set(fault, ERROR_TOO_LARGE,
                         "a batch has %llu bytes, max_batch_bytes is %llu",
                         (unsigned long long)o->batch_bytes,
                         (unsigned long long)s->options->max_batch_bytes);
    return 0;
}

/* What the server does not know it would call malformed. */
static int check_extras(const struct session *s, const struct wire_extras *e,
                        struct fault *fault)
{
    const uint32_t lacks = wire_extras_needs(e) & ~s->welcome.capabilities;
    if (lacks == 0)
        return 0;
    return fault_set(fault, ERROR_UNSUPPORTED, "the server (%s) %s",
                     s->welcome.server,
                     lacks & WIRE_CAPABILITY_REPLAY ? "does not replay"
                     : e->has_feedback              ? "takes no feedback"
                                                    : "has no candidates");
}

int session_open(struct session *s, const struct wire_open *open,
                 uint32_t request, int64_t deadline_ns, struct fault *fault)
{
    uint8_t bytes[WIRE_MAX_CLIENT_BYTES];
    struct bytes_writer w;
    int rc = check_extras(s, &open->extras, fault);
    if (rc != 0)
        return rc;
    wire_frame_begin(&w, bytes, sizeof bytes);
    wire_encode_open(&w, open);
    rc = send_frame(s, &w, WIRE_OPEN, request, deadline_ns, fault);
    if (rc == 0)
        rc = expect(s, WIRE_OPENED, deadline_ns, fault);
    return rc != 0 ? rc : check_opened(s, open, request, fault);
}

/* The text of a REPLY to FEEDBACK: {"feedback":"<64 digits>"}. */
static int read_digest(const struct session *s,
                       uint8_t out[FEEDBACK_DIGEST_BYTES], struct fault *fault)
{
    static const char before[] = "{\"feedback\":\"";
    const size_t n = (size_t)s->frame.header.payload_bytes;
    char hex[2 * FEEDBACK_DIGEST_BYTES + 1] = "";
    if (n == sizeof before - 1 + sizeof hex - 1 + 2 &&
        memcmp(s->control, before, sizeof before - 1) == 0)
        memcpy(hex, s->control + sizeof before - 1, sizeof hex - 1);
    if (digits_read_hex(hex, out, FEEDBACK_DIGEST_BYTES))
        return 0;
    return fault_set(fault, ERROR_BAD_FRAME,
                     "the server's answer to FEEDBACK holds no digest");
}

int session_upload(struct session *s, const struct wire_feedback *table,
                   uint8_t out_digest[FEEDBACK_DIGEST_BYTES],
                   int64_t deadline_ns, struct fault *fault)
{
    const struct wire_extras asked = {.has_feedback = true};
    const size_t n_bytes = WIRE_HEADER_BYTES + 2 + sizeof table->stream +
                           feedback_bytes(table->n_classes);
    struct bytes_writer w;
    int rc = check_extras(s, &asked, fault);
    if (rc != 0)
        return rc;
    uint8_t *bytes = malloc(n_bytes);
    if (bytes == NULL)
        return fault_set(fault, ERROR_NO_MEMORY, "out of memory");
    wire_frame_begin(&w, bytes, n_bytes);
    wire_encode_feedback(&w, table);
    rc = send_frame(s, &w, WIRE_FEEDBACK, 0, deadline_ns, fault);
    free(bytes);
    if (rc == 0)
        rc = expect(s, WIRE_REPLY, deadline_ns, fault);
    return rc != 0 ? rc : read_digest(s, out_digest, fault);
}

int session_join(struct session *s, const struct wire_join *join,
                 uint32_t request, int64_t deadline_ns, struct fault *fault)
{
    uint8_t bytes[WIRE_MAX_CLIENT_BYTES];
    struct bytes_writer w;
    struct wire_open as_open = {.has_fingerprint = join->has_fingerprint,
                                .global_batch = join->global_batch,
                                .world = join->world,
                                .position = join->position};
    memcpy(as_open.fingerprint, join->fingerprint, sizeof as_open.fingerprint);
    if ((s->welcome.capabilities & WIRE_CAPABILITY_GROUPS) == 0)
        return fault_set(fault, ERROR_UNSUPPORTED,
                         "the server (%s) has no groups", s->welcome.server);
    int rc = check_extras(s, &join->extras, fault);
    if (rc != 0)
        return rc;
    wire_frame_begin(&w, bytes, sizeof bytes);
    wire_encode_join(&w, join);
    rc = send_frame(s, &w, WIRE_JOIN, request, deadline_ns, fault);
    if (rc == 0)
        rc = expect(s, WIRE_OPENED, deadline_ns, fault);
    return rc != 0 ? rc : check_opened(s, &as_open, request, fault);
}

int session_ask(struct session *s, const char *what, int64_t deadline_ns,
                struct fault *fault)
{
    uint8_t bytes[WIRE_HEADER_BYTES + 2 + WIRE_MAX_NAME_BYTES];
    struct bytes_writer w;
    struct wire_ask ask = {.what = ""};
    if ((s->welcome.capabilities & WIRE_CAPABILITY_ASK) == 0)
        return fault_set(fault, ERROR_UNSUPPORTED,
                         "the server (%s) is older than this client: it "
                         "answers no questions",
                         s->welcome.server);
    if (strlen(what) >= sizeof ask.what ||
        !bytes_text_valid(what, strlen(what)))
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "a question is up to %d bytes of plain text",
                         WIRE_MAX_NAME_BYTES - 1);
    snprintf(ask.what, sizeof ask.what, "%s", what);
    wire_frame_begin(&w, bytes, sizeof bytes);
    wire_encode_ask(&w, &ask);
    int rc = send_frame(s, &w, WIRE_ASK, 1, deadline_ns, fault);
    if (rc == 0)
        rc = expect(s, WIRE_REPLY, deadline_ns, fault);
    return rc;
}
