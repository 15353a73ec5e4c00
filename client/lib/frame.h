/* One frame of a server, decoded. No I/O: bytes in, struct out. */
#ifndef PASTED_CLIENT_LIB_FRAME_H
#define PASTED_CLIENT_LIB_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/wire.h"

/* A control frame; which member holds depends on the header's type. */
struct frame {
    struct wire_header header;
    union {
        struct wire_welcome welcome;
        struct wire_opened opened;
        struct wire_error error;
        struct wire_ping ping; /* PING and PONG */
        struct wire_close close;
        struct wire_drain drain;
        struct wire_lease lease;
        struct wire_acked acked;
        struct wire_slot slot;
    } u;
};

/* The classes of a stream, in order. */
struct class_names {
    uint32_t n;
    char *text;        /* n strings, one after another */
    uint32_t *offsets; /* [n] into text */
};

/* The header of a frame that a server may send, its length within what a
 * client accepts of that type. max_batch_bytes bounds BATCH. -ERROR_BAD_FRAME,
 * -ERROR_UNSUPPORTED, -ERROR_TOO_LARGE, with a sentence. */
int frame_decode_header(const uint8_t bytes[WIRE_HEADER_BYTES],
                        uint64_t max_batch_bytes, struct wire_header *out,
                        struct fault *fault);

/* Payload of out->header, every type but BATCH. The class names of OPENED are
 * left to frame_class_names. -ERROR_BAD_FRAME, -ERROR_CORRUPT. */
int frame_decode(struct frame *out, const uint8_t *payload,
                 struct fault *fault);

/* The names in an OPENED payload; free with class_names_fini.
 * -ERROR_BAD_FRAME, -ERROR_NO_MEMORY. */
int frame_class_names(const uint8_t *payload, size_t n_bytes,
                      struct class_names *out, struct fault *fault);
void class_names_fini(struct class_names *names);

#endif
