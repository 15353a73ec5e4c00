/* Poses of the object: drawn, weighed by what stays visible, turned into the
 * fixed-point map that compose walks. Reads no pixels; coverage is a table. */
#include "server/plan/pose.h"

#include "server/base/fixmath.h"
#include "server/plan/level.h"
#include "server/plan/warp.h"

static double smaller(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

static double larger(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

static void draw_pose(const struct draws *d, const struct recipe *recipe,
                      const struct pose_ranges *ranges, uint32_t attempt,
                      struct pose *out)
{
    const uint32_t first = DRAWS_PER_POSE_ATTEMPT * attempt;
    const enum philox_purpose pose = PHILOX_OBJECT_POSE;
    out->scale = draws_value(d, pose, first, ranges->scale);
    out->rotate_deg = draws_value(d, pose, first + 1, &recipe->object.rotate);
    out->shear_deg = draws_value(d, pose, first + 2, &recipe->object.shear);
    out->x = draws_value(d, pose, first + 3, ranges->x);
    out->y = draws_value(d, pose, first + 4, ranges->y);
    out->stretch = draws_value(d, pose, first + 5, &recipe->object.stretch);
    out->shear_y_deg = draws_value(d, pose, first + 6, &recipe->object.shear_y);
    out->flip = draws_chance(d, PHILOX_OBJECT_FLIP, 0, &recipe->object.flip);
}

static double tangent(double degrees)
{
    double angle = degrees * FIXMATH_DEGREE;
    return fixmath_sin(angle) / fixmath_cos(angle);
}

/* From what was drawn to the maps; see struct pose for the equation. The
 * determinant of R X Y is 1. */
static void set_maps(struct pose *p, const struct recipe *recipe,
                     const struct image_box *box)
{
    double longest = larger(box->x1 - box->x0, box->y1 - box->y0);
    double k = p->scale * smaller(recipe->height, recipe->width) / longest;
    double flip = p->flip ? -1.0 : 1.0;
    double angle = p->rotate_deg * FIXMATH_DEGREE;
    double sine = fixmath_sin(angle), cosine = fixmath_cos(angle);
    double along_x = tangent(p->shear_deg), along_y = tangent(p->shear_y_deg);
    double root = fixmath_sqrt(p->stretch);
    double kx = k * root, ky = k / root;
    double corner = 1.0 + along_x * along_y; /* of X Y */
    const double turn[4] = {
        cosine * corner + sine * along_y, along_x * cosine + sine,
        cosine * along_y - sine * corner, cosine - along_x * sine};

    p->pivot_x = (box->x0 + box->x1) * 0.5;
    p->pivot_y = (box->y0 + box->y1) * 0.5;
    p->place_x = p->x * recipe->width;
    p->place_y = p->y * recipe->height;
    p->forward[0] = kx * flip * turn[0];
    p->forward[1] = ky * turn[1];
    p->forward[2] = kx * flip * turn[2];
    p->forward[3] = ky * turn[3];
    p->inverse[0] = flip * turn[3] / kx;
    p->inverse[1] = -(flip * turn[1] / kx);
    p->inverse[2] = -(turn[2] / ky);
    p->inverse[3] = turn[0] / ky;
    p->step = fixmath_sqrt(sine / k * (sine / k) + cosine / k * (cosine / k));
}

/* Is the image of a level-0 point in the frame? Its border counts. */
static bool is_inside(const struct pose *p, const struct recipe *recipe,
                      double x, double y)
{
    double dx = x - p->pivot_x, dy = y - p->pivot_y;
    double q[2] = {p->place_x + p->forward[0] * dx + p->forward[1] * dy,
                   p->place_y + p->forward[2] * dx + p->forward[3] * dy};
    /* What a frame seen in perspective shows is what it held before. */
    if (p->is_warped && !p->is_of_frame) {
        warp_forward(p, x, y, q);
    }
    return q[0] >= 0 && q[0] <= recipe->width && q[1] >= 0 &&
           q[1] <= recipe->height;
}

static bool corners_inside(const struct pose *p, const struct recipe *recipe,
                           const struct image_box *box)
{
    return is_inside(p, recipe, box->x0, box->y0) &&
           is_inside(p, recipe, box->x1, box->y0) &&
           is_inside(p, recipe, box->x0, box->y1) &&
           is_inside(p, recipe, box->x1, box->y1);
}

enum { CELLS = POOL_COVERAGE_CELLS };

/* What a column of cells adds to the frame coordinates of their centres. */
struct cell_columns {
    double x[CELLS], y[CELLS];
};

static uint32_t sum_row(const uint8_t weight[CELLS])
{
    uint32_t sum = 0;
    for (int i = 0; i < CELLS; i++)
        sum += weight[i];
    return sum;
}

/* Adds the weights (and the number) of a row's cells whose centres lie in the
 * frame. Rounding is monotone, so where both ends of a row lie within a bound,
 * or beyond it, all between them do. */
static void weigh_row(const struct cell_columns *columns, const double add[2],
                      const double frame[2], const uint8_t weight[CELLS],
                      uint32_t out[2])
{
    const double x0 = columns->x[0] + add[0], y0 = columns->y[0] + add[1];
    const double x1 = columns->x[CELLS - 1] + add[0];
    const double y1 = columns->y[CELLS - 1] + add[1];
    const double w = frame[0], h = frame[1];
    if (x0 >= 0 && x0 <= w && x1 >= 0 && x1 <= w && y0 >= 0 && y0 <= h &&
        y1 >= 0 && y1 <= h) {
        out[0] += sum_row(weight);
        out[1] += CELLS;
        return;
    }
    if ((x0 < 0 && x1 < 0) || (x0 > w && x1 > w) || (y0 < 0 && y1 < 0) ||
        (y0 > h && y1 > h))
        return;
    for (int i = 0; i < CELLS; i++) {
        double x = columns->x[i] + add[0], y = columns->y[i] + add[1];
        uint32_t in = (x >= 0) & (x <= w) & (y >= 0) & (y <= h);
        out[0] += weight[i] * in;
        out[1] += in;
    }
}

/* The share of the coverage whose cells' centres lie in the frame. A box so
 * thinly covered that every cell rounds to 0 counts by area. */
static uint32_t weigh_visible(const struct pose *p, const struct recipe *recipe,
                              const struct pool_object *object)
{
    const struct image_box *box = &object->alpha_box;
    const double cell_x = (box->x1 - box->x0) / (double)CELLS;
    const double cell_y = (box->y1 - box->y0) / (double)CELLS;
    const double frame[2] = {recipe->width, recipe->height};
    struct cell_columns columns;
    uint32_t inside[2] = {0, 0}, total = 0;
    for (int i = 0; i < CELLS; i++) {
        double dx = box->x0 + (i + 0.5) * cell_x - p->pivot_x;
        columns.x[i] = p->place_x + p->forward[0] * dx;
        columns.y[i] = p->place_y + p->forward[2] * dx;
    }
    for (int row = 0; row < CELLS; row++) {
        double dy = box->y0 + (row + 0.5) * cell_y - p->pivot_y;
        const double add[2] = {p->forward[1] * dy, p->forward[3] * dy};
        weigh_row(&columns, add, frame, object->coverage[row], inside);
        total += sum_row(object->coverage[row]);
    }
    if (total == 0)
        return (uint32_t)((uint64_t)inside[1] * 65536 / (CELLS * CELLS));
    return (uint32_t)((uint64_t)inside[0] * 65536 / total);
}

static bool can_exceed_0(const struct value *v)
{
    return v->kind != VALUE_CONSTANT || v->a > 0 || v->to_a > 0;
}

static bool can_warp(const struct recipe *recipe)
{
    return can_exceed_0(&recipe->object.perspective) ||
           can_exceed_0(&recipe->object.elastic);
}

static bool pose_varies(const struct recipe *recipe,
                        const struct pose_ranges *ranges)
{
    return ranges->scale->kind != VALUE_CONSTANT ||
           recipe->object.rotate.kind != VALUE_CONSTANT ||
           recipe->object.shear.kind != VALUE_CONSTANT ||
           recipe->object.shear_y.kind != VALUE_CONSTANT ||
           recipe->object.stretch.kind != VALUE_CONSTANT || can_warp(recipe) ||
           ranges->x->kind != VALUE_CONSTANT ||
           ranges->y->kind != VALUE_CONSTANT;
}

/* What follows from what was drawn. */
static void place(struct pose *p, const struct recipe *recipe,
                  const struct pool_object *object)
{
    set_maps(p, recipe, &object->alpha_box);
    if (p->is_warped) {
        warp_set(p, recipe, object);
    }
    bool is_all =
        p->n_points == 0 && corners_inside(p, recipe, &object->alpha_box);
    p->visible_q16 = is_all ? 65536 : weigh_visible(p, recipe, object);
}

static double wanted_q16(const struct draws *d, const struct recipe *recipe)
{
    return recipe_number_at(&recipe->object.min_visible, d->position) * 65536.0;
}

uint32_t pose_find(const struct draws *d, const struct recipe *recipe,
                   const struct pose_ranges *ranges,
                   const struct pool_object *object, struct pose *out)
{
    const double wanted = wanted_q16(d, recipe);
    const uint32_t n_most =
        pose_varies(recipe, ranges) ? PLAN_POSE_ATTEMPTS : 1;
    const double stroke_px =
        draws_value(d, PHILOX_OBJECT_STROKE, 0, &recipe->object.stroke);
    uint32_t attempt = 0;
    do {
        struct pose p = {.stroke_px = stroke_px};
        if (stroke_px != 0) {
            p.reach = stroke_reach(object->width, object->height);
        }
        draw_pose(d, recipe, ranges, attempt, &p);
        if (can_warp(recipe)) {
            warp_draw(d, recipe, attempt, &p);
        }
        place(&p, recipe, object);
        if (attempt == 0 || p.visible_q16 > out->visible_q16) {
            *out = p;
        }
        attempt++;
    } while (out->visible_q16 < wanted && attempt < n_most);
    return attempt;
}

static bool move_varies(const struct recipe *recipe)
{
    return recipe->candidates.translate.kind != VALUE_CONSTANT ||
           recipe->candidates.rotate.kind != VALUE_CONSTANT;
}

uint32_t pose_move(const struct draws *d, const struct recipe *recipe,
                   const struct pool_object *object, uint32_t candidate,
                   struct pose *p)
{
    const enum philox_purpose purpose = PHILOX_OBJECT_CANDIDATE;
    const struct value *shift = &recipe->candidates.translate;
    const struct value *turn = &recipe->candidates.rotate;
    const struct pose own = *p;
    const double wanted = wanted_q16(d, recipe);
    const uint32_t n_most = move_varies(recipe) ? PLAN_POSE_ATTEMPTS : 1;
    struct draws of = *d;
    uint32_t attempt = 0;
    of.candidate = candidate;
    do {
        const uint32_t first = DRAWS_PER_POSE_ATTEMPT * attempt;
        struct pose moved = own;
        moved.rotate_deg += draws_value(&of, purpose, first, turn);
        moved.x += draws_value(&of, purpose, first + 1, shift) / recipe->width;
        moved.y += draws_value(&of, purpose, first + 2, shift) / recipe->height;
        place(&moved, recipe, object);
        if (attempt == 0 || moved.visible_q16 > p->visible_q16) {
            *p = moved;
        }
        attempt++;
    } while (p->visible_q16 < wanted && attempt < n_most);
    return attempt;
}

/* u = (level-0 coordinate) / 2^level - 0.5 at the centre (x + 0.5, y + 0.5) of
 * an output pixel. The offset is taken with the rounded coefficients about
 * `place`, so that their rounding is felt least where the object is. */
static void affine_to_plan(const struct pose *pose,
                           const struct pool_object *object, struct plan *out)
{
    uint32_t level = level_choose(pose->step, POSE_MAX_STEP, object->n_levels);
    const double pivot[2] = {pose->pivot_x, pose->pivot_y};
    const double one = level_scale(level) * 65536.0; /* Q16 a level-0 texel */
    for (int row = 0; row < 2; row++) {
        int64_t *m = out->m + 3 * row;
        m[0] = fixmath_round(pose->inverse[2 * row] * one);
        m[1] = fixmath_round(pose->inverse[2 * row + 1] * one);
        m[2] = ((int64_t)pose->reach * 65536 >> level) +
               fixmath_round(pivot[row] * one - 32768.0 +
                             (double)m[0] * (0.5 - pose->place_x) +
                             (double)m[1] * (0.5 - pose->place_y));
    }
    out->object_level = level;
}

/* A byte b of the outline lies (b - 128) * reach / 127 texels inside it. The
 * shape's new edge is a ramp of one output pixel, or of two bytes where the
 * object is seen so large that these are wider. */
static struct pixel_stroke stroke_of(const struct pose *pose)
{
    const double most = 112; /* of 127: some ramp is left beyond */
    double gain = 255.0 * pose->reach / (127 * pose->step);
    double bytes = pose->stroke_px * pose->step * 127 / pose->reach;
    gain = gain > 128 ? 128 : gain;
    bytes = bytes > most ? most : bytes < -most ? -most : bytes;
    return (struct pixel_stroke){
        .reach = pose->reach,
        .gain = (int32_t)fixmath_round(gain * 65536),
        .offset = (int32_t)fixmath_round(
            (gain * (bytes - 128) + 127.5) * 65536 + 32768),
    };
}

void pose_to_plan(const struct pose *pose, const struct pool_object *object,
                  struct plan *out)
{
    out->has_warp = pose->is_warped;
    if (pose->is_warped) {
        out->warp = pose->warp;
        out->object_level = pose->level;
    } else {
        affine_to_plan(pose, object, out);
    }
    if (pose->reach > 0) {
        out->stroke = stroke_of(pose);
    }
    out->visible_q16 = pose->visible_q16;
    out->told.scale = pose->scale;
    out->told.rotate_deg = pose->rotate_deg;
    out->told.shear_deg = pose->shear_deg;
    out->told.shear_y_deg = pose->shear_y_deg;
    out->told.stretch = pose->stretch;
    out->told.perspective = pose->perspective;
    out->told.elastic_px = pose->elastic_px;
    out->told.stroke_px = pose->stroke_px;
    out->told.x = pose->x;
    out->told.y = pose->y;
    out->told.flip = pose->flip;
}
