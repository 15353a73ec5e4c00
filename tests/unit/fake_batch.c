/* Makes the batches of the fake server. Sends nothing. */
#include "tests/unit/fake_batch.h"

#include <stdlib.h>
#include <string.h>

#include "common/checksum.h"
#include "common/wire.h"
#include "tests/unit/fake_server.h"

#define N_TENSORS 3

struct shape {
    struct tensor_desc tensors[N_TENSORS];
    uint64_t tensors_bytes, payload_bytes;
};

static uint64_t align(uint64_t n)
{
    return (n + TENSOR_ALIGN_BYTES - 1) / TENSOR_ALIGN_BYTES *
           TENSOR_ALIGN_BYTES;
}

static struct shape shape_of(uint32_t n)
{
    struct shape s = {.tensors = {
                          {.name = "label",
                           .dtype = TENSOR_I64,
                           .n_dims = 1,
                           .shape = {n},
                           .n_bytes = 8ull * n},
                          {.name = "visible",
                           .dtype = TENSOR_F32,
                           .n_dims = 1,
                           .shape = {n},
                           .n_bytes = 4ull * n},
                          {.name = "image",
                           .dtype = TENSOR_U8,
                           .n_dims = 4,
                           .shape = {n, FAKE_SIDE, FAKE_SIDE, 3},
                           .n_bytes = (uint64_t)FAKE_SAMPLE * n},
                      }};
    uint64_t at = WIRE_BATCH_HEAD_BYTES + N_TENSORS * WIRE_TENSOR_BYTES;
    for (int i = 0; i < N_TENSORS; i++) {
        s.tensors[i].offset_bytes = align(at);
        at = s.tensors[i].offset_bytes + s.tensors[i].n_bytes;
    }
    s.tensors_bytes = align(at);
    s.payload_bytes = s.tensors_bytes + 8 * ((uint64_t)n + 1);
    return s;
}

uint64_t fake_batch_bytes(uint32_t n)
{
    return shape_of(n).payload_bytes;
}

uint8_t fake_pixel(uint64_t position, uint32_t offset)
{
    return (uint8_t)(position * 31 + offset * 7 + offset / 251);
}

int64_t fake_label(uint64_t position)
{
    return (int64_t)(position % FAKE_CLASSES);
}

static void fill_tensors(uint8_t *payload, const struct shape *s,
                         uint64_t first, uint32_t n)
{
    float whole = 1.0f;
    for (uint32_t i = 0; i < n; i++) {
        int64_t label = fake_label(first + i);
        memcpy(payload + s->tensors[0].offset_bytes + 8ull * i, &label, 8);
        memcpy(payload + s->tensors[1].offset_bytes + 4ull * i, &whole, 4);
        uint8_t *image =
            payload + s->tensors[2].offset_bytes + (uint64_t)FAKE_SAMPLE * i;
        for (uint32_t k = 0; k < FAKE_SAMPLE; k++)
            image[k] = fake_pixel(first + i, k);
    }
}

static void seal(uint8_t *payload, const struct shape *s, uint32_t n)
{
    const uint8_t *image = payload + s->tensors[2].offset_bytes;
    struct bytes_writer w;
    bytes_writer_init(&w, payload + s->tensors_bytes, 8 * ((size_t)n + 1));
    for (uint32_t i = 0; i < n; i++)
        bytes_write_u64(&w, checksum_of(CHECKSUM_XXH3,
                                        image + (size_t)FAKE_SAMPLE * i,
                                        FAKE_SAMPLE));
    payload[WIRE_BATCH_CHECKSUM_OFFSET] = CHECKSUM_NONE;
    bytes_write_u64(&w, checksum_of(CHECKSUM_XXH3, payload,
                                    (size_t)s->tensors[2].offset_bytes));
    payload[WIRE_BATCH_CHECKSUM_OFFSET] = CHECKSUM_XXH3;
}

uint8_t *fake_batch_make(uint32_t request, uint64_t first_position, uint32_t n,
                         size_t *out_bytes)
{
    struct shape s = shape_of(n);
    struct wire_header h = {.version = WIRE_VERSION,
                            .type = WIRE_BATCH,
                            .request = request,
                            .payload_bytes = s.payload_bytes};
    struct wire_batch_head head = {.first_position = first_position,
                                   .n_samples = n,
                                   .n_tensors = N_TENSORS,
                                   .checksum = CHECKSUM_XXH3,
                                   .tensors_bytes = s.tensors_bytes};
    uint8_t *frame = calloc(1, WIRE_HEADER_BYTES + (size_t)s.payload_bytes);
    uint8_t *payload = frame + WIRE_HEADER_BYTES;
    struct bytes_writer w;
    wire_encode_header(frame, &h);
    bytes_writer_init(&w, payload, (size_t)s.payload_bytes);
    wire_encode_batch_head(&w, &head, s.tensors);
    fill_tensors(payload, &s, first_position, n);
    seal(payload, &s, n);
    *out_bytes = WIRE_HEADER_BYTES + (size_t)s.payload_bytes;
    return frame;
}

void fake_batch_damage(uint8_t *frame, size_t n_bytes, bool label)
{
    struct shape s = shape_of(1);
    size_t at = label ? (size_t)s.tensors[0].offset_bytes + WIRE_HEADER_BYTES
                      : n_bytes / 2;
    frame[at] ^= 4;
}
