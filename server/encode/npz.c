/* A batch as .npz: one .npy (format 1.0) a tensor in an uncompressed ZIP, data
 * at 64-byte boundaries so that a reader may map it. Interprets no tensor.
 * Source: numpy.lib.format; zip.h. Threads: any worker. */
#include "server/encode/encode.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "server/base/mem.h"
#include "server/encode/zip.h"

/* Magic, version and length; then the dictionary, padded with blanks. */
#define NPY_FIXED_BYTES 10
/* The longest dictionary, four 20-digit numbers, takes 143 bytes. */
#define NPY_HEAD_BYTES 192

_Static_assert(NPY_HEAD_BYTES % ZIP_ALIGN_BYTES == 0, "data stays aligned");
_Static_assert(TENSOR_MAX_COUNT <= ZIP_MAX_MEMBERS, "a member a tensor");

static void write_npy_head(const struct tensor_desc *t,
                           uint8_t out[NPY_HEAD_BYTES])
{
    char text[NPY_HEAD_BYTES - NPY_FIXED_BYTES + 1];
    const size_t room = sizeof(text);
    const uint16_t n_bytes = NPY_HEAD_BYTES - NPY_FIXED_BYTES;
    size_t at;

    at = (size_t)snprintf(text, room,
                          "{'descr': '%s', 'fortran_order': False, 'shape': (",
                          tensor_numpy_descr(t->dtype));
    for (int d = 0; d < t->n_dims; d++)
        at += (size_t)snprintf(text + at, room - at, "%s%" PRIu64,
                               d ? ", " : "", t->shape[d]);
    at += (size_t)snprintf(text + at, room - at, "%s), }",
                           t->n_dims == 1 ? "," : "");
    assert(at < n_bytes);
    memset(text + at, ' ', n_bytes - at);
    text[n_bytes - 1] = '\n';
    memcpy(out, "\x93NUMPY\x01\x00", 8);
    out[8] = (uint8_t)n_bytes;
    out[9] = (uint8_t)(n_bytes >> 8);
    memcpy(out + NPY_FIXED_BYTES, text, n_bytes);
}

/* Writes, or with data NULL counts. */
static uint64_t write_npz(const struct batch_layout *layout,
                          const uint8_t *payload, uint8_t *data)
{
    struct zip_writer z;
    char name[TENSOR_NAME_BYTES + 4];

    zip_init(&z, data);
    for (uint32_t i = 0; i < layout->n_tensors; i++) {
        const struct tensor_desc *t = &layout->tensor[i];
        uint8_t *content;

        snprintf(name, sizeof(name), "%s.npy", t->name);
        content = zip_begin_member(&z, name, NPY_HEAD_BYTES + t->n_bytes);
        if (content) {
            write_npy_head(t, content);
            memcpy(content + NPY_HEAD_BYTES, payload + t->offset_bytes,
                   (size_t)t->n_bytes);
        }
        zip_end_member(&z);
    }
    return zip_finish(&z);
}

uint64_t encode_npz_bytes(const struct batch_layout *layout)
{
    return write_npz(layout, NULL, NULL);
}

int encode_npz(const struct batch_layout *layout, const uint8_t *payload,
               struct encoded *out, struct fault *fault)
{
    uint64_t n_bytes = encode_npz_bytes(layout);
    uint8_t *data = mem_calloc(1, (size_t)n_bytes);

    if (!data)
        return fault_set(fault, ERROR_NO_MEMORY,
                         "no memory for an npz of %" PRIu64 " bytes", n_bytes);
    write_npz(layout, payload, data);
    *out = (struct encoded){.data = data, .n_bytes = (size_t)n_bytes};
    return 0;
}
