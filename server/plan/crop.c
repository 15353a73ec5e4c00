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
    double x, y, width, height; /* px of level 0, before it is turned */
    double aspect;              /* over the frame's */
    bool flip;
    double rotate_deg, sine, cosine;
};

static double magnitude(double x)
{
    return x < 0 ? -x : x;
}

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

/* Where a window begins of which the background leaves so much room; a window
 * that is larger lays the background somewhere within itself. */
static double place(double room, double fraction, bool may_be_larger)
{
    return room > 0 || may_be_larger ? room * fraction : 0;
}

/* Turned about its middle, the window takes a larger box; where it does not
 * fit, it shrinks. */
static void fit_turned(struct crop *c, const struct pool_background *background,
                       const double at[2])
{
    const double sine = magnitude(c->sine), cosine = magnitude(c->cosine);
    double box_w = c->width * cosine + c->height * sine;
    double box_h = c->width * sine + c->height * cosine;
    double shrink = 1;
    shrink = box_w > background->width ? background->width / box_w : shrink;
    if (box_h * shrink > background->height) {
        shrink = background->height / box_h;
    }
    box_w *= shrink;
    box_h *= shrink;
    c->width *= shrink;
    c->height *= shrink;
    c->x = (box_w - c->width) * 0.5 +
           place(background->width - box_w, at[0], false);
    c->y = (box_h - c->height) * 0.5 +
           place(background->height - box_h, at[1], false);
}

static struct crop draw_crop(const struct draws *d, const struct recipe *recipe,
                             const struct pool_background *background)
{
    const enum philox_purpose crop = PHILOX_BACKGROUND_CROP;
    const bool is_fit = recipe->background.padding == PADDING_FIT;
    struct crop c;
    double at[2] = {0.5, 0.5};
    if (recipe->background.random_crop) {
        at[0] = draws_unit(d, crop, 1);
        at[1] = draws_unit(d, crop, 2);
    }
    double scale = draws_value(d, crop, 0, &recipe->background.scale);
    scale = is_fit && scale > 1 ? 1 : scale; /* normal: a tail */
    c.aspect = draws_value(d, crop, 3, &recipe->background.aspect);
    c.rotate_deg = draws_value(d, crop, 4, &recipe->background.rotate);
    c.sine = fixmath_sin(c.rotate_deg * FIXMATH_DEGREE);
    c.cosine = fixmath_cos(c.rotate_deg * FIXMATH_DEGREE);
    set_size(&c, recipe, background, scale);
    c.x = place(background->width - c.width, at[0], scale > 1);
    c.y = place(background->height - c.height, at[1], scale > 1);
    if (is_fit && c.rotate_deg != 0) {
        fit_turned(&c, background, at);
    }
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

static void set_line(const struct crop *c, struct plan *out)
{
    set_axis(c->x, c->width, out->width, out->crop_level, &out->crop_u,
             &out->crop_du);
    set_axis(c->y, c->height, out->height, out->crop_level, &out->crop_v,
             &out->crop_dv);
    if (c->flip) { /* the same texels from right to left */
        out->crop_u += out->crop_du * (out->width - 1);
        out->crop_du = -out->crop_du;
    }
}

/* The window of the frame's axes, turned by R^-1 and mirrored, about its
 * middle: p = middle + F R^-1 S (q - half the frame); see pose.h for R. */
static void set_turn(const struct crop *c, struct plan *out)
{
    const double one = level_scale(out->crop_level) * 65536.0;
    const double sx = c->width / out->width, sy = c->height / out->height;
    const double flip = c->flip ? -1.0 : 1.0;
    const double m[2][2] = {{flip * c->cosine * sx, -(flip * c->sine * sy)},
                            {c->sine * sx, c->cosine * sy}};
    const double middle[2] = {c->x + c->width * 0.5, c->y + c->height * 0.5};
    const double back_x = 0.5 - out->width * 0.5;
    const double back_y = 0.5 - out->height * 0.5;
    for (int row = 0; row < 2; row++) {
        int64_t *to = out->turn.m + 3 * row;
        to[0] = fixmath_round(m[row][0] * one);
        to[1] = fixmath_round(m[row][1] * one);
        to[2] = fixmath_round(middle[row] * one - 32768.0 +
                              (double)to[0] * back_x + (double)to[1] * back_y);
    }
    out->has_turn = true;
}

/* Do all n pixels lie within the level, so that nothing beyond is seen? */
static bool is_within(int32_t first, int32_t step, int32_t n, int32_t side)
{
    const int64_t last = first + (int64_t)step * (n - 1);
    const int64_t least = first < last ? first : last;
    const int64_t most = first < last ? last : first;
    return least >= -32768 && most <= ((int64_t)side << 16) - 32768;
}

/* Texels a px along the axis that is squeezed more, so that neither aliases. */
static double step_of(const struct crop *c, const struct recipe *recipe)
{
    return c->aspect < 1 ? c->height / recipe->height
                         : c->width / recipe->width;
}

static void set_padding(const struct draws *d, const struct recipe *recipe,
                        struct plan *out)
{
    out->turn.padding = recipe->background.padding;
    if (out->turn.padding != PADDING_COLOUR) {
        return;
    }
    for (uint32_t i = 0; i < 3; i++) {
        out->turn.colour[i] = (uint8_t)fixmath_round(
            draws_value(d, PHILOX_BACKGROUND_CROP, 5 + i,
                        &recipe->background.padding_colour[i]));
    }
}

void crop_to_plan(const struct draws *d, const struct recipe *recipe,
                  const struct pool_background *background, struct plan *out)
{
    const struct crop c = draw_crop(d, recipe, background);
    out->crop_level = level_choose(step_of(&c, recipe), BACKGROUND_MAX_STEP,
                                   background->n_levels);
    const struct image_level *level = &background->level[out->crop_level];
    set_line(&c, out);
    if (c.rotate_deg != 0 ||
        (recipe->background.padding > PADDING_EDGE &&
         !(is_within(out->crop_u, out->crop_du, out->width, level->width) &&
           is_within(out->crop_v, out->crop_dv, out->height, level->height)))) {
        out->crop_u = out->crop_v = out->crop_du = out->crop_dv = 0;
        set_turn(&c, out);
        set_padding(d, recipe, out);
    }
    out->told.crop_x = c.x;
    out->told.crop_y = c.y;
    out->told.crop_w = c.width;
    out->told.crop_h = c.height;
    out->told.crop_rotate_deg = c.rotate_deg;
    out->told.crop_flip = c.flip;
}
