/* A small vector painter for the demo pools: paths of straight pieces, filled
 * with anti-aliased edges. Integers throughout; the few sines and roots come
 * from fixmath and are rounded, so that pixels are the same on every machine.
 * Draws nothing of its own accord: demo_signs, demo_digits and the backgrounds
 * do. Threads: no shared state. */
#ifndef PASTED_POOL_DEMO_DRAW_H
#define PASTED_POOL_DEMO_DRAW_H

#include <stddef.h>
#include <stdint.h>

#define DEMO_MAX_SIDE   512
#define DEMO_MAX_POINTS 4096
#define DEMO_MAX_ROUNDS 640

struct demo_canvas {
    uint8_t *pixels; /* [h][w][n_channels]; RGBA has straight alpha */
    ptrdiff_t stride_bytes;
    int32_t width, height;
    int32_t n_channels; /* 3 or 4 */
};

/* From design units to pixels: x' = (xx * x + xy * y) / 65536 + x0, in 1/256
 * pixel, y' likewise. |coefficient| < 2^24, |design unit| < 2^14. */
struct demo_transform {
    int32_t xx, xy, x0;
    int32_t yx, yy, y0;
};

/* Scales units_per_side design units to side_px, at (x_px, y_px). */
struct demo_transform demo_scale_to(int32_t side_px, int32_t units_per_side,
                                    int32_t x_px, int32_t y_px);

/* Closed contours ("rounds") and open lines, in 1/256 pixel. About 40 KiB: fit
 * for the stack, one at a time. */
struct demo_path {
    struct demo_transform transform;
    int32_t n_points, n_rounds;
    int32_t round_first[DEMO_MAX_ROUNDS + 1];
    int32_t x[DEMO_MAX_POINTS], y[DEMO_MAX_POINTS];
};

void demo_path_init(struct demo_path *p, struct demo_transform t);

/* Design units. move begins a contour; more points than fit are a mistake of
 * ours (asserted). */
void demo_path_move(struct demo_path *p, int32_t x, int32_t y);
void demo_path_line(struct demo_path *p, int32_t x, int32_t y);
/* Cubic from the last point; control points a and b, end c. */
void demo_path_curve(struct demo_path *p, const int32_t a[2],
                     const int32_t b[2], const int32_t c[2]);
/* Points on an ellipse from degree `from` to `to` (0 is right, 90 is down),
 * appended to the contour, or its first points after demo_path_begin. */
void demo_path_arc(struct demo_path *p, const int32_t centre[2],
                   const int32_t radius[2], int32_t from, int32_t to);
void demo_path_begin(struct demo_path *p);

/* Appends what `text` says. Letters, each followed by numbers:
 *   M x y, L x y ...      move, lines
 *   C ax ay bx by x y     cubic curve
 *   A cx cy r from to     arc, joined to what came before; B begins with one
 *   O cx cy r             circle;  E cx cy rx ry  ellipse
 *   R x y w h r           rectangle with rounded corners
 *   N cx cy r n degrees   regular polygon, first corner at that angle
 *   S cx cy r s n degrees star of n points with inner radius s
 * (asserted: text is ours). */
void demo_path_parse(struct demo_path *p, const char *text);

/* Replaces lines by their outline, `width` design units wide, round ends and
 * joins; closed: also from each contour's last point to its first. */
void demo_path_stroke(const struct demo_path *lines, struct demo_path *out,
                      int32_t width, int closed);

/* Colours are 0xRRGGBB. The paint goes from `top` at the canvas' first row to
 * `bottom` at its last; alpha 0..255 scales the coverage. */
struct demo_paint {
    uint32_t top, bottom;
    int32_t alpha;
};

struct demo_paint demo_flat(uint32_t colour);

/* Non-zero winding, so that overlapping contours unite; 256 horizontal and 8
 * vertical steps of coverage a pixel. */
void demo_fill(struct demo_canvas *c, const struct demo_path *p,
               struct demo_paint paint);

/* parse + fill, and parse + stroke + fill */
void demo_fill_text(struct demo_canvas *c, struct demo_transform t,
                    const char *text, struct demo_paint paint);
void demo_stroke_text(struct demo_canvas *c, struct demo_transform t,
                      const char *text, int32_t width, struct demo_paint paint);

/* a + (b - a) * at / 256 for each channel; 0 <= at <= 256. */
uint32_t demo_mix(uint32_t a, uint32_t b, int32_t at);

#endif
