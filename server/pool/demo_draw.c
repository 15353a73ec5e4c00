/* Fills paths of the demo painter: scanlines, coverage, blending. Does not make
 * paths (demo_path.c). */
#include "server/pool/demo_draw.h"

#include <assert.h>
#include <string.h>

#define SUB_ROWS      8
#define FULL_COVERAGE (256 * SUB_ROWS)
#define MAX_CROSSINGS 256

struct crossing {
    int32_t x;
    int32_t direction;
};

/* One row of pixels being filled. */
struct scan {
    const struct demo_path *path;
    int32_t width;
    int32_t left, right; /* pixels that the path may touch */
    int32_t n_crossings;
    struct crossing crossings[MAX_CROSSINGS];
    int32_t coverage[DEMO_MAX_SIDE]; /* 0 .. FULL_COVERAGE */
};

uint32_t demo_mix(uint32_t a, uint32_t b, int32_t at)
{
    uint32_t mixed = 0;
    for (int shift = 16; shift >= 0; shift -= 8) {
        int32_t p = (int32_t)(a >> shift & 255),
                q = (int32_t)(b >> shift & 255);
        mixed |= (uint32_t)(p + ((q - p) * at + 128) / 256) << shift;
    }
    return mixed;
}

struct demo_paint demo_flat(uint32_t colour)
{
    return (struct demo_paint){colour, colour, 255};
}

/* Keeps the crossings sorted by x: there are few. */
static void add_crossing(struct scan *s, int32_t x, int32_t direction)
{
    assert(s->n_crossings < MAX_CROSSINGS);
    int32_t i = s->n_crossings++;
    for (; i > 0 && s->crossings[i - 1].x > x; i--)
        s->crossings[i] = s->crossings[i - 1];
    s->crossings[i] = (struct crossing){x, direction};
}

static void cross_edge(struct scan *s, int32_t a, int32_t b, int32_t y)
{
    const struct demo_path *p = s->path;
    int32_t y0 = p->y[a], y1 = p->y[b];
    if ((y0 <= y) == (y1 <= y))
        return;
    int64_t rise = (int64_t)(y - y0) * (p->x[b] - p->x[a]);
    add_crossing(s, p->x[a] + (int32_t)(rise / (y1 - y0)), y1 > y0 ? 1 : -1);
}

static void find_crossings(struct scan *s, int32_t y)
{
    const struct demo_path *p = s->path;
    s->n_crossings = 0;
    for (int32_t r = 0; r < p->n_rounds; r++) {
        int32_t first = p->round_first[r], end = p->round_first[r + 1];
        for (int32_t i = first; i + 1 < end; i++)
            cross_edge(s, i, i + 1, y);
        if (end - first > 1)
            cross_edge(s, end - 1, first, y);
    }
}

/* [x0, x1) in 1/256 pixel */
static void cover(struct scan *s, int32_t x0, int32_t x1)
{
    if (x0 < 0)
        x0 = 0;
    if (x1 > s->width * 256)
        x1 = s->width * 256;
    if (x0 >= x1)
        return;
    int32_t first = x0 / 256, last = (x1 - 1) / 256;
    if (first == last) {
        s->coverage[first] += x1 - x0;
        return;
    }
    s->coverage[first] += 256 - x0 % 256;
    for (int32_t i = first + 1; i < last; i++)
        s->coverage[i] += 256;
    s->coverage[last] += x1 - last * 256;
}

static void cover_sub_row(struct scan *s, int32_t y)
{
    int32_t winding = 0;
    find_crossings(s, y);
    for (int32_t i = 0; i + 1 < s->n_crossings; i++) {
        winding += s->crossings[i].direction;
        if (winding != 0)
            cover(s, s->crossings[i].x, s->crossings[i + 1].x);
    }
}

/* Source over with straight alpha; alpha 0..255. */
static void blend_rgba(uint8_t *pixel, uint32_t colour, int32_t alpha)
{
    int32_t below = pixel[3] * (255 - alpha) / 255, sum = alpha + below;
    if (sum == 0)
        return;
    for (int i = 0; i < 3; i++) {
        int32_t c = (int32_t)(colour >> (16 - 8 * i) & 255);
        pixel[i] = (uint8_t)((c * alpha + pixel[i] * below + sum / 2) / sum);
    }
    pixel[3] = (uint8_t)sum;
}

static void blend_rgb(uint8_t *pixel, uint32_t colour, int32_t alpha)
{
    for (int i = 0; i < 3; i++) {
        int32_t c = (int32_t)(colour >> (16 - 8 * i) & 255);
        pixel[i] =
            (uint8_t)((c * alpha + pixel[i] * (255 - alpha) + 127) / 255);
    }
}

static void blend_row(struct demo_canvas *c, const struct scan *s, int32_t y,
                      struct demo_paint paint)
{
    int32_t last = c->height > 1 ? c->height - 1 : 1;
    uint32_t colour = demo_mix(paint.top, paint.bottom, y * 256 / last);
    uint8_t *row = c->pixels + y * c->stride_bytes;
    for (int32_t x = s->left; x < s->right; x++) {
        uint8_t *pixel = row + x * c->n_channels;
        int32_t alpha = s->coverage[x] * paint.alpha / FULL_COVERAGE;
        if (alpha == 0)
            continue;
        if (c->n_channels == 4)
            blend_rgba(pixel, colour, alpha);
        else
            blend_rgb(pixel, colour, alpha);
    }
}

static void find_extent(const int32_t *values, int32_t n, int32_t *low,
                        int32_t *high)
{
    *low = INT32_MAX;
    *high = INT32_MIN;
    for (int32_t i = 0; i < n; i++) {
        *low = values[i] < *low ? values[i] : *low;
        *high = values[i] > *high ? values[i] : *high;
    }
}

/* From 1/256 pixel to [first, end) pixels on a side. */
static void clip_extent(int32_t *low, int32_t *high, int32_t side)
{
    *low = *low < 0 ? 0 : *low / 256;
    *high = *high < 0 ? 0 : *high / 256 + 1;
    if (*high > side)
        *high = side;
}

void demo_fill(struct demo_canvas *c, const struct demo_path *p,
               struct demo_paint paint)
{
    int32_t top, bottom;
    struct scan s = {.path = p, .width = c->width};
    assert(c->width <= DEMO_MAX_SIDE);
    find_extent(p->x, p->n_points, &s.left, &s.right);
    find_extent(p->y, p->n_points, &top, &bottom);
    clip_extent(&s.left, &s.right, c->width);
    clip_extent(&top, &bottom, c->height);
    for (int32_t y = top; y < bottom; y++) {
        memset(s.coverage, 0, sizeof(s.coverage));
        for (int32_t i = 0; i < SUB_ROWS; i++)
            cover_sub_row(&s, y * 256 + (2 * i + 1) * 256 / (2 * SUB_ROWS));
        blend_row(c, &s, y, paint);
    }
}

void demo_fill_text(struct demo_canvas *c, struct demo_transform t,
                    const char *text, struct demo_paint paint)
{
    struct demo_path path;
    demo_path_init(&path, t);
    demo_path_parse(&path, text);
    demo_fill(c, &path, paint);
}

void demo_stroke_text(struct demo_canvas *c, struct demo_transform t,
                      const char *text, int32_t width, struct demo_paint paint)
{
    struct demo_path lines, outline;
    demo_path_init(&lines, t);
    demo_path_parse(&lines, text);
    demo_path_stroke(&lines, &outline, width, 0);
    demo_fill(c, &outline, paint);
}
