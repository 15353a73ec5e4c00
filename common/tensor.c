/* What is known of a dtype, from the one table in tensor.h. Knows no batch.
 * Threads: pure functions. */
#include "common/tensor.h"

size_t tensor_item_bytes(int dtype)
{
    switch (dtype) {
#define X(name, number, word, bytes, descr)                                    \
    case number:                                                               \
        return bytes;
        TENSOR_DTYPES(X)
#undef X
    default:
        return 0;
    }
}

const char *tensor_dtype_word(int dtype)
{
    switch (dtype) {
#define X(name, number, word, bytes, descr)                                    \
    case number:                                                               \
        return word;
        TENSOR_DTYPES(X)
#undef X
    default:
        return NULL;
    }
}

const char *tensor_numpy_descr(int dtype)
{
    switch (dtype) {
#define X(name, number, word, bytes, descr)                                    \
    case number:                                                               \
        return descr;
        TENSOR_DTYPES(X)
#undef X
    default:
        return NULL;
    }
}

const char *tensor_channels_word(int channels)
{
    static const char *const words[] = {
        [TENSOR_RGB] = "rgb", [TENSOR_BGR] = "bgr", [TENSOR_GREY] = "grey"};
    return tensor_channel_count(channels) > 0 ? words[channels] : NULL;
}
