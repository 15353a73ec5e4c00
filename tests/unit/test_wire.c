/* The frames: their bytes as PROTOCOL.md has them, round trips, and what a
 * damaged or impossible frame is answered with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/checksum.h"
#include "common/error.h"
#include "tests/unit/wire_samples.h"

/* Made by Python's struct and zlib from PROTOCOL.md, not by this code. */
static const struct {
    int type;
    uint32_t request;
    const char *hex;
} golden[] = {
    {WIRE_HELLO, 1,
     "5053544401010000010000000000000027000000000000005c15b56e9cf68906"
     "010003000000000007000000070064656d6f20c3a910006f70656e2d73657361"
     "6d652d30303030"},
    {WIRE_WELCOME, 1,
     "505354440102000001000000000000004c000000000000002ac999e380a05349"
     "0100020001000000000000000000010000000000010000000004000000000000"
     "1000000010000000c0d401000c0070617374656420302e312e30020007006465"
     "6661756c7405007369676e73"},
    {WIRE_OPEN, 2,
     "505354440103000002000000000000004100000000000000c9bf6dd6de1cf351"
     "5600000000000000560000000100000002000000010101000001020304050607"
     "08090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f070064656661756c"
     "74"},
    {WIRE_OPENED, 2,
     "505354440104000002000000000000008100000000000000debff882f4d810da"
     "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
     "0700000000000000580100000000000056000000000000000010080000000000"
     "5600000001000000020000002b0000002b000000500000000400000040000000"
     "4000000001010100112233445566778802000000040073746f7005007969656c"
     "64"},
    {WIRE_CREDIT, 3,
     "505354440105000003000000000000000c000000000000005f8d743ba75bed8d"
     "040000000040200000000000"},
    {WIRE_PULL, 4,
     "505354440107000004000000000000000800000000000000aa2dc098b9378f25"
     "ac00000000000000"},
    {WIRE_SEEK, 5,
     "505354440108000005000000000000000800000000000000a0d37081b16fa166"
     "0201000000000000"},
    {WIRE_ERROR, 4,
     "505354440109000004000000000000001200000000000000761f2d643107653a"
     "0a000000e80300000800746f6f2062757379"},
    {WIRE_PING, 6,
     "50535444010a00000600000000000000080000000000000047e23b4445a71cb2"
     "efcdab8967452301"},
    {WIRE_PONG, 6,
     "50535444010b00000600000000000000080000000000000047e23b44914d6f29"
     "efcdab8967452301"},
    {WIRE_CLOSE, 0,
     "50535444010c00000000000000000000070000000000000072b9bd50e9f57e79"
     "0b000300627965"},
    {WIRE_DRAIN, 0,
     "50535444010d000000000000000000000c00000000000000a0b6a1b60c9780bb"
     "580100000000000088130000"},
    {WIRE_JOIN, 2,
     "50535444010e0000020000000000000057000000000000007c318e941254c605"
     "00001000000000000c0000000000000000000000560000000200000088130000"
     "01010100000102030405060708090a0b0c0d0e0f101112131415161718191a1b"
     "1c1d1e1f070064656661756c7405006e69676874010061"},
    {WIRE_LEASE, 2,
     "50535444010f000002000000000000002000000000000000b9f613dd2f45fbd0"
     "090000000000000004000000000000001c040000000000000200000088130000"},
    {WIRE_ACK, 7,
     "50535444011000000700000000000000080000000000000042c46d7a99a7b81d"
     "0900000000000000"},
    {WIRE_ACKED, 7,
     "505354440111000007000000000000001000000000000000277d148bd414ef7e"
     "09000000000000001600000000000000"},
    {WIRE_ASK, 8,
     "505354440112000008000000000000000d0000000000000029d3b83850a7c185"
     "0b0067726f7570206e69676874"},
    {WIRE_SLOT, 2,
     "505354440114000002000000000000002000000000000000018e9b02e33bc7c0"
     "0900000000000000000001000000000000100800000000004010090000000000"},
    {WIRE_FEEDBACK, 8,
     "505354440116000008000000000000001500000000000000bd928a44a3653078"
     "070064656661756c740200000000000100ffff0000"},
    {WIRE_REFINE, 9,
     "505354440117000009000000000000002000000000000000c32fcf3f3d5c1106"
     "ac00000000000000d7000000000000002b000000400000003000000001010000"},
    {WIRE_RETURN, 0,
     "50535444011500000000000000000000080000000000000042c46d7a4d4ad367"
     "0900000000000000"},
};

static void every_frame_has_its_golden_bytes(void **state)
{
    assert_int_equal(sizeof golden / sizeof golden[0], sample_n_types);
    for (int i = 0; i < sample_n_types; i++) {
        uint8_t expected[SAMPLE_MAX_BYTES], frame[SAMPLE_MAX_BYTES];
        size_t n = sample_from_hex(golden[i].hex, expected);
        size_t n_frame = sample_frame(golden[i].type, golden[i].request, frame,
                                      sizeof frame);
        assert_int_equal(n_frame, n);
        assert_memory_equal(frame, expected, n);
    }
}

static void every_message_comes_back_as_it_was_sent(void **state)
{
    for (int i = 0; i < sample_n_types; i++) {
        uint8_t frame[SAMPLE_MAX_BYTES];
        struct wire_header h;
        int type = sample_types[i];
        size_t n = sample_frame(type, 77, frame, sizeof frame);
        const uint8_t *payload = frame + WIRE_HEADER_BYTES;
        assert_int_equal(wire_decode_header(frame, &h), 0);
        assert_int_equal(h.type, type);
        assert_int_equal(h.request, 77);
        assert_int_equal(h.payload_bytes, n - WIRE_HEADER_BYTES);
        assert_int_equal(wire_check_payload(&h, payload), 0);
        assert_int_equal(
            sample_decode(type, payload, n - WIRE_HEADER_BYTES, true), 0);
    }
}

static void every_truncation_of_every_message_is_refused(void **state)
{
    for (int i = 0; i < sample_n_types; i++) {
        uint8_t frame[SAMPLE_MAX_BYTES];
        size_t n = sample_frame(sample_types[i], 1, frame, sizeof frame) -
                   WIRE_HEADER_BYTES;
        for (size_t cut = 0; cut < n; cut++)
            assert_int_equal(sample_decode_exact(sample_types[i],
                                                 frame + WIRE_HEADER_BYTES,
                                                 cut),
                             -ERROR_BAD_FRAME);
    }
}

static void a_byte_too_many_is_refused(void **state)
{
    for (int i = 0; i < sample_n_types; i++) {
        uint8_t frame[SAMPLE_MAX_BYTES] = {0};
        size_t n = sample_frame(sample_types[i], 1, frame, sizeof frame) -
                   WIRE_HEADER_BYTES;
        assert_int_equal(sample_decode_exact(sample_types[i],
                                             frame + WIRE_HEADER_BYTES, n + 1),
                         -ERROR_BAD_FRAME);
    }
}

static void the_header_crc_sees_every_flipped_bit(void **state)
{
    uint8_t frame[SAMPLE_MAX_BYTES];
    struct wire_header h;
    sample_frame(WIRE_OPEN, 1, frame, sizeof frame);
    for (int bit = 0; bit < 8 * WIRE_HEADER_BYTES; bit++) {
        frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(wire_decode_header(frame, &h), -ERROR_BAD_FRAME);
        frame[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_int_equal(wire_decode_header(frame, &h), 0);
}

static void the_payload_crc_sees_every_flipped_bit(void **state)
{
    uint8_t frame[SAMPLE_MAX_BYTES];
    struct wire_header h;
    size_t n = sample_frame(WIRE_OPEN, 1, frame, sizeof frame);
    uint8_t *payload = frame + WIRE_HEADER_BYTES;
    assert_int_equal(wire_decode_header(frame, &h), 0);
    for (size_t bit = 0; bit < 8 * (n - WIRE_HEADER_BYTES); bit++) {
        payload[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(wire_check_payload(&h, payload), -ERROR_CORRUPT);
        payload[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

/* A header with a right crc, so that the field itself is judged. */
static int decode_fields(struct wire_header h, uint32_t magic,
                         uint32_t reserved)
{
    uint8_t bytes[WIRE_HEADER_BYTES];
    struct wire_header out;
    struct bytes_writer w;
    wire_encode_header(bytes, &h);
    bytes_writer_init(&w, bytes, 4);
    bytes_write_u32(&w, magic);
    bytes_writer_init(&w, bytes + 12, 4);
    bytes_write_u32(&w, reserved);
    bytes_writer_init(&w, bytes + 28, 4);
    bytes_write_u32(&w, checksum_crc32(0, bytes, 28));
    return wire_decode_header(bytes, &out);
}

static void a_header_is_judged_field_by_field(void **state)
{
    const struct wire_header good = {.version = 1, .type = WIRE_PING};
    struct wire_header h = good;
    assert_int_equal(decode_fields(h, WIRE_MAGIC, 0), 0);
    assert_int_equal(decode_fields(h, WIRE_MAGIC + 1, 0), -ERROR_BAD_FRAME);
    assert_int_equal(decode_fields(h, WIRE_MAGIC, 1), -ERROR_BAD_FRAME);
    h.flags = 1;
    assert_int_equal(decode_fields(h, WIRE_MAGIC, 0), -ERROR_BAD_FRAME);
    h = good;
    h.version = 2;
    assert_int_equal(decode_fields(h, WIRE_MAGIC, 0), -ERROR_UNSUPPORTED);
    h = good;
    h.type = 0;
    assert_int_equal(decode_fields(h, WIRE_MAGIC, 0), -ERROR_UNSUPPORTED);
    h.type = 200;
    assert_int_equal(decode_fields(h, WIRE_MAGIC, 0), -ERROR_UNSUPPORTED);
    h.type = WIRE_BATCH;
    assert_int_equal(decode_fields(h, WIRE_MAGIC, 0), 0);
    h.payload_crc32 = 1;
    assert_int_equal(decode_fields(h, WIRE_MAGIC, 0), -ERROR_BAD_FRAME);
}

static void a_length_beyond_the_limit_of_its_type_is_refused(void **state)
{
    for (int type = 1; type <= 13; type++) {
        struct wire_header h = {.version = 1, .type = (uint8_t)type};
        h.payload_bytes = wire_max_payload_bytes(type);
        assert_true(h.payload_bytes > 0);
        assert_int_equal(decode_fields(h, WIRE_MAGIC, 0), 0);
        h.payload_bytes++;
        assert_int_equal(decode_fields(h, WIRE_MAGIC, 0), -ERROR_TOO_LARGE);
        h.payload_bytes = UINT64_MAX;
        assert_int_equal(decode_fields(h, WIRE_MAGIC, 0), -ERROR_TOO_LARGE);
    }
}

static int decode_hello_named(const char *name, size_t n_bytes)
{
    uint8_t payload[256] = {1, 0, 1, 0};
    struct bytes_writer w;
    bytes_writer_init(&w, payload + 12, sizeof payload - 12);
    bytes_write_u16(&w, (uint16_t)n_bytes);
    bytes_write_span(&w, name, n_bytes);
    bytes_write_u16(&w, 0);
    return sample_decode_exact(WIRE_HELLO, payload, 12 + bytes_written(&w));
}

static void text_that_is_not_text_is_refused(void **state)
{
    static const char *const good[] = {
        "",
        "plain",
        "\xc3\xa9\xc2\xa0",
        "\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80",
        "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
    };
    static const char *const bad[] = {
        "\x01",             /* control */
        "a\nb",             /* control */
        "\x7f",             /* DEL */
        "\xc2\x80",         /* U+0080, control */
        "\xc2\x9f",         /* U+009F, control */
        "\x80",             /* continuation alone */
        "\xc0\xaf",         /* overlong */
        "\xe0\x9f\xbf",     /* overlong */
        "\xf0\x8f\xbf\xbf", /* overlong */
        "\xed\xa0\x80",     /* surrogate */
        "\xf4\x90\x80\x80", /* beyond U+10FFFF */
        "\xff",
        "\xe2\x82",     /* cut short */
        "\xe2\x28\xa1", /* broken inside */
        "\xf0\x9f\x98\x28",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_int_equal(decode_hello_named(good[i], strlen(good[i])), 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(decode_hello_named(bad[i], strlen(bad[i])),
                         -ERROR_BAD_FRAME);
    assert_int_equal(decode_hello_named("a\0b", 3), -ERROR_BAD_FRAME);
}

static void a_name_of_256_bytes_is_refused(void **state)
{
    char name[256];
    memset(name, 'x', sizeof name);
    uint8_t payload[512] = {1, 0, 1, 0};
    for (size_t n = 255; n <= 256; n++) {
        struct bytes_writer w;
        bytes_writer_init(&w, payload + 12, sizeof payload - 12);
        bytes_write_u16(&w, (uint16_t)n);
        bytes_write_span(&w, name, n);
        bytes_write_u16(&w, 0);
        assert_int_equal(
            sample_decode_exact(WIRE_HELLO, payload, 12 + bytes_written(&w)),
            n == 255 ? 0 : -ERROR_BAD_FRAME);
    }
}

static void sentences_are_made_valid_text_when_sent(void **state)
{
    const struct wire_error sent = {.code = ERROR_BAD_FILE,
                                    .text = "bad\n\xffname \xc3\xa9.png"};
    struct wire_error got;
    uint8_t payload[1024];
    struct bytes_writer w;
    struct bytes_reader r;
    bytes_writer_init(&w, payload, sizeof payload);
    wire_encode_error(&w, &sent);
    assert_false(w.failed);
    bytes_reader_init(&r, payload, bytes_written(&w));
    assert_int_equal(wire_decode_error(&r, &got), 0);
    assert_string_equal(got.text, "bad??name \xc3\xa9.png");
}

/* payload[at] = value in the sample of that type must be refused. */
static void refuses(int type, size_t at, uint8_t value)
{
    uint8_t frame[SAMPLE_MAX_BYTES];
    size_t n = sample_frame(type, 1, frame, sizeof frame) - WIRE_HEADER_BYTES;
    frame[WIRE_HEADER_BYTES + at] = value;
    assert_int_equal(sample_decode_exact(type, frame + WIRE_HEADER_BYTES, n),
                     -ERROR_BAD_FRAME);
}

static void impossible_content_is_refused(void **state)
{
    refuses(WIRE_HELLO, 0, 0);   /* min_version 0 */
    refuses(WIRE_HELLO, 0, 4);   /* min_version > max_version */
    refuses(WIRE_WELCOME, 0, 0); /* version 0 */
    refuses(WIRE_WELCOME, 2, 3); /* unknown checksum */
    refuses(WIRE_WELCOME, 3, 1); /* reserved */
    refuses(WIRE_OPEN, 22, 2);   /* has_fingerprint */
    refuses(WIRE_OPEN, 22, 0);   /* a fingerprint that is none */
    refuses(WIRE_OPEN, 23, 1);   /* a replay that is not there */
    refuses(WIRE_OPEN, 23, 2);   /* candidates that are not there */
    refuses(WIRE_OPEN, 23, 128);
    refuses(WIRE_OPENED, 72, 0);  /* world 0 */
    refuses(WIRE_OPENED, 68, 2);  /* rank = world */
    refuses(WIRE_OPENED, 76, 42); /* n_samples * world != G */
    refuses(WIRE_OPENED, 92, 0);  /* height 0 */
    refuses(WIRE_OPENED, 100, 9); /* dtype */
    refuses(WIRE_OPENED, 101, 0); /* layout */
    refuses(WIRE_OPENED, 102, 0); /* channels */
    refuses(WIRE_OPENED, 102, 4);
    refuses(WIRE_OPENED, 103, 1); /* reserved */
    refuses(WIRE_OPENED, 112, 0); /* no class */
    refuses(WIRE_OPENED, 115, 1); /* more classes than bytes */
    refuses(WIRE_ERROR, 0, 0);    /* code 0 */
    refuses(WIRE_ERROR, 2, 2);    /* fatal */
    refuses(WIRE_ERROR, 3, 1);    /* reserved */
    refuses(WIRE_JOIN, 34, 0);    /* a fingerprint that is none */
    refuses(WIRE_JOIN, 34, 2);
    refuses(WIRE_JOIN, 35, 1);   /* a replay */
    refuses(WIRE_JOIN, 35, 2);   /* candidates that are not there */
    refuses(WIRE_JOIN, 35, 8);   /* leases that are not there */
    refuses(WIRE_REFINE, 30, 1); /* reserved */
    refuses(WIRE_LEASE, 0, 0);   /* lease 0 */
    refuses(WIRE_LEASE, 24, 0);  /* delivery 0 */
    refuses(WIRE_ACK, 0, 0);     /* lease 0 */
    refuses(WIRE_ACKED, 10, 1);  /* reserved */
    refuses(WIRE_ACKED, 15, 1);
}

static void a_frame_without_room_is_not_made(void **state)
{
    for (int i = 0; i < sample_n_types; i++) {
        uint8_t frame[SAMPLE_MAX_BYTES];
        size_t n = sample_frame(sample_types[i], 1, frame, sizeof frame);
        for (size_t room = 0; room < n; room++) {
            memset(frame, 0xa5, sizeof frame);
            assert_int_equal(sample_frame(sample_types[i], 1, frame, room), 0);
            assert_int_equal(frame[room], 0xa5);
        }
    }
}

static void types_know_their_senders(void **state)
{
    assert_string_equal(wire_type_name(WIRE_HELLO), "HELLO");
    assert_string_equal(wire_type_name(WIRE_DRAIN), "DRAIN");
    assert_string_equal(wire_type_name(0), "unknown");
    assert_string_equal(wire_type_name(-3), "unknown");
    assert_string_equal(wire_type_name(200), "unknown");
    assert_true(wire_client_sends(WIRE_OPEN));
    assert_false(wire_client_sends(WIRE_BATCH));
    assert_true(wire_client_sends(WIRE_PING));
    assert_true(wire_server_sends(WIRE_PING));
    assert_false(wire_server_sends(WIRE_SEEK));
    assert_int_equal(wire_max_payload_bytes(99), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_frame_has_its_golden_bytes),
        cmocka_unit_test(every_message_comes_back_as_it_was_sent),
        cmocka_unit_test(every_truncation_of_every_message_is_refused),
        cmocka_unit_test(a_byte_too_many_is_refused),
        cmocka_unit_test(the_header_crc_sees_every_flipped_bit),
        cmocka_unit_test(the_payload_crc_sees_every_flipped_bit),
        cmocka_unit_test(a_header_is_judged_field_by_field),
        cmocka_unit_test(a_length_beyond_the_limit_of_its_type_is_refused),
        cmocka_unit_test(text_that_is_not_text_is_refused),
        cmocka_unit_test(a_name_of_256_bytes_is_refused),
        cmocka_unit_test(sentences_are_made_valid_text_when_sent),
        cmocka_unit_test(impossible_content_is_refused),
        cmocka_unit_test(a_frame_without_room_is_not_made),
        cmocka_unit_test(types_know_their_senders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
