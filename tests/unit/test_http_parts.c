/* The pure parts of HTTP: numbers, query keys, paths, entity tags, the route
 * table, listening addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/tensor.h"
#include "server/http/listen.h"
#include "server/http/route.h"

static void numbers_are_plain_decimals(void **state)
{
    static const char *const bad[] = {
        "",   " 1", "1 ",  "+1", "-1", "01",
        "00", "1a", "0x1", "1.", "1e", "18446744073709551616"};
    uint64_t value = 7;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(http_parse_number(bad[i], UINT64_MAX, &value),
                         -ERROR_BAD_ARGUMENT);
        assert_int_equal(value, 7);
    }
    assert_int_equal(http_parse_number("0", 0, &value), 0);
    assert_int_equal(value, 0);
    assert_int_equal(
        http_parse_number("18446744073709551615", UINT64_MAX, &value), 0);
    assert_true(value == UINT64_MAX);
    assert_int_equal(http_parse_number("11", 10, &value), -ERROR_BAD_ARGUMENT);
}

static int add(struct http_params *params, uint32_t allowed, const char *key,
               const char *value, struct fault *fault)
{
    memset(fault, 0, sizeof(*fault));
    return http_params_add(params, allowed, key, value, fault);
}

static void query_keys_are_read_once_and_in_range(void **state)
{
    uint32_t allowed = HTTP_PARAM_BIT(BATCH) | HTTP_PARAM_BIT(RANK) |
                       HTTP_PARAM_BIT(FINGERPRINT);
    struct http_params params = {0};
    struct fault fault;
    char hex[65];

    assert_int_equal(add(&params, allowed, "batch", "8", &fault), 0);
    assert_int_equal(http_params_number(&params, HTTP_PARAM_BATCH, 1), 8);
    assert_int_equal(http_params_number(&params, HTTP_PARAM_RANK, 3), 3);
    assert_int_equal(add(&params, allowed, "batch", "8", &fault),
                     -ERROR_BAD_ARGUMENT);
    assert_non_null(strstr(fault.text, "twice"));
    assert_int_equal(add(&params, allowed, "world", "2", &fault),
                     -ERROR_BAD_ARGUMENT);
    assert_non_null(strstr(fault.text, "rank, batch, fingerprint"));
    assert_int_equal(add(&params, 0, "world", "2", &fault),
                     -ERROR_BAD_ARGUMENT);
    assert_non_null(strstr(fault.text, "takes none"));
    assert_int_equal(add(&params, allowed, "rank", NULL, &fault),
                     -ERROR_BAD_ARGUMENT);
    assert_int_equal(add(&params, allowed, "rank", "4294967296", &fault),
                     -ERROR_BAD_ARGUMENT);
    memset(hex, 'a', 64);
    hex[64] = '\0';
    assert_int_equal(add(&params, allowed, "fingerprint", hex + 1, &fault),
                     -ERROR_BAD_ARGUMENT);
    assert_int_equal(add(&params, allowed, "fingerprint", hex, &fault), 0);
    assert_int_equal(params.fingerprint.bytes[31], 0xaa);
}

static void query_words_are_of_their_table(void **state)
{
    const uint32_t allowed = HTTP_PARAM_BIT(DTYPE) | HTTP_PARAM_BIT(LAYOUT);
    struct http_params params = {0};
    struct fault fault;

    (void)state;
    assert_int_equal(add(&params, allowed, "dtype", "f64", &fault),
                     -ERROR_BAD_ARGUMENT);
    assert_non_null(strstr(fault.text, "none of u8, f16, bf16, f32"));
    assert_int_equal(add(&params, allowed, "layout", NULL, &fault),
                     -ERROR_BAD_ARGUMENT);
    assert_int_equal(add(&params, allowed, "dtype", "bf16", &fault), 0);
    assert_int_equal(http_params_number(&params, HTTP_PARAM_DTYPE, 0),
                     TENSOR_BF16);
    assert_int_equal(http_params_number(&params, HTTP_PARAM_LAYOUT, 9), 9);
    assert_int_equal(add(&params, allowed, "layout", "nchw", &fault), 0);
    assert_int_equal(http_params_number(&params, HTTP_PARAM_LAYOUT, 9),
                     TENSOR_NCHW);
    assert_string_equal(http_param_word(HTTP_PARAM_LAYOUT, 0), "nhwc");
    assert_null(http_param_word(HTTP_PARAM_LAYOUT, 2));
    assert_null(http_param_word(HTTP_PARAM_BATCH, 0));
}

static void paths_match_whole_and_by_segment(void **state)
{
    const char *pattern = "/v1/streams/{stream}/samples/{position}.png";
    struct http_captures c;

    assert_true(http_path_match(pattern, "/v1/streams/a.b/samples/12.png", &c));
    assert_int_equal(c.n, 2);
    assert_string_equal(c.text[0], "a.b");
    assert_string_equal(c.text[1], "12");
    assert_true(http_path_match(pattern, "/v1/streams/a/samples/.png.png", &c));
    assert_string_equal(c.text[1], ".png");
    static const char *const others[] = {"/v1/streams/a/samples/.png",
                                         "/v1/streams/a/samples/12.pn",
                                         "/v1/streams/a/samples/12.pngx",
                                         "/v1/streams//samples/12.png",
                                         "/v1/streams/a/b/samples/1.png",
                                         "/v1/streams/a/samples/1.png/",
                                         "/v1/streams/a/samples/",
                                         "/v1/streams/a",
                                         "",
                                         "/"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_false(http_path_match(pattern, others[i], &c));
    char longer[200] = "/v1/streams/";
    memset(longer + 12, 'a', HTTP_CAPTURE_BYTES);
    assert_false(http_path_match("/v1/streams/{stream}", longer, &c));
    longer[12 + HTTP_CAPTURE_BYTES - 1] = '\0';
    assert_true(http_path_match("/v1/streams/{stream}", longer, &c));
}

static void every_route_finds_itself(void **state)
{
    for (uint32_t i = 0; i < http_n_routes; i++) {
        struct http_captures c;
        const char *pattern = http_routes[i].pattern;
        /* A pattern is a path too: its names stand for themselves. */
        const struct http_route *found = http_route_find(pattern, &c);
        assert_non_null(found);
        assert_string_equal(found->pattern, pattern);
    }
    struct http_captures c;
    assert_null(http_route_find("/v2", &c));
}

static void tags_name_the_contract(void **state)
{
    struct digest a = {{1}}, b = {{2}};
    char first[HTTP_ETAG_BYTES], other[HTTP_ETAG_BYTES];

    http_etag_make(&a, 1, 5, 2, "npz", first);
    assert_int_equal(strlen(first), HTTP_ETAG_BYTES - 1);
    assert_int_equal(first[0], '"');
    assert_int_equal(first[HTTP_ETAG_BYTES - 2], '"');
    http_etag_make(&a, 1, 5, 2, "npz", other);
    assert_string_equal(first, other);
    http_etag_make(&a, 2, 5, 2, "npz", other);
    assert_string_not_equal(first, other);
    http_etag_make(&b, 1, 5, 2, "npz", other);
    assert_string_not_equal(first, other);
    http_etag_make(&a, 1, 6, 2, "npz", other);
    assert_string_not_equal(first, other);
    http_etag_make(&a, 1, 5, 3, "npz", other);
    assert_string_not_equal(first, other);
    http_etag_make(&a, 1, 5, 2, "png", other);
    assert_string_not_equal(first, other);
}

static void if_none_match_is_a_list(void **state)
{
    static const char *const yes[] = {
        "\"a\"",           "W/\"a\"",       "*",      " * ", "\"b\", \"a\"",
        "\"b\",W/\"a\"  ", "\"a,b\",\"a\"", ",,\"a\""};
    static const char *const no[] = {
        "",        "a",        "\"a",     "\"b\"",       "\"A\"", "*x",
        "\"a,b\"", "W/ \"a\"", "x \"a\"", "\"b\" \"a\"", "W/"};

    assert_false(http_etag_matches(NULL, "\"a\""));
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
        assert_true(http_etag_matches(yes[i], "\"a\""));
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
        assert_false(http_etag_matches(no[i], "\"a\""));
}

static void loopback_is_told_from_the_world(void **state)
{
    assert_true(listen_is_loopback("127.0.0.1"));
    assert_true(listen_is_loopback("127.255.0.3"));
    assert_true(listen_is_loopback("::1"));
    assert_true(listen_is_loopback("::ffff:127.0.0.1"));
    assert_false(listen_is_loopback("0.0.0.0"));
    assert_false(listen_is_loopback("::"));
    assert_false(listen_is_loopback("128.0.0.1"));
    assert_false(listen_is_loopback("::ffff:10.0.0.1"));
    assert_false(listen_is_loopback("localhost"));
    assert_false(listen_is_address("localhost"));
}

static void a_taken_port_is_refused_with_a_sentence(void **state)
{
    struct fault fault = {0};
    int first, second;

    assert_int_equal(listen_open("127.0.0.1", 0, 8, &first, &fault), 0);
    uint16_t port = listen_port(first);
    assert_int_not_equal(port, 0);
    assert_true(listen_fd_is_loopback(first));
    assert_int_equal(listen_open("127.0.0.1", port, 8, &second, &fault),
                     -ERROR_IO);
    assert_non_null(strstr(fault.text, "in use"));
    assert_int_equal(listen_open("here", 0, 8, &second, &fault),
                     -ERROR_BAD_ARGUMENT);
    close(first);
}

static void openapi_holds_every_route(void **state)
{
    json_t *api = http_openapi();
    json_t *paths = json_object_get(api, "paths");

    assert_int_equal(json_object_size(paths), http_n_routes);
    for (uint32_t i = 0; i < http_n_routes; i++)
        assert_non_null(json_object_get(paths, http_routes[i].pattern));
    json_decref(api);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_plain_decimals),
        cmocka_unit_test(query_keys_are_read_once_and_in_range),
        cmocka_unit_test(query_words_are_of_their_table),
        cmocka_unit_test(paths_match_whole_and_by_segment),
        cmocka_unit_test(every_route_finds_itself),
        cmocka_unit_test(tags_name_the_contract),
        cmocka_unit_test(if_none_match_is_a_list),
        cmocka_unit_test(loopback_is_told_from_the_world),
        cmocka_unit_test(a_taken_port_is_refused_with_a_sentence),
        cmocka_unit_test(openapi_holds_every_route),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
