/* One filled message of every type. Does not test anything itself. */
#include "tests/unit/wire_samples.h"

#include <stdlib.h>
#include <string.h>

#include "common/error.h"

const int sample_types[] = {
    WIRE_HELLO,  WIRE_WELCOME, WIRE_OPEN,  WIRE_OPENED, WIRE_CREDIT,
    WIRE_PULL,   WIRE_SEEK,    WIRE_ERROR, WIRE_PING,   WIRE_PONG,
    WIRE_CLOSE,  WIRE_DRAIN,   WIRE_JOIN,  WIRE_LEASE,  WIRE_ACK,
    WIRE_ACKED,  WIRE_ASK,     WIRE_SLOT,  WIRE_RETURN, WIRE_FEEDBACK,
    WIRE_REFINE,
};
const int sample_n_types = sizeof sample_types / sizeof sample_types[0];

#define FINGERPRINT                                                            \
    {                                                                          \
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19,  \
            20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31                     \
    }

static const struct wire_hello hello = {
    .min_version = 1,
    .max_version = 3,
    .checksum_kinds = 7,
    .client = "demo \xc3\xa9",
    .token = "open-sesame-0000",
};
static const struct wire_welcome welcome = {
    .version = 1,
    .checksum = 2,
    .engine = 1,
    .max_batch_samples = 65536,
    .max_batch_bytes = 1ull << 32,
    .max_credit_batches = 1024,
    .max_credit_bytes = 1ull << 36,
    .max_pulls = 16,
    .idle_timeout_ms = 120000,
    .server = "pasted 0.1.0",
    .n_streams = 2,
    .streams = {"default", "signs"},
};
static const struct wire_open open_ = {
    .stream = "default",
    .has_fingerprint = true,
    .fingerprint = FINGERPRINT,
    .global_batch = 86,
    .rank = 1,
    .world = 2,
    .position = 86,
    .dtype = TENSOR_U8,
    .layout = TENSOR_NHWC,
};
static const struct wire_opened opened = {
    .fingerprint = FINGERPRINT,
    .seed = 7,
    .edges_per_epoch = 344,
    .position = 86,
    .batch_bytes = 528384,
    .global_batch = 86,
    .rank = 1,
    .world = 2,
    .n_samples = 43,
    .n_objects = 43,
    .n_backgrounds = 80,
    .objects_per_background = 4,
    .height = 64,
    .width = 64,
    .dtype = TENSOR_U8,
    .layout = TENSOR_NHWC,
    .channels = TENSOR_RGB,
    .output = 0x8877665544332211,
    .n_classes = 2,
};
static const char *const classes[] = {"stop", "yield"};
static const struct wire_credit credit = {.batches = 4, .bytes = 2113536};
static const struct wire_pull pull = {.position = 172};
static const struct wire_seek seek = {.position = 258};
static const struct wire_error error = {
    .code = ERROR_OVERLOADED, .retry_after_ms = 1000, .text = "too busy"};
static const struct wire_ping ping = {.token = 0x0123456789abcdef};
static const struct wire_close close_ = {.code = ERROR_DRAINING, .text = "bye"};
static const struct wire_drain drain = {.position = 344, .grace_ms = 5000};

static const struct wire_join join = {
    .position = 1 << 20,
    .n_steps = 12,
    .global_batch = 86,
    .world = 2,
    .lease_ms = 5000,
    .dtype = TENSOR_U8,
    .layout = TENSOR_NHWC,
    .has_fingerprint = true,
    .fingerprint = FINGERPRINT,
    .stream = "default",
    .group = "night",
    .member = "a",
};
static const struct wire_lease lease = {
    .lease = 9, .step = 4, .position = 1052, .delivery = 2, .lease_ms = 5000};
static const struct wire_ack ack = {.lease = 9};
static const struct wire_acked acked = {.lease = 9, .code = ERROR_LEASE_LOST};
static const struct wire_slot slot = {
    .slot = 9, .offset = 65536, .n_bytes = 528384, .sums_offset = 593984};
static const struct wire_return return_ = {.slot = 9};
static const struct wire_ask ask = {.what = "group night"};
static const struct wire_feedback feedback = {
    .stream = "default",
    .n_classes = 2,
    .weights = (const uint8_t[]){0, 0, 1, 0, 0xff, 0xff, 0, 0}};

static const struct wire_refine refine = {
    .position = 172,
    .first_position = 215,
    .n_samples = 43,
    .height = 64,
    .width = 48,
    .dtype = TENSOR_U8,
    .layout = TENSOR_NHWC,
};

static void encode(int type, struct bytes_writer *w)
{
    switch (type) {
#define ROW(type, message, encoder)                                            \
    case type:                                                                 \
        encoder(w, &message);                                                  \
        break;
        ROW(WIRE_HELLO, hello, wire_encode_hello)
        ROW(WIRE_WELCOME, welcome, wire_encode_welcome)
        ROW(WIRE_OPEN, open_, wire_encode_open)
        ROW(WIRE_CREDIT, credit, wire_encode_credit)
        ROW(WIRE_PULL, pull, wire_encode_pull)
        ROW(WIRE_SEEK, seek, wire_encode_seek)
        ROW(WIRE_ERROR, error, wire_encode_error)
        ROW(WIRE_PING, ping, wire_encode_ping)
        ROW(WIRE_PONG, ping, wire_encode_ping)
        ROW(WIRE_CLOSE, close_, wire_encode_close)
        ROW(WIRE_DRAIN, drain, wire_encode_drain)
        ROW(WIRE_JOIN, join, wire_encode_join)
        ROW(WIRE_LEASE, lease, wire_encode_lease)
        ROW(WIRE_ACK, ack, wire_encode_ack)
        ROW(WIRE_ACKED, acked, wire_encode_acked)
        ROW(WIRE_ASK, ask, wire_encode_ask)
        ROW(WIRE_SLOT, slot, wire_encode_slot)
        ROW(WIRE_RETURN, return_, wire_encode_return)
        ROW(WIRE_REFINE, refine, wire_encode_refine)
        ROW(WIRE_FEEDBACK, feedback, wire_encode_feedback)
#undef ROW
    default: /* WIRE_OPENED */
        wire_encode_opened(w, &opened);
        bytes_write_string(w, classes[0]);
        bytes_write_string(w, classes[1]);
    }
}

size_t sample_frame(int type, uint32_t request, uint8_t *out, size_t n_bytes)
{
    struct bytes_writer w;
    wire_frame_begin(&w, out, n_bytes);
    encode(type, &w);
    return wire_frame_finish(&w, (enum wire_type)type, request);
}

static int decode_opened(struct bytes_reader *r, bool equal)
{
    static struct wire_opened m;
    memset(&m, 0, sizeof m);
    int status = wire_decode_opened(r, &m);
    if (status != 0)
        return status;
    for (uint32_t i = 0; i < m.n_classes; i++) {
        char name[WIRE_MAX_NAME_BYTES];
        bytes_read_string(r, name, sizeof name);
        if (equal && strcmp(name, classes[i]) != 0)
            return 1;
    }
    if (!bytes_reader_done(r))
        return -ERROR_BAD_FRAME;
    return equal && memcmp(&m, &opened, sizeof m) != 0;
}

/* Its weights are a place in the payload. */
static int decode_feedback(struct bytes_reader *r, bool equal)
{
    struct wire_feedback m;
    int status = wire_decode_feedback(r, &m);
    if (status != 0)
        return status;
    return equal && (strcmp(m.stream, feedback.stream) != 0 ||
                     m.n_classes != feedback.n_classes ||
                     memcmp(m.weights, feedback.weights, 8) != 0);
}

int sample_decode(int type, const uint8_t *payload, size_t n_bytes, bool equal)
{
    static union {
        struct wire_hello hello;
        struct wire_welcome welcome;
        struct wire_open open_;
        struct wire_credit credit;
        struct wire_pull pull;
        struct wire_seek seek;
        struct wire_error error;
        struct wire_ping ping;
        struct wire_close close_;
        struct wire_drain drain;
        struct wire_join join;
        struct wire_lease lease;
        struct wire_ack ack;
        struct wire_acked acked;
        struct wire_ask ask;
        struct wire_slot slot;
        struct wire_return return_;
        struct wire_refine refine;
    } m;
    struct bytes_reader r;
    bytes_reader_init(&r, payload, n_bytes);
    memset(&m, 0, sizeof m);
    switch (type) {
#define ROW(type, message, decoder)                                            \
    case type: {                                                               \
        int status = decoder(&r, &m.message);                                  \
        bool same = memcmp(&m.message, &message, sizeof message) == 0;         \
        return status ? status : equal && !same;                               \
    }
        ROW(WIRE_HELLO, hello, wire_decode_hello)
        ROW(WIRE_WELCOME, welcome, wire_decode_welcome)
        ROW(WIRE_OPEN, open_, wire_decode_open)
        ROW(WIRE_CREDIT, credit, wire_decode_credit)
        ROW(WIRE_PULL, pull, wire_decode_pull)
        ROW(WIRE_SEEK, seek, wire_decode_seek)
        ROW(WIRE_ERROR, error, wire_decode_error)
        ROW(WIRE_PING, ping, wire_decode_ping)
        ROW(WIRE_PONG, ping, wire_decode_ping)
        ROW(WIRE_CLOSE, close_, wire_decode_close)
        ROW(WIRE_DRAIN, drain, wire_decode_drain)
        ROW(WIRE_JOIN, join, wire_decode_join)
        ROW(WIRE_LEASE, lease, wire_decode_lease)
        ROW(WIRE_ACK, ack, wire_decode_ack)
        ROW(WIRE_ACKED, acked, wire_decode_acked)
        ROW(WIRE_ASK, ask, wire_decode_ask)
        ROW(WIRE_SLOT, slot, wire_decode_slot)
        ROW(WIRE_RETURN, return_, wire_decode_return)
        ROW(WIRE_REFINE, refine, wire_decode_refine)
#undef ROW
    case WIRE_FEEDBACK:
        return decode_feedback(&r, equal);
    default:
        return decode_opened(&r, equal);
    }
}

int sample_decode_exact(int type, const uint8_t *payload, size_t n_bytes)
{
    uint8_t *copy = malloc(n_bytes + (n_bytes == 0));
    if (!copy)
        abort();
    memcpy(copy, payload, n_bytes);
    int status = sample_decode(type, copy, n_bytes, false);
    free(copy);
    return status;
}

size_t sample_from_hex(const char *hex, uint8_t *out)
{
    size_t n = strlen(hex) / 2;
    for (size_t i = 0; i < n; i++) {
        const char digits[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        out[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return n;
}
