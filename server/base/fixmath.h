/* Elementary functions that give the same bits on every machine: IEEE
 * + - * / sqrt only, in a written order, no libm, no fused multiply-add.
 * Accuracy is a few ulp; identity is the point. */
#ifndef PASTED_BASE_FIXMATH_H
#define PASTED_BASE_FIXMATH_H

#include <stdint.h>

#define FIXMATH_DEGREE 0.017453292519943295 /* pi / 180, in radians */

/* |x| < 2^62 */
static inline double fixmath_floor(double x)
{
    double whole = (double)(int64_t)x;

    return whole > x ? whole - 1.0 : whole;
}

/* floor(x + 0.5), |x| < 2^62 */
static inline int64_t fixmath_round(double x)
{
    return (int64_t)fixmath_floor(x + 0.5);
}

double fixmath_sin(double radians); /* |radians| <= 1e6 */
double fixmath_cos(double radians);
double fixmath_exp(double x); /* |x| <= 700 */
double fixmath_log(double x); /* x > 0, finite */
double fixmath_sqrt(double x);
/* Standard normal from two uniform draws in [0,1) (Box-Muller). */
double fixmath_normal(double u1, double u2);

#endif
