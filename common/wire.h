/* The frames of the binary protocol as plain structs, with one encoder and one
 * decoder each. PROTOCOL.md is the specification; this file follows it.
 * Knows bytes only: no sockets, no allocation. */
#ifndef PASTED_COMMON_WIRE_H
#define PASTED_COMMON_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"
#include "common/feedback.h"
#include "common/tensor.h"

#define WIRE_MAGIC            0x44545350u /* the bytes "PSTD" */
#define WIRE_VERSION          1
#define WIRE_HEADER_BYTES     32
#define WIRE_BATCH_HEAD_BYTES 32
#define WIRE_TENSOR_BYTES     72 /* one tensor descriptor in a BATCH payload */

#define WIRE_BATCH_CHECKSUM_OFFSET 14 /* of the kind's byte in the head */
#define WIRE_MAX_BATCH_HEAD_BYTES                                              \
    (WIRE_BATCH_HEAD_BYTES + TENSOR_MAX_COUNT * WIRE_TENSOR_BYTES)
#define WIRE_MAX_POSITION (1ull << 63) /* positions and cursors lie below */

/* Capabilities: bits of HELLO and WELCOME (PROTOCOL.md section 13). */
#define WIRE_CAPABILITY_GROUPS 1u  /* JOIN, LEASE, ACK, ACKED */
#define WIRE_CAPABILITY_REPLAY 2u  /* replay in OPEN */
#define WIRE_CAPABILITY_PACE   4u  /* the pace in CREDIT */
#define WIRE_CAPABILITY_ASK    8u  /* ASK, REPLY */
#define WIRE_CAPABILITY_RING   16u /* SLOT, RETURN: memory of one host */
#define WIRE_CAPABILITY_HARD   32u /* candidates, feedback; FEEDBACK, REFINE */
#define WIRE_CAPABILITY_KEEP   64u /* leases outlive a connection */

/* Limits on what a peer can send. */
#define WIRE_MAX_CONTROL_BYTES (16u << 20) /* payload, but of what follows */
#define WIRE_MAX_CLIENT_BYTES  4096u /* any other frame that a client sends */
#define WIRE_MAX_BATCH_BYTES   (4ull << 30) /* payload of BATCH and REFINE */
#define WIRE_MAX_NAME_BYTES    256  /* stream, client, server; with the NUL */
#define WIRE_MAX_TOKEN_BYTES   1024 /* with the NUL */
#define WIRE_MAX_TEXT_BYTES    512  /* error sentences; with the NUL */
#define WIRE_MAX_KEPT          256  /* leases that a JOIN takes along */
#define WIRE_MAX_STREAMS       256
#define WIRE_MAX_CLASSES       65536
#define WIRE_FINGERPRINT_BYTES 32
#define WIRE_MAX_REPLY_BYTES   (1u << 20)
#define WIRE_MAX_CANDIDATES    32
/* Payload of FEEDBACK: the table, and the stream's name with its length. */
#define WIRE_MAX_FEEDBACK_BYTES (FEEDBACK_MAX_BYTES + 2 + WIRE_MAX_NAME_BYTES)

/* X(NAME, number, who sends it: C client, S server, B both) */
#define WIRE_TYPES(X)                                                          \
    X(HELLO, 1, 'C')                                                           \
    X(WELCOME, 2, 'S')                                                         \
    X(OPEN, 3, 'C')                                                            \
    X(OPENED, 4, 'S')                                                          \
    X(CREDIT, 5, 'C')                                                          \
    X(BATCH, 6, 'S')                                                           \
    X(PULL, 7, 'C')                                                            \
    X(SEEK, 8, 'C')                                                            \
    X(ERROR, 9, 'S')                                                           \
    X(PING, 10, 'B')                                                           \
    X(PONG, 11, 'B')                                                           \
    X(CLOSE, 12, 'B')                                                          \
    X(DRAIN, 13, 'S')                                                          \
    X(JOIN, 14, 'C')                                                           \
    X(LEASE, 15, 'S')                                                          \
    X(ACK, 16, 'C')                                                            \
    X(ACKED, 17, 'S')                                                          \
    X(ASK, 18, 'C')                                                            \
    X(REPLY, 19, 'S')                                                          \
    X(SLOT, 20, 'S')                                                           \
    X(RETURN, 21, 'C')                                                         \
    X(FEEDBACK, 22, 'C')                                                       \
    X(REFINE, 23, 'C')

enum wire_type {
#define X(name, number, who) WIRE_##name = number,
    WIRE_TYPES(X)
#undef X
};

const char *wire_type_name(int type); /* "HELLO"...; "unknown" */
/* Payload bytes that a frame of this type may have; 0 for an unknown type. */
uint64_t wire_max_payload_bytes(int type);
bool wire_client_sends(int type); /* C or B in the table */
bool wire_server_sends(int type); /* S or B in the table */

/* Fixed header, 32 bytes:
 *   0 u32 magic     4 u8 version   5 u8 type    6 u16 flags (0)
 *   8 u32 request   12 u32 zero    16 u64 payload_bytes
 *   24 u32 payload_crc32 (0 in BATCH)   28 u32 crc32 of bytes 0..27 */
struct wire_header {
    uint8_t version;
    uint8_t type;
    uint16_t flags;
    uint32_t request;
    uint64_t payload_bytes;
    uint32_t payload_crc32;
};

/* Fills 32 bytes. */
void wire_encode_header(uint8_t out[WIRE_HEADER_BYTES],
                        const struct wire_header *h);
/* 0; -ERROR_BAD_FRAME (magic, header crc, nonzero reserved); -ERROR_UNSUPPORTED
 * (version, unknown type); -ERROR_TOO_LARGE (payload over the limit of its
 * type). *out is written on success only. */
int wire_decode_header(const uint8_t in[WIRE_HEADER_BYTES],
                       struct wire_header *out);

/* A control frame is written payload first, behind room for its header:
 * begin, wire_encode_..., finish. Finish fills the header and returns the
 * frame's bytes, 0 when the payload did not fit. */
void wire_frame_begin(struct bytes_writer *w, void *frame, size_t n_bytes);
size_t wire_frame_finish(struct bytes_writer *w, enum wire_type type,
                         uint32_t request);
/* 0, or -ERROR_CORRUPT when the payload of a control frame does not have the
 * crc that its header promised. */
int wire_check_payload(const struct wire_header *h, const void *payload);

struct wire_hello {
    uint16_t min_version, max_version;
    uint32_t capabilities;   /* WIRE_CAPABILITY_... */
    uint32_t checksum_kinds; /* bit (1 << enum checksum_kind) per kind */
    char client[WIRE_MAX_NAME_BYTES];
    char token[WIRE_MAX_TOKEN_BYTES]; /* "" for none */
};

struct wire_welcome {
    uint16_t version;
    uint8_t checksum; /* enum checksum_kind chosen */
    uint32_t engine;  /* engine version: part of every fingerprint */
    uint32_t capabilities;
    uint32_t max_batch_samples; /* in one rank's slice */
    uint64_t max_batch_bytes;   /* payload of one BATCH */
    uint32_t max_credit_batches;
    uint64_t max_credit_bytes;
    uint32_t max_pulls;       /* PULLs outstanding at once */
    uint32_t idle_timeout_ms; /* silence after which the server closes */
    char server[WIRE_MAX_NAME_BYTES];
    uint16_t n_streams;
    char streams[WIRE_MAX_STREAMS][WIRE_MAX_NAME_BYTES];
};

/* What OPEN and JOIN may ask for beside: a bit says what is there, each where
 * its capability is agreed on. */
#define WIRE_EXTRA_REPLAY     1u /* OPEN only */
#define WIRE_EXTRA_CANDIDATES 2u
#define WIRE_EXTRA_FEEDBACK   4u
#define WIRE_EXTRA_KEPT       8u /* JOIN only, and no part of wire_extras */
struct wire_extras {
    uint32_t replay;     /* steps to go round in; 0: none */
    uint32_t candidates; /* of each sample; 0: not asked for */
    bool has_feedback;
    uint8_t feedback[FEEDBACK_DIGEST_BYTES]; /* of a table uploaded before */
};

struct wire_open {
    char stream[WIRE_MAX_NAME_BYTES];
    bool has_fingerprint; /* expect this one, else ERROR fingerprint */
    uint8_t fingerprint[WIRE_FINGERPRINT_BYTES];
    uint32_t global_batch; /* G; 0 means the stream's default */
    uint32_t rank, world;  /* world >= 1 divides G */
    uint64_t position;     /* global cursor: this step is [p, p+G) */
    uint8_t dtype;         /* of image; 0 = stream's default */
    uint8_t layout;        /* enum tensor_layout; 0 = stream's default */
    struct wire_extras extras;
};

/* Class names follow the fixed part: n_classes strings, read one at a time. */
struct wire_opened {
    uint8_t fingerprint[WIRE_FINGERPRINT_BYTES];
    uint64_t seed;
    uint64_t edges_per_epoch;
    uint64_t position;    /* where the stream stands: as asked */
    uint64_t batch_bytes; /* payload bytes of every BATCH of this stream */
    uint32_t global_batch, rank, world;
    uint32_t n_samples; /* G / W */
    uint32_t n_objects, n_backgrounds, objects_per_background;
    uint32_t height, width;
    uint8_t dtype, layout;
    uint8_t channels; /* enum tensor_channels */
    uint64_t output;  /* names what else decides a batch's bytes: which tensors,
                         normalisation */
    uint32_t n_classes;
};

struct wire_credit {
    uint32_t batches; /* added to what the server may still send */
    uint64_t bytes;   /* likewise; 0 = as many bytes as those batches need */
    /* What the consumer did since the CREDIT before; absent without the
     * capability. */
    bool has_pace;
    uint32_t found_ready, waited; /* batches it took at once; had to wait for */
    uint64_t busy_ns, wait_ns;    /* working on batches; waiting for them */
};

/* First 32 bytes of a BATCH payload; tensor descriptors follow, then the
 * tensors (64-byte aligned), image last, then the checksum table. */
struct wire_batch_head {
    uint64_t first_position; /* of sample 0 of this slice */
    uint32_t n_samples;
    uint16_t n_tensors;
    uint8_t checksum;       /* kind of the table at the end */
    uint64_t tensors_bytes; /* head, descriptors and tensors, with padding;
                               the checksum table starts here */
    /* 8 reserved zero bytes */
};

struct wire_pull {
    uint64_t position; /* global cursor, as in OPEN */
};

struct wire_seek {
    uint64_t position;
};

struct wire_error {
    uint16_t code; /* enum error_code */
    bool fatal;    /* the server closes after this frame */
    uint32_t retry_after_ms;
    char text[WIRE_MAX_TEXT_BYTES];
};

struct wire_ping {
    uint64_t token; /* PONG carries the same */
};

struct wire_close {
    uint16_t code; /* 0 for a plain goodbye */
    char text[WIRE_MAX_TEXT_BYTES];
};

struct wire_drain {
    uint64_t position; /* cursor after the last step this server will send */
    uint32_t grace_ms; /* then it closes */
};

/* Groups: first-come sequences of steps (PROTOCOL.md section 16). */
struct wire_join {
    uint64_t position; /* where the group's first step begins */
    uint64_t n_steps;  /* of the group; 0: by n_epochs */
    uint32_t n_epochs; /* 0 too: no end */
    uint32_t global_batch, world;
    uint32_t lease_ms; /* 0: the server's default */
    uint8_t dtype, layout;
    bool has_fingerprint;
    uint8_t fingerprint[WIRE_FINGERPRINT_BYTES];
    char stream[WIRE_MAX_NAME_BYTES];
    char group[WIRE_MAX_NAME_BYTES];
    char member[WIRE_MAX_NAME_BYTES]; /* "": the server names it */
    struct wire_extras extras;        /* no replay */
    uint32_t n_kept;                  /* leases of a lost connection */
    uint64_t kept[WIRE_MAX_KEPT];
};

struct wire_lease {
    uint64_t lease;    /* never 0, never used again */
    uint64_t step;     /* of the group, from 0 */
    uint64_t position; /* of the first sample of the BATCH that follows */
    uint32_t delivery; /* 1 for the step's first */
    uint32_t lease_ms; /* without a sign of progress */
};

struct wire_ack {
    uint64_t lease;
};

struct wire_acked {
    uint64_t lease;
    uint16_t code; /* 0: taken; else an enum error_code */
};

/* A question whose answer is a JSON text. */
struct wire_ask {
    char what[WIRE_MAX_NAME_BYTES];
};

/* A batch in memory that both ends see (PROTOCOL.md section 17). */
struct wire_slot {
    uint64_t slot;        /* never 0, never used again */
    uint64_t offset;      /* of the payload in that memory */
    uint64_t n_bytes;     /* of the payload: tensors_bytes */
    uint64_t sums_offset; /* of the checksum table; 0: none */
};

struct wire_return {
    uint64_t slot;
};

/* A feedback table (PROTOCOL.md section 20). */
struct wire_feedback {
    char stream[WIRE_MAX_NAME_BYTES]; /* for whose classes */
    uint32_t n_classes;
    const uint8_t *weights; /* u16, [n_classes][n_classes]; the payload's */
};

/* A PULL whose samples are pasted on what the client sends: the fixed part;
 * n_samples bytes `given` (1: its context follows, 0: it begins a chain) and
 * [n_samples][height][width][3] u8 follow. */
#define WIRE_REFINE_HEAD_BYTES 32
struct wire_refine {
    uint64_t position;       /* global cursor, as in PULL */
    uint64_t first_position; /* of the slice */
    uint32_t n_samples;      /* in it; 0: every chain begins, nothing follows */
    uint32_t height, width;
    uint8_t dtype, layout; /* of the contexts: TENSOR_U8, TENSOR_NHWC */
};

/* The capabilities that what is there belongs to. */
uint32_t wire_extras_needs(const struct wire_extras *e);
/* The byte of OPEN and JOIN that says what is there, and the rest, which
 * follows their last string. Reading: bits beyond `known` and values that say
 * nothing make the payload malformed (-ERROR_BAD_FRAME). */
uint8_t wire_extras_bits(const struct wire_extras *e);
void wire_write_extras(struct bytes_writer *w, const struct wire_extras *e);
int wire_read_extras(struct bytes_reader *r, uint8_t bits, uint8_t known,
                     struct wire_extras *out);

/* Encoders append a payload to w (check w->failed once); decoders read a whole
 * payload and return 0, or -ERROR_BAD_FRAME for short, long or impossible
 * content; *out is whole on success only. Strings are valid UTF-8 without
 * control characters (bytes_text_valid); the sentences of ERROR and CLOSE are
 * made so by their encoders. */
void wire_encode_hello(struct bytes_writer *w, const struct wire_hello *m);
int wire_decode_hello(struct bytes_reader *r, struct wire_hello *out);
void wire_encode_welcome(struct bytes_writer *w, const struct wire_welcome *m);
int wire_decode_welcome(struct bytes_reader *r, struct wire_welcome *out);
void wire_encode_open(struct bytes_writer *w, const struct wire_open *m);
int wire_decode_open(struct bytes_reader *r, struct wire_open *out);
/* Fixed part only; write the class names with bytes_write_string. */
void wire_encode_opened(struct bytes_writer *w, const struct wire_opened *m);
/* Fixed part only; read n_classes names with bytes_read_string, then check
 * bytes_reader_done. n_classes is no more than the names that can follow. */
int wire_decode_opened(struct bytes_reader *r, struct wire_opened *out);
void wire_encode_credit(struct bytes_writer *w, const struct wire_credit *m);
int wire_decode_credit(struct bytes_reader *r, struct wire_credit *out);
void wire_encode_pull(struct bytes_writer *w, const struct wire_pull *m);
int wire_decode_pull(struct bytes_reader *r, struct wire_pull *out);
void wire_encode_seek(struct bytes_writer *w, const struct wire_seek *m);
int wire_decode_seek(struct bytes_reader *r, struct wire_seek *out);
void wire_encode_error(struct bytes_writer *w, const struct wire_error *m);
int wire_decode_error(struct bytes_reader *r, struct wire_error *out);
void wire_encode_ping(struct bytes_writer *w, const struct wire_ping *m);
int wire_decode_ping(struct bytes_reader *r, struct wire_ping *out);
void wire_encode_close(struct bytes_writer *w, const struct wire_close *m);
int wire_decode_close(struct bytes_reader *r, struct wire_close *out);
void wire_encode_drain(struct bytes_writer *w, const struct wire_drain *m);
int wire_decode_drain(struct bytes_reader *r, struct wire_drain *out);

void wire_encode_join(struct bytes_writer *w, const struct wire_join *m);
int wire_decode_join(struct bytes_reader *r, struct wire_join *out);
void wire_encode_lease(struct bytes_writer *w, const struct wire_lease *m);
int wire_decode_lease(struct bytes_reader *r, struct wire_lease *out);
void wire_encode_ack(struct bytes_writer *w, const struct wire_ack *m);
int wire_decode_ack(struct bytes_reader *r, struct wire_ack *out);
void wire_encode_acked(struct bytes_writer *w, const struct wire_acked *m);
int wire_decode_acked(struct bytes_reader *r, struct wire_acked *out);
void wire_encode_ask(struct bytes_writer *w, const struct wire_ask *m);
int wire_decode_ask(struct bytes_reader *r, struct wire_ask *out);
void wire_encode_slot(struct bytes_writer *w, const struct wire_slot *m);
int wire_decode_slot(struct bytes_reader *r, struct wire_slot *out);
void wire_encode_return(struct bytes_writer *w, const struct wire_return *m);
int wire_decode_return(struct bytes_reader *r, struct wire_return *out);
void wire_encode_feedback(struct bytes_writer *w,
                          const struct wire_feedback *m);
int wire_decode_feedback(struct bytes_reader *r, struct wire_feedback *out);
/* Fixed part only, of a payload whose first WIRE_REFINE_HEAD_BYTES r holds. */
void wire_encode_refine(struct bytes_writer *w, const struct wire_refine *m);
int wire_decode_refine(struct bytes_reader *r, struct wire_refine *out);
/* Bytes of the whole payload. Saturates. */
uint64_t wire_refine_bytes(const struct wire_refine *m);
/* REPLY is nothing but its text: write and read it as a span. */

void wire_encode_batch_head(struct bytes_writer *w,
                            const struct wire_batch_head *m,
                            const struct tensor_desc *tensors);
/* Checks every count, shape, size, offset and alignment against payload_bytes
 * and against each other: tensors in order, each at the first multiple of 64
 * after the one before, names that PROTOCOL.md knows with its dtype and number
 * of dimensions, tensors_bytes behind the last, the checksum table of n_samples
 * + 1 u64 (none when kind is none) filling the rest exactly. Reads only head
 * and descriptors: no more than WIRE_MAX_BATCH_HEAD_BYTES of the payload.
 * tensors holds TENSOR_MAX_COUNT; both are whole on success only. */
int wire_decode_batch_head(const void *payload, uint64_t payload_bytes,
                           struct wire_batch_head *out,
                           struct tensor_desc *tensors);

#endif
