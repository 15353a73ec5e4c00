/* Composes the affine pose with the homography of a square's drawn corners, in
 * double with a written order, and rounds once. Knows no kernel. Source:
 * Heckbert 1989, "Fundamentals of Texture Mapping", square to quadrilateral;
 * corner insets as torchvision's RandomPerspective. */
#include "server/plan/warp.h"

#include <string.h>

#include "server/base/fixmath.h"
#include "server/plan/level.h"

#define GREATEST 1152921504606846976.0 /* 2^60: of any coefficient */
#define N_DRAWS  64                    /* of elastic, an attempt */

static void draw_elastic(const struct draws *d, const struct recipe *recipe,
                         uint32_t attempt, struct pose *p)
{
    const enum philox_purpose elastic = PHILOX_OBJECT_ELASTIC;
    const uint32_t first = N_DRAWS * attempt;
    p->elastic_px =
        draws_value(d, elastic, first + N_DRAWS - 1, &recipe->object.elastic);
    p->n_points = p->elastic_px > 0 ? recipe->object.elastic_points : 0;
    const double most = 3 * p->elastic_px;
    const struct value px = {
        .kind = VALUE_NORMAL, .b = p->elastic_px, .min = -most, .max = most};
    for (uint32_t i = 0; i < p->n_points * p->n_points; i++) {
        uint32_t row = i / p->n_points, column = i % p->n_points;
        for (uint32_t axis = 0; axis < 2; axis++)
            p->elastic[axis][row][column] =
                draws_value(d, elastic, first + 2 * i + axis, &px);
    }
}

void warp_draw(const struct draws *d, const struct recipe *recipe,
               uint32_t attempt, struct pose *p)
{
    const uint32_t first = DRAWS_PER_POSE_ATTEMPT * attempt;
    p->perspective = draws_value(d, PHILOX_OBJECT_POSE, first + 7,
                                 &recipe->object.perspective);
    for (uint32_t i = 0; p->perspective > 0 && i < 8; i++) {
        p->inset[i / 2][i % 2] =
            p->perspective * draws_unit(d, PHILOX_OBJECT_POSE, first + 8 + i);
    }
    p->is_of_frame = p->perspective > 0 &&
                     recipe->object.perspective_of == PERSPECTIVE_OF_FRAME;
    draw_elastic(d, recipe, attempt, p);
    p->is_warped = p->perspective > 0 || p->n_points > 0;
}

/* out = a b, 3 x 3 row by row; out is neither. */
static void multiply(const double a[9], const double b[9], double out[9])
{
    for (int i = 0; i < 9; i++) {
        const double *row = a + i / 3 * 3, *column = b + i % 3;
        out[i] = row[0] * column[0] + row[1] * column[3] + row[2] * column[6];
    }
}

/* The inverse times the determinant. */
static void adjugate(const double a[9], double out[9])
{
    for (int i = 0; i < 9; i++) {
        int r0 = (i % 3 + 1) % 3 * 3, r1 = (i % 3 + 2) % 3 * 3;
        int c0 = (i / 3 + 1) % 3, c1 = (i / 3 + 2) % 3;
        out[i] = a[r0 + c0] * a[r1 + c1] - a[r0 + c1] * a[r1 + c0];
    }
}

/* Corners of [-1, 1]^2, in order around it. */
static const double corners[4][2] = {{-1, -1}, {1, -1}, {1, 1}, {-1, 1}};

/* The unit square to the quadrilateral of the inset corners of [-1, 1]^2. Its
 * third row is positive on the square, since insets below 2/3 keep the
 * quadrilateral convex. Returns the quadrilateral's share of the square. */
static double homography(const double inset[4][2], double out[9])
{
    double x[4], y[4], twice = 0;
    for (int i = 0; i < 4; i++) {
        x[i] = corners[i][0] * (1 - inset[i][0]);
        y[i] = corners[i][1] * (1 - inset[i][1]);
    }
    for (int i = 0; i < 4; i++)
        twice += x[i] * y[(i + 1) % 4] - x[(i + 1) % 4] * y[i];
    const double sum_x = x[0] - x[1] + x[2] - x[3];
    const double sum_y = y[0] - y[1] + y[2] - y[3];
    const double dx1 = x[1] - x[2], dx2 = x[3] - x[2];
    const double dy1 = y[1] - y[2], dy2 = y[3] - y[2];
    const double area = dx1 * dy2 - dx2 * dy1;
    const double g = (sum_x * dy2 - sum_y * dx2) / area;
    const double h = (dx1 * sum_y - dy1 * sum_x) / area;
    const double m[9] = {x[1] - x[0] + g * x[1],
                         x[3] - x[0] + h * x[3],
                         x[0],
                         y[1] - y[0] + g * y[1],
                         y[3] - y[0] + h * y[3],
                         y[0],
                         g,
                         h,
                         1};
    memcpy(out, m, sizeof(m));
    return twice / 8;
}

static void apply(const double m[9], double x, double y, double out[3])
{
    for (int i = 0; i < 3; i++)
        out[i] = m[3 * i] * x + m[3 * i + 1] * y + m[3 * i + 2];
}

/* The third component is 1 at this frame point. */
static void set_depth(double inward[9], const double at[3])
{
    const double depth =
        inward[6] * (at[0] / at[2]) + inward[7] * (at[1] / at[2]) + inward[8];
    for (int i = 0; i < 9; i++)
        inward[i] /= depth;
}

/* outward: level 0 -> frame; inward: frame -> level 0 with third component 1
 * at the middle of the box. Returns the quadrilateral's share of the box. */
static double set_projection(struct pose *p, const struct image_box *box,
                             double inward[9])
{
    const double w = box->x1 - box->x0, h = box->y1 - box->y0;
    const double unit[9] = {
        1 / w, 0, -(box->x0 / w), 0, 1 / h, -(box->y0 / h), 0, 0, 1};
    const double from_unit[9] = {
        w, 0, (double)box->x0, 0, h, (double)box->y0, 0, 0, 1};
    const double *f = p->forward, *b = p->inverse;
    const double half_w = w * 0.5, half_h = h * 0.5;
    const double affine[9] = {f[0] * half_w,
                              f[1] * half_h,
                              p->place_x,
                              f[2] * half_w,
                              f[3] * half_h,
                              p->place_y,
                              0,
                              0,
                              1};
    const double x = p->place_x, y = p->place_y;
    const double back[9] = {b[0] / half_w,
                            b[1] / half_w,
                            -((b[0] * x + b[1] * y) / half_w),
                            b[2] / half_h,
                            b[3] / half_h,
                            -((b[2] * x + b[3] * y) / half_h),
                            0,
                            0,
                            1};
    double quad[9], undo[9], step[9], middle[3];
    const double share = homography(p->inset, quad);
    adjugate(quad, undo);
    multiply(quad, unit, step);
    multiply(affine, step, p->outward);
    multiply(undo, back, step);
    multiply(from_unit, step, inward);
    apply(p->outward, p->pivot_x, p->pivot_y, middle);
    set_depth(inward, middle);
    return share;
}

static double magnitude(double x)
{
    return x < 0 ? -x : x;
}

static double determinant(const double m[9])
{
    return m[0] * (m[4] * m[8] - m[5] * m[7]) +
           m[1] * (m[5] * m[6] - m[3] * m[8]) +
           m[2] * (m[3] * m[7] - m[4] * m[6]);
}

/* How much smaller the map shows what lies at (x, y), by area. */
static double share_at(const double whole[9], double x, double y)
{
    double q[3];
    apply(whole, x, y, q);
    const double depth = q[2] > 1e-3 ? q[2] : 1e-3;
    const double share = determinant(whole) / (depth * depth * depth);
    return share < 1e-4 ? 1e-4 : share > 1e4 ? 1e4 : share;
}

/* As set_projection, of the frame with the affine pose in it. */
static double set_frame_projection(struct pose *p, const struct recipe *recipe,
                                   double inward[9])
{
    const double w = recipe->width, h = recipe->height;
    const double *f = p->forward, *b = p->inverse;
    const double x = p->pivot_x, y = p->pivot_y;
    const double to_x = p->place_x, to_y = p->place_y;
    const double unit[9] = {1 / w, 0, 0, 0, 1 / h, 0, 0, 0, 1};
    const double from_unit[9] = {w, 0, 0, 0, h, 0, 0, 0, 1};
    const double half[9] = {w * 0.5, 0, w * 0.5, 0, h * 0.5, h * 0.5, 0, 0, 1};
    const double from_half[9] = {2 / w, 0, -1, 0, 2 / h, -1, 0, 0, 1};
    const double affine[9] = {f[0], f[1], to_x - (f[0] * x + f[1] * y),
                              f[2], f[3], to_y - (f[2] * x + f[3] * y),
                              0,    0,    1};
    const double back[9] = {b[0], b[1], x - (b[0] * to_x + b[1] * to_y),
                            b[2], b[3], y - (b[2] * to_x + b[3] * to_y),
                            0,    0,    1};
    double quad[9], undo[9], step[9], whole[9], other[9], middle[3];
    (void)homography(p->inset, quad);
    adjugate(quad, undo);
    multiply(half, quad, step);
    multiply(step, unit, whole);
    multiply(whole, affine, p->outward);
    multiply(from_unit, undo, step);
    multiply(step, from_half, other);
    multiply(back, other, inward);
    apply(whole, w * 0.5, h * 0.5, middle); /* in front of every horizon */
    set_depth(inward, middle);
    return share_at(whole, to_x, to_y);
}

/* The sides of the quadrilateral that the frame has become, clockwise, as half
 * planes of pixel centres. */
static void set_clips(const struct pose *p, const struct recipe *recipe,
                      struct pixel_warp *out)
{
    const double half_w = recipe->width * 0.5, half_h = recipe->height * 0.5;
    double x[4], y[4];
    for (int i = 0; i < 4; i++) {
        x[i] = half_w * (1 + corners[i][0] * (1 - p->inset[i][0])) - 0.5;
        y[i] = half_h * (1 + corners[i][1] * (1 - p->inset[i][1])) - 0.5;
    }
    out->n_clips = 4;
    for (int i = 0; i < 4; i++) {
        const double dx = x[(i + 1) % 4] - x[i], dy = y[(i + 1) % 4] - y[i];
        out->clip[i][0] = fixmath_round(-dy * 1048576);
        out->clip[i][1] = fixmath_round(dx * 1048576);
        out->clip[i][2] = fixmath_round((dy * x[i] - dx * y[i]) * 1048576);
    }
}

/* What is half a texel less the outline's margin, of the level in 16.16. */
static double centre_of(const struct pose *p)
{
    return 32768.0 - (double)((int64_t)p->reach * 65536 >> p->level);
}

/* Texels of the level in 16.16 at pixel centres, times a power of 2 that uses
 * the range. */
static void set_matrix(const double inward[9], double one, double centre,
                       struct pixel_warp *out)
{
    double m[9], most = 1;
    for (int i = 0; i < 3; i++) {
        m[i] = inward[i] * one - centre * inward[6 + i];
        m[3 + i] = inward[3 + i] * one - centre * inward[6 + i];
        m[6 + i] = inward[6 + i];
    }
    for (int i = 0; i < 9; i += 3)
        m[i + 2] += 0.5 * (m[i] + m[i + 1]);
    for (int i = 0; i < 9; i++)
        most = magnitude(m[i]) > most ? magnitude(m[i]) : most;
    double unit = 1;
    while (most * unit * 2 <= GREATEST)
        unit *= 2;
    for (int i = 0; i < 9; i++)
        out->m[i] = fixmath_round(m[i] * unit);
}

/* The elastic grid over the alpha box, px of the frame as texels. */
static void set_grid(const struct pose *p, const struct image_box *box,
                     double one, struct pixel_warp *out)
{
    const int32_t side[2][2] = {{box->x0, box->x1}, {box->y0, box->y1}};
    out->n_points = p->n_points;
    for (int axis = 0; p->n_points > 0 && axis < 2; axis++) {
        int64_t first = fixmath_round(side[axis][0] * one - centre_of(p));
        int64_t last = fixmath_round(side[axis][1] * one - centre_of(p));
        out->first[axis] = (int32_t)first;
        out->span[axis] = last > first ? (int32_t)(last - first) : 1;
        out->per_span[axis] =
            ((int64_t)(p->n_points - 1) << 36) / out->span[axis];
        for (uint32_t i = 0; i < p->n_points * p->n_points; i++) {
            uint32_t row = i / p->n_points, column = i % p->n_points;
            double texels = p->elastic[axis][row][column] * p->step * one;
            texels = texels > WARP_MAX_DISPLACE ? WARP_MAX_DISPLACE : texels;
            texels = texels < -WARP_MAX_DISPLACE ? -WARP_MAX_DISPLACE : texels;
            out->displace[axis][row][column] = (int32_t)fixmath_round(texels);
        }
    }
}

static int32_t hold(double x, int32_t side)
{
    const double least = -64, most = side + 64.0;
    x = x < least ? least : x > most ? most : x;
    return (int32_t)fixmath_floor(x);
}

/* Where the alpha box, and what displaces into it, is seen; the frame and more
 * where some of that lies beyond the horizon. */
static struct image_box reach(const struct pose *p, const struct recipe *recipe,
                              const struct image_box *box, double margin)
{
    double low[2] = {1e9, 1e9}, high[2] = {-1e9, -1e9};
    for (int i = 0; i < 4; i++) {
        double x = i & 1 ? box->x1 + margin : box->x0 - margin, q[3];
        double y = i & 2 ? box->y1 + margin : box->y0 - margin;
        apply(p->outward, x, y, q);
        if (q[2] < 1e-3) {
            return (struct image_box){-64, -64, recipe->width + 64,
                                      recipe->height + 64};
        }
        for (int axis = 0; axis < 2; axis++) {
            double at = q[axis] / q[2];
            low[axis] = at < low[axis] ? at : low[axis];
            high[axis] = at > high[axis] ? at : high[axis];
        }
    }
    return (struct image_box){
        hold(low[0] - 1, recipe->width), hold(low[1] - 1, recipe->height),
        hold(high[0] + 2, recipe->width), hold(high[1] + 2, recipe->height)};
}

void warp_set(struct pose *p, const struct recipe *recipe,
              const struct pool_object *object)
{
    double inward[9], most = 0;
    const double share = p->is_of_frame
                             ? set_frame_projection(p, recipe, inward)
                             : set_projection(p, &object->alpha_box, inward);
    p->step /= fixmath_sqrt(share);
    p->level = level_choose(p->step, POSE_MAX_STEP, object->n_levels);
    const double one = level_scale(p->level) * 65536.0;
    memset(&p->warp, 0, sizeof(p->warp));
    set_matrix(inward, one, centre_of(p), &p->warp);
    set_grid(p, &object->alpha_box, one, &p->warp);
    if (p->is_of_frame) {
        set_clips(p, recipe, &p->warp);
    }
    for (uint32_t i = 0; i < 2 * p->n_points * p->n_points; i++) {
        uint32_t row = i / 2 / p->n_points, column = i / 2 % p->n_points;
        double at = magnitude(p->warp.displace[i % 2][row][column]);
        most = at > most ? at : most;
    }
    p->warp.box = reach(p, recipe, &object->alpha_box,
                        (2 * 65536.0 + most) / one + p->reach);
}

void warp_forward(const struct pose *p, double x, double y, double out[2])
{
    const double one = level_scale(p->level) * 65536.0;
    const int32_t u = (int32_t)fixmath_round(x * one - centre_of(p));
    const int32_t v = (int32_t)fixmath_round(y * one - centre_of(p));
    double q[3];
    /* To first order: what is read here was displaced by as much as here. */
    apply(p->outward, x - warp_displacement(&p->warp, 0, u, v) / one,
          y - warp_displacement(&p->warp, 1, u, v) / one, q);
    const double depth = q[2] > 1e-3 ? q[2] : 1e-3;
    out[0] = q[0] / depth;
    out[1] = q[1] / depth;
}
