/* fixmath: exact bits in a golden table, and a few ulp beside libm over the
 * documented ranges. libm is the oracle here and nowhere in the product. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "server/base/fixmath.h"
#include "server/base/philox.h"

#define N_RANDOM 200000
#define SEED     20

typedef double (*function)(double x);

/* Changing one of these changes samples: raise ENGINE_VERSION. */
static const struct {
    function f;
    double x, expected;
} golden[] = {
    {fixmath_sin, 0x0p+0, 0x0p+0},
    {fixmath_cos, 0x0p+0, 0x1p+0},
    {fixmath_sin, 0x1p-1, 0x1.eaee8744b05fp-2},
    {fixmath_cos, 0x1p-1, 0x1.c1528065b7d5p-1},
    {fixmath_sin, -0x1p+0, -0x1.aed548f090ceep-1},
    {fixmath_cos, -0x1p+0, 0x1.14a280fb5068cp-1},
    {fixmath_sin, 0x1.921fb54442d18p-1, 0x1.6a09e667f3bccp-1},
    {fixmath_cos, 0x1.921fb54442d18p-1, 0x1.6a09e667f3bcdp-1},
    {fixmath_sin, 0x1.921fb54442d18p+0, 0x1p+0},
    {fixmath_cos, 0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54},
    {fixmath_sin, 0x1.8p+1, 0x1.210386db6d55bp-3},
    {fixmath_cos, 0x1.8p+1, -0x1.fae04be85e5d2p-1},
    {fixmath_sin, -0x1.91p+6, 0x1.1bf00980dc35dp-2},
    {fixmath_cos, -0x1.91p+6, 0x1.ebec72ba6b0ecp-1},
    {fixmath_sin, 0x1.81cd6c8b43958p+13, -0x1.687d5890974a5p-1},
    {fixmath_cos, 0x1.81cd6c8b43958p+13, 0x1.6b94c3bbe24b8p-1},
    {fixmath_sin, 0x1.e848p+19, -0x1.6664b2568d867p-2},
    {fixmath_cos, 0x1.e848p+19, 0x1.df9df9906d32cp-1},
    {fixmath_sin, -0x1.e848p+19, 0x1.6664b2568d867p-2},
    {fixmath_cos, -0x1.e848p+19, 0x1.df9df9906d32cp-1},
    {fixmath_exp, 0x0p+0, 0x1p+0},
    {fixmath_exp, 0x1p+0, 0x1.5bf0a8b14576ap+1},
    {fixmath_exp, -0x1p+0, 0x1.78b56362cef38p-2},
    {fixmath_exp, 0x1p-1, 0x1.a61298e1e069cp+0},
    {fixmath_exp, -0x1p-3, 0x1.c3d6a24ed8222p-1},
    {fixmath_exp, 0x1.4p+3, 0x1.5829dcf95056p+14},
    {fixmath_exp, -0x1.2cp+5, 0x1.dd5c566301ec8p-55},
    {fixmath_exp, 0x1.5ep+9, 0x1.d945df4f8ec8ep+1009},
    {fixmath_exp, -0x1.5ep+9, 0x1.14f2b0fb9307fp-1010},
    {fixmath_log, 0x1p+0, 0x0p+0},
    {fixmath_log, 0x1p+1, 0x1.62e42fefa39efp-1},
    {fixmath_log, 0x1p-1, -0x1.62e42fefa39efp-1},
    {fixmath_log, 0x1.8p+1, 0x1.193ea7aad030bp+0},
    {fixmath_log, 0x1.4p+3, 0x1.26bb1bbb55516p+1},
    {fixmath_log, 0x1.999999999999ap-4, -0x1.26bb1bbb55515p+1},
    {fixmath_log, 0x0.0000000000001p-1022, -0x1.74385446d71c3p+9},
    {fixmath_log, 0x1.fffffffffffffp+1023, 0x1.62e42fefa39efp+9},
    {fixmath_log, 0x1.ffffffff2419p-1, -0x1.b7ce00005e728p-34},
    {fixmath_log, 0x1.56e1fc2f8f359p-997, -0x1.5963447f87fb5p+9},
    {fixmath_sqrt, 0x0p+0, 0x0p+0},
    {fixmath_sqrt, 0x1p+1, 0x1.6a09e667f3bcdp+0},
    {fixmath_sqrt, 0x1.999999999999ap-4, 0x1.43d136248490fp-2},
    {fixmath_sqrt, 0x1.7e43c8800759cp+996, 0x1.38d352e5096afp+498},
};

static uint64_t bits_of(double x)
{
    uint64_t bits;

    memcpy(&bits, &x, sizeof(bits));
    return bits;
}

static void golden_table_is_met_bit_by_bit(void **state)
{
    for (size_t i = 0; i < sizeof(golden) / sizeof(golden[0]); i++) {
        double y = golden[i].f(golden[i].x);

        if (bits_of(y) != bits_of(golden[i].expected))
            fail_msg("row %zu: f(%a) = %a, not %a", i, golden[i].x, y,
                     golden[i].expected);
    }
}

/* Uniform in [lo, hi). */
static double random_between(uint32_t i, double lo, double hi)
{
    struct philox_block b = philox_draw(SEED, i, 0, 0);

    return lo + philox_unit((uint64_t)b.word[1] << 32 | b.word[0]) * (hi - lo);
}

/* FNV-1a over the bits of one function's values. Ranges are powers of two, so
 * that the arguments have the same bits even where multiply-adds are fused. */
static void check_digest(function f, double lo, double hi, uint64_t expected)
{
    uint64_t h = 0xcbf29ce484222325;

    for (uint32_t i = 0; i < N_RANDOM; i++)
        h = (h ^ bits_of(f(random_between(i, lo, hi)))) * 0x100000001b3;
    if (h != expected)
        fail_msg("digest %#" PRIx64 ", not %#" PRIx64, h, expected);
}

/* A compiler that fused multiplies with additions met all of the table above:
 * an ulp in thousands of values is what that looks like. */
static void many_values_keep_their_bits(void **state)
{
    check_digest(fixmath_sin, -512, 512, 0x907ee25081f8b610);
    check_digest(fixmath_cos, -512, 512, 0x39c9c3a1d7562f97);
    check_digest(fixmath_exp, -4, 4, 0xa67412da8dd3814b);
    check_digest(fixmath_log, 0x1p-20, 0x1p-20 + 4, 0xdbc05c7a97a5d9e8);
    check_digest(fixmath_sqrt, 0, 1024, 0x2526ce662c1f79ca);
}

static void check_near(function f, function oracle, double x)
{
    double got = f(x), expected = oracle(x);
    double ulp = nextafter(fabs(expected), INFINITY) - fabs(expected);

    if (!(fabs(got - expected) <= 4 * ulp))
        fail_msg("f(%a) = %a, libm says %a", x, got, expected);
}

static void sine_and_cosine_are_near_libm(void **state)
{
    for (uint32_t i = 0; i < N_RANDOM; i++) {
        double range = i % 3 == 0 ? 4.0 : i % 3 == 1 ? 1000.0 : 1e6;
        double x = random_between(i, -range, range);

        check_near(fixmath_sin, sin, x);
        check_near(fixmath_cos, cos, x);
    }
}

static void exponential_is_near_libm(void **state)
{
    for (uint32_t i = 0; i < N_RANDOM; i++) {
        double range = i % 2 ? 2.0 : 700.0;

        check_near(fixmath_exp, exp, random_between(i, -range, range));
    }
}

static void logarithm_is_near_libm(void **state)
{
    for (uint32_t i = 0; i < N_RANDOM; i++) {
        double mantissa = random_between(i, 0.5, 2.0);
        int exponent = i % 2 ? 0 : (int)random_between(i + 1, -1070, 1020);

        check_near(fixmath_log, log, ldexp(mantissa, exponent));
    }
}

static void floor_and_round_agree_with_their_words(void **state)
{
    static const double xs[] = {-2.0, -1.5, -1.0, -0.5, -0.25, 0.0,
                                0.25, 0.5,  0.75, 1.0,  1.5,   2.5};

    for (size_t i = 0; i < sizeof(xs) / sizeof(xs[0]); i++) {
        assert_true(fixmath_floor(xs[i]) == floor(xs[i]));
        assert_int_equal(fixmath_round(xs[i]), (int64_t)floor(xs[i] + 0.5));
    }
    assert_true(fixmath_floor(0x1.8p61) == 0x1.8p61);
    assert_int_equal(fixmath_round(-0x1p61), -(INT64_C(1) << 61));
}

static void square_root_is_correctly_rounded(void **state)
{
    for (uint32_t i = 0; i < N_RANDOM; i++) {
        double x = random_between(i, 0.0, 1e9);

        assert_true(bits_of(fixmath_sqrt(x)) == bits_of(sqrt(x)));
    }
}

static void normal_has_mean_zero_and_deviation_one(void **state)
{
    double sum = 0, squares = 0;

    for (uint32_t i = 0; i < N_RANDOM; i++) {
        double z = fixmath_normal(random_between(2 * i, 0, 1),
                                  random_between(2 * i + 1, 0, 1));

        sum += z;
        squares += z * z;
    }
    assert_true(fabs(sum / N_RANDOM) < 0.01);
    assert_true(fabs(squares / N_RANDOM - 1) < 0.02);
    /* The farthest draw there is. */
    assert_true(fixmath_normal(1 - 0x1p-53, 0) < 8.6);
    assert_true(fixmath_normal(0, 0) == 0.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_table_is_met_bit_by_bit),
        cmocka_unit_test(many_values_keep_their_bits),
        cmocka_unit_test(sine_and_cosine_are_near_libm),
        cmocka_unit_test(exponential_is_near_libm),
        cmocka_unit_test(logarithm_is_near_libm),
        cmocka_unit_test(floor_and_round_agree_with_their_words),
        cmocka_unit_test(square_root_is_correctly_rounded),
        cmocka_unit_test(normal_has_mean_zero_and_deviation_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
