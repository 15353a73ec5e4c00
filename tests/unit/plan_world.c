/* The hand-made catalog of the plan tests. Holds no pixels. */
#include "tests/unit/plan_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct pool_object objects[WORLD_OBJECTS] = {
    [WORLD_DOT] = {.name = "dot", .width = 1, .height = 1},
    [WORLD_SIGN] = {.name = "sign",
                    .class_id = 1,
                    .width = 100,
                    .height = 88,
                    .alpha_box = {2, 5, 97, 80}},
    [WORLD_TALL] = {.name = "tall", .class_id = 1, .width = 128, .height = 256},
    [WORLD_WIDE] = {.name = "wide", .class_id = 2, .width = 16384, .height = 3},
    [WORLD_HUGE] = {.name = "huge",
                    .class_id = 2,
                    .width = 16384,
                    .height = 16384},
    [WORLD_FAINT] = {.name = "faint", .class_id = 2, .width = 37, .height = 53},
};
static struct pool_background backgrounds[WORLD_BACKGROUNDS] = {
    {.name = "one", .width = 1, .height = 1},
    {.name = "line", .width = 1, .height = 300},
    {.name = "photo", .width = 512, .height = 384},
    {.name = "portrait", .width = 333, .height = 777},
    {.name = "vast", .width = 16384, .height = 16384},
    {.name = "strip", .width = 16384, .height = 2},
};
static const char *const classes[] = {"dots", "signs", "things"};
static const uint32_t class_first[] = {0, 1, 3, 6};
static struct catalog catalog = {.n_classes = 3,
                                 .classes = classes,
                                 .class_first = class_first,
                                 .n_objects = WORLD_OBJECTS,
                                 .objects = objects,
                                 .n_backgrounds = WORLD_BACKGROUNDS,
                                 .backgrounds = backgrounds};
const struct catalog *const world_catalog = &catalog;

static uint32_t count_levels(int32_t width, int32_t height)
{
    uint32_t n = 1;
    for (; width > 1 || height > 1; n++) {
        width = (width + 1) / 2;
        height = (height + 1) / 2;
    }
    return n;
}

/* A disc for the sign, nothing for the faint, all for the others. */
static uint8_t coverage_of(int object, int row, int column)
{
    if (object == WORLD_FAINT) {
        return 0;
    }
    int x = 2 * column - 15, y = 2 * row - 15;
    return object == WORLD_SIGN && x * x + y * y > 16 * 16 ? 0 : 255;
}

static void build(void)
{
    for (int i = 0; i < WORLD_OBJECTS; i++) {
        struct pool_object *o = &objects[i];
        o->n_levels = count_levels(o->width, o->height);
        if (o->alpha_box.x1 == 0) {
            o->alpha_box = (struct image_box){0, 0, o->width, o->height};
        }
        for (int cell = 0; cell < 256; cell++) {
            o->coverage[cell / 16][cell % 16] =
                coverage_of(i, cell / 16, cell % 16);
        }
    }
    for (int i = 0; i < WORLD_BACKGROUNDS; i++) {
        backgrounds[i].n_levels =
            count_levels(backgrounds[i].width, backgrounds[i].height);
        for (uint32_t k = 0; k < backgrounds[i].n_levels; k++) {
            backgrounds[i].level[k].width =
                (backgrounds[i].width + (1 << k) - 1) >> k;
            backgrounds[i].level[k].height =
                (backgrounds[i].height + (1 << k) - 1) >> k;
        }
    }
}

struct recipe world_recipe(const char *json)
{
    struct recipe r;
    struct fault fault = {0};
    if (recipe_parse(json, strlen(json), &r, &fault) != 0) {
        fprintf(stderr, "%s: %s\n", json, fault.text);
        abort();
    }
    return r;
}

struct plan world_plan_of(const struct recipe *r, uint64_t position,
                          uint32_t object, uint32_t background)
{
    static bool built;
    if (!built) {
        build();
        built = true;
    }
    struct plan plan;
    memset(&plan, 0x5a, sizeof(plan));
    plan_make(r, world_catalog, position,
              (struct graph_edge){.object = object, .background = background},
              &plan);
    return plan;
}

struct plan world_plan(const struct recipe *r, uint64_t position)
{
    return world_plan_of(r, position, (uint32_t)(position % WORLD_OBJECTS),
                         (uint32_t)(position / 7 % WORLD_BACKGROUNDS));
}
