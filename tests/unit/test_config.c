/* The configuration file: what it may say, where mistakes are pointed at, what
 * does not fit together, memory that runs out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "server/base/log.h"
#include "server/base/mem.h"
#include "server/daemon/config.h"

static const char full[] =
    "{\"http\": \"[::1]:1\", \"tcp\": \"127.0.0.1:2\","
    " \"token_file\": \"tokens\", \"allow_anonymous\": true, \"workers\": 3,"
    " \"memory_limit\": \"2G\", \"batch_budget\": 1048576, \"grace\": 9,"
    " \"log_level\": \"debug\", \"feedback_tables\": 5,"
    " \"feedback_classes\": 60, \"feedback_budget\": \"128K\","
    " \"feedback_lifetime\": 8,"
    " \"pools\": {"
    "  \"a\": {\"objects\": \"o\", \"backgrounds\": \"/b\","
    "   \"matte\": \"mask\", \"split\": \"val\", \"max_side\": 9,"
    "   \"strict\": true, \"classes\": [\"x\", \"y\"]},"
    "  \"b\": {\"demo\": true}},"
    " \"streams\": {"
    "  \"s\": {\"pool\": \"a\", \"recipe\": {\"size\": 8}, \"seed\": 7},"
    "  \"t\": {\"pool\": \"b\", \"recipe\": \"r.json\","
    "   \"seed\": \"18446744073709551615\"},"
    "  \"u\": {\"pool\": \"b\", \"recipe\": \"bench\"}}}";

static int read_config(struct config *c, const char *text, const char *folder,
                       struct fault *fault)
{
    memset(fault, 0, sizeof(*fault));
    return config_read_json(c, text, strlen(text), folder, fault);
}

static void a_full_file_is_read(void **state)
{
    struct config *c = config_create();
    struct fault fault;

    assert_int_equal(read_config(c, full, "/etc/x", &fault), 0);
    assert_string_equal(c->http.address, "::1");
    assert_int_equal(c->tcp.port, 2);
    assert_string_equal(c->token_file, "/etc/x/tokens");
    assert_true(c->allow_anonymous);
    assert_int_equal(c->workers, 3);
    assert_true(c->memory_limit_bytes == 2ull << 30);
    assert_int_equal(c->batch_budget_bytes, 1 << 20);
    assert_int_equal(c->grace_s, 9);
    assert_int_equal(c->log_level, LOG_DEBUG);
    assert_int_equal(c->feedback_tables, 5);
    assert_int_equal(c->feedback_classes, 60);
    assert_int_equal(c->feedback_budget_bytes, 128 << 10);
    assert_int_equal(c->feedback_lifetime_s, 8);
    assert_int_equal(c->n_pools, 2);
    assert_string_equal(c->pools[0].objects, "/etc/x/o");
    assert_string_equal(c->pools[0].backgrounds, "/b");
    assert_int_equal(c->pools[0].matte, POOL_MATTE_MASK);
    assert_int_equal(c->pools[0].split, POOL_SPLIT_VAL);
    assert_int_equal(c->pools[0].n_classes, 2);
    assert_string_equal(c->pools[0].classes[1], "y");
    assert_true(c->pools[0].strict && !c->pools[0].demo);
    assert_true(c->pools[1].demo);
    assert_int_equal(c->n_streams, 3);
    assert_string_equal(c->streams[0].recipe_text, "{\"size\":8}");
    assert_string_equal(c->streams[1].recipe_name, "/etc/x/r.json");
    assert_true(c->streams[1].seed == UINT64_MAX);
    assert_string_equal(c->streams[2].recipe_name, "bench");
    assert_false(c->streams[2].has_seed);
    assert_int_equal(config_check(c, &fault), 0);
    assert_int_equal(c->streams[1].pool, 1);
    assert_int_equal(c->shared_budget_bytes, c->batch_budget_bytes / 2);
    config_destroy(c);
}

static void recipes_are_resolved_with_their_seed(void **state)
{
    static const char text[] =
        "{\"pools\": {\"p\": {\"demo\": true}}, \"streams\": {"
        "\"a\": {\"recipe\": {\"size\": 8, \"seed\": 1}, \"seed\": 2},"
        "\"b\": {\"recipe\": \"bench\"}, \"c\": {}}}";
    struct config *c = config_create();
    struct recipe initial;
    struct fault fault;

    recipe_default(&initial);
    assert_int_equal(read_config(c, text, NULL, &fault), 0);
    assert_int_equal(config_check(c, &fault), 0);
    assert_int_equal(config_resolve(c, &fault), 0);
    assert_int_equal(c->streams[0].recipe.height, 8);
    assert_int_equal(c->streams[0].recipe.seed, 2);
    assert_int_equal(c->streams[2].recipe.height, initial.height);
    config_destroy(c);
}

#define POOLS   "\"pools\": {\"p\": {\"demo\": true}}"
#define STREAMS "\"streams\": {\"s\": {}}"

struct mistake {
    const char *text, *words;
};

static void assert_pointed_at(const struct mistake *bad, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct config *c = config_create();
        struct fault fault;
        assert_int_equal(read_config(c, bad[i].text, NULL, &fault),
                         -ERROR_BAD_CONFIG);
        assert_int_equal(fault.code, ERROR_BAD_CONFIG);
        if (!strstr(fault.text, bad[i].words))
            fail_msg("%s: %s", bad[i].text, fault.text);
        config_destroy(c);
    }
}

static void mistakes_are_pointed_at(void **state)
{
    static const struct mistake bad[] = {
        {"", "line 1"},
        {"[]", "object"},
        {"{", "line 1"},
        {"{" POOLS ", " STREAMS "} x", "line 1"},
        {"{\"http\": \"127.0.0.1:1\", \"http\": \"127.0.0.1:1\"}", "duplicate"},
        {"{" POOLS "}", "/streams: "},
        {"{" STREAMS "}", "/pools: "},
        {"{" POOLS ", \"streams\": {}}", "/streams: "},
        {"{" POOLS ", \"streams\": 3}", "/streams: "},
        {"{" POOLS ", " STREAMS ", \"htpp\": 1}", "/: unknown key \"htpp\""},
        {"{" POOLS ", " STREAMS ", \"http\": 1}", "/http: "},
        {"{" POOLS ", " STREAMS ", \"http\": \"x\"}", "/http: "},
        {"{" POOLS ", " STREAMS ", \"workers\": \"2\"}", "/workers: "},
        {"{" POOLS ", " STREAMS ", \"workers\": 2.0}", "/workers: "},
        {"{" POOLS ", " STREAMS ", \"workers\": -2}", "/workers: "},
        {"{" POOLS ", " STREAMS ", \"workers\": 257}", "/workers: "},
        {"{" POOLS ", " STREAMS ", \"memory_limit\": \"2Q\"}",
         "/memory_limit: "},
        {"{" POOLS ", " STREAMS ", \"allow_anonymous\": 1}",
         "/allow_anonymous: "},
        {"{" POOLS ", " STREAMS ", \"config\": \"x\"}", "unknown key"},
        {"{\"pools\": {\"p\": []}, " STREAMS "}", "/pools/p: "},
        {"{\"pools\": {\"p q\": {}}, " STREAMS "}", "/pools/p q: "},
        {"{\"pools\": {\"p\": {\"demo\": null}}, " STREAMS "}",
         "/pools/p/demo: "},
        {"{\"pools\": {\"p\": {\"seed\": 1}}, " STREAMS "}",
         "/pools/p: unknown key \"seed\""},
        {"{\"pools\": {\"p\": {\"classes\": []}}, " STREAMS "}",
         "/pools/p/classes: "},
        {"{\"pools\": {\"p\": {\"classes\": [1]}}, " STREAMS "}",
         "/pools/p/classes: "},
        {"{" POOLS ", \"streams\": {\"s\": {\"seed\": -1}}}",
         "/streams/s/seed: "},
        {"{" POOLS ", \"streams\": {\"s\": {\"recipe\": 1}}}",
         "/streams/s/recipe: "},
    };

    assert_pointed_at(bad, sizeof(bad) / sizeof(bad[0]));
}

static void limits_of_feedback_have_ranges(void **state)
{
    static const struct mistake bad[] = {
        {"{" POOLS ", " STREAMS ", \"feedback_tables\": 0}",
         "/feedback_tables: 0 is not between 1 and 4096"},
        {"{" POOLS ", " STREAMS ", \"feedback_tables\": 4097}",
         "/feedback_tables: "},
        {"{" POOLS ", " STREAMS ", \"feedback_classes\": 1025}",
         "/feedback_classes: 1025 is not between 1 and 1024"},
        {"{" POOLS ", " STREAMS ", \"feedback_budget\": \"1K\"}",
         "/feedback_budget: "},
        {"{" POOLS ", " STREAMS ", \"feedback_lifetime\": 0}",
         "/feedback_lifetime: 0 is not between 1 and 2592000"},
    };

    assert_pointed_at(bad, sizeof(bad) / sizeof(bad[0]));
}

static void what_does_not_fit_together_is_refused(void **state)
{
    static const struct {
        const char *text, *words;
    } bad[] = {
        {"{\"pools\": {\"p\": {}}, " STREAMS "}", "\"p\""},
        {"{\"pools\": {\"p\": {\"objects\": \"o\"}}, " STREAMS "}", "both"},
        {"{\"pools\": {\"p\": {\"demo\": true, \"objects\": \"o\"}}, " STREAMS
         "}",
         "either"},
        {"{\"pools\": {\"p\": {\"demo\": true}, \"q\": {\"demo\": "
         "true}}, " STREAMS "}",
         "/streams/s"},
        {"{" POOLS ", \"streams\": {\"s\": {\"pool\": \"x\"}}}",
         "/streams/s/pool"},
        {"{" POOLS ", " STREAMS ", \"http\": \"0.0.0.0:1\"}", "http"},
        {"{" POOLS ", " STREAMS ", \"tcp\": \"[::]:1\"}", "tcp"},
        {"{" POOLS ", " STREAMS ", \"batch_budget\": \"8M\", "
         "\"shared_budget\": \"8M\"}",
         "shared_budget: it is a part"},
        {"{" POOLS ", " STREAMS ", \"batch_budget\": 1}", "batch_budget"},
        {"{" POOLS ", " STREAMS ", \"feedback_budget\": \"1M\"}",
         "feedback_budget: one table of feedback_classes (1024) takes 4"},
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct config *c = config_create();
        struct fault fault;
        assert_int_equal(read_config(c, bad[i].text, NULL, &fault), 0);
        assert_int_equal(config_check(c, &fault), -ERROR_BAD_CONFIG);
        if (!strstr(fault.text, bad[i].words))
            fail_msg("%s: %s", bad[i].text, fault.text);
        config_destroy(c);
    }
}

static void a_recipe_mistake_has_one_pointer(void **state)
{
    static const char text[] = "{" POOLS ", \"streams\": {\"s\": {\"recipe\": "
                               "{\"object\": {\"scale\": \"x\"}}}}}";
    struct config *c = config_create();
    struct fault fault;

    assert_int_equal(read_config(c, text, NULL, &fault), 0);
    assert_int_equal(config_check(c, &fault), 0);
    assert_int_equal(config_resolve(c, &fault), -ERROR_BAD_RECIPE);
    assert_non_null(strstr(fault.text, "/streams/s/recipe/object/scale: "));
    config_destroy(c);
}

static void too_many_pools_are_refused(void **state)
{
    struct config *c = config_create();
    struct fault fault = {0};
    char name[] = "p00";

    for (int i = 0; i < CONFIG_MAX_POOLS; i++) {
        name[1] = (char)('0' + i / 10);
        name[2] = (char)('0' + i % 10);
        assert_non_null(config_add_pool(c, name, &fault));
    }
    assert_null(config_add_pool(c, "q", &fault));
    assert_int_equal(fault.code, ERROR_BAD_CONFIG);
    config_destroy(c);
}

static void every_allocation_may_fail(void **state)
{
    for (uint64_t nth = 1;; nth++) {
        struct fault fault;
        mem_fail_nth(nth);
        struct config *c = config_create();
        int rc = c ? read_config(c, full, "/x", &fault) : -ERROR_NO_MEMORY;
        mem_fail_nth(0);
        config_destroy(c);
        if (rc == 0)
            break;
        assert_int_equal(rc, -ERROR_NO_MEMORY);
        assert_true(nth < 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_file_is_read),
        cmocka_unit_test(recipes_are_resolved_with_their_seed),
        cmocka_unit_test(mistakes_are_pointed_at),
        cmocka_unit_test(limits_of_feedback_have_ranges),
        cmocka_unit_test(what_does_not_fit_together_is_refused),
        cmocka_unit_test(a_recipe_mistake_has_one_pointer),
        cmocka_unit_test(too_many_pools_are_refused),
        cmocka_unit_test(every_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
