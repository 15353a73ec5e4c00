/* How a tensor is named, typed, shaped and placed inside a batch. Row major,
 * little-endian, no padding inside a tensor. */
#ifndef PASTED_COMMON_TENSOR_H
#define PASTED_COMMON_TENSOR_H

#include <stddef.h>
#include <stdint.h>

#define TENSOR_MAX_DIMS    4
#define TENSOR_NAME_BYTES  16 /* with the NUL */
#define TENSOR_ALIGN_BYTES 64
#define TENSOR_MAX_COUNT   16 /* tensors in one batch */

/* X(NAME, number, word, bytes an item, NumPy descr or NULL: it has none) */
#define TENSOR_DTYPES(X)                                                       \
    X(U8, 1, "u8", 1, "|u1")                                                   \
    X(I32, 2, "i32", 4, "<i4")                                                 \
    X(I64, 3, "i64", 8, "<i8")                                                 \
    X(F32, 4, "f32", 4, "<f4")                                                 \
    X(F16, 5, "f16", 2, "<f2")                                                 \
    X(BF16, 6, "bf16", 2, NULL)

enum tensor_dtype {
#define X(name, number, word, bytes, descr) TENSOR_##name = number,
    TENSOR_DTYPES(X)
#undef X
};

enum tensor_layout { TENSOR_NHWC = 1, TENSOR_NCHW = 2 };

/* What the channels of an image are, in order. */
enum tensor_channels { TENSOR_RGB = 1, TENSOR_BGR = 2, TENSOR_GREY = 3 };

/* 3, 3, 1; 0 for an unknown number. */
static inline uint32_t tensor_channel_count(int channels)
{
    if (channels == TENSOR_GREY)
        return 1;
    return channels == TENSOR_RGB || channels == TENSOR_BGR ? 3 : 0;
}

struct tensor_desc {
    char name[TENSOR_NAME_BYTES]; /* NUL-terminated */
    uint8_t dtype;                /* enum tensor_dtype */
    uint8_t n_dims;               /* 1..TENSOR_MAX_DIMS */
    uint64_t shape[TENSOR_MAX_DIMS];
    uint64_t offset_bytes; /* from the payload's start, 64-byte aligned */
    uint64_t n_bytes;      /* product of shape * item size */
};

size_t tensor_item_bytes(int dtype);      /* 0 for an unknown dtype */
const char *tensor_dtype_word(int dtype); /* NULL for an unknown dtype */
/* "rgb", "bgr", "grey"; NULL for an unknown number. */
const char *tensor_channels_word(int channels);
/* NULL for an unknown dtype, and for bf16, which NumPy has not. */
const char *tensor_numpy_descr(int dtype);

#endif
