/* Philox: the published known answers, the counter layout, the readers of
 * bits. Says nothing about statistics; those are the paper's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/base/philox.h"

/* Random123's kat_vectors for philox4x32 with 10 rounds. */
static const struct {
    uint32_t counter[4], key[2], expected[4];
} known[] = {
    {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
     {0xffffffff, 0xffffffff},
     {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     {0xa4093822, 0x299f31d0},
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

static void equals_random123_known_answers(void **state)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        struct philox_block b = philox4x32_10(known[i].key, known[i].counter);

        assert_memory_equal(b.word, known[i].expected, sizeof(b.word));
    }
}

static void a_draw_lays_key_and_counter_out_as_documented(void **state)
{
    /* The third known answer, taken apart into seed, position and words. */
    struct philox_block b = philox_draw(0x299f31d0a4093822, 0x85a308d3243f6a88,
                                        0x13198a2e, 0x03707344);

    assert_memory_equal(b.word, known[2].expected, sizeof(b.word));
}

static void purpose_slot_and_candidate_do_not_overlap(void **state)
{
    assert_int_equal(philox_purpose_word(4095, 0, 0), 0x00000fff);
    assert_int_equal(philox_purpose_word(0, 255, 0), 0x000ff000);
    assert_int_equal(philox_purpose_word(0, 0, 4095), 0xfff00000);
    assert_int_equal(philox_purpose_word(66, 1, 2), 66 | 1 << 12 | 2 << 20);
}

static void below_covers_its_range_and_no_more(void **state)
{
    assert_int_equal(philox_below(0, 7), 0);
    assert_int_equal(philox_below(UINT64_MAX, 7), 6);
    assert_int_equal(philox_below(UINT64_MAX, 1), 0);
    assert_int_equal(philox_below(UINT64_MAX, UINT64_MAX), UINT64_MAX - 1);
    assert_int_equal(philox_below(UINT64_C(1) << 63, 10), 5);
}

static void unit_lies_in_zero_to_one_without_one(void **state)
{
    assert_true(philox_unit(0) == 0.0);
    assert_true(philox_unit(UINT64_MAX) == 1.0 - 0x1p-53);
    assert_true(philox_unit(UINT64_C(1) << 63) == 0.5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_random123_known_answers),
        cmocka_unit_test(a_draw_lays_key_and_counter_out_as_documented),
        cmocka_unit_test(purpose_slot_and_candidate_do_not_overlap),
        cmocka_unit_test(below_covers_its_range_and_no_more),
        cmocka_unit_test(unit_lies_in_zero_to_one_without_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
