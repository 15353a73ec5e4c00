/* What capabilities add to frames: a pace to CREDIT, a replay, candidates
 * and kept leases to OPEN and JOIN. Not the frames themselves (test_wire.c).
 * The bytes are Python's struct's and zlib's, made from PROTOCOL.md, not by
 * this code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/error.h"
#include "tests/unit/wire_samples.h"

/* A frame, what reads its payload, and what the message is written to again. */
struct whole {
    uint8_t frame[SAMPLE_MAX_BYTES], again[SAMPLE_MAX_BYTES];
    size_t n_bytes;
    struct bytes_reader r;
    struct bytes_writer w;
};

static void whole_begin(struct whole *f, const char *hex)
{
    f->n_bytes = sample_from_hex(hex, f->frame);
    bytes_reader_init(&f->r, f->frame + WIRE_HEADER_BYTES,
                      f->n_bytes - WIRE_HEADER_BYTES);
    wire_frame_begin(&f->w, f->again, sizeof f->again);
}

/* The message was written again; no payload that is cut short is sound,
 * from `shortest` bytes on. */
static void whole_equals(struct whole *f, int type, uint32_t request,
                         size_t shortest)
{
    const uint8_t *payload = f->frame + WIRE_HEADER_BYTES;
    assert_int_equal(wire_frame_finish(&f->w, (enum wire_type)type, request),
                     f->n_bytes);
    assert_memory_equal(f->again, f->frame, f->n_bytes);
    for (size_t cut = shortest; cut < f->n_bytes - WIRE_HEADER_BYTES; cut++)
        assert_int_equal(sample_decode_exact(type, payload, cut),
                         -ERROR_BAD_FRAME);
}

static void credit_can_carry_a_pace(void **state)
{
    static const char hex[] =
        "50535444010500000300000000000000240000000000000000a0c776b0fcaef7"
        "0400000000402000000000000300000001000000404b4c000000000070110100"
        "00000000";
    struct whole f;
    struct wire_credit m;
    whole_begin(&f, hex);
    assert_int_equal(wire_decode_credit(&f.r, &m), 0);
    assert_true(m.has_pace);
    assert_int_equal(m.found_ready, 3);
    assert_int_equal(m.busy_ns, 5000000);
    wire_encode_credit(&f.w, &m);
    whole_equals(&f, WIRE_CREDIT, 3, 13);
}

static void open_can_ask_for_a_replay(void **state)
{
    static const char hex[] =
        "505354440103000002000000000000004500000000000000cb919c3644b68267"
        "5600000000000000560000000100000002000000010101010001020304050607"
        "08090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f070064656661756c"
        "7403000000";
    struct whole f;
    struct wire_open m;
    whole_begin(&f, hex);
    assert_int_equal(wire_decode_open(&f.r, &m), 0);
    assert_int_equal(m.extras.replay, 3);
    wire_encode_open(&f.w, &m);
    whole_equals(&f, WIRE_OPEN, 2, 0);
    memset(f.frame + f.n_bytes - 4, 0, 4); /* no step at all */
    assert_int_equal(sample_decode_exact(WIRE_OPEN, f.frame + WIRE_HEADER_BYTES,
                                         f.n_bytes - WIRE_HEADER_BYTES),
                     -ERROR_BAD_FRAME);
}

static void open_can_ask_for_candidates_of_a_replay(void **state)
{
    static const char hex[] =
        "50535444010300000200000000000000490000000000000094e139d2ace200d1"
        "5600000000000000560000000100000002000000010101030001020304050607"
        "08090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f070064656661756c"
        "74030000000a000000";
    struct whole f;
    struct wire_open m;
    whole_begin(&f, hex);
    assert_int_equal(wire_decode_open(&f.r, &m), 0);
    assert_int_equal(m.extras.replay, 3);
    assert_int_equal(m.extras.candidates, 10);
    assert_int_equal(wire_extras_needs(&m.extras),
                     WIRE_CAPABILITY_REPLAY | WIRE_CAPABILITY_HARD);
    wire_encode_open(&f.w, &m);
    whole_equals(&f, WIRE_OPEN, 2, 0);
}

static void join_can_ask_for_candidates(void **state)
{
    static const char hex[] =
        "50535444010e000002000000000000005b00000000000000cd6af1232bb24938"
        "00001000000000000c0000000000000000000000560000000200000088130000"
        "01010102000102030405060708090a0b0c0d0e0f101112131415161718191a1b"
        "1c1d1e1f070064656661756c7405006e696768740100610a000000";
    struct whole f;
    struct wire_join m;
    whole_begin(&f, hex);
    assert_int_equal(wire_decode_join(&f.r, &m), 0);
    assert_int_equal(m.extras.candidates, 10);
    wire_encode_join(&f.w, &m);
    whole_equals(&f, WIRE_JOIN, 2, 0);
}

static void join_can_name_leases_that_it_keeps(void **state)
{
    static const char hex[] =
        "50535444010e000002000000000000006f0000000000000017df38bb27adf641"
        "00001000000000000c0000000000000000000000560000000200000088130000"
        "0101010a000102030405060708090a0b0c0d0e0f101112131415161718191a1b"
        "1c1d1e1f070064656661756c7405006e696768740100610a0000000200000009"
        "000000000000000000000000010000";
    struct whole f;
    struct wire_join m;
    whole_begin(&f, hex);
    assert_int_equal(wire_decode_join(&f.r, &m), 0);
    assert_int_equal(m.extras.candidates, 10);
    assert_int_equal(m.n_kept, 2);
    assert_int_equal(m.kept[0], 9);
    assert_int_equal(m.kept[1], 1ull << 40);
    wire_encode_join(&f.w, &m);
    whole_equals(&f, WIRE_JOIN, 2, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(credit_can_carry_a_pace),
        cmocka_unit_test(open_can_ask_for_a_replay),
        cmocka_unit_test(open_can_ask_for_candidates_of_a_replay),
        cmocka_unit_test(join_can_ask_for_candidates),
        cmocka_unit_test(join_can_name_leases_that_it_keeps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
