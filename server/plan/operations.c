/* Operations drawn and resolved to integers. Touches no pixels. Source:
 * NUMERICS.md "Operations" for what the parameters mean. */
#include "server/plan/operations.h"

#include <assert.h>
#include <string.h>

#include "server/base/fixmath.h"
#include "server/plan/colour.h"
#include "server/plan/edge.h"
#include "server/recipe/operation.h"

#define LN_2 0.6931471805599453

_Static_assert(PLAN_MAX_EDGE_RADIUS == OPERATION_MAX_RADIUS,
               "gaussian_blur has the weights of feather");

/* sigma, Q8 -> radius, weights. Below 1/16 px nothing is left of a blur. */
static void finish_gaussian(struct plan_operation *o)
{
    const double sigma = o->p[0] / 256.0;
    uint32_t weight[PLAN_MAX_EDGE_RADIUS + 1] = {65536};
    o->p[0] = o->p[0] < 16 ? 0 : (int32_t)edge_weights(sigma, 0, weight);
    o->p[0] = weight[0] == 65536 ? 0 : o->p[0];
    for (int i = 0; i <= PLAN_MAX_EDGE_RADIUS; i++) {
        o->p[1 + i] = (int32_t)weight[i];
    }
}

/* Temperature and tint, Q16 stops -> gains, Q12. */
static void finish_white_balance(struct plan_operation *o)
{
    const double temperature = o->p[0] / 65536.0, tint = o->p[1] / 65536.0;
    const double stops[3] = {temperature / 2, tint, -temperature / 2};
    for (int c = 0; c < 3; c++) {
        o->p[c] = (int32_t)fixmath_round(4096 * fixmath_exp(stops[c] * LN_2));
    }
}

/* A key -> one of the six orders. */
static void finish_shuffle(struct plan_operation *o)
{
    uint64_t bits = (uint32_t)o->p[0] | (uint64_t)(uint32_t)o->p[1] << 32;
    o->p[0] = (int32_t)philox_below(bits, 6);
    o->p[1] = 0;
}

static int32_t fraction_of(int32_t q16, int32_t side)
{
    const int32_t px = (int32_t)((q16 * (int64_t)side + 32768) >> 16);
    return px < 1 ? 1 : px;
}

/* Q16 degrees -> cosine and sine. */
static void finish_motion(struct plan_operation *o)
{
    const double angle = o->p[1] / 65536.0 * FIXMATH_DEGREE;
    o->p[1] = (int32_t)fixmath_round(65536 * fixmath_cos(angle));
    o->p[2] = (int32_t)fixmath_round(65536 * fixmath_sin(angle));
}

/* Q16 strength and degrees -> the factor at (0, 0) and its steps, Q20. Along
 * the direction it grows from 1 to 1 + strength over the frame's extent. */
static void finish_light(const struct plan *plan, struct plan_operation *o)
{
    const double strength = o->p[0] / 65536.0 * 1048576.0;
    const double angle = o->p[1] / 65536.0 * FIXMATH_DEGREE;
    const double c = fixmath_cos(angle), s = -fixmath_sin(angle);
    const double extent =
        plan->width * (c < 0 ? -c : c) + plan->height * (s < 0 ? -s : s);
    const double dx = strength * c / extent, dy = strength * s / extent;
    const double middle = 1048576.0 + strength / 2;
    o->p[1] = (int32_t)fixmath_round(dx);
    o->p[2] = (int32_t)fixmath_round(dy);
    o->p[0] = (int32_t)fixmath_round(middle - dx * (plan->width - 1) / 2 -
                                     dy * (plan->height - 1) / 2);
}

/* Q16 turns -> the nine coefficients, Q12. */
static void turns_to_matrix(int32_t turns, int32_t out[9])
{
    int32_t m[3][4];
    colour_matrix(1, 1, 1, turns / 65536.0, m);
    for (int i = 0; i < 9; i++) {
        out[i] = m[i / 3][i % 3];
    }
}

/* Three factors, turns and a key -> the order, the factors, the matrix. */
static void finish_jitter(struct plan_operation *o)
{
    const int32_t turns = o->p[3];
    uint64_t bits = (uint32_t)o->p[4] | (uint64_t)(uint32_t)o->p[5] << 32;
    memmove(o->p + 1, o->p, 3 * sizeof(o->p[0]));
    o->p[0] = (int32_t)philox_below(bits, 24);
    turns_to_matrix(turns, o->p + 4);
}

/* Where the kernel's parameters are not the recipe's values one by one. */
static void finish(const struct plan *plan, struct plan_operation *o)
{
    switch (o->id) {
    case OPERATION_GAUSSIAN_BLUR:
        finish_gaussian(o);
        break;
    case OPERATION_CHANNEL_SHUFFLE:
        finish_shuffle(o);
        break;
    case OPERATION_MOTION_BLUR:
        finish_motion(o);
        break;
    case OPERATION_LIGHT:
        finish_light(plan, o);
        break;
    case OPERATION_DOWNSCALE:
        o->p[1] = fraction_of(o->p[0], plan->height);
        o->p[0] = fraction_of(o->p[0], plan->width);
        break;
    case OPERATION_COARSE_DROPOUT:
        o->p[1] = fraction_of(o->p[1], plan->height);
        o->p[2] = fraction_of(o->p[2], plan->width);
        break;
    case OPERATION_WHITE_BALANCE:
        finish_white_balance(o);
        break;
    case OPERATION_HUE:
        turns_to_matrix(o->p[0], o->p);
        break;
    case OPERATION_JITTER:
        finish_jitter(o);
        break;
    default:
        break;
    }
}

static int32_t to_integer(double x, double scale)
{
    if (scale == 0) {
        return 2 * (int32_t)fixmath_floor(x / 2) + 1;
    }
    return (int32_t)fixmath_round(x * scale);
}

/* d->slot is the operation's. */
static void resolve(const struct draws *d, const struct recipe_operation *from,
                    const struct plan *plan, struct plan_operation *o)
{
    const struct operation_rule *rule = &operation_table[from->id];
    uint32_t n = operation_n_values(from->id);
    *o = (struct plan_operation){.id = from->id};
    for (uint32_t i = 0; i < n; i++) {
        o->p[i] = to_integer(
            draws_value(d, PHILOX_OPERATION_VALUE, i, &from->value[i]),
            rule->value[i].scale);
    }
    if (rule->is_random) {
        uint64_t key = draws_bits(d, PHILOX_OPERATION_KEY, 0);
        o->p[n] = (int32_t)(uint32_t)key;
        o->p[n + 1] = (int32_t)(uint32_t)(key >> 32);
    }
    finish(plan, o);
}

/* An alternative of weight 0 is never chosen, whatever rounding does. */
static uint32_t choose(const struct draws *d,
                       const struct recipe_operations *list,
                       const struct recipe_entry *entry)
{
    const struct recipe_operation *o = &list->operation[entry->first];
    double weight[RECIPE_MAX_OPERATIONS], sum = 0;
    uint32_t last = 0;
    for (uint32_t i = 0; i < entry->n; i++) {
        weight[i] = recipe_number_at(&o[i].weight, d->position);
        sum += weight[i];
        last = weight[i] > 0 ? i : last;
    }
    double at = draws_unit(d, PHILOX_OPERATION_CHOICE, 0) * sum;
    uint32_t i = 0;
    while (i < last && at >= weight[i]) {
        at -= weight[i];
        i++;
    }
    return entry->first + i;
}

static void put_entry(const struct draws *d,
                      const struct recipe_operations *list, uint32_t entry,
                      const struct plan *plan, struct plan_operations *out)
{
    const struct recipe_entry *e = &list->entry[entry];
    struct draws here = *d;
    here.slot = d->slot + entry;
    if (!draws_chance(&here, PHILOX_OPERATION_CHANCE, 0, &e->probability)) {
        return;
    }
    uint32_t i = e->n > 1 ? choose(&here, list, e) : e->first;
    here.slot = d->slot + i;
    resolve(&here, &list->operation[i], plan, &out->list[out->n++]);
}

/* d->slot is where the list's slots begin. */
static void put_list(const struct draws *d,
                     const struct recipe_operations *list, bool random_order,
                     const struct plan *plan, struct plan_operations *out)
{
    uint32_t order[RECIPE_MAX_OPERATIONS];
    assert(list->n_entries <= RECIPE_MAX_OPERATIONS);
    out->n = 0;
    for (uint32_t i = 0; i < list->n_entries; i++) {
        order[i] = i;
    }
    for (uint32_t i = list->n_entries; random_order && i-- > 1;) {
        uint64_t bits = draws_bits(d, PHILOX_OPERATION_ORDER, i);
        uint32_t j = (uint32_t)philox_below(bits, i + 1), was = order[i];
        order[i] = order[j];
        order[j] = was;
    }
    for (uint32_t i = 0; i < list->n_entries; i++) {
        put_entry(d, list, order[i], plan, out);
    }
}

void object_operations_to_plan(const struct draws *d,
                               const struct recipe *recipe, struct plan *out)
{
    struct draws here = *d;
    here.slot = d->slot == DRAWS_SLOT_DISTRACTOR
                    ? DRAWS_SLOT_DISTRACTOR_OPERATIONS
                    : DRAWS_SLOT_OBJECT;
    put_list(&here, &recipe->object.operations, recipe->object.random_order,
             out, &out->object_operations);
}

void operations_to_plan(const struct draws *d, const struct recipe *recipe,
                        struct plan *out)
{
    struct draws here = *d;
    here.slot = DRAWS_SLOT_IMAGE;
    put_list(&here, &recipe->image.operations, recipe->image.random_order, out,
             &out->operations);
    here.slot = DRAWS_SLOT_BACKGROUND;
    put_list(&here, &recipe->background.operations,
             recipe->background.random_order, out, &out->background_operations);
    object_operations_to_plan(d, recipe, out);
}
