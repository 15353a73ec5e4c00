/* Paths of the demo painter: from moves, curves, arcs and their text form to
 * points in 1/256 pixel, and from lines to the outlines of their strokes. Does
 * not touch pixels. */
#include <assert.h>
#include <string.h>

#include "server/base/fixmath.h"
#include "server/pool/demo_draw.h"

#define CURVE_STEPS 12
#define PI          3.14159265358979323846

struct demo_transform demo_scale_to(int32_t side_px, int32_t units_per_side,
                                    int32_t x_px, int32_t y_px)
{
    int32_t scale = (int32_t)((int64_t)side_px * 256 * 65536 / units_per_side);
    return (struct demo_transform){
        .xx = scale,
        .x0 = x_px * 256,
        .yy = scale,
        .y0 = y_px * 256,
    };
}

void demo_path_init(struct demo_path *p, struct demo_transform t)
{
    p->transform = t;
    p->n_points = 0;
    p->n_rounds = 0;
    p->round_first[0] = 0;
}

/* The number of points is the end of the last contour. */
static void add_raw(struct demo_path *p, int32_t x, int32_t y)
{
    assert(p->n_points < DEMO_MAX_POINTS && p->n_rounds > 0);
    p->x[p->n_points] = x;
    p->y[p->n_points] = y;
    p->round_first[p->n_rounds] = ++p->n_points;
}

static int32_t to_x(const struct demo_transform *t, int64_t x, int64_t y)
{
    return (int32_t)((t->xx * x + t->xy * y) / 65536) + t->x0;
}

static int32_t to_y(const struct demo_transform *t, int64_t x, int64_t y)
{
    return (int32_t)((t->yx * x + t->yy * y) / 65536) + t->y0;
}

void demo_path_begin(struct demo_path *p)
{
    assert(p->n_rounds < DEMO_MAX_ROUNDS);
    p->n_rounds++;
    p->round_first[p->n_rounds] = p->n_points;
}

void demo_path_move(struct demo_path *p, int32_t x, int32_t y)
{
    demo_path_begin(p);
    demo_path_line(p, x, y);
}

void demo_path_line(struct demo_path *p, int32_t x, int32_t y)
{
    add_raw(p, to_x(&p->transform, x, y), to_y(&p->transform, x, y));
}

/* The curve is affine in its control points, so it can be followed after the
 * transform, in finer units. */
void demo_path_curve(struct demo_path *p, const int32_t a[2],
                     const int32_t b[2], const int32_t c[2])
{
    const struct demo_transform *t = &p->transform;
    int64_t x0 = p->x[p->n_points - 1], y0 = p->y[p->n_points - 1];
    int64_t x1 = to_x(t, a[0], a[1]), y1 = to_y(t, a[0], a[1]);
    int64_t x2 = to_x(t, b[0], b[1]), y2 = to_y(t, b[0], b[1]);
    int64_t x3 = to_x(t, c[0], c[1]), y3 = to_y(t, c[0], c[1]);
    const int64_t n = CURVE_STEPS;
    for (int64_t i = 1; i <= n; i++) {
        int64_t j = n - i;
        int64_t w0 = j * j * j, w1 = 3 * i * j * j;
        int64_t w2 = 3 * i * i * j, w3 = i * i * i;
        add_raw(
            p, (int32_t)((w0 * x0 + w1 * x1 + w2 * x2 + w3 * x3) / (n * n * n)),
            (int32_t)((w0 * y0 + w1 * y1 + w2 * y2 + w3 * y3) / (n * n * n)));
    }
}

/* A point on an ellipse at a fraction of a degree, in 1/16 design unit, which
 * the transform keeps (its coefficients are divided by 16 instead). */
static void add_polar(struct demo_path *p, const int32_t centre[2],
                      const int32_t radius[2], double degrees)
{
    double angle = degrees * PI / 180;
    double x = (centre[0] + radius[0] * fixmath_cos(angle)) * 16;
    double y = (centre[1] + radius[1] * fixmath_sin(angle)) * 16;
    const struct demo_transform *t = &p->transform;
    int64_t ix = fixmath_round(x), iy = fixmath_round(y);
    add_raw(p, (int32_t)((t->xx * ix + t->xy * iy) / (65536 * 16)) + t->x0,
            (int32_t)((t->yx * ix + t->yy * iy) / (65536 * 16)) + t->y0);
}

/* One point for every nine degrees. */
void demo_path_arc(struct demo_path *p, const int32_t centre[2],
                   const int32_t radius[2], int32_t from, int32_t to)
{
    int32_t span = to - from, n = (span < 0 ? -span : span) / 9 + 1;
    for (int32_t i = 0; i <= n; i++)
        add_polar(p, centre, radius, from + (double)span * i / n);
}

static void add_ellipse(struct demo_path *p, const int32_t n[4])
{
    demo_path_begin(p);
    demo_path_arc(p, n, n + 2, 0, 360);
}

static void add_rectangle(struct demo_path *p, const int32_t n[5])
{
    int32_t r = n[4], radius[2] = {r, r};
    int32_t left = n[0] + r, right = n[0] + n[2] - r;
    int32_t top = n[1] + r, bottom = n[1] + n[3] - r;
    const int32_t corners[4][2] = {
        {right, bottom}, {left, bottom}, {left, top}, {right, top}};
    demo_path_begin(p);
    for (int32_t i = 0; i < 4; i++)
        demo_path_arc(p, corners[i], radius, i * 90, i * 90 + 90);
}

static void add_star(struct demo_path *p, const int32_t *centre, int32_t outer,
                     int32_t inner, int32_t n, int32_t degrees)
{
    const int32_t r[2][2] = {{outer, outer}, {inner, inner}};
    demo_path_begin(p);
    for (int32_t i = 0; i < 2 * n; i++)
        if (i % 2 == 0 || inner > 0)
            add_polar(p, centre, r[i % 2], degrees + 180.0 * i / n);
}

/* How many numbers follow a letter. */
static int n_numbers(char letter)
{
    switch (letter) {
    case 'M':
    case 'L':
        return 2;
    case 'O':
        return 3;
    case 'E':
        return 4;
    case 'A':
    case 'B':
    case 'R':
    case 'N':
        return 5;
    case 'C':
    case 'S':
        return 6;
    default:
        return 0;
    }
}

static void add_piece(struct demo_path *p, char letter, const int32_t n[6])
{
    const int32_t circle[4] = {n[0], n[1], n[2], n[2]};
    switch (letter) {
    case 'M':
        demo_path_move(p, n[0], n[1]);
        break;
    case 'L':
        demo_path_line(p, n[0], n[1]);
        break;
    case 'C':
        demo_path_curve(p, n, n + 2, n + 4);
        break;
    case 'B':
        demo_path_begin(p);
        demo_path_arc(p, n, circle + 2, n[3], n[4]);
        break;
    case 'A':
        demo_path_arc(p, n, circle + 2, n[3], n[4]);
        break;
    case 'O':
        add_ellipse(p, circle);
        break;
    case 'E':
        add_ellipse(p, n);
        break;
    case 'R':
        add_rectangle(p, n);
        break;
    case 'N':
        add_star(p, n, n[2], 0, n[3], n[4]);
        break;
    default:
        add_star(p, n, n[2], n[3], n[4], n[5]);
        break;
    }
}

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const char *read_number(const char *at, int32_t *out)
{
    while (*at == ' ')
        at++;
    int32_t sign = *at == '-' ? -1 : 1;
    if (*at == '-')
        at++;
    assert(is_digit(*at));
    *out = 0;
    while (is_digit(*at))
        *out = *out * 10 + (*at++ - '0');
    *out *= sign;
    return at;
}

/* A letter stands until the next one: "L 1 2 3 4" is two lines. */
void demo_path_parse(struct demo_path *p, const char *text)
{
    char letter = 0;
    while (*text != '\0') {
        if (*text == ' ') {
            text++;
            continue;
        }
        if (*text >= 'A' && *text <= 'Z')
            letter = *text++;
        int n = n_numbers(letter);
        assert(n > 0);
        int32_t numbers[6];
        for (int i = 0; i < n; i++)
            text = read_number(text, &numbers[i]);
        add_piece(p, letter, numbers);
    }
}

/* One stretch of a stroke: a capsule from (x0, y0) to (x1, y1). All capsules
 * turn the same way round, so non-zero winding unites them. */
static void add_capsule(struct demo_path *p, const int32_t a[2],
                        const int32_t b[2], double radius)
{
    double dx = b[0] - a[0], dy = b[1] - a[1];
    double length = fixmath_sqrt(dx * dx + dy * dy);
    double ux = length > 0 ? dx / length : 1, uy = length > 0 ? dy / length : 0;
    demo_path_begin(p);
    for (int i = 0; i < 16; i++) {
        double turn = (i % 8) * PI / 7 + PI / 2 + (i < 8 ? 0 : PI);
        double c = fixmath_cos(turn), s = fixmath_sin(turn);
        const int32_t *end = i < 8 ? a : b;
        add_raw(p, end[0] + (int32_t)fixmath_round(radius * (c * ux - s * uy)),
                end[1] + (int32_t)fixmath_round(radius * (c * uy + s * ux)));
    }
}

void demo_path_stroke(const struct demo_path *lines, struct demo_path *out,
                      int32_t width, int closed)
{
    const struct demo_transform *t = &lines->transform;
    /* the mean scale of the two axes, for a stroke of even width */
    double det = (double)t->xx * t->yy - (double)t->xy * t->yx;
    double scale = fixmath_sqrt(det < 0 ? -det : det);
    double radius = scale * width / 65536 / 2;
    demo_path_init(out, *t);
    for (int32_t r = 0; r < lines->n_rounds; r++) {
        int32_t first = lines->round_first[r], end = lines->round_first[r + 1];
        int32_t n = end - first;
        for (int32_t i = 0; i < n - (closed ? 0 : n > 1); i++) {
            int32_t at = first + i, next = first + (i + 1) % n;
            const int32_t a[2] = {lines->x[at], lines->y[at]};
            const int32_t b[2] = {lines->x[next], lines->y[next]};
            add_capsule(out, a, b, radius);
        }
    }
}
