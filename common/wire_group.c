/* The payloads of the frames that serve groups: one encoder and one decoder
 * each. Does not know frame headers. Fields stand in the order of
 * PROTOCOL.md. Threads: pure functions. */
#include <string.h>

#include "common/error.h"
#include "common/wire.h"

static const uint8_t no_fingerprint[WIRE_FINGERPRINT_BYTES];

static int verdict(const struct bytes_reader *r, bool possible)
{
    return bytes_reader_done(r) && possible ? 0 : -ERROR_BAD_FRAME;
}

void wire_encode_join(struct bytes_writer *w, const struct wire_join *m)
{
    bytes_write_u64(w, m->position);
    bytes_write_u64(w, m->n_steps);
    bytes_write_u32(w, m->n_epochs);
    bytes_write_u32(w, m->global_batch);
    bytes_write_u32(w, m->world);
    bytes_write_u32(w, m->lease_ms);
    bytes_write_u8(w, m->dtype);
    bytes_write_u8(w, m->layout);
    bytes_write_u8(w, m->has_fingerprint);
    bytes_write_u8(w, (uint8_t)(wire_extras_bits(&m->extras) |
                                (m->n_kept ? WIRE_EXTRA_KEPT : 0)));
    bytes_write_span(w, m->has_fingerprint ? m->fingerprint : no_fingerprint,
                     WIRE_FINGERPRINT_BYTES);
    bytes_write_string(w, m->stream);
    bytes_write_string(w, m->group);
    bytes_write_string(w, m->member);
    wire_write_extras(w, &m->extras);
    if (m->n_kept)
        bytes_write_u32(w, m->n_kept);
    for (uint32_t i = 0; i < m->n_kept; i++)
        bytes_write_u64(w, m->kept[i]);
}

static int read_kept(struct bytes_reader *r, struct wire_join *out)
{
    out->n_kept = bytes_read_u32(r);
    if (r->failed || out->n_kept == 0 || out->n_kept > WIRE_MAX_KEPT)
        return -ERROR_BAD_FRAME;
    for (uint32_t i = 0; i < out->n_kept; i++) {
        out->kept[i] = bytes_read_u64(r);
        if (out->kept[i] == 0)
            return -ERROR_BAD_FRAME;
    }
    return 0;
}

/* Whether sizes make sense is for the group to say, in a sentence. */
int wire_decode_join(struct bytes_reader *r, struct wire_join *out)
{
    out->position = bytes_read_u64(r);
    out->n_steps = bytes_read_u64(r);
    out->n_epochs = bytes_read_u32(r);
    out->global_batch = bytes_read_u32(r);
    out->world = bytes_read_u32(r);
    out->lease_ms = bytes_read_u32(r);
    out->dtype = bytes_read_u8(r);
    out->layout = bytes_read_u8(r);
    uint8_t has_fingerprint = bytes_read_u8(r);
    uint8_t extras = bytes_read_u8(r);
    const uint8_t *fingerprint = bytes_read_span(r, WIRE_FINGERPRINT_BYTES);
    bytes_read_string(r, out->stream, sizeof out->stream);
    bytes_read_string(r, out->group, sizeof out->group);
    bytes_read_string(r, out->member, sizeof out->member);
    int status = wire_read_extras(r, extras & (uint8_t)~WIRE_EXTRA_KEPT,
                                  WIRE_EXTRA_CANDIDATES | WIRE_EXTRA_FEEDBACK,
                                  &out->extras);
    out->n_kept = 0;
    if (status == 0 && extras & WIRE_EXTRA_KEPT)
        status = read_kept(r, out);
    if (r->failed || has_fingerprint > 1 || status != 0)
        return -ERROR_BAD_FRAME;
    out->has_fingerprint = has_fingerprint == 1;
    memcpy(out->fingerprint, fingerprint, WIRE_FINGERPRINT_BYTES);
    bool none =
        memcmp(fingerprint, no_fingerprint, WIRE_FINGERPRINT_BYTES) == 0;
    return verdict(r, (out->has_fingerprint || none) && out->group[0] != '\0');
}

void wire_encode_lease(struct bytes_writer *w, const struct wire_lease *m)
{
    bytes_write_u64(w, m->lease);
    bytes_write_u64(w, m->step);
    bytes_write_u64(w, m->position);
    bytes_write_u32(w, m->delivery);
    bytes_write_u32(w, m->lease_ms);
}

int wire_decode_lease(struct bytes_reader *r, struct wire_lease *out)
{
    out->lease = bytes_read_u64(r);
    out->step = bytes_read_u64(r);
    out->position = bytes_read_u64(r);
    out->delivery = bytes_read_u32(r);
    out->lease_ms = bytes_read_u32(r);
    return verdict(r, out->lease != 0 && out->delivery != 0 &&
                          out->position < WIRE_MAX_POSITION);
}

void wire_encode_ack(struct bytes_writer *w, const struct wire_ack *m)
{
    bytes_write_u64(w, m->lease);
}

int wire_decode_ack(struct bytes_reader *r, struct wire_ack *out)
{
    out->lease = bytes_read_u64(r);
    return verdict(r, out->lease != 0);
}

void wire_encode_acked(struct bytes_writer *w, const struct wire_acked *m)
{
    bytes_write_u64(w, m->lease);
    bytes_write_u16(w, m->code);
    bytes_write_u16(w, 0);
    bytes_write_u32(w, 0);
}

int wire_decode_acked(struct bytes_reader *r, struct wire_acked *out)
{
    out->lease = bytes_read_u64(r);
    out->code = bytes_read_u16(r);
    uint16_t zero = bytes_read_u16(r);
    uint32_t more = bytes_read_u32(r);
    return verdict(r, out->lease != 0 && zero == 0 && more == 0);
}
