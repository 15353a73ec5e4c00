/* A client for tests: one blocking socket, frames by hand. Reads give up after
 * 30 s. Aborts the test on anything unexpected. */
#ifndef PASTED_TESTS_TCP_PEER_H
#define PASTED_TESTS_TCP_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/checksum.h"
#include "common/wire.h"

#define PEER_KINDS 7u /* all three kinds of checksum */

struct peer {
    int fd;
    struct wire_header header;   /* of the last frame read */
    uint8_t *payload;            /* its payload; owned */
    struct wire_batch_head head; /* of the last BATCH, with its tensors */
    struct tensor_desc tensors[TENSOR_MAX_COUNT];
};

void peer_connect(struct peer *p, uint16_t port);
/* A small receive buffer, for readers that are meant to be slow. */
void peer_connect_narrow(struct peer *p, uint16_t port);
void peer_close(struct peer *p); /* orderly */
void peer_abort(struct peer *p); /* RST */

void peer_send(struct peer *p, const void *data, size_t n_bytes);
/* False when nothing of it was taken within a second. */
bool peer_try_send(struct peer *p, const void *data, size_t n_bytes);
void peer_send_hello(struct peer *p, uint16_t min, uint16_t max,
                     const char *token, uint32_t kinds);
void peer_send_open(struct peer *p, uint32_t request,
                    const struct wire_open *m);
void peer_send_credit(struct peer *p, uint32_t batches, uint64_t n_bytes);
void peer_send_pull(struct peer *p, uint32_t request, uint64_t position);
void peer_send_seek(struct peer *p, uint32_t request, uint64_t position);
void peer_send_ping(struct peer *p, uint64_t token);
void peer_send_close(struct peer *p);

/* The next frame, whole and with its checks; its type, or 0 at the end. */
int peer_read(struct peer *p);
void peer_expect(struct peer *p, int type);
/* The next frame is this ERROR; its text stays in *out when not NULL. */
void peer_expect_error(struct peer *p, uint32_t request, int code, bool fatal,
                       struct wire_error *out);
void peer_expect_end(struct peer *p);
/* A BATCH of that request that begins there; checks head and checksums. */
void peer_expect_batch(struct peer *p, uint32_t request,
                       uint64_t first_position, uint32_t n_samples);
/* Nothing arrives for ms. */
void peer_expect_silence(struct peer *p, int ms);

/* HELLO and WELCOME. */
void peer_greet(struct peer *p, uint16_t port, uint32_t kinds);
/* And OPEN, OPENED: rank of world of the stream's default batch. */
struct wire_opened peer_open(struct peer *p, const char *stream, uint32_t rank,
                             uint32_t world, uint64_t position,
                             uint32_t request);

#endif
