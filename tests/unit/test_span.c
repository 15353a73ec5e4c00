/* Spans against trying every x. A failure prints its seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "server/pixel/span.h"

static uint64_t next(uint64_t *state)
{
    uint64_t z = (*state += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}

/* Signed, of random magnitude up to 2^bits. */
static int64_t some(uint64_t *state, int bits)
{
    int64_t v = (int64_t)(next(state) >> (63 - next(state) % (uint64_t)bits));
    return next(state) & 1 ? v : -v;
}

static void spans_hold_exactly_the_x_within_bounds(void **state)
{
    (void)state;
    const char *text = getenv("PASTED_TEST_SEED");
    uint64_t seed = text ? strtoull(text, NULL, 0) : (uint64_t)time(NULL) << 20;
    for (int round = 0; round < 20000; round++, seed++) {
        uint64_t random = seed;
        int64_t slope = some(&random, 40), origin = some(&random, 50);
        int64_t lo = round % 2 ? -65536 : 0;
        int64_t hi = lo + some(&random, 30);
        struct pixel_span within = {(int32_t)(some(&random, 6)), 0};
        within.end = within.begin + (int32_t)(next(&random) % 100);
        if (round % 3 == 0) /* near the bounds, where off-by-one lives */
            origin = lo - slope * (within.begin + round % 50) + round % 5 - 2;
        struct pixel_span s = span_solve(slope, origin, lo, hi, within);
        for (int32_t x = within.begin; x < within.end; x++) {
            int64_t at = slope * x + origin;
            bool expected = lo <= at && at <= hi;
            bool got = s.begin <= x && x < s.end;
            if (expected != got)
                fail_msg("x = %d: PASTED_TEST_SEED=%" PRIu64, x, seed);
        }
        assert_true(s.begin >= within.begin);
        assert_true(s.end <= within.end || s.begin >= s.end);
    }
}

static void a_walk_gives_every_row_its_span(void **state)
{
    (void)state;
    const char *text = getenv("PASTED_TEST_SEED");
    uint64_t seed = text ? strtoull(text, NULL, 0) : (uint64_t)time(NULL) << 20;
    for (int round = 0; round < 5000; round++, seed++) {
        uint64_t random = seed;
        int64_t slope = some(&random, 30), origin = some(&random, 45);
        int64_t step = some(&random, 30);
        slope = round % 16 ? slope : 0;
        step = round % 16 == 1 ? 0 : step;
        const int64_t range[2] = {round % 2 ? -65536 : 0, some(&random, 28)};
        if (round % 3 == 0)
            origin = range[0] - slope * (round % 50) + round % 5 - 2;
        const struct pixel_span within = {-5, 200};
        struct span_walk walk;
        span_walk_init(&walk, slope, origin, step, range);
        for (int64_t y = 0; y < 60; y++) {
            struct pixel_span a = span_walk_next(&walk, within);
            struct pixel_span b = span_solve(slope, origin + y * step, range[0],
                                             range[1], within);
            const bool none = b.begin >= b.end;
            if (none ? a.begin < a.end : a.begin != b.begin || a.end != b.end)
                fail_msg("row %d: PASTED_TEST_SEED=%" PRIu64, (int)y, seed);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_hold_exactly_the_x_within_bounds),
        cmocka_unit_test(a_walk_gives_every_row_its_span),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
