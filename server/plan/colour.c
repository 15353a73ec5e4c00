/* The colour matrix, composed in double and rounded once to Q12. Touches no
 * pixels. Source: Rec. 601 luma; NTSC's YIQ. */
#include "server/plan/colour.h"

#include <string.h>

#include "server/base/fixmath.h"

#define TWO_PI            6.283185307179586
#define COEFFICIENT_LIMIT 32767 /* so that kernels may hold them in 16 bits */

static const double luma[3] = {0.299, 0.587, 0.114};

static const double yiq_of_rgb[3][3] = {{0.299, 0.587, 0.114},
                                        {0.595716, -0.274453, -0.321263},
                                        {0.211456, -0.522591, 0.311135}};
/* The inverse of the above to the last digit of a double. */
static const double rgb_of_yiq[3][2] =
    {/* and 1 for Y */
     {0.9562957197589484, 0.6210244164652612},
     {-0.2721220993185105, -0.6473805968256952},
     {-1.1069890167364904, 1.7046149983646484}};

/* m = the saturation by `factor` after the diagonal matrix whose three entries
 * are `gain` and whose three offsets are `offset`. Terms that are 0 are left
 * out, here and below: adding them changes nothing. */
static void saturate(double factor, double gain, double offset, double m[3][4])
{
    for (int i = 0; i < 3; i++) {
        double mix[3];
        for (int j = 0; j < 3; j++) {
            mix[j] = luma[j] * (1.0 - factor) + (i == j ? factor : 0.0);
            m[i][j] = mix[j] * gain;
        }
        m[i][3] = mix[0] * offset + mix[1] * offset + mix[2] * offset;
    }
}

static void turn_hue(double turns, double m[3][4])
{
    const double c = fixmath_cos(turns * TWO_PI);
    const double s = fixmath_sin(turns * TWO_PI);
    double yiq[3][4];
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 4; j++) {
            yiq[i][j] = yiq_of_rgb[i][0] * m[0][j] +
                        yiq_of_rgb[i][1] * m[1][j] + yiq_of_rgb[i][2] * m[2][j];
        }
    }
    for (int j = 0; j < 4; j++) {
        const double in_phase = c * yiq[1][j] + s * yiq[2][j];
        const double quadrature = -s * yiq[1][j] + c * yiq[2][j];
        for (int i = 0; i < 3; i++) {
            m[i][j] = yiq[0][j] + rgb_of_yiq[i][0] * in_phase +
                      rgb_of_yiq[i][1] * quadrature;
        }
    }
}

static int32_t to_q12(double x)
{
    return (int32_t)fixmath_round(x * 4096.0);
}

static int32_t hold(int32_t q12)
{
    return q12 > COEFFICIENT_LIMIT    ? COEFFICIENT_LIMIT
           : q12 < -COEFFICIENT_LIMIT ? -COEFFICIENT_LIMIT
                                      : q12;
}

void colour_matrix(double brightness, double contrast, double saturation,
                   double hue, int32_t out[3][4])
{
    double m[3][4];
    saturate(saturation, brightness * contrast, 128.0 * (1.0 - contrast), m);
    turn_hue(hue, m);
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) {
            out[i][j] = hold(to_q12(m[i][j]));
        }
        out[i][3] = to_q12(m[i][3]);
    }
}

/* Draws of one purpose -> told and out; whether it is not the identity. */
static bool draw_matrix(const struct draws *d, enum philox_purpose purpose,
                        const struct value *const value[4],
                        struct plan_told_colour *told, int32_t out[3][4])
{
    static const int32_t as_is[3][4] = {
        {4096, 0, 0, 0}, {0, 4096, 0, 0}, {0, 0, 4096, 0}};
    told->brightness = draws_value(d, purpose, 0, value[0]);
    told->contrast = draws_value(d, purpose, 1, value[1]);
    told->saturation = draws_value(d, purpose, 2, value[2]);
    told->hue = draws_value(d, purpose, 3, value[3]);
    if (told->brightness == 1 && told->contrast == 1 && told->saturation == 1 &&
        told->hue == 0) { /* what the matrix of these rounds to */
        memcpy(out, as_is, sizeof(as_is));
        return false;
    }
    colour_matrix(told->brightness, told->contrast, told->saturation, told->hue,
                  out);
    return memcmp(out, as_is, sizeof(as_is)) != 0;
}

static bool draw_part(const struct draws *d, enum philox_purpose purpose,
                      const struct recipe_colour *c,
                      struct plan_told_colour *told, int32_t out[3][4])
{
    const struct value *const value[4] = {&c->brightness, &c->contrast,
                                          &c->saturation, &c->hue};
    return draw_matrix(d, purpose, value, told, out);
}

void object_colour_to_plan(const struct draws *d, const struct recipe *recipe,
                           struct plan *out)
{
    out->has_object_colour =
        draw_part(d, PHILOX_OBJECT_COLOUR, &recipe->object.colour,
                  &out->told.object_colour, out->object_colour);
}

void colour_to_plan(const struct draws *d, const struct recipe *recipe,
                    struct plan *out)
{
    const struct value *const image[4] = {
        &recipe->image.brightness, &recipe->image.contrast,
        &recipe->image.saturation, &recipe->image.hue};
    out->has_colour = draw_matrix(d, PHILOX_IMAGE_COLOUR, image,
                                  &out->told.colour, out->colour);
    object_colour_to_plan(d, recipe, out);
    out->has_background_colour =
        draw_part(d, PHILOX_BACKGROUND_COLOUR, &recipe->background.colour,
                  &out->told.background_colour, out->background_colour);
}
