/* Decodes what a server sends. No I/O. Threads: pure functions. */
#include "client/lib/frame.h"

#include <stdlib.h>
#include <string.h>

/* WELCOME carries the names of all streams, OPENED those of all classes; the
 * others a sentence at most, but for REPLY. */
static uint64_t limit_of(int type, uint64_t max_batch_bytes)
{
    switch (type) {
    case WIRE_BATCH:
        return max_batch_bytes;
    case WIRE_WELCOME:
        return 64 + (WIRE_MAX_STREAMS + 1) * (WIRE_MAX_NAME_BYTES + 2);
    case WIRE_OPENED:
        return WIRE_MAX_CONTROL_BYTES;
    case WIRE_REPLY:
        return WIRE_MAX_REPLY_BYTES;
    default:
        return WIRE_MAX_CLIENT_BYTES;
    }
}

int frame_decode_header(const uint8_t bytes[WIRE_HEADER_BYTES],
                        uint64_t max_batch_bytes, struct wire_header *out,
                        struct fault *fault)
{
    struct wire_header h;
    int rc = wire_decode_header(bytes, &h);
    if (rc != 0)
        return fault_set(fault, (enum error_code) - rc,
                         "the server's frame header: %s", error_sentence(rc));
    if (!wire_server_sends(h.type))
        return fault_set(fault, ERROR_BAD_FRAME, "a server does not send %s",
                         wire_type_name(h.type));
    uint64_t limit = limit_of(h.type, max_batch_bytes);
    if (h.payload_bytes > limit)
        return fault_set(fault, ERROR_TOO_LARGE,
                         "a %s of %llu bytes is beyond the limit of %llu",
                         wire_type_name(h.type),
                         (unsigned long long)h.payload_bytes,
                         (unsigned long long)limit);
    *out = h;
    return 0;
}

/* Text as it travels, but for line feeds. */
static bool lines_valid(const char *text, size_t n_bytes)
{
    while (n_bytes > 0) {
        const char *feed = memchr(text, '\n', n_bytes);
        size_t n = feed ? (size_t)(feed - text) : n_bytes;
        if (!bytes_text_valid(text, n))
            return false;
        n += feed != NULL;
        text += n;
        n_bytes -= n;
    }
    return true;
}

static int decode_payload(struct frame *out, struct bytes_reader *r)
{
    switch (out->header.type) {
    case WIRE_WELCOME:
        return wire_decode_welcome(r, &out->u.welcome);
    case WIRE_OPENED:
        return wire_decode_opened(r, &out->u.opened);
    case WIRE_ERROR:
        return wire_decode_error(r, &out->u.error);
    case WIRE_PING:
    case WIRE_PONG:
        return wire_decode_ping(r, &out->u.ping);
    case WIRE_CLOSE:
        return wire_decode_close(r, &out->u.close);
    case WIRE_DRAIN:
        return wire_decode_drain(r, &out->u.drain);
    case WIRE_LEASE:
        return wire_decode_lease(r, &out->u.lease);
    case WIRE_ACKED:
        return wire_decode_acked(r, &out->u.acked);
    case WIRE_REPLY:
        return lines_valid((const char *)r->at, bytes_left(r))
                   ? 0
                   : -ERROR_BAD_FRAME;
    case WIRE_SLOT:
        return wire_decode_slot(r, &out->u.slot);
    default:
        return -ERROR_BAD_FRAME;
    }
}

int frame_decode(struct frame *out, const uint8_t *payload, struct fault *fault)
{
    struct bytes_reader r;
    const char *name = wire_type_name(out->header.type);
    if (wire_check_payload(&out->header, payload) != 0)
        return fault_set(fault, ERROR_CORRUPT,
                         "the crc32 of a %s does not match", name);
    bytes_reader_init(&r, payload, (size_t)out->header.payload_bytes);
    if (decode_payload(out, &r) != 0)
        return fault_set(fault, ERROR_BAD_FRAME, "a %s is malformed", name);
    return 0;
}

int frame_class_names(const uint8_t *payload, size_t n_bytes,
                      struct class_names *out, struct fault *fault)
{
    struct bytes_reader r;
    struct wire_opened fixed;
    char name[WIRE_MAX_NAME_BYTES];
    bytes_reader_init(&r, payload, n_bytes);
    if (wire_decode_opened(&r, &fixed) != 0)
        return fault_set(fault, ERROR_BAD_FRAME, "an OPENED is malformed");
    /* Each name takes two bytes more on the wire than its length, here one. */
    struct class_names names = {.n = fixed.n_classes,
                                .text = malloc(n_bytes),
                                .offsets =
                                    calloc(fixed.n_classes, sizeof(uint32_t))};
    if (names.text == NULL || names.offsets == NULL) {
        class_names_fini(&names);
        return fault_set(fault, ERROR_NO_MEMORY, "out of memory");
    }
    uint32_t used = 0;
    for (uint32_t i = 0; i < names.n && !r.failed; i++) {
        bytes_read_string(&r, name, sizeof name);
        if (r.failed)
            break;
        size_t n = strlen(name) + 1;
        memcpy(names.text + used, name, n);
        names.offsets[i] = used;
        used += (uint32_t)n;
    }
    if (!bytes_reader_done(&r)) {
        class_names_fini(&names);
        return fault_set(fault, ERROR_BAD_FRAME,
                         "the class names of an OPENED are malformed");
    }
    *out = names;
    return 0;
}

void class_names_fini(struct class_names *names)
{
    free(names->text);
    free(names->offsets);
    *names = (struct class_names){0};
}
