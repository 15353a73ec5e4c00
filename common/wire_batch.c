/* The head of a BATCH payload: what the tensors are and where they lie. Does
 * not touch the tensors. Threads: pure functions. */
#include <string.h>

#include "common/checksum.h"
#include "common/error.h"
#include "common/wire.h"

static const uint8_t zeros[16];

static void write_tensor(struct bytes_writer *w, const struct tensor_desc *t)
{
    size_t n = strnlen(t->name, TENSOR_NAME_BYTES - 1);
    bytes_write_span(w, t->name, n);
    bytes_write_span(w, zeros, TENSOR_NAME_BYTES - n);
    bytes_write_u8(w, t->dtype);
    bytes_write_u8(w, t->n_dims);
    bytes_write_span(w, zeros, 6);
    for (int d = 0; d < TENSOR_MAX_DIMS; d++)
        bytes_write_u64(w, d < t->n_dims ? t->shape[d] : 0);
    bytes_write_u64(w, t->offset_bytes);
    bytes_write_u64(w, t->n_bytes);
}

void wire_encode_batch_head(struct bytes_writer *w,
                            const struct wire_batch_head *m,
                            const struct tensor_desc *tensors)
{
    bytes_write_u64(w, m->first_position);
    bytes_write_u32(w, m->n_samples);
    bytes_write_u16(w, m->n_tensors);
    bytes_write_u8(w, m->checksum); /* at WIRE_BATCH_CHECKSUM_OFFSET */
    bytes_write_u8(w, 0);
    bytes_write_u64(w, m->tensors_bytes);
    bytes_write_span(w, zeros, 8);
    for (uint16_t i = 0; i < m->n_tensors; i++)
        write_tensor(w, &tensors[i]);
}

static bool all_zero(const uint8_t *p, size_t n_bytes)
{
    for (size_t i = 0; p && i < n_bytes; i++)
        if (p[i] != 0)
            return false;
    return p != NULL;
}

/* [a-z][a-z0-9_]*, then zeros up to TENSOR_NAME_BYTES, the last one a zero. */
static bool name_ok(const uint8_t *p)
{
    size_t n = 0;
    for (; n < TENSOR_NAME_BYTES && p[n] != 0; n++) {
        bool letter = p[n] >= 'a' && p[n] <= 'z';
        bool other = (p[n] >= '0' && p[n] <= '9') || p[n] == '_';
        if (!letter && !(other && n > 0))
            return false;
    }
    return n > 0 && n < TENSOR_NAME_BYTES &&
           all_zero(p + n, TENSOR_NAME_BYTES - n);
}

/* Product of shape and item size; false on a zero or beyond limit_bytes. */
static bool shape_bytes(const struct tensor_desc *t, uint64_t limit_bytes,
                        uint64_t *out_bytes)
{
    uint64_t n = tensor_item_bytes(t->dtype);
    for (int d = 0; d < t->n_dims; d++) {
        if (t->shape[d] == 0 || n == 0 || t->shape[d] > limit_bytes / n)
            return false;
        n *= t->shape[d];
    }
    *out_bytes = n;
    return n > 0 && n <= limit_bytes;
}

/* What a descriptor says of itself; its place is checked by the caller. */
static bool read_tensor(struct bytes_reader *r, uint32_t n_samples,
                        uint64_t limit_bytes, struct tensor_desc *t)
{
    const uint8_t *name = bytes_read_span(r, TENSOR_NAME_BYTES);
    if (!name || !name_ok(name))
        return false;
    memcpy(t->name, name, TENSOR_NAME_BYTES);
    t->dtype = bytes_read_u8(r);
    t->n_dims = bytes_read_u8(r);
    bool reserved_ok = all_zero(bytes_read_span(r, 6), 6);
    if (!reserved_ok || t->n_dims < 1 || t->n_dims > TENSOR_MAX_DIMS)
        return false;
    bool unused_ok = true;
    for (int d = 0; d < TENSOR_MAX_DIMS; d++) {
        t->shape[d] = bytes_read_u64(r);
        unused_ok = unused_ok && (d < t->n_dims || t->shape[d] == 0);
    }
    t->offset_bytes = bytes_read_u64(r);
    t->n_bytes = bytes_read_u64(r);
    uint64_t n_bytes = 0;
    return !r->failed && unused_ok && t->shape[0] == n_samples &&
           shape_bytes(t, limit_bytes, &n_bytes) && n_bytes == t->n_bytes;
}

static bool is_image_dtype(uint8_t dtype)
{
    return dtype == TENSOR_U8 || dtype == TENSOR_F32 || dtype == TENSOR_F16 ||
           dtype == TENSOR_BF16;
}

/* The names of PROTOCOL.md section 8 mean one thing; others are not ours. */
static bool known_as_named(const struct tensor_desc *t)
{
    static const struct {
        char name[TENSOR_NAME_BYTES];
        uint8_t dtype, n_dims; /* dtype 0: one of images */
    } known[] = {
        {"label", TENSOR_I64, 1},
        {"object", TENSOR_I32, 1},
        {"background", TENSOR_I32, 1},
        {"position", TENSOR_I64, 1},
        {"candidate", TENSOR_I32, 1},
        {"box", TENSOR_F32, 2},
        {"visible", TENSOR_F32, 1},
        {"distractor", TENSOR_I32, 1},
        {"keypoints", TENSOR_F32, 3},
        {"mask", TENSOR_U8, 3},
        {"plane", TENSOR_U8, 4},
        {"context", TENSOR_U8, 4},
        {"image", 0, 4},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(t->name, known[i].name) == 0)
            return t->n_dims == known[i].n_dims &&
                   (known[i].dtype ? t->dtype == known[i].dtype
                                   : is_image_dtype(t->dtype));
    return true;
}

static bool name_is_new(const struct tensor_desc *tensors, uint32_t i)
{
    for (uint32_t k = 0; k < i; k++)
        if (memcmp(tensors[k].name, tensors[i].name, TENSOR_NAME_BYTES) == 0)
            return false;
    return true;
}

static uint64_t aligned(uint64_t n_bytes)
{
    return (n_bytes + TENSOR_ALIGN_BYTES - 1) / TENSOR_ALIGN_BYTES *
           TENSOR_ALIGN_BYTES;
}

static bool head_possible(const struct wire_batch_head *h,
                          uint64_t payload_bytes)
{
    if (h->n_samples == 0 || h->n_tensors == 0 ||
        h->n_tensors > TENSOR_MAX_COUNT || h->checksum >= CHECKSUM_N_KINDS)
        return false;
    if (h->first_position >= WIRE_MAX_POSITION ||
        h->n_samples > WIRE_MAX_POSITION - h->first_position)
        return false;
    uint64_t table = h->checksum ? 8 * ((uint64_t)h->n_samples + 1) : 0;
    return h->tensors_bytes <= payload_bytes &&
           h->tensors_bytes % TENSOR_ALIGN_BYTES == 0 &&
           payload_bytes - h->tensors_bytes == table;
}

int wire_decode_batch_head(const void *payload, uint64_t payload_bytes,
                           struct wire_batch_head *out,
                           struct tensor_desc *tensors)
{
    struct bytes_reader r;
    if (payload_bytes > WIRE_MAX_BATCH_BYTES)
        return -ERROR_BAD_FRAME;
    uint64_t head_bytes = payload_bytes < WIRE_MAX_BATCH_HEAD_BYTES
                              ? payload_bytes
                              : WIRE_MAX_BATCH_HEAD_BYTES;
    bytes_reader_init(&r, payload, (size_t)head_bytes);
    out->first_position = bytes_read_u64(&r);
    out->n_samples = bytes_read_u32(&r);
    out->n_tensors = bytes_read_u16(&r);
    out->checksum = bytes_read_u8(&r);
    uint8_t reserved = bytes_read_u8(&r);
    out->tensors_bytes = bytes_read_u64(&r);
    const uint8_t *tail = bytes_read_span(&r, 8);
    if (reserved != 0 || !all_zero(tail, 8) ||
        !head_possible(out, payload_bytes))
        return -ERROR_BAD_FRAME;

    /* Where the tensor before ended; the first begins after the descriptors. */
    uint64_t end =
        WIRE_BATCH_HEAD_BYTES + (uint64_t)out->n_tensors * WIRE_TENSOR_BYTES;
    for (uint32_t i = 0; i < out->n_tensors; i++) {
        struct tensor_desc *t = &tensors[i];
        if (!read_tensor(&r, out->n_samples, out->tensors_bytes, t) ||
            !known_as_named(t) || !name_is_new(tensors, i))
            return -ERROR_BAD_FRAME;
        if (t->offset_bytes != aligned(end) ||
            t->offset_bytes > out->tensors_bytes ||
            t->n_bytes > out->tensors_bytes - t->offset_bytes)
            return -ERROR_BAD_FRAME;
        end = t->offset_bytes + t->n_bytes;
    }
    return aligned(end) == out->tensors_bytes ? 0 : -ERROR_BAD_FRAME;
}
