/* The fixed part of REFINE, and how long the whole is. Does not touch what
 * follows it. Threads: pure functions. */
#include "common/error.h"
#include "common/wire.h"

void wire_encode_refine(struct bytes_writer *w, const struct wire_refine *m)
{
    bytes_write_u64(w, m->position);
    bytes_write_u64(w, m->first_position);
    bytes_write_u32(w, m->n_samples);
    bytes_write_u32(w, m->height);
    bytes_write_u32(w, m->width);
    bytes_write_u8(w, m->dtype);
    bytes_write_u8(w, m->layout);
    bytes_write_u16(w, 0);
}

/* Whether they are those of the stream is for the session to say. */
int wire_decode_refine(struct bytes_reader *r, struct wire_refine *out)
{
    out->position = bytes_read_u64(r);
    out->first_position = bytes_read_u64(r);
    out->n_samples = bytes_read_u32(r);
    out->height = bytes_read_u32(r);
    out->width = bytes_read_u32(r);
    out->dtype = bytes_read_u8(r);
    out->layout = bytes_read_u8(r);
    uint16_t reserved = bytes_read_u16(r);
    return bytes_reader_done(r) && reserved == 0 ? 0 : -ERROR_BAD_FRAME;
}

uint64_t wire_refine_bytes(const struct wire_refine *m)
{
    const uint64_t pixels = (uint64_t)m->height * m->width;
    if (pixels > WIRE_MAX_BATCH_BYTES)
        return UINT64_MAX;
    const uint64_t a_sample = pixels * 3 + 1;
    if (m->n_samples > (UINT64_MAX - WIRE_REFINE_HEAD_BYTES) / a_sample)
        return UINT64_MAX;
    return WIRE_REFINE_HEAD_BYTES + m->n_samples * a_sample;
}
