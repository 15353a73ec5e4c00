/* Who waits for whose room: large batches that are held leave small ones
 * theirs, and small ones do not take what a large one waits for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/base/arena.h"
#include "tests/unit/serve_rig.h"

static struct stream *stream, *large;

static int make_streams(void **state)
{
    stream = rig_stream(RIG_RECIPE);
    large = rig_stream("{\"size\": [128, 128]}");
    return 0;
}

static int drop_streams(void **state)
{
    stream_destroy(stream);
    stream_destroy(large);
    return 0;
}

/* Readers of large batches that never read held the whole arena, and whoever
 * wanted four samples got nothing for a minute. */
static void small_batches_pass_large_ones_that_are_held(void **state)
{
    struct store_config config = rig_config();
    struct ask held[2], waiting, small[8];
    struct rig rig;

    rig_start(&rig, 2, &config);
    for (uint64_t i = 0; i < 2; i++) {
        ask_init(&held[i], large, 100 * i, 32); /* 1.5 of 4 MiB */
        ask_batch(&rig, &held[i]);
    }
    ask_init(&waiting, large, 200, 32);
    assert_int_equal(ask_send(&rig, &waiting), 0);
    for (uint64_t i = 0; i < 8; i++) { /* as many as the reserve holds */
        ask_init(&small[i], stream, i, 1);
        rig_check_batch(ask_batch(&rig, &small[i]));
    }
    assert_false(waiting.answered);
    batch_unref(held[0].batch);
    rig_settle(&rig);
    assert_true(waiting.answered);
    batch_unref(waiting.batch);
    batch_unref(held[1].batch);
    for (int i = 0; i < 8; i++)
        batch_unref(small[i].batch);
    rig_stop(&rig);
}

/* The other way round: small ones that come and come leave a large one that
 * waits its room, and keep to the reserve. */
static void small_batches_do_not_take_the_room_of_a_large_one(void **state)
{
    struct store_config config = rig_config();
    struct ask held[60], waiting, late;
    struct rig rig;

    rig_start(&rig, 2, &config);
    for (uint64_t i = 0; i < 60; i++) { /* of 64 pages */
        ask_init(&held[i], stream, i, 1);
        ask_batch(&rig, &held[i]);
    }
    ask_init(&waiting, large, 200, 34); /* 26 pages: half of 56 and no more */
    assert_int_equal(ask_send(&rig, &waiting), 0);
    ask_init(&late, stream, 70, 1); /* 4 pages are free, none is reserved */
    assert_int_equal(ask_send(&rig, &late), 0);
    rig_settle(&rig);
    assert_false(waiting.answered || late.answered);
    batch_unref(held[0].batch); /* the first lies in the reserve */
    rig_settle(&rig);
    assert_true(late.answered && !waiting.answered);
    for (int i = 1; i < 60; i++)
        batch_unref(held[i].batch);
    rig_settle(&rig);
    assert_true(waiting.answered);
    batch_unref(waiting.batch);
    batch_unref(late.batch);
    rig_stop(&rig);
}

/* Two pages of our own and two that clients map. */
static void shared_batches_held_for_ever_keep_nobody_waiting(void **state)
{
    struct store_config config = rig_config();
    struct ask held[2], more[3];
    struct rig rig;
    uint64_t offset;

    config.budget_bytes = 4 * ARENA_PAGE_BYTES;
    config.shared_bytes = 2 * ARENA_PAGE_BYTES;
    rig_start(&rig, 2, &config);
    assert_true(store_shared_fd(rig.store) >= 0);
    for (uint32_t i = 0; i < 2; i++) {
        ask_init(&held[i], stream, i, 1);
        held[i].request.shared = true;
        ask_batch(&rig, &held[i]);
        assert_true(
            store_shared_offset(rig.store, held[i].batch->payload, &offset));
        assert_int_equal(offset, i * ARENA_PAGE_BYTES);
    }
    /* No room there: in our own, as are those who did not ask for it. */
    for (uint32_t i = 0; i < 3; i++) {
        ask_init(&more[i], stream, 10 + i, 1);
        more[i].request.shared = i < 2;
        ask_batch(&rig, &more[i]);
        assert_false(
            store_shared_offset(rig.store, more[i].batch->payload, &offset));
        batch_unref(more[i].batch);
    }
    batch_unref(held[1].batch);
    ask_init(&more[0], stream, 20, 1);
    more[0].request.shared = true;
    ask_batch(&rig, &more[0]); /* evicts what nobody holds */
    assert_true(
        store_shared_offset(rig.store, more[0].batch->payload, &offset));
    batch_unref(more[0].batch);
    batch_unref(held[0].batch);
    rig_stop(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shared_batches_held_for_ever_keep_nobody_waiting),
        cmocka_unit_test(small_batches_pass_large_ones_that_are_held),
        cmocka_unit_test(small_batches_do_not_take_the_room_of_a_large_one),
    };

    if (rig_make_catalog(NULL) != 0)
        return 1;
    int rc = cmocka_run_group_tests(tests, make_streams, drop_streams);
    return rig_drop_catalog(NULL) != 0 ? 1 : rc;
}
