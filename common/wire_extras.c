/* What OPEN and JOIN may ask for beside their fixed fields, in the order of the
 * wire. Does not know frames. Threads: pure functions. */
#include <string.h>

#include "common/error.h"
#include "common/wire.h"

uint32_t wire_extras_needs(const struct wire_extras *e)
{
    return (e->replay ? WIRE_CAPABILITY_REPLAY : 0) |
           (e->candidates || e->has_feedback ? WIRE_CAPABILITY_HARD : 0);
}

uint8_t wire_extras_bits(const struct wire_extras *e)
{
    return (uint8_t)((e->replay ? WIRE_EXTRA_REPLAY : 0) |
                     (e->candidates ? WIRE_EXTRA_CANDIDATES : 0) |
                     (e->has_feedback ? WIRE_EXTRA_FEEDBACK : 0));
}

void wire_write_extras(struct bytes_writer *w, const struct wire_extras *e)
{
    if (e->replay)
        bytes_write_u32(w, e->replay);
    if (e->candidates)
        bytes_write_u32(w, e->candidates);
    if (e->has_feedback)
        bytes_write_span(w, e->feedback, sizeof e->feedback);
}

int wire_read_extras(struct bytes_reader *r, uint8_t bits, uint8_t known,
                     struct wire_extras *out)
{
    *out = (struct wire_extras){0};
    if (bits & ~known)
        return -ERROR_BAD_FRAME;
    if (bits & WIRE_EXTRA_REPLAY)
        out->replay = bytes_read_u32(r);
    if (bits & WIRE_EXTRA_CANDIDATES)
        out->candidates = bytes_read_u32(r);
    out->has_feedback = bits & WIRE_EXTRA_FEEDBACK;
    if (out->has_feedback) {
        const uint8_t *digest = bytes_read_span(r, sizeof out->feedback);
        if (digest)
            memcpy(out->feedback, digest, sizeof out->feedback);
    }
    return wire_extras_bits(out) == bits ? 0 : -ERROR_BAD_FRAME;
}
