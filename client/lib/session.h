/* One connection that speaks frames: the handshake, control frames in and out.
 * BATCH payloads are left on the socket for the caller. Never retries.
 * Threads: one at a time. */
#ifndef PASTED_CLIENT_LIB_SESSION_H
#define PASTED_CLIENT_LIB_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "client/lib/connection.h"
#include "client/lib/frame.h"
#include "client/lib/options.h"
#include "client/lib/ring.h"
#include "common/checksum.h"

#define SESSION_HELD_BYTES (16 * (WIRE_HEADER_BYTES + 8))

struct session {
    struct connection connection;
    const struct options *options;
    struct wire_welcome welcome;
    struct wire_opened opened;
    struct ring *ring;       /* the server's memory; NULL: not shared */
    uint32_t retry_after_ms; /* what the last ERROR asked for */
    uint8_t *control;        /* the payload that was read last */
    size_t control_capacity;
    struct frame frame;               /* the frame that was read last */
    uint8_t held[SESSION_HELD_BYTES]; /* RETURNs that go with the next frame */
    size_t n_held;
};

void session_init(struct session *s, const struct options *options, int wake_fd,
                  bool (*stopping)(void *context), void *context);
void session_fini(struct session *s);

/* HELLO -> WELCOME over the connection that s->connection holds. Fails as the
 * connection does, or with what the server answered. */
int session_hello(struct session *s, int64_t deadline_ns, struct fault *fault);
/* OPEN -> OPENED, which must be what was asked for. Class names stay in
 * s->control (frame_class_names). */
int session_open(struct session *s, const struct wire_open *open,
                 uint32_t request, int64_t deadline_ns, struct fault *fault);

/* FEEDBACK -> REPLY, after HELLO; the digest that the server gives it. */
int session_upload(struct session *s, const struct wire_feedback *table,
                   uint8_t out_digest[FEEDBACK_DIGEST_BYTES],
                   int64_t deadline_ns, struct fault *fault);

/* ASK -> REPLY, after HELLO; the text is the payload in s->control until the
 * next read. -ERROR_UNSUPPORTED when the server cannot. */
int session_ask(struct session *s, const char *what, int64_t deadline_ns,
                struct fault *fault);

/* JOIN -> OPENED, likewise. */
int session_join(struct session *s, const struct wire_join *join,
                 uint32_t request, int64_t deadline_ns, struct fault *fault);

/* Reads a header and, for all but BATCH, the payload, into s->frame; answers
 * PING itself. */
int session_read(struct session *s, int64_t deadline_ns, struct fault *fault);

int session_send_credit(struct session *s, uint32_t request,
                        const struct wire_credit *credit, int64_t deadline_ns,
                        struct fault *fault);
int session_send_seek(struct session *s, uint32_t request, uint64_t position,
                      int64_t deadline_ns, struct fault *fault);
int session_send_pull(struct session *s, uint32_t request, uint64_t position,
                      int64_t deadline_ns, struct fault *fault);
/* A frame whose payload, h->payload_bytes of it, is made and summed already. */
int session_send_payload(struct session *s, const struct wire_header *h,
                         const uint8_t *payload, int64_t deadline_ns,
                         struct fault *fault);
int session_send_ack(struct session *s, uint64_t lease, int64_t deadline_ns,
                     struct fault *fault);
/* Tells the server which slots were released: some are kept to go out in one
 * piece with the next frame, or by session_flush. */
int session_send_returns(struct session *s, int64_t deadline_ns,
                         struct fault *fault);
int session_flush(struct session *s, int64_t deadline_ns, struct fault *fault);
int session_send_ping(struct session *s, int64_t deadline_ns,
                      struct fault *fault);
/* A goodbye, as far as the socket takes it now; then closes. */
void session_close(struct session *s);

/* The sentence of an ERROR or CLOSE as a fault; returns its negative code. */
int session_server_error(const struct session *s, struct fault *fault);

#endif
