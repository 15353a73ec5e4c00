/* Errors, bounded bytes, checksums and dtypes. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/bytes.h"
#include "common/checksum.h"
#include "common/checksum_crc32.h"
#include "common/checksum_xxh3.h"
#include "common/digits.h"
#include "common/error.h"
#include "common/fingerprint.h"
#include "common/tensor.h"

static void codes_are_known_with_either_sign(void **state)
{
    assert_string_equal(error_word(ERROR_FINGERPRINT), "fingerprint_mismatch");
    assert_string_equal(error_word(-ERROR_FINGERPRINT), "fingerprint_mismatch");
    assert_int_equal(error_http_status(-ERROR_OVERLOADED), 503);
    assert_true(error_is_retryable(ERROR_OVERLOADED));
    assert_false(error_is_retryable(ERROR_BAD_RECIPE));
    assert_string_equal(error_word(9999), "unknown");
    assert_int_equal(error_http_status(9999), 500);
    assert_false(error_is_retryable(9999));
    assert_string_equal(error_word(0), "ok");
}

static void a_fingerprint_says_what_differs(void **state)
{
    static const struct {
        int at[4], n;
        const char *text;
    } rows[] = {
        {{0}, 0, "nothing differs"},
        {{19}, 1, "the catalog (images or classes) differs"},
        {{31}, 1, "the recipe differs"},
        {{2}, 1, "the seed differs"},
        {{1}, 1, "the engine differs (version 1, expected 3)"},
        {{7, 20}, 2, "the recipe and the seed differ"},
        {{0, 2, 8, 20},
         4,
         "the catalog (images or classes), the recipe, the seed and the engine "
         "differ (version 1, expected 513)"},
    };
    uint8_t found[FINGERPRINT_BYTES] = {0, 1};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t expected[FINGERPRINT_BYTES];
        char text[FINGERPRINT_TEXT_BYTES];
        memcpy(expected, found, sizeof expected);
        for (int k = 0; k < rows[i].n; k++)
            expected[rows[i].at[k]] ^= 2;
        fingerprint_explain(found, expected, text);
        assert_string_equal(text, rows[i].text);
    }
}

static void a_fault_overwrites_and_takes_prefixes(void **state)
{
    struct fault f = {0};
    assert_int_equal(fault_set(&f, ERROR_IO, "disk %d", 3), -ERROR_IO);
    assert_int_equal(fault_set(&f, ERROR_BAD_FILE, "no PNG"), -ERROR_BAD_FILE);
    assert_string_equal(f.text, "no PNG");
    assert_int_equal(fault_prefix(&f, "%s", "a.png"), -ERROR_BAD_FILE);
    assert_string_equal(f.text, "a.png: no PNG");
    assert_int_equal(f.code, ERROR_BAD_FILE);
    assert_int_equal(fault_set(NULL, ERROR_IO, "x"), -ERROR_IO);
    assert_int_equal(fault_set(&f, ERROR_IO, "again: %s", f.text), -ERROR_IO);
    assert_string_equal(f.text, "again: a.png: no PNG");
}

static void a_fault_is_cut_to_fit(void **state)
{
    struct fault f = {0};
    char long_text[2000];
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    fault_set(&f, ERROR_IO, "%s", long_text);
    assert_int_equal(strlen(f.text), sizeof f.text - 1);
    fault_prefix(&f, "front");
    assert_int_equal(strlen(f.text), sizeof f.text - 1);
    assert_memory_equal(f.text, "front: xxx", 10);
    fault_prefix(&f, "%s", long_text);
    assert_int_equal(strlen(f.text), sizeof f.text - 1);
}

static void numbers_are_little_endian_and_come_back(void **state)
{
    uint8_t buffer[15];
    struct bytes_writer w;
    struct bytes_reader r;
    bytes_writer_init(&w, buffer, sizeof buffer);
    bytes_write_u8(&w, 0x01);
    bytes_write_u16(&w, 0x0302);
    bytes_write_u32(&w, 0x07060504);
    bytes_write_u64(&w, 0x0f0e0d0c0b0a0908);
    assert_false(w.failed);
    for (int i = 0; i < 15; i++)
        assert_int_equal(buffer[i], i + 1);
    bytes_write_u8(&w, 1);
    assert_true(w.failed);
    bytes_reader_init(&r, buffer, sizeof buffer);
    assert_int_equal(bytes_read_u8(&r), 0x01);
    assert_int_equal(bytes_read_u16(&r), 0x0302);
    assert_int_equal(bytes_read_u32(&r), 0x07060504);
    assert_int_equal(bytes_read_u64(&r), 0x0f0e0d0c0b0a0908);
    assert_true(bytes_reader_done(&r));
    assert_int_equal(bytes_read_u8(&r), 0);
    assert_true(r.failed);
    assert_false(bytes_reader_done(&r));
}

static void a_failure_sticks(void **state)
{
    uint8_t buffer[4] = {1, 2, 3, 4};
    struct bytes_reader r;
    struct bytes_writer w;
    bytes_reader_init(&r, buffer, sizeof buffer);
    assert_int_equal(bytes_read_u64(&r), 0);
    assert_int_equal(bytes_read_u8(&r), 0); /* though a byte is there */
    assert_null(bytes_read_span(&r, 0));
    bytes_writer_init(&w, buffer, sizeof buffer);
    bytes_write_u64(&w, 0);
    bytes_write_u8(&w, 9);
    assert_true(w.failed);
    assert_int_equal(buffer[0], 1);
    assert_int_equal(bytes_written(&w), 0);
}

static void an_empty_span_reads_as_nothing(void **state)
{
    struct bytes_reader r;
    bytes_reader_init(&r, NULL, 0);
    assert_true(bytes_reader_done(&r));
    assert_non_null(bytes_read_span(&r, 0));
    bytes_read_u8(&r);
    assert_true(r.failed);
}

static void a_string_is_written_whole_or_not_at_all(void **state)
{
    uint8_t buffer[6];
    char out[5] = "old";
    struct bytes_writer w;
    struct bytes_reader r;
    bytes_writer_init(&w, buffer, sizeof buffer);
    bytes_write_string(&w, "abcde");
    assert_true(w.failed);
    assert_int_equal(bytes_written(&w), 0);
    bytes_writer_init(&w, buffer, sizeof buffer);
    bytes_write_string(&w, "abcd");
    assert_false(w.failed);
    bytes_reader_init(&r, buffer, sizeof buffer);
    bytes_read_string(&r, out, 4); /* no room for the NUL */
    assert_true(r.failed);
    assert_string_equal(out, "");
    bytes_reader_init(&r, buffer, sizeof buffer);
    bytes_read_string(&r, out, sizeof out);
    assert_true(bytes_reader_done(&r));
    assert_string_equal(out, "abcd");
}

static void digits_are_read_strictly(void **state)
{
    static const char *const bad[] = {
        "", "-1", "+1", " 1", "1 ", "1x", "0x1", "18446744073709551616"};
    uint64_t value = 7;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(digits_read(bad[i], &value));
    assert_int_equal(value, 7);
    assert_true(digits_read("18446744073709551615", &value));
    assert_true(value == UINT64_MAX);
    assert_true(digits_read("007", &value));
    assert_int_equal(value, 7);
}

static void hex_is_read_whole_and_written_in_lower_case(void **state)
{
    const uint8_t bytes[3] = {0x00, 0x9a, 0xff};
    uint8_t back[3];
    char text[7];
    digits_write_hex(bytes, sizeof bytes, text);
    assert_string_equal(text, "009aff");
    assert_true(digits_read_hex("009AfF", back, sizeof back));
    assert_memory_equal(back, bytes, sizeof bytes);
    assert_false(digits_read_hex("009af", back, sizeof back));
    assert_false(digits_read_hex("009aff0", back, sizeof back));
    assert_false(digits_read_hex("009afg", back, sizeof back));
    for (int c = -128; c < 256; c++)
        assert_int_equal(digits_hex_value((char)c) >= 0,
                         c > 0 && c < 128 && isxdigit(c) != 0);
}

static void crc32_is_zlibs(void **state)
{
    assert_int_equal(checksum_crc32(0, "", 0), 0);
    assert_int_equal(checksum_crc32(0, "123456789", 9), 0xcbf43926u);
    assert_int_equal(checksum_of(CHECKSUM_CRC32, "123456789", 9), 0xcbf43926u);
}

/* The definition, bit by bit. */
static uint32_t slow_crc32(uint32_t previous, const uint8_t *p, size_t n)
{
    uint32_t crc = ~previous;
    while (n--) {
        crc ^= *p++;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static void crc32_is_its_definition_at_every_length_and_offset(void **state)
{
    uint8_t data[600];
    uint32_t x = 1;
    for (size_t i = 0; i < sizeof data; i++) {
        x = x * 1664525u + 1013904223u;
        data[i] = (uint8_t)(x >> 24);
    }
    for (size_t offset = 0; offset < 9; offset++)
        for (size_t n = 0; n < 300; n++)
            assert_int_equal(checksum_crc32((uint32_t)n, data + offset, n),
                             slow_crc32((uint32_t)n, data + offset, n));
    uint32_t first = checksum_crc32(0, data, 123);
    assert_int_equal(checksum_crc32(first, data + 123, sizeof data - 123),
                     checksum_crc32(0, data, sizeof data));
}

/* Every number of whole blocks and bytes behind them, at every alignment. */
static void crc32_is_one_sum_with_every_instruction_set(void **state)
{
    static uint8_t data[70000 + 64];
    uint32_t x = 1;
    for (size_t i = 0; i < sizeof data; i++) {
        x = x * 1664525u + 1013904223u;
        data[i] = (uint8_t)(x >> 24);
    }
    for (size_t n = 0; n < 70000; n += n < 700 ? 1 : 4999)
        for (size_t offset = 0; offset < 64; offset += n < 700 ? 7 : 1) {
            const uint8_t *at = data + offset;
            const uint32_t previous = (uint32_t)(n * 0x9e3779b9u);
            uint32_t crc = checksum_crc32_plain(previous, at, n);
            assert_int_equal(checksum_crc32(previous, at, n), crc);
#ifdef __x86_64__
            if (n >= CHECKSUM_CLMUL_BYTES && __builtin_cpu_supports("pclmul"))
                assert_int_equal(checksum_crc32_clmul(previous, at, n), crc);
#endif
        }
    memset(data, 0xff, sizeof data);
    assert_int_equal(checksum_crc32(0, data, 60000),
                     slow_crc32(0, data, 60000));
}

static void xxh3_is_the_published_one(void **state)
{
    /* XXH3_64bits of nothing, seed 0. */
    assert_int_equal(checksum_of(CHECKSUM_XXH3, "", 0), 0x2d06800538d394c2ull);
    assert_int_equal(checksum_of(CHECKSUM_NONE, "abc", 3), 0);
}

/* Beyond 1024 bytes XXH3 scrambles what it gathered, and begins a new block. */
static void xxh3_is_one_sum_with_every_instruction_set(void **state)
{
    static uint8_t data[70001];
    uint32_t x = 1;
    for (size_t i = 0; i < sizeof data; i++) {
        x = x * 1664525u + 1013904223u;
        data[i] = (uint8_t)(x >> 24);
    }
    for (size_t n = 0; n < 70000; n += n < 2200 ? 1 : 977) {
        const uint8_t *at = data + n % 2;
        uint64_t sum = checksum_xxh3_plain(at, n);
        assert_int_equal(checksum_of(CHECKSUM_XXH3, at, n), sum);
#ifdef __x86_64__
        if (__builtin_cpu_supports("avx2"))
            assert_int_equal(checksum_xxh3_v3(at, n), sum);
        if (__builtin_cpu_supports("avx512f"))
            assert_int_equal(checksum_xxh3_v4(at, n), sum);
#endif
    }
}

static void checksums_have_names(void **state)
{
    for (int kind = 0; kind < CHECKSUM_N_KINDS; kind++)
        assert_non_null(checksum_name((enum checksum_kind)kind));
    assert_null(checksum_name(CHECKSUM_N_KINDS));
}

static void dtypes_have_sizes_and_names(void **state)
{
    assert_int_equal(tensor_item_bytes(TENSOR_I64), 8);
    assert_int_equal(tensor_item_bytes(TENSOR_F16), 2);
    assert_int_equal(tensor_item_bytes(0), 0);
    assert_string_equal(tensor_dtype_word(TENSOR_U8), "u8");
    assert_string_equal(tensor_numpy_descr(TENSOR_F32), "<f4");
    assert_int_equal(tensor_item_bytes(TENSOR_BF16), 2);
    assert_string_equal(tensor_dtype_word(TENSOR_BF16), "bf16");
    assert_null(tensor_numpy_descr(TENSOR_BF16));
    assert_null(tensor_dtype_word(77));
    assert_null(tensor_numpy_descr(-1));
}

static void channels_have_counts_and_names(void **state)
{
    (void)state;
    assert_int_equal(tensor_channel_count(TENSOR_RGB), 3);
    assert_int_equal(tensor_channel_count(TENSOR_BGR), 3);
    assert_int_equal(tensor_channel_count(TENSOR_GREY), 1);
    assert_string_equal(tensor_channels_word(TENSOR_GREY), "grey");
    for (int number = -1; number < 6; number++)
        assert_int_equal(tensor_channel_count(number) > 0,
                         tensor_channels_word(number) != NULL);
    assert_null(tensor_channels_word(0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_are_known_with_either_sign),
        cmocka_unit_test(a_fingerprint_says_what_differs),
        cmocka_unit_test(a_fault_overwrites_and_takes_prefixes),
        cmocka_unit_test(a_fault_is_cut_to_fit),
        cmocka_unit_test(numbers_are_little_endian_and_come_back),
        cmocka_unit_test(a_failure_sticks),
        cmocka_unit_test(an_empty_span_reads_as_nothing),
        cmocka_unit_test(a_string_is_written_whole_or_not_at_all),
        cmocka_unit_test(digits_are_read_strictly),
        cmocka_unit_test(hex_is_read_whole_and_written_in_lower_case),
        cmocka_unit_test(crc32_is_zlibs),
        cmocka_unit_test(crc32_is_its_definition_at_every_length_and_offset),
        cmocka_unit_test(crc32_is_one_sum_with_every_instruction_set),
        cmocka_unit_test(xxh3_is_the_published_one),
        cmocka_unit_test(xxh3_is_one_sum_with_every_instruction_set),
        cmocka_unit_test(checksums_have_names),
        cmocka_unit_test(dtypes_have_sizes_and_names),
        cmocka_unit_test(channels_have_counts_and_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
