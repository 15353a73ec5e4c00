/* A batch as .safetensors: the length of a JSON header, the header, then the
 * tensors without gaps, wider items first so that each lies aligned to its
 * items. Interprets no tensor. Source: the format of huggingface/safetensors
 * (README, "Format"). Threads: any worker. */
#include "server/encode/encode.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/bytes.h"
#include "server/base/mem.h"

#define LENGTH_BYTES 8
#define ALIGN_BYTES  64 /* of the first tensor in the file */
/* The longest entry: name, dtype, four sizes and two offsets of 20 digits. */
#define ENTRY_BYTES  256
#define HEADER_BYTES (TENSOR_MAX_COUNT * ENTRY_BYTES)

static const char *dtype_word(uint8_t dtype)
{
    switch (dtype) {
    case TENSOR_I32:
        return "I32";
    case TENSOR_I64:
        return "I64";
    case TENSOR_F32:
        return "F32";
    case TENSOR_F16:
        return "F16";
    case TENSOR_BF16:
        return "BF16";
    default:
        return "U8";
    }
}

/* Tensors by the size of their items, the widest first, else as they lie. */
static void sort_tensors(const struct batch_layout *layout,
                         const struct tensor_desc *out[TENSOR_MAX_COUNT])
{
    uint32_t n = 0;
    for (uint32_t bytes = 8; bytes > 0; bytes /= 2)
        for (uint32_t i = 0; i < layout->n_tensors; i++)
            if (tensor_item_bytes(layout->tensor[i].dtype) == bytes)
                out[n++] = &layout->tensor[i];
}

struct header {
    char text[HEADER_BYTES + ALIGN_BYTES];
    size_t n_bytes;
};

static void __attribute__((format(printf, 2, 3)))
print(struct header *h, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    h->n_bytes += (size_t)vsnprintf(
        h->text + h->n_bytes, HEADER_BYTES - h->n_bytes, format, arguments);
    va_end(arguments);
}

/* The header, padded with blanks; returns the bytes of all tensors. */
static uint64_t make_header(const struct batch_layout *layout,
                            const struct tensor_desc *const *tensors,
                            struct header *h)
{
    uint64_t at = 0;
    h->n_bytes = 0;
    for (uint32_t i = 0; i < layout->n_tensors; i++) {
        const struct tensor_desc *t = tensors[i];
        print(h, "%s\"%s\":{\"dtype\":\"%s\",\"shape\":[", i ? "," : "{",
              t->name, dtype_word(t->dtype));
        for (int d = 0; d < t->n_dims; d++)
            print(h, "%s%" PRIu64, d ? "," : "", t->shape[d]);
        print(h, "],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]}", at,
              at + t->n_bytes);
        at += t->n_bytes;
    }
    print(h, "}");
    while ((LENGTH_BYTES + h->n_bytes) % ALIGN_BYTES != 0)
        h->text[h->n_bytes++] = ' ';
    return at;
}

uint64_t encode_safetensors_bytes(const struct batch_layout *layout)
{
    const struct tensor_desc *tensors[TENSOR_MAX_COUNT] = {0};
    struct header h;
    sort_tensors(layout, tensors);
    uint64_t n_bytes = make_header(layout, tensors, &h);
    return LENGTH_BYTES + h.n_bytes + n_bytes;
}

int encode_safetensors(const struct batch_layout *layout,
                       const uint8_t *payload, struct encoded *out,
                       struct fault *fault)
{
    const struct tensor_desc *tensors[TENSOR_MAX_COUNT] = {0};
    struct header h;
    struct bytes_writer w;
    sort_tensors(layout, tensors);
    uint64_t n_bytes =
        make_header(layout, tensors, &h) + LENGTH_BYTES + h.n_bytes;
    uint8_t *data = mem_calloc(1, (size_t)n_bytes);
    if (!data)
        return fault_set(fault, ERROR_NO_MEMORY,
                         "no memory for safetensors of %" PRIu64 " bytes",
                         n_bytes);
    bytes_writer_init(&w, data, LENGTH_BYTES);
    bytes_write_u64(&w, h.n_bytes);
    uint8_t *at = data + LENGTH_BYTES;
    memcpy(at, h.text, h.n_bytes);
    at += h.n_bytes;
    for (uint32_t i = 0; i < layout->n_tensors; i++) {
        memcpy(at, payload + tensors[i]->offset_bytes,
               (size_t)tensors[i]->n_bytes);
        at += tensors[i]->n_bytes;
    }
    *out = (struct encoded){.data = data, .n_bytes = (size_t)n_bytes};
    return 0;
}
