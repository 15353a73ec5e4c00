/* The log: levels, one line a record, nothing that forges another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/base/log.h"

static char output[8192];

/* Runs write_records with standard error in a file, whose text is output. */
static void capture(void (*write_records)(void))
{
    FILE *file = tmpfile();
    int saved = dup(STDERR_FILENO);
    size_t n;

    assert_non_null(file);
    assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
    write_records();
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    close(saved);
    rewind(file);
    n = fread(output, 1, sizeof(output) - 1, file);
    output[n] = '\0';
    fclose(file);
}

static void one_of_each(void)
{
    log_error("e%d", 1);
    log_warn("w%d", 2);
    log_info("i%d", 3);
    log_debug("d%d", 4);
}

static void a_level_hides_what_is_below_it(void **state)
{
    log_set_level(LOG_WARN);
    capture(one_of_each);
    assert_non_null(strstr(output, " error e1\n"));
    assert_non_null(strstr(output, " warn  w2\n"));
    assert_null(strstr(output, "i3"));
    assert_null(strstr(output, "d4"));
    log_set_level(LOG_DEBUG);
    capture(one_of_each);
    assert_non_null(strstr(output, " debug d4\n"));
    log_set_level(LOG_INFO);
}

static void hostile(void)
{
    log_info("name '%s'", "a\n2026-01-01T00:00:00.000Z error forged\x1b[31m");
}

static void control_characters_forge_no_record(void **state)
{
    capture(hostile);
    assert_ptr_equal(strchr(output, '\n'), output + strlen(output) - 1);
    assert_null(strchr(output, '\x1b'));
}

static void very_long(void)
{
    char text[5000];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    log_info("%s", text);
}

static void a_long_record_is_cut_and_still_one_line(void **state)
{
    capture(very_long);
    assert_true(strlen(output) <= 2048);
    assert_int_equal(output[strlen(output) - 1], '\n');
}

static void level_names_are_read(void **state)
{
    assert_int_equal(log_level_from_name("error"), LOG_ERROR);
    assert_int_equal(log_level_from_name("debug"), LOG_DEBUG);
    assert_int_equal(log_level_from_name("loud"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_level_hides_what_is_below_it),
        cmocka_unit_test(control_characters_forge_no_record),
        cmocka_unit_test(a_long_record_is_cut_and_still_one_line),
        cmocka_unit_test(level_names_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
