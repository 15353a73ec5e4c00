/* The store of feedback tables: found by digest, bounded in bytes, number and
 * lifetime, never dropped while held. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/base/mem.h"
#include "server/serve/feedback_store.h"
#include "server/serve/feedback_text.h"
#include "tests/unit/serve_rig.h"

#define N RIG_CLASSES
#define RECIPE                                                                 \
    "{\"size\": [8, 8], \"distractor\": {\"probability\": 0.5}, \"graph\": "   \
    "{\"objects_per_background\": 4}}"

static struct stream *stream;

static struct feedback_store *make_store(uint32_t max_tables,
                                         uint64_t max_bytes, uint64_t life_ns)
{
    const struct feedback_limits limits = {max_bytes, max_tables, N, life_ns};
    struct feedback_store *s;
    struct fault fault = {0};

    assert_int_equal(feedback_store_create(&limits, &s, &fault), 0);
    return s;
}

static int put(struct feedback_store *s, uint16_t number, struct feedback **out,
               struct fault *fault)
{
    uint8_t weights[2 * N * N];

    for (size_t i = 0; i < sizeof(weights); i += 2)
        memcpy(weights + i, &number, 2);
    return feedback_store_put(s, stream, N, weights, out, fault);
}

static struct feedback *must_put(struct feedback_store *s, uint16_t number)
{
    struct feedback *table;
    struct fault fault = {0};

    if (put(s, number, &table, &fault))
        fail_msg("%s", fault.text);
    return table;
}

static bool has(const struct feedback_store *s, const struct feedback *like)
{
    return feedback_store_look(s, &like->digest) != NULL;
}

static void a_table_is_found_by_its_digest(void **state)
{
    struct feedback_store *s = make_store(4, 1 << 20, UINT64_MAX);
    struct feedback *a = must_put(s, 1), *again = must_put(s, 1), *b, *found;
    struct fault fault = {0};

    assert_ptr_equal(a, again);
    b = must_put(s, 2);
    assert_ptr_not_equal(a, b);
    assert_int_equal(feedback_store_find(s, stream, &b->digest, &found, &fault),
                     0);
    assert_ptr_equal(found, b);
    struct digest other = a->digest;
    other.bytes[31] ^= 1;
    assert_int_equal(feedback_store_find(s, stream, &other, &found, &fault),
                     -ERROR_UNKNOWN_FEEDBACK);
    feedback_unref(a);
    feedback_unref(again);
    feedback_unref(b);
    feedback_unref(found);
    feedback_store_destroy(s);
}

/* Many uploads: memory is bounded, and returns. */
static void the_longest_unused_go_first(void **state)
{
    struct feedback_store *s = make_store(3, 1 << 20, UINT64_MAX);
    struct feedback *held = must_put(s, 1), *second;

    feedback_unref(second = must_put(s, 2));
    const struct digest digest = second->digest;
    for (uint16_t i = 3; i < 1000; i++)
        feedback_unref(must_put(s, i));
    assert_true(has(s, held));
    assert_null(feedback_store_look(s, &digest));
    assert_int_equal(metric_get(METRIC_FEEDBACK_TABLES), 3);
    assert_int_equal(metric_get(METRIC_FEEDBACK_BYTES),
                     3 * feedback_memory_bytes(N));
    assert_true(metric_get(METRIC_FEEDBACK_EVICTIONS) >= 996);
    feedback_unref(held);
    feedback_store_destroy(s);
    assert_int_equal(metric_get(METRIC_FEEDBACK_BYTES), 0);
}

static void bytes_are_bounded_too(void **state)
{
    struct feedback_store *s =
        make_store(100, 2 * feedback_memory_bytes(N), UINT64_MAX);

    for (uint16_t i = 1; i < 50; i++)
        feedback_unref(must_put(s, i));
    assert_int_equal(metric_get(METRIC_FEEDBACK_TABLES), 2);
    feedback_store_destroy(s);
}

static void what_is_held_makes_no_room(void **state)
{
    struct feedback_store *s = make_store(2, 1 << 20, UINT64_MAX);
    struct feedback *a = must_put(s, 1), *b = must_put(s, 2), *c;
    struct fault fault = {0};

    assert_int_equal(put(s, 3, &c, &fault), -ERROR_OVERLOADED);
    feedback_unref(a);
    assert_int_equal(put(s, 3, &c, &fault), 0);
    assert_true(has(s, b));
    feedback_unref(b);
    feedback_unref(c);
    feedback_store_destroy(s);
}

static void a_table_that_nobody_asks_for_goes(void **state)
{
    struct feedback_store *s = make_store(9, 1 << 20, 20 * 1000000);
    struct feedback *held = must_put(s, 1);
    const struct timespec while_ = {.tv_nsec = 40 * 1000000};

    feedback_unref(must_put(s, 2));
    nanosleep(&while_, NULL);
    feedback_store_expire(s);
    assert_int_equal(metric_get(METRIC_FEEDBACK_TABLES), 1);
    assert_true(has(s, held));
    feedback_unref(held);
    feedback_store_expire(s); /* its life begins now */
    assert_int_equal(metric_get(METRIC_FEEDBACK_TABLES), 1);
    nanosleep(&while_, NULL);
    feedback_store_expire(s);
    assert_int_equal(metric_get(METRIC_FEEDBACK_TABLES), 0);
    feedback_store_destroy(s);
}

static void bad_tables_are_refused_by_name(void **state)
{
    struct feedback_store *s = make_store(9, 1 << 20, UINT64_MAX);
    struct feedback *table;
    struct fault fault = {0};
    uint8_t weights[2 * (N + 1) * (N + 1)];

    memset(weights, 1, sizeof(weights));
    assert_int_equal(
        feedback_store_put(s, stream, N + 1, weights, &table, &fault),
        -ERROR_BAD_ARGUMENT);
    assert_int_equal(feedback_store_put(s, stream, 0, weights, &table, &fault),
                     -ERROR_BAD_ARGUMENT);
    memset(weights + 2 * N * 3, 0, 2 * N);
    assert_int_equal(feedback_store_put(s, stream, N, weights, &table, &fault),
                     -ERROR_BAD_ARGUMENT);
    assert_non_null(strstr(fault.text, stream->catalog->classes[3]));
    feedback_store_destroy(s);
}

static void tables_of_more_classes_are_refused(void **state)
{
    const struct feedback_limits limits = {1 << 20, 9, N - 1, UINT64_MAX};
    struct feedback_store *s;
    struct feedback *table;
    struct fault fault = {0};

    assert_int_equal(feedback_store_create(&limits, &s, &fault), 0);
    assert_int_equal(put(s, 1, &table, &fault), -ERROR_TOO_LARGE);
    assert_int_equal(metric_get(METRIC_FEEDBACK_TABLES), 0);
    feedback_store_destroy(s);
}

/* What they say, and that short memory is told and leaks nothing. */
static void tables_are_told_as_json(void **state)
{
    struct feedback_store *s = make_store(9, 1 << 20, UINT64_MAX);
    struct feedback *held = must_put(s, 7);
    char hex[DIGEST_HEX_BYTES], *none = feedback_list_text(NULL);

    feedback_unref(must_put(s, 65535));
    digest_hex(&held->digest, hex);
    char *list = feedback_list_text(s), *table = feedback_table_text(held);
    assert_string_equal(none, "{\"feedback\":[]}\n");
    assert_true(strstr(list, "\"in_use\":true") > strstr(list, "false"));
    assert_non_null(strstr(strstr(list, hex), "/v1/feedback/"));
    assert_non_null(strstr(table, hex));
    assert_non_null(strstr(table, "\"weights\":[[7,7,"));
    assert_string_equal(table + strlen(table) - 4, "7]]}");
    mem_free(none);
    mem_free(list);
    mem_free(table);
    mem_fail_nth(1);
    assert_null(feedback_list_text(s));
    mem_fail_nth(1);
    assert_null(feedback_table_text(held));
    feedback_unref(held);
    feedback_store_destroy(s);
}

static void a_stream_without_distractor_takes_none(void **state)
{
    struct feedback_store *s = make_store(9, 1 << 20, UINT64_MAX);
    struct stream *plain = rig_stream(RIG_RECIPE);
    struct feedback *table = must_put(s, 1), *found;
    struct fault fault = {0};

    assert_int_equal(
        feedback_store_find(s, plain, &table->digest, &found, &fault),
        -ERROR_BAD_ARGUMENT);
    assert_non_null(strstr(fault.text, "/distractor/probability"));
    feedback_unref(table);
    stream_destroy(plain);
    feedback_store_destroy(s);
}

static void memory_that_is_short_is_told(void **state)
{
    const struct feedback_limits limits = feedback_limits_default();
    struct feedback_store *s = make_store(9, 1 << 20, UINT64_MAX), *none;
    struct feedback *table;
    struct fault fault = {0};

    mem_fail_nth(1);
    assert_int_equal(put(s, 1, &table, &fault), -ERROR_NO_MEMORY);
    mem_fail_nth(1);
    assert_int_equal(feedback_store_create(&limits, &none, &fault),
                     -ERROR_NO_MEMORY);
    feedback_store_destroy(s);
    feedback_store_destroy(NULL);
}

/* Two tables, two batches in the cache; the same table, one. */
static void batches_are_shared_by_table(void **state)
{
    struct feedback_store *s = make_store(9, 1 << 20, UINT64_MAX);
    struct feedback *a = must_put(s, 1), *b = must_put(s, 2);
    const struct store_config config = rig_config();
    struct feedback *const of[] = {NULL, a, b, a, NULL, b};
    struct batch *batch[6];
    struct rig rig;

    rig_start(&rig, 1, &config);
    for (int i = 0; i < 6; i++) {
        struct ask ask;
        ask_init(&ask, stream, 0, 16);
        ask.request.feedback = of[i];
        batch[i] = ask_batch(&rig, &ask);
    }
    assert_ptr_not_equal(batch[0], batch[1]);
    assert_ptr_not_equal(batch[1], batch[2]);
    assert_ptr_equal(batch[1], batch[3]);
    assert_ptr_equal(batch[0], batch[4]);
    assert_ptr_equal(batch[2], batch[5]);
    for (int i = 0; i < 6; i++)
        batch_unref(batch[i]);
    rig_stop(&rig);
    assert_int_equal(a->n_refs, 2); /* ours and the store's */
    feedback_unref(a);
    feedback_unref(b);
    feedback_store_destroy(s);
}

static int make(void **state)
{
    int rc = rig_make_catalog(state);

    stream = rig_stream(RECIPE);
    return rc;
}

static int drop(void **state)
{
    stream_destroy(stream);
    return rig_drop_catalog(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_is_found_by_its_digest),
        cmocka_unit_test(the_longest_unused_go_first),
        cmocka_unit_test(bytes_are_bounded_too),
        cmocka_unit_test(what_is_held_makes_no_room),
        cmocka_unit_test(a_table_that_nobody_asks_for_goes),
        cmocka_unit_test(bad_tables_are_refused_by_name),
        cmocka_unit_test(tables_of_more_classes_are_refused),
        cmocka_unit_test(tables_are_told_as_json),
        cmocka_unit_test(a_stream_without_distractor_takes_none),
        cmocka_unit_test(memory_that_is_short_is_told),
        cmocka_unit_test(batches_are_shared_by_table),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
