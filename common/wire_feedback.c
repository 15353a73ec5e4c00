/* The payload of FEEDBACK: a table of weights, in place. Checks its form, not
 * its rows (common/feedback.c). Threads: pure functions. */
#include "common/error.h"
#include "common/wire.h"

void wire_encode_feedback(struct bytes_writer *w, const struct wire_feedback *m)
{
    bytes_write_string(w, m->stream);
    bytes_write_u32(w, m->n_classes);
    bytes_write_span(w, m->weights, 2 * (size_t)m->n_classes * m->n_classes);
}

int wire_decode_feedback(struct bytes_reader *r, struct wire_feedback *out)
{
    bytes_read_string(r, out->stream, sizeof out->stream);
    out->n_classes = bytes_read_u32(r);
    if (r->failed || out->n_classes == 0 ||
        out->n_classes > FEEDBACK_MAX_CLASSES)
        return -ERROR_BAD_FRAME;
    out->weights =
        bytes_read_span(r, 2 * (size_t)out->n_classes * out->n_classes);
    return bytes_reader_done(r) ? 0 : -ERROR_BAD_FRAME;
}
