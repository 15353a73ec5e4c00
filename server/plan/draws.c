/* Philox blocks -> the numbers of a recipe's values. Keeps no state. */
#include "server/plan/draws.h"

#include "server/base/fixmath.h"

struct pair {
    uint64_t first, second;
};

static struct pair block(const struct draws *d, enum philox_purpose purpose,
                         uint32_t draw)
{
    struct philox_block b =
        philox_draw(d->seed, d->position,
                    philox_purpose_word(purpose, d->slot, d->candidate), draw);
    return (struct pair){b.word[0] | (uint64_t)b.word[1] << 32,
                         b.word[2] | (uint64_t)b.word[3] << 32};
}

uint64_t draws_bits(const struct draws *d, enum philox_purpose purpose,
                    uint32_t draw)
{
    return block(d, purpose, draw).first;
}

double draws_unit(const struct draws *d, enum philox_purpose purpose,
                  uint32_t draw)
{
    return philox_unit(draws_bits(d, purpose, draw));
}

bool draws_chance(const struct draws *d, enum philox_purpose purpose,
                  uint32_t draw, const struct value *probability)
{
    const double p = recipe_number_at(probability, d->position);
    if (p <= 0 || p >= 1) /* as any unit would decide */
        return p >= 1;
    return draws_unit(d, purpose, draw) < p;
}

static double clamp(double x, double lo, double hi)
{
    return x < lo ? lo : x > hi ? hi : x;
}

/* Of a value that stands still. */
static double draw_still(const struct draws *d, enum philox_purpose purpose,
                         uint32_t draw, const struct value *v)
{
    if (v->kind == VALUE_CONSTANT) {
        return v->a;
    }
    struct pair bits = block(d, purpose, draw);
    double u = philox_unit(bits.first);
    double x = v->a;
    switch (v->kind) {
    case VALUE_CONSTANT:
        break;
    case VALUE_UNIFORM:
        x = clamp(v->a + u * (v->b - v->a), v->a, v->b);
        break;
    case VALUE_LOG_UNIFORM: {
        double low = fixmath_log(v->a);
        double high = fixmath_log(v->b);
        x = clamp(fixmath_exp(low + u * (high - low)), v->a, v->b);
        break;
    }
    case VALUE_NORMAL:
        x = v->a + v->b * fixmath_normal(u, philox_unit(bits.second));
        x = clamp(x, v->min, v->max);
        break;
    case VALUE_CHOICE:
        x = v->choices[philox_below(bits.first, v->n_choices)];
        break;
    }
    return x;
}

/* By itself: room for a value of its own is more than most draws ask for. */
__attribute__((noinline)) static double draw_moving(const struct draws *d,
                                                    enum philox_purpose purpose,
                                                    uint32_t draw,
                                                    const struct value *v)
{
    const struct value still = recipe_value_at(v, d->position);
    return draw_still(d, purpose, draw, &still);
}

double draws_value(const struct draws *d, enum philox_purpose purpose,
                   uint32_t draw, const struct value *v)
{
    return v->over[1] > 0 ? draw_moving(d, purpose, draw, v)
                          : draw_still(d, purpose, draw, v);
}
