/* SHA-256 against the examples of FIPS 180-4, and the hexadecimal form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "common/error.h"
#include "server/base/digest.h"

static void check_hex(struct digest d, const char *expected)
{
    char hex[DIGEST_HEX_BYTES];

    digest_hex(&d, hex);
    assert_string_equal(hex, expected);
}

static struct digest digest_text(const char *text)
{
    struct digest_state s;

    digest_init(&s);
    digest_update(&s, text, strlen(text));
    return digest_final(&s);
}

static void equals_the_examples_of_fips_180(void **state)
{
    struct digest_state s;

    check_hex(
        digest_text(""),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check_hex(
        digest_text("abc"),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check_hex(
        digest_text("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnop"
                    "nopq"),
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    digest_init(&s);
    for (int i = 0; i < 1000; i++) {
        char thousand[1000];

        memset(thousand, 'a', sizeof(thousand));
        digest_update(&s, thousand, sizeof(thousand));
    }
    check_hex(
        digest_final(&s),
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void integers_are_little_endian(void **state)
{
    static const uint8_t bytes[12] = {4,    3,    2,    1,    0x18, 0x17,
                                      0x16, 0x15, 0x14, 0x13, 0x12, 0x11};
    struct digest_state a, b;
    struct digest x, y;

    digest_init(&a);
    digest_update_u32(&a, 0x01020304);
    digest_update_u64(&a, 0x1112131415161718);
    digest_init(&b);
    digest_update(&b, bytes, sizeof(bytes));
    x = digest_final(&a);
    y = digest_final(&b);
    assert_memory_equal(x.bytes, y.bytes, DIGEST_BYTES);
}

static void lists_of_strings_do_not_run_together(void **state)
{
    struct digest_state a, b;
    struct digest x, y;

    digest_init(&a);
    digest_update_string(&a, "ab");
    digest_update_string(&a, "c");
    digest_init(&b);
    digest_update_string(&b, "a");
    digest_update_string(&b, "bc");
    x = digest_final(&a);
    y = digest_final(&b);
    assert_memory_not_equal(x.bytes, y.bytes, DIGEST_BYTES);
}

static void hexadecimal_goes_both_ways_and_refuses_the_rest(void **state)
{
    char hex[DIGEST_HEX_BYTES + 1];
    struct digest d = digest_text("abc"), back;

    digest_hex(&d, hex);
    assert_int_equal(digest_from_hex(hex, &back), 0);
    assert_memory_equal(back.bytes, d.bytes, DIGEST_BYTES);
    hex[0] = 'B';
    assert_int_equal(digest_from_hex(hex, &back), 0);
    assert_memory_equal(back.bytes, d.bytes, DIGEST_BYTES);
    hex[5] = 'g';
    assert_int_equal(digest_from_hex(hex, &back), -ERROR_BAD_ARGUMENT);
    hex[5] = '\0';
    assert_int_equal(digest_from_hex(hex, &back), -ERROR_BAD_ARGUMENT);
    memset(hex, '0', DIGEST_HEX_BYTES); /* one digit too many */
    hex[DIGEST_HEX_BYTES] = '\0';
    assert_int_equal(digest_from_hex(hex, &back), -ERROR_BAD_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_the_examples_of_fips_180),
        cmocka_unit_test(integers_are_little_endian),
        cmocka_unit_test(lists_of_strings_do_not_run_together),
        cmocka_unit_test(hexadecimal_goes_both_ways_and_refuses_the_rest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
