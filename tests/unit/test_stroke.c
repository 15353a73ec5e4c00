/* Distances against brute force, and strokes as they are seen: a disc grows by
 * what was asked for. Bytes are the golden tests' matter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/compose/compose.h"
#include "server/pixel/distance.h"
#include "server/pixel/stroke.h"
#include "server/plan/keypoint.h"
#include "tests/unit/synthetic.h"

enum { SIDE = 40, DISC = 64, RADIUS = 20, FRAME = 96 };

static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* Lowest column, then upper row, of those that are nearest. */
static void brute_nearest(const bool *marks, int32_t w, int32_t h, int32_t x,
                          int32_t y, int32_t out[2])
{
    int64_t least = INT64_MAX;
    for (int32_t i = 0; i < w; i++)
        for (int32_t j = 0; j < h; j++) {
            const int64_t d = (x - i) * (x - i) + (y - j) * (y - j);
            if (marks[j * w + i] && d < least) {
                least = d;
                out[0] = i;
                out[1] = j;
            }
        }
}

static void check_grid(uint32_t *seed, int32_t w, int32_t h, uint32_t rarity)
{
    bool marks[SIDE * SIDE];
    int16_t row[SIDE * SIDE], below[SIDE];
    int32_t envelope[2 * SIDE], column[SIDE];
    struct distance_grid g = {w, h, row};
    for (int32_t i = 0; i < w * h; i++) {
        marks[i] = next(seed) % rarity == 0;
        row[i] = (int16_t)(marks[i] ? i / w : -1);
    }
    distance_columns(&g, below);
    for (int32_t y = 0; y < h; y++) {
        distance_row(&g, y, envelope, column);
        for (int32_t x = 0; x < w; x++) {
            int32_t at[2] = {-1, -1};
            brute_nearest(marks, w, h, x, y, at);
            assert_int_equal(column[x], at[0]);
            if (at[0] >= 0)
                assert_int_equal(row[y * w + at[0]], at[1]);
        }
    }
}

static void the_nearest_is_that_of_brute_force(void **state)
{
    uint32_t seed = 5;
    for (int round = 0; round < 300; round++)
        check_grid(&seed, 1 + (int32_t)(next(&seed) % SIDE),
                   1 + (int32_t)(next(&seed) % SIDE), 1 + next(&seed) % 300);
}

/* A disc whose colour changes from left to right, in a tight image. */
static void draw_disc(uint8_t rgba[DISC * DISC * 4], int32_t side)
{
    memset(rgba, 0, (size_t)side * (size_t)side * 4);
    for (int32_t i = 0; i < side * side; i++) {
        const double x = i % side + 0.5 - side / 2.0;
        const double y = i / side + 0.5 - side / 2.0;
        if (x * x + y * y <= RADIUS * RADIUS) {
            rgba[4 * i] = (uint8_t)(i % side < side / 2 ? 200 : 100);
            rgba[4 * i + 3] = 255;
        }
    }
}

static void a_plane_holds_colours_and_distances(void **state)
{
    enum { W = 2 * RADIUS };
    uint8_t rgba[DISC * DISC * 4];
    draw_disc(rgba, W);
    const struct image_level straight = {
        .pixels = rgba, .width = W, .height = W, .stride_bytes = W * 4};
    const int32_t reach = stroke_reach(W, W), side = W + 2 * reach;
    uint8_t *out = malloc((size_t)side * (size_t)side * 4);
    void *scratch = malloc(stroke_scratch_bytes(W, W));
    assert_true(out && scratch);
    stroke_plane(&straight, out, scratch);
    for (int32_t i = 0; i < side * side; i++) {
        const double x = i % side + 0.5 - side / 2.0;
        const double y = i / side + 0.5 - side / 2.0;
        const double away = RADIUS - sqrt(x * x + y * y);
        double byte = 128 + 127 * away / reach;
        byte = byte < 1 ? 1 : byte > 255 ? 255 : byte;
        assert_true(fabs(out[4 * i + 3] - byte) <= 1 + 127.0 / reach);
        if (fabs(x) > 3)
            assert_int_equal(out[4 * i], x < 0 ? 200 : 100);
    }
    free(out);
    free(scratch);
}

/* Pixels of the frame that the disc covers, on black, at its own size. */
static double seen_radius(double stroke)
{
    static uint8_t rgba[DISC * DISC * 4], out[FRAME * FRAME * 3];
    char json[400];
    struct recipe r;
    struct fault fault = {0};
    struct synthetic s;
    struct plan p;
    struct compose_facts facts;
    int64_t sum = 0;
    snprintf(json, sizeof(json),
             "{\"size\":%d,\"context\":{\"background\":0,\"solid\":1,"
             "\"solid_colour\":[0,0,0]},\"object\":{\"scale\":%.17g,"
             "\"rotate\":30,\"shear\":0,\"translate\":{\"x\":0.5,\"y\":0.5},"
             "\"stroke\":%g},\"image\":{\"brightness\":1,\"contrast\":1,"
             "\"saturation\":1,\"hue\":0}}",
             FRAME, 2.0 * RADIUS / FRAME, stroke);
    assert_int_equal(recipe_parse(json, strlen(json), &r, &fault), 0);
    synthetic_init(&s, 1, 1);
    draw_disc(rgba, DISC);
    for (int32_t i = 0; i < DISC * DISC; i++)
        memset(rgba + 4 * i, 255, 3);
    synthetic_set_object(&s, 0, DISC, DISC, rgba);
    synthetic_add_stroke(&s, 0, DISC, DISC, rgba);
    synthetic_set_background(&s, 0, 1, 1, rgba);
    plan_make(&r, &s.catalog, 0, (struct graph_edge){0, 0}, &p);
    void *scratch =
        aligned_alloc(64, (compose_scratch_bytes(FRAME, FRAME) + 63) / 64 * 64);
    compose_sample(&s.catalog, &p, scratch, out, FRAME * 3, &facts);
    for (int32_t i = 0; i < FRAME * FRAME; i++)
        sum += out[3 * i];
    free(scratch);
    synthetic_fini(&s);
    return sqrt((double)sum / 255 / 3.14159265358979);
}

static void a_disc_grows_and_shrinks_by_the_stroke(void **state)
{
    for (double stroke = -6; stroke <= 6; stroke += 0.5)
        assert_true(fabs(seen_radius(stroke) - (RADIUS + stroke)) < 0.35);
    /* An eighth of 64 texels, but for what the ramp needs. */
    assert_true(fabs(seen_radius(16) - (RADIUS + 8 * 112 / 127.0)) < 0.35);
}

/* The margin of the outline moves nothing, straight or warped. */
static void a_stroke_moves_no_keypoint(void **state)
{
    static uint8_t rgba[DISC * DISC * 4];
    static const char *const stroke[2] = {"0", "2"};
    const struct pool_keypoint point = {12.5, 40};
    struct synthetic s;
    synthetic_init(&s, 1, 1);
    draw_disc(rgba, DISC);
    synthetic_set_object(&s, 0, DISC, DISC, rgba);
    synthetic_add_stroke(&s, 0, DISC, DISC, rgba);
    synthetic_set_background(&s, 0, 1, 1, rgba);
    for (int i = 0; i < 200; i++) {
        float at[2][2];
        for (int k = 0; k < 2; k++) {
            char json[200];
            struct recipe r;
            struct plan p;
            snprintf(json, sizeof(json),
                     "{\"object\":{\"scale\":[0.1,2],\"perspective\":%s,"
                     "\"elastic\":%s,\"stroke\":%s}}",
                     i % 2 ? "[0,0.5]" : "0", i % 4 == 1 ? "2" : "0",
                     stroke[k]);
            assert_int_equal(recipe_parse(json, strlen(json), &r, NULL), 0);
            plan_make(&r, &s.catalog, (uint64_t)i, (struct graph_edge){0, 0},
                      &p);
            assert_int_equal(p.stroke.reach > 0, k);
            assert_true(keypoint_seen(&p, &point, at[k]));
        }
        assert_true(fabsf(at[0][0] - at[1][0]) < 0.01f);
        assert_true(fabsf(at[0][1] - at[1][1]) < 0.01f);
    }
    synthetic_fini(&s);
}

static void an_object_of_one_faint_pixel_has_an_outline(void **state)
{
    static const uint8_t faint[4] = {10, 20, 30, 1};
    const struct image_level straight = {
        .pixels = faint, .width = 1, .height = 1, .stride_bytes = 4};
    uint8_t out[9 * 9 * 4];
    void *scratch = malloc(stroke_scratch_bytes(1, 1));
    assert_int_equal(stroke_reach(1, 1), 4);
    stroke_plane(&straight, out, scratch);
    for (int i = 0; i < 81; i++)
        assert_memory_equal(out + 4 * i, faint, 3);
    assert_int_equal(out[4 * 40 + 3], 128 + 16);
    assert_int_equal(out[4 * 41 + 3], 128 - 16);
    free(scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nearest_is_that_of_brute_force),
        cmocka_unit_test(a_plane_holds_colours_and_distances),
        cmocka_unit_test(a_disc_grows_and_shrinks_by_the_stroke),
        cmocka_unit_test(a_stroke_moves_no_keypoint),
        cmocka_unit_test(an_object_of_one_faint_pixel_has_an_outline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
