/* Frame headers and the table of types. Does not know what payloads hold.
 * Threads: pure functions. */
#include "common/wire.h"

#include <string.h>

#include "common/checksum.h"
#include "common/error.h"

static const struct {
    const char *name;
    char who;
} types[] = {
#define X(name, number, who) [number] = {#name, who},
    WIRE_TYPES(X)
#undef X
};

static char sender(int type)
{
    bool known = type > 0 && type < (int)(sizeof types / sizeof types[0]);
    return known ? types[type].who : '\0';
}

const char *wire_type_name(int type)
{
    return sender(type) ? types[type].name : "unknown";
}

bool wire_client_sends(int type)
{
    return sender(type) == 'C' || sender(type) == 'B';
}

bool wire_server_sends(int type)
{
    return sender(type) == 'S' || sender(type) == 'B';
}

uint64_t wire_max_payload_bytes(int type)
{
    if (type == WIRE_BATCH || type == WIRE_REFINE)
        return WIRE_MAX_BATCH_BYTES;
    if (type == WIRE_FEEDBACK)
        return WIRE_MAX_FEEDBACK_BYTES;
    if (wire_client_sends(type))
        return WIRE_MAX_CLIENT_BYTES - WIRE_HEADER_BYTES;
    return wire_server_sends(type) ? WIRE_MAX_CONTROL_BYTES : 0;
}

void wire_encode_header(uint8_t out[WIRE_HEADER_BYTES],
                        const struct wire_header *h)
{
    struct bytes_writer w;
    bytes_writer_init(&w, out, WIRE_HEADER_BYTES);
    bytes_write_u32(&w, WIRE_MAGIC);
    bytes_write_u8(&w, h->version);
    bytes_write_u8(&w, h->type);
    bytes_write_u16(&w, h->flags);
    bytes_write_u32(&w, h->request);
    bytes_write_u32(&w, 0);
    bytes_write_u64(&w, h->payload_bytes);
    bytes_write_u32(&w, h->payload_crc32);
    bytes_write_u32(&w, checksum_crc32(0, out, bytes_written(&w)));
}

int wire_decode_header(const uint8_t in[WIRE_HEADER_BYTES],
                       struct wire_header *out)
{
    struct bytes_reader r;
    struct wire_header h;
    bytes_reader_init(&r, in, WIRE_HEADER_BYTES);
    uint32_t magic = bytes_read_u32(&r);
    h.version = bytes_read_u8(&r);
    h.type = bytes_read_u8(&r);
    h.flags = bytes_read_u16(&r);
    h.request = bytes_read_u32(&r);
    uint32_t reserved = bytes_read_u32(&r);
    h.payload_bytes = bytes_read_u64(&r);
    h.payload_crc32 = bytes_read_u32(&r);
    uint32_t covered = WIRE_HEADER_BYTES - (uint32_t)bytes_left(&r);
    uint32_t crc = bytes_read_u32(&r);

    if (magic != WIRE_MAGIC || crc != checksum_crc32(0, in, covered))
        return -ERROR_BAD_FRAME;
    if (h.version != WIRE_VERSION)
        return -ERROR_UNSUPPORTED;
    if (h.flags != 0 || reserved != 0)
        return -ERROR_BAD_FRAME;
    if (!sender(h.type))
        return -ERROR_UNSUPPORTED;
    if (h.type == WIRE_BATCH && h.payload_crc32 != 0)
        return -ERROR_BAD_FRAME;
    if (h.payload_bytes > wire_max_payload_bytes(h.type))
        return -ERROR_TOO_LARGE;
    *out = h;
    return 0;
}

void wire_frame_begin(struct bytes_writer *w, void *frame, size_t n_bytes)
{
    static const uint8_t room[WIRE_HEADER_BYTES];
    bytes_writer_init(w, frame, n_bytes);
    bytes_write_span(w, room, sizeof room);
}

size_t wire_frame_finish(struct bytes_writer *w, enum wire_type type,
                         uint32_t request)
{
    if (w->failed)
        return 0;
    const uint8_t *payload = w->start + WIRE_HEADER_BYTES;
    size_t n_bytes = bytes_written(w) - WIRE_HEADER_BYTES;
    if (n_bytes > wire_max_payload_bytes(type))
        return 0;
    const struct wire_header h = {
        .version = WIRE_VERSION,
        .type = (uint8_t)type,
        .request = request,
        .payload_bytes = n_bytes,
        .payload_crc32 = checksum_crc32(0, payload, n_bytes),
    };
    wire_encode_header(w->start, &h);
    return WIRE_HEADER_BYTES + n_bytes;
}

int wire_check_payload(const struct wire_header *h, const void *payload)
{
    if (h->type == WIRE_BATCH)
        return 0;
    uint32_t crc = checksum_crc32(0, payload, (size_t)h->payload_bytes);
    return crc == h->payload_crc32 ? 0 : -ERROR_CORRUPT;
}
