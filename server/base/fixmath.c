/* Elementary functions from IEEE + - * / sqrt in a written order, so that
 * every machine computes the same bits. Not correctly rounded: a few ulp.
 * Source: Taylor series on a reduced range. Reduction subtracts multiples of a
 * constant that is split into parts short enough for exact products (Cody and
 * Waite). Each series stops where the next term is below 2^-57 of the sum. */
#include "server/base/fixmath.h"

#include <assert.h>
#include <string.h>

/* pi / 2 in three parts; the first two have 33 significant bits, so that n *
 * part is exact for |n| < 2^20, that is |radians| <= 1e6. */
#define HALF_PI_A   0x1.921fb544p+0
#define HALF_PI_B   0x1.0b4611a6p-34
#define HALF_PI_C   0x1.3198a2e037073p-69
#define TWO_OVER_PI 0x1.45f306dc9c883p-1
#define TWO_PI      0x1.921fb54442d18p+2
/* ln 2 likewise: the high part has 33 bits, exact for |n| < 2^20. */
#define LN2_HIGH      0x1.62e42fefp-1
#define LN2_LOW       0x1.473de6af278edp-34
#define ONE_OVER_LN2  0x1.71547652b82fep+0
#define SQRT_TWO      0x1.6a09e667f3bcdp+0
#define EXPONENT_BIAS 1023
#define MANTISSA_BITS 52

/* sin r, |r| <= pi / 4; z = r * r. */
static double sin_near_zero(double r)
{
    double z = r * r;
    double s = 1.0 / 355687428096000.0;

    s = s * z - 1.0 / 1307674368000.0;
    s = s * z + 1.0 / 6227020800.0;
    s = s * z - 1.0 / 39916800.0;
    s = s * z + 1.0 / 362880.0;
    s = s * z - 1.0 / 5040.0;
    s = s * z + 1.0 / 120.0;
    s = s * z - 1.0 / 6.0;
    return r + r * (z * s);
}

/* cos r, |r| <= pi / 4. */
static double cos_near_zero(double r)
{
    double z = r * r;
    double c = 1.0 / 20922789888000.0;

    c = c * z - 1.0 / 87178291200.0;
    c = c * z + 1.0 / 479001600.0;
    c = c * z - 1.0 / 3628800.0;
    c = c * z + 1.0 / 40320.0;
    c = c * z - 1.0 / 720.0;
    c = c * z + 1.0 / 24.0;
    return 1.0 - (0.5 * z - z * z * c);
}

/* sin of radians + quarter * pi / 2. */
static double sin_from_quarter(double radians, int64_t quarter)
{
    int64_t n = fixmath_round(radians * TWO_OVER_PI);
    double turns = (double)n;
    double r = radians - turns * HALF_PI_A;

    assert(radians >= -1e6 && radians <= 1e6);
    r = r - turns * HALF_PI_B;
    r = r - turns * HALF_PI_C;
    switch ((uint64_t)(n + quarter) & 3) {
    case 0:
        return sin_near_zero(r);
    case 1:
        return cos_near_zero(r);
    case 2:
        return -sin_near_zero(r);
    default:
        return -cos_near_zero(r);
    }
}

double fixmath_sin(double radians)
{
    return sin_from_quarter(radians, 0);
}

double fixmath_cos(double radians)
{
    return sin_from_quarter(radians, 1);
}

/* 2^n for a normal result. */
static double power_of_two(int64_t n)
{
    uint64_t bits = (uint64_t)(n + EXPONENT_BIAS) << MANTISSA_BITS;
    double x;

    memcpy(&x, &bits, sizeof(x));
    return x;
}

double fixmath_exp(double x)
{
    int64_t n = fixmath_round(x * ONE_OVER_LN2);
    double high = x - (double)n * LN2_HIGH;
    double r = high - (double)n * LN2_LOW;
    double s = 1.0 / 6227020800.0; /* 1 / 13! */

    assert(x >= -700.0 && x <= 700.0);
    s = s * r + 1.0 / 479001600.0;
    s = s * r + 1.0 / 39916800.0;
    s = s * r + 1.0 / 3628800.0;
    s = s * r + 1.0 / 362880.0;
    s = s * r + 1.0 / 40320.0;
    s = s * r + 1.0 / 5040.0;
    s = s * r + 1.0 / 720.0;
    s = s * r + 1.0 / 120.0;
    s = s * r + 1.0 / 24.0;
    s = s * r + 1.0 / 6.0;
    s = s * r + 0.5;
    return (1.0 + (r + r * r * s)) * power_of_two(n);
}

/* x = mantissa * 2^exponent, sqrt(1/2) < mantissa <= sqrt(2). */
static double split(double x, int64_t *out_exponent)
{
    int64_t exponent = 0;
    uint64_t bits;
    double mantissa;

    if (x < 0x1p-1022) { /* subnormal */
        x = x * 0x1p54;
        exponent = -54;
    }
    memcpy(&bits, &x, sizeof(bits));
    exponent += (int64_t)(bits >> MANTISSA_BITS) - EXPONENT_BIAS;
    bits &= (UINT64_C(1) << MANTISSA_BITS) - 1;
    bits |= (uint64_t)EXPONENT_BIAS << MANTISSA_BITS;
    memcpy(&mantissa, &bits, sizeof(mantissa));
    if (mantissa > SQRT_TWO) {
        mantissa = mantissa * 0.5;
        exponent++;
    }
    *out_exponent = exponent;
    return mantissa;
}

/* log m = 2 atanh s, s = (m - 1) / (m + 1), |s| < 0.1716. */
double fixmath_log(double x)
{
    int64_t exponent;
    double m, s, z, sum;

    assert(x > 0.0 && x <= 0x1.fffffffffffffp+1023);
    m = split(x, &exponent);
    s = (m - 1.0) / (m + 1.0);
    z = s * s;
    sum = 1.0 / 21.0;
    sum = sum * z + 1.0 / 19.0;
    sum = sum * z + 1.0 / 17.0;
    sum = sum * z + 1.0 / 15.0;
    sum = sum * z + 1.0 / 13.0;
    sum = sum * z + 1.0 / 11.0;
    sum = sum * z + 1.0 / 9.0;
    sum = sum * z + 1.0 / 7.0;
    sum = sum * z + 1.0 / 5.0;
    sum = sum * z + 1.0 / 3.0;
    s = s + s;
    return (double)exponent * LN2_HIGH +
           (s + (s * (z * sum) + (double)exponent * LN2_LOW));
}

double fixmath_sqrt(double x)
{
    return __builtin_sqrt(x);
}

double fixmath_normal(double u1, double u2)
{
    double radius = fixmath_sqrt(-2.0 * fixmath_log(1.0 - u1));

    return radius * fixmath_cos(TWO_PI * u2);
}
