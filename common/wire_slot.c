/* The payloads of SLOT and RETURN: batches in memory that both ends see. Does
 * not know frame headers. Threads: pure functions. */
#include "common/error.h"
#include "common/wire.h"

void wire_encode_slot(struct bytes_writer *w, const struct wire_slot *m)
{
    bytes_write_u64(w, m->slot);
    bytes_write_u64(w, m->offset);
    bytes_write_u64(w, m->n_bytes);
    bytes_write_u64(w, m->sums_offset);
}

/* Where it lies is checked against the memory's size by who mapped it. */
int wire_decode_slot(struct bytes_reader *r, struct wire_slot *out)
{
    out->slot = bytes_read_u64(r);
    out->offset = bytes_read_u64(r);
    out->n_bytes = bytes_read_u64(r);
    out->sums_offset = bytes_read_u64(r);
    bool possible = out->slot != 0 && out->offset % TENSOR_ALIGN_BYTES == 0 &&
                    out->sums_offset % 8 == 0 &&
                    out->n_bytes <= WIRE_MAX_BATCH_BYTES;
    return bytes_reader_done(r) && possible ? 0 : -ERROR_BAD_FRAME;
}

void wire_encode_return(struct bytes_writer *w, const struct wire_return *m)
{
    bytes_write_u64(w, m->slot);
}

int wire_decode_return(struct bytes_reader *r, struct wire_return *out)
{
    out->slot = bytes_read_u64(r);
    return bytes_reader_done(r) ? 0 : -ERROR_BAD_FRAME;
}
