/* The client's parts that need no server: URLs, options, state, tokens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/include/pasted.h"
#include "client/lib/options.h"
#include "client/lib/state.h"
#include "client/lib/url.h"

static struct options fresh(void)
{
    struct options o;
    options_init(&o);
    return o;
}

static void url_gives_servers_stream_and_options(void **state)
{
    struct options o = fresh();
    struct fault fault = {0};
    assert_int_equal(
        url_parse("pasted://a.example:71,b,[::1]:7/s%20x?batch=86&rank=1&"
                  "world=2&position=9223372036854775807",
                  &o, &fault),
        0);
    assert_int_equal(o.servers.n, 3);
    assert_string_equal(o.servers.address[0].host, "a.example");
    assert_string_equal(o.servers.address[0].port, "71");
    assert_string_equal(o.servers.address[1].port, "7700");
    assert_string_equal(o.servers.address[2].host, "::1");
    assert_string_equal(o.servers.address[2].port, "7");
    assert_string_equal(o.stream, "s x");
    assert_int_equal(o.batch, 86);
    assert_int_equal(o.rank, 1);
    assert_int_equal(o.world, 2);
    assert_true(o.position == INT64_MAX);
}

static void a_unix_socket_is_a_server_too(void **state)
{
    struct options o = fresh();
    struct fault fault = {0};
    assert_int_equal(
        url_parse("pasted+unix:///run/a%2cb.sock?stream=s&batch=8", &o, &fault),
        0);
    assert_int_equal(o.servers.n, 1);
    assert_true(o.servers.address[0].is_unix);
    assert_string_equal(o.servers.address[0].host, "/run/a,b.sock");
    assert_string_equal(o.stream, "s");
    assert_int_equal(
        options_set(&o, "servers", "unix:/run/p.sock,h:71", &fault), 0);
    assert_int_equal(o.servers.n, 2);
    assert_true(o.servers.address[0].is_unix);
    assert_string_equal(o.servers.address[0].host, "/run/p.sock");
    assert_false(o.servers.address[1].is_unix);
    assert_string_equal(o.servers.address[1].port, "71");
}

/* pastectl --server pasted+unix:///P was refused for an odd character. */
static void a_list_of_servers_takes_their_urls(void **state)
{
    struct options o = fresh();
    struct fault fault = {0};
    assert_int_equal(options_set(&o, "servers",
                                 "pasted+unix:///run/p.sock,pasted://h:71",
                                 &fault),
                     0);
    assert_true(o.servers.address[0].is_unix);
    assert_string_equal(o.servers.address[0].host, "/run/p.sock");
    assert_string_equal(o.servers.address[1].host, "h");
    assert_string_equal(o.servers.address[1].port, "71");
    assert_int_equal(options_set(&o, "servers", "pasted://h/s", &fault),
                     -ERROR_BAD_ARGUMENT);
    assert_non_null(strstr(fault.text, "a URL that names more"));
    assert_int_equal(options_set(&o, "servers", "pasted://", &fault),
                     -ERROR_BAD_ARGUMENT);
}

static void url_parts_may_be_left_out(void **state)
{
    static const char *const urls[] = {"pasted://h", "pasted://h/",
                                       "pasted://h?", "pasted://h/?rank=0"};
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        struct options o = fresh();
        assert_int_equal(url_parse(urls[i], &o, NULL), 0);
        assert_string_equal(o.servers.address[0].host, "h");
        assert_string_equal(o.stream, "");
    }
}

static void bad_urls_are_refused_and_change_nothing(void **state)
{
    static const char *const urls[] = {
        "",
        "http://h",
        "pasted://",
        "pasted://:7700",
        "pasted://h:",
        "pasted://h:0",
        "pasted://h:65536",
        "pasted://h:7700x",
        "pasted://h:123456",
        "pasted://[::1",
        "pasted://[::1]7",
        "pasted://h,",
        "pasted://,h",
        "pasted://a b",
        "pasted://h/%",
        "pasted://h/%0",
        "pasted://h/%00",
        "pasted://h/%zz",
        "pasted://h/s?batch",
        "pasted://h/s?=1",
        "pasted://h/s?batch=-1",
        "pasted://h/s?nonsense=1",
        "pasted://h/s?token=secret",
        "pasted://h/s?stream=%07",
        "pasted+unix://",
        "pasted+unix://relative",
        "pasted+unix://?stream=s",
        "pasted+unix:///p%00",
        "pasted+unix:///p?token=secret",
        "pasted://unix:p",
        "pasted://1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17",
    };
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        struct options o = fresh(), before = o;
        struct fault fault = {0};
        assert_int_equal(url_parse(urls[i], &o, &fault), -ERROR_BAD_ARGUMENT);
        assert_true(strlen(fault.text) > 10);
        assert_memory_equal(&o, &before, sizeof o);
    }
}

static void too_long_a_host_or_name_is_refused(void **state)
{
    char url[2000] = "pasted://";
    memset(url + 9, 'h', 300);
    struct options o = fresh();
    assert_int_equal(url_parse(url, &o, NULL), -ERROR_BAD_ARGUMENT);
    memset(url, 0, sizeof url);
    snprintf(url, sizeof url, "pasted://h/");
    memset(url + 11, 's', 256);
    assert_int_equal(url_parse(url, &o, NULL), -ERROR_BAD_ARGUMENT);
    url[11 + 255] = '\0';
    assert_int_equal(url_parse(url, &o, NULL), 0);
}

static void bad_values_are_refused_with_a_sentence(void **state)
{
    static const char *const pairs[][2] = {
        {"nonsense", "1"},
        {"batch", ""},
        {"batch", "-1"},
        {"batch", "1e3"},
        {"batch", "4294967296"},
        {"batch", "18446744073709551616"},
        {"world", "0"},
        {"rank", " 1"},
        {"prefetch", "1025"},
        {"dtype", "f64"},
        {"layout", "NHWC"},
        {"checksum", "md5"},
        {"stream", "a\nb"},
        {"stream", "\xff"},
        {"fingerprint", "12"},
        {"position", "9223372036854775808"},
        {"servers", ""},
        {"timeout_ms", "86400001"},
        {"keepalive_ms", "9"},
        {"max_batch_bytes", "4294967297"},
        {"connect_timeout_ms", "0"},
        {"fingerprint",
         "zz00000000000000000000000000000000000000000000000000000000000000"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct options o = fresh(), before = o;
        struct fault fault = {0};
        assert_int_equal(options_set(&o, pairs[i][0], pairs[i][1], &fault),
                         -ERROR_BAD_ARGUMENT);
        assert_true(strlen(fault.text) > 20);
        assert_memory_equal(&o, &before, sizeof o);
    }
}

static void rank_and_world_are_checked_together(void **state)
{
    struct options o = fresh();
    o.rank = 2;
    o.world = 2;
    assert_int_equal(options_check(&o, NULL), -ERROR_BAD_ARGUMENT);
    o.rank = 1;
    o.batch = 87;
    assert_int_equal(options_check(&o, NULL), -ERROR_BAD_ARGUMENT);
    o.batch = 86;
    assert_int_equal(options_check(&o, NULL), 0);
}

static void token_is_the_first_line_of_its_file(void **state)
{
    static const struct {
        const char *content;
        int rc;
        const char *token;
    } cases[] = {{"secret\nnext\n", 0, "secret"},
                 {"secret", 0, "secret"},
                 {"secret \r\n", 0, "secret"},
                 {"\n", -ERROR_BAD_ARGUMENT, ""},
                 {"", -ERROR_BAD_ARGUMENT, ""}};
    char path[] = "test_client_token_XXXXXX", token[WIRE_MAX_TOKEN_BYTES];
    close(mkstemp(path));
    struct options o = fresh();
    assert_int_equal(options_set(&o, "token_file", path, NULL), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        FILE *file = fopen(path, "w");
        fputs(cases[i].content, file);
        fclose(file);
        assert_int_equal(options_token(&o, token, NULL), cases[i].rc);
        assert_string_equal(token, cases[i].token);
    }
    unlink(path);
    assert_int_equal(options_token(&o, token, NULL), -ERROR_NOT_FOUND);
    assert_int_equal(options_set(&o, "token", "own", NULL), 0);
    assert_int_equal(options_token(&o, token, NULL), 0);
    assert_string_equal(token, "own");
}

static void state_survives_its_text(void **state)
{
    struct state a = {.stream = "s\"\\/\xc3\xa9", .position = INT64_MAX}, b;
    char text[PASTED_STATE_BYTES];
    for (size_t i = 0; i < sizeof a.fingerprint; i++)
        a.fingerprint[i] = (uint8_t)(i * 9);
    assert_int_equal(state_format(&a, text, sizeof text), 0);
    assert_int_equal(state_parse(text, &b, NULL), 0);
    assert_string_equal(a.stream, b.stream);
    assert_memory_equal(a.fingerprint, b.fingerprint, sizeof a.fingerprint);
    assert_true(a.position == b.position);
    assert_int_equal(state_format(&a, text, strlen(text)), -ERROR_TOO_LARGE);
    memset(a.stream, '"', sizeof a.stream - 1);
    assert_int_equal(state_format(&a, text, sizeof text), 0);
    assert_int_equal(state_parse(text, &b, NULL), 0);
    assert_string_equal(a.stream, b.stream);
}

#define HEX32 "00112233445566778899aabbccddeeff"
#define HEX64 HEX32 HEX32

static void state_takes_white_space_and_any_order(void **state)
{
    struct state s;
    assert_int_equal(
        state_parse(" {\n\"position\" : 12 , \"fingerprint\":\"" HEX64
                    "\",\t\"stream\":\"x\" } \n",
                    &s, NULL),
        0);
    assert_string_equal(s.stream, "x");
    assert_true(s.position == 12);
}

static void bad_states_are_refused(void **state)
{
#define GOOD "\"stream\":\"s\",\"fingerprint\":\"" HEX64 "\""
    static const char *const texts[] = {
        "",
        "{}",
        "null",
        "{" GOOD "}",
        "{" GOOD ",\"position\":}",
        "{" GOOD ",\"position\":-1}",
        "{" GOOD ",\"position\":1.5}",
        "{" GOOD ",\"position\":9223372036854775808}",
        "{" GOOD ",\"position\":99999999999999999999999}",
        "{" GOOD ",\"position\":92233720368547758070}",
        "{" GOOD ",\"position\":\"1\"}",
        "{" GOOD ",\"position\":1",
        "{" GOOD ",\"position\":1} x",
        "{" GOOD ",\"position\":1,}",
        "{" GOOD ",\"position\":1,\"position\":1}",
        "{" GOOD ",\"position\":1,\"more\":1}",
        "{\"stream\":\"s\",\"fingerprint\":\"12\",\"position\":1}",
        "{\"stream\":\"\\u0041\",\"fingerprint\":\"" HEX64 "\",\"position\":1}",
        "{\"stream\":\"s",
        "{\"stream\":\"s\\",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct state s;
        struct fault fault = {0};
        assert_int_equal(state_parse(texts[i], &s, &fault),
                         -ERROR_BAD_ARGUMENT);
        assert_non_null(strstr(fault.text, "state"));
    }
}

static void closed_client_says_so(void **state)
{
    pasted_client *c = pasted_create();
    pasted_batch *b;
    struct pasted_info info;
    char text[PASTED_STATE_BYTES];
    assert_string_equal(pasted_error(c), "");
    assert_int_equal(pasted_next(c, &b), PASTED_BAD_STATE);
    assert_string_equal(pasted_error(c), "pasted_next: the client is not open");
    assert_int_equal(pasted_pull(c, 0, &b), PASTED_BAD_STATE);
    assert_int_equal(pasted_seek(c, 0), PASTED_BAD_STATE);
    assert_int_equal(pasted_info(c, &info, sizeof info), PASTED_BAD_STATE);
    assert_int_equal(pasted_state(c, text, sizeof text), PASTED_BAD_STATE);
    assert_null(pasted_class_name(c, 0));
    pasted_interrupt(c);
    pasted_close(c);
    pasted_destroy(c);
    pasted_destroy(NULL);
    pasted_batch_release(NULL);
}

static void errors_carry_the_entry_point(void **state)
{
    pasted_client *c = pasted_create();
    assert_int_equal(pasted_set(c, "batch", "x"), PASTED_BAD_ARGUMENT);
    assert_non_null(strstr(pasted_error(c), "pasted_set: option batch"));
    assert_int_equal(pasted_open(c, "nowhere"), PASTED_BAD_ARGUMENT);
    assert_non_null(strstr(pasted_error(c), "pasted_open: 'nowhere'"));
    assert_int_equal(pasted_restore(c, "{"), PASTED_BAD_ARGUMENT);
    assert_non_null(strstr(pasted_error(c), "pasted_restore: "));
    assert_string_equal(pasted_status_name(PASTED_OK), "ok");
    assert_string_equal(pasted_status_name(PASTED_TIMEOUT), "timeout");
    assert_string_equal(pasted_status_name(-999), "unknown");
    assert_true(strlen(pasted_version()) > 4);
    pasted_destroy(c);
}

/* In a child: every entry answers PASTED_FORKED. Returns the exit code. */
static int use_after_fork(pasted_client *c)
{
    pasted_batch *b;
    struct pasted_info info;
    struct pasted_stats stats;
    char text[PASTED_STATE_BYTES];
    uint64_t position;
    int bad = pasted_set(c, "batch", "1") != PASTED_FORKED;
    bad += pasted_open(c, NULL) != PASTED_FORKED;
    bad += pasted_next(c, &b) != PASTED_FORKED;
    bad += pasted_next_into(c, NULL, 0, NULL) != PASTED_FORKED;
    bad += pasted_pull(c, 0, &b) != PASTED_FORKED;
    bad += pasted_seek(c, 0) != PASTED_FORKED;
    bad += pasted_position(c, &position) != PASTED_FORKED;
    bad += pasted_info(c, &info, sizeof info) != PASTED_FORKED;
    bad += pasted_stats(c, &stats, sizeof stats) != PASTED_FORKED;
    bad += pasted_state(c, text, sizeof text) != PASTED_FORKED;
    bad += pasted_restore(c, "{}") != PASTED_FORKED;
    bad += pasted_class_name(c, 0) != NULL;
    bad += strstr(pasted_error(c), "fork") == NULL;
    pasted_interrupt(c);
    pasted_close(c);
    pasted_destroy(c);
    return bad;
}

static void forked_child_is_told(void **state)
{
    int status = -1;
    pasted_client *c = pasted_create();
    pid_t child = fork();
    if (child == 0)
        _exit(use_after_fork(c));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(pasted_set(c, "batch", "1"), PASTED_OK);
    pasted_destroy(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(url_gives_servers_stream_and_options),
        cmocka_unit_test(a_unix_socket_is_a_server_too),
        cmocka_unit_test(a_list_of_servers_takes_their_urls),
        cmocka_unit_test(url_parts_may_be_left_out),
        cmocka_unit_test(bad_urls_are_refused_and_change_nothing),
        cmocka_unit_test(too_long_a_host_or_name_is_refused),
        cmocka_unit_test(bad_values_are_refused_with_a_sentence),
        cmocka_unit_test(rank_and_world_are_checked_together),
        cmocka_unit_test(token_is_the_first_line_of_its_file),
        cmocka_unit_test(state_survives_its_text),
        cmocka_unit_test(state_takes_white_space_and_any_order),
        cmocka_unit_test(bad_states_are_refused),
        cmocka_unit_test(closed_client_says_so),
        cmocka_unit_test(errors_carry_the_entry_point),
        cmocka_unit_test(forked_child_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
