/* Candidates of a sample: poses about its own, by draws of their own, and
 * nothing else. Reads no pixels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/base/philox.h"
#include "tests/unit/plan_world.h"

#define N_POSITIONS 500
#define N           8

static const char any[] =
    "{\"size\":[96,128],\"seed\":5,\"object\":{\"translate\":{\"x\":[0,1],"
    "\"y\":[0,1]},\"edge\":\"feather\",\"stroke\":[-2,2],\"min_visible\":0},"
    "\"context\":{\"noise\":1},\"image\":{\"operations\":[{\"op\":"
    "\"jitter\"}]}}";

static struct plan candidate(const struct recipe *r, uint64_t position,
                             uint32_t k)
{
    struct plan p = world_plan(r, position);
    const struct graph_edge edge = {p.object, p.background};
    memset(&p, 0x5a, sizeof p);
    plan_make_candidate(r, world_catalog, position, edge, k, &p);
    return p;
}

static void candidate_0_is_the_sample(void **state)
{
    struct recipe r = world_recipe(any);
    for (uint64_t i = 0; i < N_POSITIONS; i++) {
        struct plan p = world_plan(&r, i), c = candidate(&r, i, 0);
        if (memcmp(&p, &c, offsetof(struct plan, background_operations)) != 0)
            fail_msg("position %llu", (unsigned long long)i);
    }
}

/* All that a pose decides, from one plan into another. */
static void take_pose(struct plan *to, const struct plan *from)
{
    to->candidate = from->candidate;
    to->object_level = from->object_level;
    memcpy(to->m, from->m, sizeof to->m);
    to->warp = from->warp;
    to->stroke = from->stroke;
    to->visible_q16 = from->visible_q16;
    to->n_attempts = from->n_attempts;
    to->told.rotate_deg = from->told.rotate_deg;
    to->told.x = from->told.x;
    to->told.y = from->told.y;
}

static void only_the_pose_moves(void **state)
{
    static const char *const recipes[] = {
        any, "{\"object\":{\"perspective\":[0,0.5],\"elastic\":[0,3]}}",
        "{\"object\":{\"perspective\":0.4,\"perspective_of\":\"frame\"}}"};
    for (size_t which = 0; which < 3; which++) {
        struct recipe r = world_recipe(recipes[which]);
        uint32_t n_moved = 0;
        for (uint64_t i = 0; i < N_POSITIONS; i++) {
            struct plan p = world_plan(&r, i), c = candidate(&r, i, 1 + i % 31);
            n_moved += memcmp(p.m, c.m, sizeof p.m) != 0 ||
                       memcmp(&p.warp, &c.warp, sizeof p.warp) != 0;
            take_pose(&p, &c);
            assert_memory_equal(&p, &c,
                                offsetof(struct plan, background_operations));
            assert_int_equal(p.operations.n, c.operations.n);
        }
        assert_int_equal(n_moved, N_POSITIONS);
    }
}

static double unit(uint64_t seed, uint64_t position, uint32_t k, uint32_t draw)
{
    struct philox_block b = philox_draw(seed, position, 110 | k << 20, draw);
    return philox_unit(b.word[0] | (uint64_t)b.word[1] << 32);
}

static void close_to(double x, double expected)
{
    double gap = x - expected;
    if (gap > 1e-9 || gap < -1e-9)
        fail_msg("%.12f is not %.12f", x, expected);
}

/* Counted again from the table of draws.h. */
static void moves_are_uniform_in_the_spread(void **state)
{
    struct recipe r = world_recipe(any);
    for (uint64_t i = 0; i < N_POSITIONS; i++) {
        const uint32_t k = 1 + i % 31;
        struct plan p = world_plan(&r, i), c = candidate(&r, i, k);
        assert_int_equal(c.n_attempts, 1);
        close_to(c.told.rotate_deg,
                 p.told.rotate_deg - 30 + 60 * unit(5, i, k, 0));
        close_to(c.told.x, p.told.x + (-3 + 6 * unit(5, i, k, 1)) / 128);
        close_to(c.told.y, p.told.y + (-3 + 6 * unit(5, i, k, 2)) / 96);
        close_to(c.told.scale, p.told.scale);
    }
}

static void candidates_keep_what_must_be_visible(void **state)
{
    struct recipe r = world_recipe(
        "{\"size\":64,\"object\":{\"translate\":{\"x\":[0,0.3],\"y\":0.5},"
        "\"scale\":0.4,\"min_visible\":0.8},\"candidates\":{"
        "\"translate\":[-20,20]}}");
    uint32_t n_again = 0, n_short = 0;
    for (uint64_t i = 0; i < N_POSITIONS; i++) {
        struct plan c = candidate(&r, i, 1 + i % (N - 1));
        assert_in_range(c.n_attempts, 1, PLAN_POSE_ATTEMPTS);
        n_again += c.n_attempts > 1;
        n_short += c.visible_q16 < 65536 * 8 / 10;
        if (c.visible_q16 < 65536 * 8 / 10)
            assert_int_equal(c.n_attempts, PLAN_POSE_ATTEMPTS);
    }
    assert_true(n_again > N_POSITIONS / 10);
    assert_true(n_short < N_POSITIONS / 50);
}

static void a_spread_of_nothing_moves_nothing(void **state)
{
    struct recipe r = world_recipe(
        "{\"object\":{\"min_visible\":1,\"translate\":{\"x\":0,\"y\":0}},"
        "\"candidates\":{\"translate\":0,\"rotate\":0}}");
    for (uint64_t i = 0; i < 50; i++) {
        struct plan p = world_plan(&r, i), c = candidate(&r, i, 3);
        assert_int_equal(c.n_attempts, 1);
        assert_memory_equal(p.m, c.m, sizeof p.m);
        assert_int_equal(p.visible_q16, c.visible_q16);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(candidate_0_is_the_sample),
        cmocka_unit_test(only_the_pose_moves),
        cmocka_unit_test(moves_are_uniform_in_the_spread),
        cmocka_unit_test(candidates_keep_what_must_be_visible),
        cmocka_unit_test(a_spread_of_nothing_moves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
