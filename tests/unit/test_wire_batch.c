/* The head of a BATCH: its bytes, its round trip, and every lie that it could
 * tell about its tensors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/checksum.h"
#include "common/error.h"
#include "common/wire.h"

/* The worked example of PROTOCOL.md: 2 samples, label and image. */
#define PAYLOAD_BYTES 344u
#define HEAD_BYTES    (WIRE_BATCH_HEAD_BYTES + 2 * WIRE_TENSOR_BYTES)

static const struct wire_batch_head example_head = {
    .first_position = 86,
    .n_samples = 2,
    .n_tensors = 2,
    .checksum = CHECKSUM_CRC32,
    .tensors_bytes = 320,
};
static const struct tensor_desc example_tensors[2] = {
    {"label", TENSOR_I64, 1, {2}, 192, 16},
    {"image", TENSOR_U8, 4, {2, 2, 2, 3}, 256, 24},
};

/* The bytes in PROTOCOL.md section 14. */
static const char golden[] =
    "5600000000000000020000000200010040010000000000000000000000000000"
    "6c6162656c000000000000000000000003010000000000000200000000000000"
    "00000000000000000000000000000000"
    "0000000000000000c000000000000000"
    "1000000000000000696d61676500000000000000000000000104000000000000"
    "0200000000000000020000000000000002000000000000000300000000000000"
    "00010000000000001800000000000000";

struct example {
    struct wire_batch_head head;
    struct tensor_desc tensors[TENSOR_MAX_COUNT];
    uint64_t payload_bytes;
};

static struct example good(void)
{
    struct example e = {.head = example_head, .payload_bytes = PAYLOAD_BYTES};
    memcpy(e.tensors, example_tensors, sizeof example_tensors);
    return e;
}

/* Encodes e and decodes it again. */
static int judge(const struct example *e)
{
    uint8_t bytes[WIRE_MAX_BATCH_HEAD_BYTES] = {0};
    struct wire_batch_head head;
    struct tensor_desc tensors[TENSOR_MAX_COUNT];
    struct bytes_writer w;
    bytes_writer_init(&w, bytes, sizeof bytes);
    wire_encode_batch_head(&w, &e->head, e->tensors);
    assert_false(w.failed);
    return wire_decode_batch_head(bytes, e->payload_bytes, &head, tensors);
}

static void the_example_has_its_golden_bytes(void **state)
{
    uint8_t bytes[WIRE_MAX_BATCH_HEAD_BYTES];
    char hex[2 * HEAD_BYTES + 1];
    struct bytes_writer w;
    bytes_writer_init(&w, bytes, sizeof bytes);
    wire_encode_batch_head(&w, &example_head, example_tensors);
    assert_int_equal(bytes_written(&w), HEAD_BYTES);
    assert_int_equal(bytes[WIRE_BATCH_CHECKSUM_OFFSET], CHECKSUM_CRC32);
    for (size_t i = 0; i < HEAD_BYTES; i++)
        snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
    assert_string_equal(hex, golden);
}

static void the_example_comes_back(void **state)
{
    uint8_t bytes[HEAD_BYTES];
    struct wire_batch_head head;
    struct tensor_desc tensors[TENSOR_MAX_COUNT];
    struct bytes_writer w;
    memset(&head, 0, sizeof head);
    memset(tensors, 0, sizeof tensors);
    bytes_writer_init(&w, bytes, sizeof bytes);
    wire_encode_batch_head(&w, &example_head, example_tensors);
    /* Only the head is there to read: the tensors are not looked at. */
    assert_int_equal(
        wire_decode_batch_head(bytes, PAYLOAD_BYTES, &head, tensors), 0);
    assert_int_equal(head.first_position, 86);
    assert_int_equal(head.n_samples, 2);
    assert_int_equal(head.n_tensors, 2);
    assert_int_equal(head.checksum, CHECKSUM_CRC32);
    assert_int_equal(head.tensors_bytes, 320);
    assert_memory_equal(tensors, example_tensors, sizeof example_tensors);
}

static void every_truncation_is_refused(void **state)
{
    uint8_t bytes[HEAD_BYTES];
    struct bytes_writer w;
    bytes_writer_init(&w, bytes, sizeof bytes);
    wire_encode_batch_head(&w, &example_head, example_tensors);
    for (size_t n = 0; n < HEAD_BYTES; n++) {
        struct wire_batch_head head;
        struct tensor_desc tensors[TENSOR_MAX_COUNT];
        uint8_t *cut = malloc(n + (n == 0));
        assert_non_null(cut);
        memcpy(cut, bytes, n);
        assert_int_equal(wire_decode_batch_head(cut, n, &head, tensors),
                         -ERROR_BAD_FRAME);
        free(cut);
    }
}

static void a_payload_of_another_length_is_refused(void **state)
{
    struct example e = good();
    assert_int_equal(judge(&e), 0);
    e.payload_bytes = PAYLOAD_BYTES + 8;
    assert_int_equal(judge(&e), -ERROR_BAD_FRAME);
    e.payload_bytes = PAYLOAD_BYTES - 8;
    assert_int_equal(judge(&e), -ERROR_BAD_FRAME);
    e.payload_bytes = 320; /* right for checksum none only */
    assert_int_equal(judge(&e), -ERROR_BAD_FRAME);
    e.head.checksum = CHECKSUM_NONE;
    assert_int_equal(judge(&e), 0);
    e.payload_bytes = UINT64_MAX;
    assert_int_equal(judge(&e), -ERROR_BAD_FRAME);
}

/* One lie a row; each alone must be refused. */
#define REFUSED(lie)                                                           \
    do {                                                                       \
        struct example e = good();                                             \
        lie;                                                                   \
        assert_int_equal(judge(&e), -ERROR_BAD_FRAME);                         \
    } while (0)

static void lies_about_counts_are_refused(void **state)
{
    REFUSED(e.head.n_samples = 0);
    REFUSED(e.head.n_samples = 3);
    REFUSED(e.head.n_samples = UINT32_MAX);
    REFUSED(e.head.n_tensors = 0);
    REFUSED(e.head.n_tensors = 3);
    REFUSED(e.head.checksum = CHECKSUM_N_KINDS);
    REFUSED(e.head.tensors_bytes = 319);
    REFUSED(e.head.tensors_bytes = 256);
    REFUSED(e.head.tensors_bytes = UINT64_MAX - 63);
    REFUSED(e.head.first_position = WIRE_MAX_POSITION);
    REFUSED(e.head.first_position = WIRE_MAX_POSITION - 1);
}

static void lies_about_shapes_are_refused(void **state)
{
    REFUSED(e.tensors[1].n_dims = 0);
    REFUSED(e.tensors[1].n_dims = 5);
    REFUSED(e.tensors[1].dtype = 0);
    REFUSED(e.tensors[1].dtype = 7);
    REFUSED(e.tensors[1].dtype = TENSOR_F32); /* n_bytes does not fit */
    REFUSED(e.tensors[1].shape[0] = 1);       /* not n_samples */
    REFUSED(e.tensors[1].shape[3] = 0);
    REFUSED(e.tensors[1].shape[3] = 4);
    REFUSED(e.tensors[1].n_bytes = 23);
    /* 12 * 2^62 wraps to 0, 12 * (2^62 + 2) to 24: the right n_bytes. */
    REFUSED(e.tensors[1].shape[1] = 1ull << 62);
    REFUSED(e.tensors[1].shape[1] = (1ull << 62) + 2);
    REFUSED(e.tensors[1].shape[1] = UINT64_MAX);
}

static void lies_about_places_are_refused(void **state)
{
    REFUSED(e.tensors[0].offset_bytes = 128); /* in the descriptors */
    REFUSED(e.tensors[0].offset_bytes = 0);
    REFUSED(e.tensors[0].offset_bytes = 193); /* misaligned */
    REFUSED(e.tensors[0].offset_bytes = 200);
    REFUSED(e.tensors[1].offset_bytes = 192); /* overlap */
    REFUSED(e.tensors[0].offset_bytes = 256; e.tensors[1].offset_bytes = 192);
    REFUSED(e.tensors[1].offset_bytes = 320); /* beyond the tensors */
    REFUSED(e.tensors[1].offset_bytes = 320; e.head.tensors_bytes = 384;
            e.payload_bytes += 64); /* 64 bytes of padding */
    REFUSED(e.head.tensors_bytes = 384; e.payload_bytes += 64);
    REFUSED(e.tensors[1].offset_bytes = 1ull << 40);
    REFUSED(e.tensors[1].offset_bytes = UINT64_MAX - 63); /* wraps */
}

static void known_names_keep_their_dtype(void **state)
{
    struct example other = good();
    REFUSED(e.tensors[0].dtype = TENSOR_F16; e.tensors[0].n_bytes = 4);
    REFUSED(e.tensors[0].n_dims = 2; e.tensors[0].shape[1] = 1);
    REFUSED(e.tensors[1].dtype = TENSOR_I32; e.tensors[1].n_bytes = 96);
    REFUSED(e.tensors[1].n_dims = 3; e.tensors[1].shape[2] = 6;
            e.tensors[1].shape[3] = 0);
    REFUSED(memcpy(e.tensors[0].name, "mask", 5)); /* i64 [n] */
    REFUSED(memcpy(e.tensors[0].name, "plane", 6));
    REFUSED(memcpy(e.tensors[0].name, "context", 8));
    /* An image may be of half floats. */
    struct example half = good();
    half.tensors[1].dtype = TENSOR_F16;
    half.tensors[1].n_bytes = 48;
    assert_int_equal(judge(&half), 0);
    half.tensors[1].dtype = TENSOR_BF16;
    assert_int_equal(judge(&half), 0);
    /* Another name may have any. */
    memcpy(other.tensors[0].name, "depth", 6);
    other.tensors[0].dtype = TENSOR_F16;
    other.tensors[0].n_bytes = 4;
    assert_int_equal(judge(&other), 0);
}

static void lies_about_names_are_refused(void **state)
{
    REFUSED(memcpy(e.tensors[1].name, "label", 6)); /* twice */
    REFUSED(e.tensors[1].name[0] = '\0');
    REFUSED(e.tensors[1].name[0] = 'I');
    REFUSED(e.tensors[1].name[0] = '7');
    REFUSED(e.tensors[1].name[1] = '\n');
    REFUSED(e.tensors[1].name[1] = '/');
}

static void reserved_bytes_must_be_zero(void **state)
{
    /* Head 15 and 24..31; descriptor: name's tail, 18..23, unused sizes. */
    static const size_t at[] = {15,      24,      31,      32 + 7, 32 + 15,
                                32 + 18, 32 + 23, 32 + 32, 32 + 55};
    for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
        uint8_t bytes[HEAD_BYTES];
        struct wire_batch_head head;
        struct tensor_desc tensors[TENSOR_MAX_COUNT];
        struct bytes_writer w;
        bytes_writer_init(&w, bytes, sizeof bytes);
        wire_encode_batch_head(&w, &example_head, example_tensors);
        bytes[at[i]] = 'x';
        assert_int_equal(
            wire_decode_batch_head(bytes, PAYLOAD_BYTES, &head, tensors),
            -ERROR_BAD_FRAME);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_has_its_golden_bytes),
        cmocka_unit_test(the_example_comes_back),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(a_payload_of_another_length_is_refused),
        cmocka_unit_test(lies_about_counts_are_refused),
        cmocka_unit_test(lies_about_shapes_are_refused),
        cmocka_unit_test(lies_about_places_are_refused),
        cmocka_unit_test(known_names_keep_their_dtype),
        cmocka_unit_test(lies_about_names_are_refused),
        cmocka_unit_test(reserved_bytes_must_be_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
