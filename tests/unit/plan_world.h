/* A catalog without pixels for the tests of plans: sizes, boxes, coverage. */
#ifndef PASTED_TESTS_PLAN_WORLD_H
#define PASTED_TESTS_PLAN_WORLD_H

#include "server/plan/plan.h"

enum {
    WORLD_DOT,   /* object 0: 1 x 1 */
    WORLD_SIGN,  /* 100 x 88, box inset, round coverage */
    WORLD_TALL,  /* 128 x 256, full coverage */
    WORLD_WIDE,  /* 16384 x 3 */
    WORLD_HUGE,  /* 16384 x 16384 */
    WORLD_FAINT, /* 37 x 53, coverage rounds to 0 everywhere */
    WORLD_OBJECTS,
};
#define WORLD_BACKGROUNDS 6

extern const struct catalog *const world_catalog;

/* The defaults with the keys of this JSON; fails the test when it is wrong. */
struct recipe world_recipe(const char *json);

/* The plan of one position, on object `position % WORLD_OBJECTS` unless
 * world_plan_of names it. */
struct plan world_plan(const struct recipe *r, uint64_t position);
struct plan world_plan_of(const struct recipe *r, uint64_t position,
                          uint32_t object, uint32_t background);

#endif
