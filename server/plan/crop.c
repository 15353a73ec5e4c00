/* The crop of the background as the fixed-point line that compose walks.
 * Draws nothing but the crop; reads no pixels. */
#include "server/plan/crop.h"

#include "server/base/fixmath.h"
#include "server/plan/level.h"

/* Step of one output pixel in [0.95, 1.9) texels: backgrounds are resampled
 * only down from here, which costs the least memory traffic for its
 * sharpness. */
#define BACKGROUND_MAX_STEP 1.9

struct crop {
    double x, y, width, height; /* px of level 0 */
    double aspect;              /* over the frame's */
    bool flip;
};

/* The largest window of c->aspect times the frame's in the background, by
 * `scale`. */
static void set_size(struct crop *c, const struct recipe *recipe,
                     const struct pool_background *background, double scale)
{
    double w = background->width, h = background->height;
    double frame_w = recipe->width * c->aspect, frame_h = recipe->height;
    bool full_width = w * frame_h <= h * frame_w;
    c->width = scale * (full_width ? w : h * frame_w / frame_h);
    c->height = scale * (full_width ? w * frame_h / frame_w : h);
}

static double place(double room, double fraction)
{
    return room > 0 ? room * fraction : 0;
}

static struct crop draw_crop(const struct draws *d, const struct recipe *recipe,
                             const struct pool_background *background)
{
    const enum philox_purpose crop = PHILOX_BACKGROUND_CROP;
    struct crop c;
    double at_x = 0.5, at_y = 0.5;
    if (recipe->background.random_crop) {
        at_x = draws_unit(d, crop, 1);
        at_y = draws_unit(d, crop, 2);
    }
    c.aspect = draws_value(d, crop, 3, &recipe->background.aspect);
    set_size(&c, recipe, background,
             draws_value(d, crop, 0, &recipe->background.scale));
    c.x = place(background->width - c.width, at_x);
    c.y = place(background->height - c.height, at_y);
    c.flip =
        draws_chance(d, PHILOX_BACKGROUND_FLIP, 0, &recipe->background.flip);
    return c;
}

/* One axis: n output pixels over [start, start + length) of level 0. The
 * rounding of the step is felt least in the middle of the frame. */
static void set_axis(double start, double length, int32_t n, uint32_t level,
                     int32_t *out_first, int32_t *out_step)
{
    const double one = level_scale(level) * 65536.0; /* Q16 a level-0 texel */
    int64_t step = fixmath_round(length / n * one);
    double middle = (start + length * 0.5) * one - 32768.0;
    *out_first =
        (int32_t)fixmath_round(middle - (double)step * ((n - 1) * 0.5));
    *out_step = (int32_t)step;
}

/* Texels a px along the axis that is squeezed more, so that neither aliases. */
static double step_of(const struct crop *c, const struct recipe *recipe)
{
    return c->aspect < 1 ? c->height / recipe->height
                         : c->width / recipe->width;
}

void crop_to_plan(const struct draws *d, const struct recipe *recipe,
                  const struct pool_background *background, struct plan *out)
{
    struct crop c = draw_crop(d, recipe, background);
    out->crop_level = level_choose(step_of(&c, recipe), BACKGROUND_MAX_STEP,
                                   background->n_levels);
    set_axis(c.x, c.width, recipe->width, out->crop_level, &out->crop_u,
             &out->crop_du);
    set_axis(c.y, c.height, recipe->height, out->crop_level, &out->crop_v,
             &out->crop_dv);
    if (c.flip) { /* the same texels from right to left */
        out->crop_u += out->crop_du * (recipe->width - 1);
        out->crop_du = -out->crop_du;
    }
    out->told.crop_x = c.x;
    out->told.crop_y = c.y;
    out->told.crop_w = c.width;
    out->told.crop_h = c.height;
    out->told.crop_flip = c.flip;
}
