/* Batches with candidates from the store: what is in them, what they share, and
 * their limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/serve_rig.h"

static struct rig rig;
static struct stream *stream;

static int setup(void **state)
{
    struct store_config config = rig_config();
    stream = rig_stream(RIG_RECIPE);
    rig_start(&rig, 2, &config);
    return 0;
}

static int teardown(void **state)
{
    rig_settle(&rig);
    rig_stop(&rig);
    stream_destroy(stream);
    return 0;
}

static struct batch *get(uint64_t first, uint32_t n, uint32_t k)
{
    struct ask a;
    ask_init(&a, stream, first, n);
    a.request.n_candidates = k;
    a.request.checksum = CHECKSUM_XXH3;
    return ask_batch(&rig, &a);
}

static const uint8_t *item(const struct batch *b, int tensor, uint32_t i)
{
    assert_true(b->layout.index[tensor] >= 0);
    const struct tensor_desc *t = &b->layout.tensor[b->layout.index[tensor]];
    return b->payload + t->offset_bytes + t->n_bytes / b->layout.n_samples * i;
}

static int32_t candidate_of(const struct batch *b, uint32_t i)
{
    int32_t j;
    memcpy(&j, item(b, TENSOR_CANDIDATE, i), sizeof j);
    return j;
}

/* Across the end of an epoch, with checksums. */
static void a_batch_holds_the_candidates_side_by_side(void **state)
{
    const uint32_t n = 9, k = 5;
    struct batch *many = get(RIG_EDGES - 4, n, k);
    struct batch *plain = get(RIG_EDGES - 4, n, 0);
    uint32_t n_alike = 0;
    rig_check_batch(many);
    assert_int_equal(many->layout.n_samples, n * k);
    for (uint32_t i = 0; i < n * k; i++) {
        uint64_t position;
        memcpy(&position, item(many, TENSOR_POSITION, i), sizeof position);
        assert_int_equal(position, RIG_EDGES - 4 + i / k);
        assert_int_equal(candidate_of(many, i), i % k);
        assert_memory_equal(item(many, TENSOR_LABEL, i),
                            item(plain, TENSOR_LABEL, i / k), 8);
        int differs =
            memcmp(item(many, TENSOR_IMAGE, i),
                   item(plain, TENSOR_IMAGE, i / k), many->layout.sample_bytes);
        assert_true(i % k > 0 || differs == 0);
        n_alike += i % k > 0 && differs == 0;
    }
    assert_true(n_alike < n);
    batch_unref(plain);
    batch_unref(many);
}

static void one_candidate_is_the_plain_batch(void **state)
{
    struct batch *none = get(3, 8, 0), *one = get(3, 8, 1), *two = get(3, 8, 2);
    assert_ptr_equal(none, one);
    assert_ptr_not_equal(one, two);
    assert_int_equal(one->layout.index[TENSOR_CANDIDATE], -1);
    struct batch *again = get(3, 8, 2);
    assert_ptr_equal(two, again);
    batch_unref(none);
    batch_unref(one);
    batch_unref(two);
    batch_unref(again);
}

static void refused(uint32_t n, uint32_t k, int code, const char *word)
{
    struct ask a;
    ask_init(&a, stream, 0, n);
    a.request.n_candidates = k;
    assert_int_equal(ask_send(&rig, &a), code);
    assert_non_null(strstr(a.fault.text, word));
}

static void limits_are_of_items(void **state)
{
    const uint32_t most = store_max_samples(rig.store);
    refused(1, 33, -ERROR_BAD_ARGUMENT, "candidates");
    refused(1, UINT32_MAX, -ERROR_BAD_ARGUMENT, "candidates");
    refused(most / 32 + 1, 32, -ERROR_TOO_LARGE, "samples");
    refused(UINT32_MAX, 2, -ERROR_TOO_LARGE, "samples");
    struct batch *b = get(0, most / 32, 32);
    rig_check_batch(b);
    batch_unref(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_batch_holds_the_candidates_side_by_side, setup, teardown),
        cmocka_unit_test_setup_teardown(one_candidate_is_the_plain_batch, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(limits_are_of_items, setup, teardown),
    };
    return cmocka_run_group_tests(tests, rig_make_catalog, rig_drop_catalog);
}
