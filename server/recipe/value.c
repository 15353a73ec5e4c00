/* Where a value that moves is at a position, and whether one is ever other than
 * 0. Draws nothing and reads no JSON.
 * Source: RECIPE.md "Values"; the curricula of Jin & Rinard's code, whose
 * a(epoch) = clamp((epoch - 2) / T, 0, 1) scales every range. */
#include "server/base/fixmath.h"
#include "server/recipe/recipe.h"

static double line(double a, double b, double t)
{
    return a + t * (b - a);
}

static double clamp(double x, double lo, double hi)
{
    return x < lo ? lo : x > hi ? hi : x;
}

static double on_the_way(const struct value *v, double a, double b, double t)
{
    if (a == b) {
        return a;
    }
    double x = v->kind == VALUE_LOG_UNIFORM
                   ? fixmath_exp(line(fixmath_log(a), fixmath_log(b), t))
                   : line(a, b, t);
    return clamp(x, a < b ? a : b, a < b ? b : a);
}

struct value recipe_value_at(const struct value *v, uint64_t position)
{
    struct value at = *v;
    at.to_a = at.to_b = 0;
    at.over[0] = at.over[1] = 0;
    if (v->over[1] == 0 || position <= v->over[0]) {
        return at;
    }
    if (position >= v->over[1]) {
        at.a = v->to_a;
        at.b = v->to_b;
        return at;
    }
    const double t =
        (double)(position - v->over[0]) / (double)(v->over[1] - v->over[0]);
    at.a = on_the_way(v, v->a, v->to_a, t);
    at.b = on_the_way(v, v->b, v->to_b, t);
    return at;
}

double recipe_number_at(const struct value *v, uint64_t position)
{
    return v->over[1] == 0 ? v->a : recipe_value_at(v, position).a;
}

bool recipe_wants_strokes(const struct recipe *r)
{
    const struct value *v = &r->object.stroke;
    return v->kind != VALUE_CONSTANT || v->a != 0 ||
           (v->over[1] > 0 && v->to_a != 0);
}

bool recipe_wants_distractor(const struct recipe *r)
{
    const struct value *v = &r->distractor.probability;
    return v->a > 0 || (v->over[1] > 0 && v->to_a > 0);
}
