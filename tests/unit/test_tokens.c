/* Token files: what is accepted, what is refused and where. Timing is not
 * measured here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/base/mem.h"
#include "server/base/tokens.h"

#define TOKEN_A "0123456789abcdef"
#define TOKEN_B "the-second.token_of~two"

static char path[64];

/* Writes text to a file and loads it. */
static int load(const char *text, size_t n_bytes, struct tokens **out,
                struct fault *fault)
{
    int fd, rc;

    snprintf(path, sizeof(path), "/tmp/pasted-tokens-XXXXXX");
    fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, n_bytes), (ssize_t)n_bytes);
    close(fd);
    rc = tokens_load(path, out, fault);
    unlink(path);
    return rc;
}

static void check_refused(const char *text, size_t n_bytes, const char *line)
{
    struct tokens *t = NULL;
    struct fault fault = {0};

    assert_int_equal(load(text, n_bytes, &t, &fault), -ERROR_BAD_CONFIG);
    assert_null(t);
    assert_non_null(strstr(fault.text, path));
    assert_non_null(strstr(fault.text, line));
    assert_null(strstr(fault.text, "0123456789")); /* no secret in a message */
}

static void several_tokens_are_valid_at_once(void **state)
{
    static const char text[] = "# rotation\n\n  " TOKEN_A " \r\n" TOKEN_B;
    struct tokens *t;
    struct fault fault = {0};

    assert_int_equal(load(text, strlen(text), &t, &fault), 0);
    assert_true(tokens_accept(t, TOKEN_A));
    assert_true(tokens_accept(t, TOKEN_B));
    assert_false(tokens_accept(t, TOKEN_A "x"));
    assert_false(tokens_accept(t, "0123456789abcde"));
    assert_false(tokens_accept(t, "0123456789abcdeF"));
    assert_false(tokens_accept(t, "# rotation"));
    assert_false(tokens_accept(t, ""));
    assert_false(tokens_accept(t, NULL));
    tokens_destroy(t);
}

static void without_tokens_everybody_is_accepted(void **state)
{
    assert_true(tokens_accept(NULL, NULL));
    assert_true(tokens_accept(NULL, "anything"));
    tokens_destroy(NULL);
}

static void a_bad_line_is_named(void **state)
{
    char longest[1200];

    check_refused("# only\n", 7, "holds no token");
    check_refused("0123456789\n", 11, ":1: ");
    check_refused("#\n0123456789 abcdef\n", 20, ":2: ");
    check_refused("0123456789abcdef\n0123456789abcde\x80\n", 34, ":2: ");
    check_refused("0123456789abcdef\0ghij\n", 22, ":1: ");
    memset(longest, 'a', sizeof(longest));
    check_refused(longest, 1024, ":1: ");
    check_refused(longest, sizeof(longest), ":1: ");
}

static void the_longest_token_is_accepted(void **state)
{
    char longest[1024];
    struct tokens *t;
    struct fault fault = {0};

    memset(longest, 'a', 1023);
    longest[1023] = '\0';
    assert_int_equal(load(longest, 1023, &t, &fault), 0);
    assert_true(tokens_accept(t, longest));
    longest[1022] = 'b';
    assert_false(tokens_accept(t, longest));
    tokens_destroy(t);
}

static void the_sixty_fifth_token_is_refused(void **state)
{
    char text[65 * 18];
    size_t at = 0;

    for (int i = 0; i < 65; i++)
        at += (size_t)snprintf(text + at, sizeof(text) - at,
                               "abcdefghijklmn%02d\n", i);
    check_refused(text, at, ":65: ");
}

static void a_missing_file_is_not_found(void **state)
{
    struct tokens *t;
    struct fault fault = {0};

    assert_int_equal(tokens_load("/nonexistent/tokens", &t, &fault),
                     -ERROR_NOT_FOUND);
    assert_non_null(strstr(fault.text, "/nonexistent/tokens"));
}

static void short_memory_is_reported(void **state)
{
    struct tokens *t;
    struct fault fault = {0};

    mem_fail_nth(1);
    assert_int_equal(load(TOKEN_A, 16, &t, &fault), -ERROR_NO_MEMORY);
    mem_fail_nth(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(several_tokens_are_valid_at_once),
        cmocka_unit_test(without_tokens_everybody_is_accepted),
        cmocka_unit_test(a_bad_line_is_named),
        cmocka_unit_test(the_longest_token_is_accepted),
        cmocka_unit_test(the_sixty_fifth_token_is_refused),
        cmocka_unit_test(a_missing_file_is_not_found),
        cmocka_unit_test(short_memory_is_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
