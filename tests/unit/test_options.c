/* Options: values from text, the command line, that the table is consistent and
 * CONFIG.md says what it does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/daemon/options.h"

static const char *document_path;

static void sizes_take_binary_suffixes(void **state)
{
    static const struct {
        const char *text;
        uint64_t value;
    } good[] = {{"0", 0},         {"1024", 1024},
                {"3K", 3072},     {"2M", 2u << 20},
                {"1G", 1u << 30}, {"16777215T", 16777215ull << 40}};
    static const char *const bad[] = {
        "",     "K",         "1k",
        "1KB",  "1 K",       "-1",
        "1.5G", "16777216T", "99999999999999999999999999"};
    uint64_t value;

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(option_parse_size(good[i].text, &value), 0);
        assert_true(value == good[i].value);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(option_parse_size(bad[i], &value),
                         -ERROR_BAD_ARGUMENT);
}

static void endpoints_are_numeric(void **state)
{
    static const char *const bad[] = {
        "",         "127.0.0.1",       "127.0.0.1:",   ":80",
        "::1:80",   "[::1]",           "[::1:80",      "example.org:80",
        "1.2.3:80", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1: 1",
        "[]:1",     "127.0.0.1:1x",    "256.0.0.1:1"};
    struct config_endpoint e;

    assert_int_equal(option_parse_endpoint("127.0.0.1:7780", &e), 0);
    assert_string_equal(e.address, "127.0.0.1");
    assert_int_equal(e.port, 7780);
    assert_int_equal(option_parse_endpoint("[::1]:0", &e), 0);
    assert_string_equal(e.address, "::1");
    assert_int_equal(e.port, 0);
    assert_int_equal(option_parse_endpoint("localhost:65535", &e), 0);
    assert_string_equal(e.address, "127.0.0.1");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(option_parse_endpoint(bad[i], &e),
                         -ERROR_BAD_ARGUMENT);
}

#define READ(config, fault, ...)                                               \
    read_line(config, fault, (const char *[]){"pasted", __VA_ARGS__, NULL})

static int read_line(struct config *c, struct fault *fault, const char **argv)
{
    int argc = 0;

    while (argv[argc])
        argc++;
    memset(fault, 0, sizeof(*fault));
    return options_read(c, argc, (const char *const *)argv, fault);
}

static void a_line_makes_one_pool_and_one_stream(void **state)
{
    struct config *c = config_create();
    struct fault fault;

    assert_int_equal(READ(c, &fault, "--objects", "o", "--backgrounds=b",
                          "--matte", "corners", "--seed", "9", "--max-side",
                          "512", "--http", "127.0.0.1:0", "--allow-anonymous",
                          "--memory-limit", "2G", "--strict", "--recipe=bench"),
                     0);
    assert_int_equal(c->n_pools, 1);
    assert_int_equal(c->n_streams, 1);
    assert_string_equal(c->pools[0].objects, "o");
    assert_string_equal(c->pools[0].backgrounds, "b");
    assert_int_equal(c->pools[0].matte, POOL_MATTE_CORNERS);
    assert_int_equal(c->pools[0].max_side, 512);
    assert_true(c->pools[0].strict);
    assert_true(c->streams[0].has_seed && c->streams[0].seed == 9);
    assert_string_equal(c->streams[0].recipe_name, "bench");
    assert_string_equal(c->streams[0].name, "default");
    assert_int_equal(c->http.port, 0);
    assert_int_equal(c->tcp.port, 7700);
    assert_true(c->allow_anonymous);
    assert_true(c->memory_limit_bytes == 2ull << 30);
    assert_int_equal(config_check(c, &fault), 0);
    assert_true(c->workers >= 1);
    assert_true(c->batch_budget_bytes >= 1 << 20);
    config_destroy(c);
}

static void the_last_of_two_wins(void **state)
{
    struct config *c = config_create();
    struct fault fault;

    assert_int_equal(READ(c, &fault, "--objects", "a", "--objects", "b",
                          "--strict", "--strict=false"),
                     0);
    assert_string_equal(c->pools[0].objects, "b");
    assert_false(c->pools[0].strict);
    config_destroy(c);
}

static void mistakes_name_the_option(void **state)
{
    static const char *const bad[][3] = {
        {"--workers", "x", "--workers"}, {"--http", "x", "--http"},
        {"--seed", "-1", "--seed"},      {"--split", "x", "--split"},
        {"--log-level", "x", "--log"},   {"--strict=2", "--demo", "--strict"},
        {"--objects", "", "--objects"},  {"-x", "--demo", "-x"},
        {"--demo", "--tcp", "--tcp"},    {"--", "--demo", "--"}};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct config *c = config_create();
        struct fault fault;
        assert_int_equal(READ(c, &fault, bad[i][0], bad[i][1]),
                         -ERROR_BAD_ARGUMENT);
        assert_non_null(strstr(fault.text, bad[i][2]));
        config_destroy(c);
    }
}

static void help_wins_over_everything(void **state)
{
    struct config *c = config_create();
    struct fault fault;

    assert_int_equal(READ(c, &fault, "--config", "/not/there", "--help"), 0);
    assert_true(c->help);
    config_destroy(c);
}

static void the_table_is_consistent(void **state)
{
    for (uint32_t i = 0; i < option_n_rows; i++) {
        const struct option_row *row = &option_rows[i];
        assert_true(row->name || row->key);
        assert_non_null(row->help);
        if (row->name)
            assert_ptr_equal(option_find(row->name), row);
        if (row->key)
            assert_ptr_equal(option_find_key(row->scope, row->key), row);
        if (!row->name || !row->key)
            continue;
        assert_int_equal(strlen(row->name), strlen(row->key));
        for (const char *a = row->name, *b = row->key; *a; a++, b++)
            assert_int_equal(*a == '-' ? '_' : *a, *b);
    }
}

/* As people write it: 64K, 1024, 1T. */
static void print_bound(const struct option_row *row, uint64_t n, char out[24])
{
    static const char suffixes[] = "KMGT";
    int k = -1;

    while (row->type == OPTION_SIZE && n > 0 && n % 1024 == 0 && k < 3) {
        n /= 1024;
        k++;
    }
    snprintf(out, 24, "%" PRIu64 "%.1s", n, k < 0 ? "" : suffixes + k);
}

/* Of a number or size that is bounded; else empty. */
static void print_range(const struct option_row *row, char out[64])
{
    char from[24], to[24];

    out[0] = '\0';
    if ((row->type != OPTION_NUMBER && row->type != OPTION_SIZE) ||
        row->max == UINT64_MAX)
        return;
    print_bound(row, row->min, from);
    print_bound(row, row->max, to);
    snprintf(out, 64, "%s .. %s", from, to);
}

/* The line of CONFIG.md. */
static void print_line(const struct option_row *row, char out[400])
{
    char value[80], range[64];

    snprintf(value, sizeof(value), "%s",
             row->argument ? row->argument : "true or false");
    for (char *at = value; (at = strchr(at, '|')) != NULL;)
        *at = '/'; /* the table's own sign */
    print_range(row, range);
    if (row->key)
        snprintf(out, 400, "| %s | %s | %s | %s | %s |\n", row->key, value,
                 range, row->initial ? row->initial : "", row->help);
    else
        snprintf(out, 400, "| --%s%s%s | %s |\n", row->name,
                 row->argument ? " " : "", row->argument ? row->argument : "",
                 row->help);
}

/* Below which heading of CONFIG.md. */
static const char *heading_of(const struct option_row *row)
{
    static const char *const headings[] = {
        [OPTION_OF_DAEMON] = "\n## Of the daemon\n",
        [OPTION_OF_POOL] = "\n## Of a pool\n",
        [OPTION_OF_STREAM] = "\n## Of a stream\n",
    };
    return row->key ? headings[row->scope] : "\n## On the command line only\n";
}

static char *read_document(void)
{
    const size_t max_bytes = 1 << 16;
    char *text = calloc(1, max_bytes);
    FILE *file = fopen(document_path, "rb");

    assert_non_null(text);
    assert_non_null(file);
    assert_in_range(fread(text, 1, max_bytes - 1, file), 1, max_bytes - 2);
    fclose(file);
    return text;
}

static void the_document_lists_every_option_as_the_table_has_it(void **state)
{
    char *document = read_document();
    uint32_t n_lines = 0;

    for (uint32_t i = 0; i < option_n_rows; i++) {
        const struct option_row *row = &option_rows[i];
        char line[400];
        print_line(row, line);
        const char *from = strstr(document, heading_of(row));
        assert_non_null(from);
        const char *to = strstr(from + 1, "\n## ");
        const char *at = strstr(from, line);
        if (!at || (to && at > to))
            fail_msg("CONFIG.md must hold, below%sthis line:\n%s",
                     heading_of(row), line);
    }
    for (const char *at = document; (at = strstr(at, "\n| ")) != NULL; at++)
        n_lines += strncmp(at, "\n| key ", 7) != 0 &&
                   strncmp(at, "\n| option ", 10) != 0;
    assert_int_equal(n_lines, option_n_rows); /* and nothing else */
    free(document);
}

static void the_example_of_the_document_is_a_configuration(void **state)
{
    char *document = read_document();
    struct config *c = config_create();
    struct fault fault = {0};
    char *example = strstr(document, "\n    {\"http\"");

    assert_non_null(example);
    *strstr(example, "\n\n") = '\0';
    if (config_read_json(c, example, strlen(example), "/etc", &fault) != 0 ||
        config_check(c, &fault) != 0)
        fail_msg("%s", fault.text);
    assert_int_equal(c->n_streams, 2);
    config_destroy(c);
    free(document);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_take_binary_suffixes),
        cmocka_unit_test(endpoints_are_numeric),
        cmocka_unit_test(a_line_makes_one_pool_and_one_stream),
        cmocka_unit_test(the_last_of_two_wins),
        cmocka_unit_test(mistakes_name_the_option),
        cmocka_unit_test(help_wins_over_everything),
        cmocka_unit_test(the_table_is_consistent),
        cmocka_unit_test(the_document_lists_every_option_as_the_table_has_it),
        cmocka_unit_test(the_example_of_the_document_is_a_configuration),
    };

    if (argc != 2) {
        fprintf(stderr, "usage: test_options CONFIG.md\n");
        return 2;
    }
    document_path = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
