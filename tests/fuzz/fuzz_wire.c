/* Fuzz target: bytes as a frame of either direction. What decodes must encode
 * to the same bytes (text of ERROR and CLOSE too: it was valid). */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "common/wire.h"
#include "tests/fuzz/fuzz.h"

static union {
    struct wire_hello hello;
    struct wire_welcome welcome;
    struct wire_open open;
    struct wire_opened opened;
    struct wire_credit credit;
    struct wire_pull pull;
    struct wire_seek seek;
    struct wire_error error;
    struct wire_ping ping;
    struct wire_close close;
    struct wire_drain drain;
    struct wire_join join;
    struct wire_lease lease;
    struct wire_ack ack;
    struct wire_acked acked;
    struct wire_ask ask;
    struct wire_slot slot;
    struct wire_return return_;
    struct wire_refine refine;
    struct wire_feedback feedback;
} m;

/* Decodes the payload of r and, when it was good, writes it again to w. */
static bool again(int type, struct bytes_reader *r, struct bytes_writer *w)
{
    char name[WIRE_MAX_NAME_BYTES];
    switch (type) {
#define ROW(type, field, decode, encode)                                       \
    case type:                                                                 \
        if (decode(r, &m.field) != 0)                                          \
            return false;                                                      \
        encode(w, &m.field);                                                   \
        return true;
        ROW(WIRE_HELLO, hello, wire_decode_hello, wire_encode_hello)
        ROW(WIRE_WELCOME, welcome, wire_decode_welcome, wire_encode_welcome)
        ROW(WIRE_OPEN, open, wire_decode_open, wire_encode_open)
        ROW(WIRE_CREDIT, credit, wire_decode_credit, wire_encode_credit)
        ROW(WIRE_PULL, pull, wire_decode_pull, wire_encode_pull)
        ROW(WIRE_SEEK, seek, wire_decode_seek, wire_encode_seek)
        ROW(WIRE_ERROR, error, wire_decode_error, wire_encode_error)
        ROW(WIRE_PING, ping, wire_decode_ping, wire_encode_ping)
        ROW(WIRE_PONG, ping, wire_decode_ping, wire_encode_ping)
        ROW(WIRE_CLOSE, close, wire_decode_close, wire_encode_close)
        ROW(WIRE_DRAIN, drain, wire_decode_drain, wire_encode_drain)
        ROW(WIRE_JOIN, join, wire_decode_join, wire_encode_join)
        ROW(WIRE_LEASE, lease, wire_decode_lease, wire_encode_lease)
        ROW(WIRE_ACK, ack, wire_decode_ack, wire_encode_ack)
        ROW(WIRE_ACKED, acked, wire_decode_acked, wire_encode_acked)
        ROW(WIRE_ASK, ask, wire_decode_ask, wire_encode_ask)
        ROW(WIRE_SLOT, slot, wire_decode_slot, wire_encode_slot)
        ROW(WIRE_RETURN, return_, wire_decode_return, wire_encode_return)
        ROW(WIRE_REFINE, refine, wire_decode_refine, wire_encode_refine)
        ROW(WIRE_FEEDBACK, feedback, wire_decode_feedback, wire_encode_feedback)
#undef ROW
    case WIRE_OPENED:
        if (wire_decode_opened(r, &m.opened) != 0)
            return false;
        wire_encode_opened(w, &m.opened);
        for (uint32_t i = 0; i < m.opened.n_classes; i++) {
            bytes_read_string(r, name, sizeof name);
            bytes_write_string(w, name);
        }
        return bytes_reader_done(r);
    default:
        return false;
    }
}

static void batch(const uint8_t *payload, size_t n_bytes)
{
    struct wire_batch_head head;
    struct tensor_desc tensors[TENSOR_MAX_COUNT];
    if (wire_decode_batch_head(payload, n_bytes, &head, tensors) != 0)
        return;
    uint8_t out[WIRE_MAX_BATCH_HEAD_BYTES];
    struct bytes_writer w;
    bytes_writer_init(&w, out, sizeof out);
    wire_encode_batch_head(&w, &head, tensors);
    if (w.failed || memcmp(out, payload, bytes_written(&w)) != 0)
        abort();
    for (uint16_t i = 0; i < head.n_tensors; i++)
        if (tensors[i].offset_bytes + tensors[i].n_bytes > n_bytes)
            abort();
}

static void message(int type, const uint8_t *payload, size_t n_bytes)
{
    if (type == WIRE_BATCH) {
        batch(payload, n_bytes);
        return;
    }
    uint8_t *out = malloc(n_bytes + 1);
    struct bytes_reader r;
    struct bytes_writer w;
    bytes_reader_init(&r, payload, n_bytes);
    bytes_writer_init(&w, out, n_bytes);
    if (out && again(type, &r, &w))
        if (w.failed || bytes_written(&w) != n_bytes ||
            memcmp(out, payload, n_bytes) != 0)
            abort();
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    struct wire_header h;
    if (n_bytes >= WIRE_HEADER_BYTES && wire_decode_header(data, &h) == 0) {
        const uint8_t *payload = data + WIRE_HEADER_BYTES;
        size_t n_left = n_bytes - WIRE_HEADER_BYTES;
        if (h.payload_bytes <= n_left && wire_check_payload(&h, payload) == 0)
            message(h.type, payload, (size_t)h.payload_bytes);
    }
    /* The first byte may choose the type too: so that a search for inputs
     * need not guess a crc. */
    if (n_bytes > 0)
        message(data[0] % 32, data + 1, n_bytes - 1);
    return 0;
}
