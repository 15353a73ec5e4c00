/* pasted_next_into: the caller's own buffers, straight or copied. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/client_rig.h"

static const struct fake_behaviour good = {0};

struct own {
    uint8_t *image; /* at an odd address: no alignment is asked for */
    int64_t label[FAKE_G];
    uint8_t *memory;
    struct pasted_buffer buffers[2];
};

static struct own make_own(void)
{
    struct own own = {.memory = malloc(FAKE_G * FAKE_SAMPLE + 1)};
    memset(own.memory, 0xee, FAKE_G * FAKE_SAMPLE + 1);
    own.image = own.memory + 1;
    return own;
}

static void point(struct own *own)
{
    own->buffers[0] =
        (struct pasted_buffer){"image", own->image, FAKE_G * FAKE_SAMPLE};
    own->buffers[1] =
        (struct pasted_buffer){"label", own->label, sizeof own->label};
}

static void check_own(const struct own *own, uint64_t first)
{
    for (uint32_t i = 0; i < FAKE_G; i++) {
        assert_true(own->label[i] == fake_label(first + i));
        for (uint32_t k = 0; k < FAKE_SAMPLE; k++)
            if (own->image[(size_t)i * FAKE_SAMPLE + k] !=
                fake_pixel(first + i, k))
                fail_msg("sample %u differs at %u", i, k);
    }
}

static void take_into(pasted_client *c, struct own *own, uint64_t first)
{
    uint64_t position = 0;
    point(own);
    if (pasted_next_into(c, own->buffers, 2, &position) != 0)
        fail_msg("%s", pasted_error(c));
    assert_true(position == first);
    check_own(own, first);
}

static void without_prefetch_images_come_straight(void **state)
{
    struct fake_server *f = fake_start(0, &good, 1);
    pasted_client *c = rig_open(f, "prefetch=0");
    struct own own = make_own();
    for (uint64_t step = 0; step < 6; step++)
        take_into(c, &own, step * FAKE_G);
    assert_int_equal(rig_stats(c).direct, 6);
    free(own.memory);
    pasted_destroy(c);
    fake_stop(f);
}

static void prefetched_batches_are_copied_once(void **state)
{
    struct fake_server *f = fake_start(0, &good, 1);
    pasted_client *c = rig_open(f, "prefetch=2");
    struct own own = make_own();
    rig_sleep_ms(100);
    take_into(c, &own, 0);
    assert_int_equal(rig_stats(c).direct, 0);
    rig_expect(c, FAKE_G, FAKE_G); /* the two calls mix */
    take_into(c, &own, 2 * FAKE_G);
    free(own.memory);
    pasted_destroy(c);
    fake_stop(f);
}

static void a_bad_buffer_costs_no_batch(void **state)
{
    struct fake_server *f = fake_start(0, &good, 1);
    pasted_client *c = rig_open(f, "prefetch=0");
    struct own own = make_own();
    point(&own);
    own.buffers[1].n_bytes--;
    assert_int_equal(pasted_next_into(c, own.buffers, 2, NULL),
                     PASTED_BAD_ARGUMENT);
    point(&own);
    own.buffers[1].name = "depth";
    assert_int_equal(pasted_next_into(c, own.buffers, 2, NULL),
                     PASTED_NOT_FOUND);
    take_into(c, &own, 0);
    free(own.memory);
    pasted_destroy(c);
    fake_stop(f);
}

/* The deadline passes with half an image in the caller's memory: the caller
 * gets its memory back in time, and the batch is not lost. */
static void a_deadline_within_an_image_gives_the_buffer_back(void **state)
{
    struct fake_behaviour plan = {.then = FAKE_HALF_THEN_WAIT, .after = 1};
    struct fake_server *f = fake_start(0, &plan, 1);
    pasted_client *c = rig_open(f, "prefetch=0&timeout_ms=300");
    struct own own = make_own();
    take_into(c, &own, 0);
    double start = rig_now_s();
    assert_int_equal(pasted_next_into(c, own.buffers, 2, NULL), PASTED_TIMEOUT);
    assert_true(rig_now_s() - start < 2.0);
    memset(own.image, 0xaa, FAKE_G * FAKE_SAMPLE);
    fake_release(f);
    assert_int_equal(pasted_set(c, "timeout_ms", "20000"), 0);
    rig_sleep_ms(100);
    assert_int_equal(own.image[0], 0xaa); /* nobody writes there any more */
    take_into(c, &own, FAKE_G);
    take_into(c, &own, 2 * FAKE_G);
    assert_int_equal(rig_stats(c).reconnects, 0);
    free(own.memory);
    pasted_destroy(c);
    fake_stop(f);
}

static void a_connection_lost_within_an_image_is_made_good(void **state)
{
    struct fake_behaviour plans[] = {
        {.then = FAKE_DROP_MID_BATCH, .after = 1}, {.n_corrupt = 1}, {0}};
    struct fake_server *f = fake_start(0, plans, 3);
    pasted_client *c = rig_open(f, "prefetch=0");
    struct own own = make_own();
    for (uint64_t step = 0; step < 5; step++)
        take_into(c, &own, step * FAKE_G);
    assert_int_equal(rig_stats(c).reconnects, 1);
    assert_int_equal(rig_stats(c).corrupt, 1);
    free(own.memory);
    pasted_destroy(c);
    fake_stop(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_prefetch_images_come_straight),
        cmocka_unit_test(prefetched_batches_are_copied_once),
        cmocka_unit_test(a_bad_buffer_costs_no_batch),
        cmocka_unit_test(a_deadline_within_an_image_gives_the_buffer_back),
        cmocka_unit_test(a_connection_lost_within_an_image_is_made_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
