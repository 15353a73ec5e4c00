/* Brute force over every pixel, with kernels of the oracle on one pixel at a
 * time. Slow on purpose. */
#include "tests/unit/brute.h"

#include <stdlib.h>
#include <string.h>

#include "tests/kernel/oracle.h"

static const struct image_level *level_of(const struct catalog *c,
                                          const struct plan *p)
{
    const struct pool_object *o = &c->objects[p->object];
    return p->stroke.reach > 0 ? &o->stroke->level[p->object_level]
                               : &o->level[p->object_level];
}

static void sample_warped(const struct image_level *l,
                          const struct pixel_warp *w, int32_t x, int32_t y,
                          uint8_t out[4])
{
    int32_t u, v;
    memset(out, 0, 4);
    if (x < w->box.x0 || x >= w->box.x1 || y < w->box.y0 || y >= w->box.y1)
        return;
    for (uint32_t i = 0; i < w->n_clips; i++)
        if (w->clip[i][0] * x + w->clip[i][1] * y + w->clip[i][2] < 0)
            return;
    warp_coordinates(w, x, y, 1, &u, &v);
    oracle_kernels.warp_row(l, &u, &v, 1, out);
}

static void sample_level(const struct image_level *l, const struct plan *p,
                         int32_t x, int32_t y, uint8_t out[4])
{
    const int64_t *m = p->m;
    if (p->has_warp) {
        sample_warped(l, &p->warp, x, y, out);
        return;
    }
    int64_t u = m[0] * x + m[1] * y + m[2], v = m[3] * x + m[4] * y + m[5];
    memset(out, 0, 4);
    if (u < -65536 || v < -65536 || u >= (int64_t)l->width << 16 ||
        v >= (int64_t)l->height << 16)
        return;
    struct pixel_line line = {(int32_t)u, (int32_t)v, 0, 0, 1};
    oracle_kernels.object_lines(l, &line, 1, out);
}

static void sample_object(const struct image_level *l, const struct plan *p,
                          int32_t x, int32_t y, uint8_t out[4])
{
    sample_level(l, p, x, y, out);
    if (p->stroke.reach > 0)
        stroke_row(&oracle_kernels, out, &p->stroke, 1);
}

/* B(x, y) of the page, from samples taken anew. */
static uint8_t blurred_alpha(const struct image_level *l, const struct plan *p,
                             int32_t x, int32_t y)
{
    const int32_t radius = (int32_t)p->edge_radius;
    uint64_t across = 32768;
    for (int32_t i = -radius; i <= radius; i++) {
        uint64_t down = 32768;
        for (int32_t k = -radius; k <= radius; k++) {
            uint8_t rgba[4];
            sample_object(l, p, x + i, y + k, rgba);
            down += (uint64_t)rgba[3] * p->edge_weight[k < 0 ? -k : k];
        }
        across += (down >> 16) * p->edge_weight[i < 0 ? -i : i];
    }
    return (uint8_t)(across >> 16);
}

/* The mean of three erosions, from samples taken anew. */
static uint8_t eroded_alpha(const struct image_level *l, const struct plan *p,
                            int32_t x, int32_t y)
{
    int least[4] = {255, 255, 255, 255};
    for (int32_t i = 0; i < 49; i++) {
        int32_t dx = i % 7 - 3, dy = i / 7 - 3;
        uint8_t rgba[4];
        sample_object(l, p, x + dx, y + dy, rgba);
        for (int k = 1; k <= 3; k++)
            if (dx >= -k && dx <= k && dy >= -k && dy <= k)
                least[k] = rgba[3] < least[k] ? rgba[3] : least[k];
    }
    return (uint8_t)((least[1] + least[2] + least[3] + 1) / 3);
}

/* The mean along a line, from samples taken anew. */
static void smeared_pixel(const struct image_level *l, const struct plan *p,
                          int32_t x, int32_t y, uint8_t out[4])
{
    uint32_t sum[4] = {0};
    for (int32_t i = 0; i < p->motion.n; i++) {
        const int32_t t = 2 * i - (p->motion.n - 1);
        uint8_t rgba[4];
        sample_object(l, p, x + ((t * p->motion.cosine + 65536) >> 17),
                      y + ((65536 - t * p->motion.sine) >> 17), rgba);
        for (int c = 0; c < 4; c++)
            sum[c] += rgba[c];
    }
    for (int c = 0; c < 4; c++)
        out[c] = (uint8_t)((sum[c] + (uint32_t)p->motion.n / 2) /
                           (uint32_t)p->motion.n);
}

/* Edge and colour, as the match sees it. */
static void object_pixel(const struct image_level *l, const struct plan *p,
                         int32_t x, int32_t y, uint8_t out[4])
{
    sample_object(l, p, x, y, out);
    if (p->edge == EDGE_HARD)
        oracle_kernels.harden_row(out, 1);
    if (p->edge == EDGE_ERODED) {
        uint8_t factor = eroded_alpha(l, p, x, y);
        oracle_kernels.fade_row(out, &factor, 1);
    }
    if (p->edge == EDGE_FEATHER) {
        uint8_t factor = blurred_alpha(l, p, x, y);
        oracle_kernels.fade_row(out, &factor, 1);
    }
    if (p->edge == EDGE_MOTION)
        smeared_pixel(l, p, x, y, out);
    if (p->has_object_colour)
        oracle_kernels.tint_row(out, p->object_colour, 1);
}

static int64_t clamp(int64_t v, int64_t hi)
{
    return v < 0 ? 0 : v > hi ? hi : v;
}

static void turned_pixel(const struct image_level *l, const struct plan *p,
                         int32_t x, int32_t y, uint8_t out[3])
{
    int32_t u, v;
    turn_coordinates(&p->turn, l, x, y, 1, &u, &v);
    oracle_kernels.photo_row(l, &u, &v, 1, out);
    if (p->turn.padding == PADDING_COLOUR)
        turn_fill(&p->turn, l, x, y, 1, out);
}

static void background_pixel(const struct image_level *l, const struct plan *p,
                             int32_t x, int32_t y, uint8_t out[3])
{
    if (p->has_turn) {
        turned_pixel(l, p, x, y, out);
        return;
    }
    int32_t u = (int32_t)clamp(p->crop_u + (int64_t)x * p->crop_du,
                               (int64_t)(l->width - 1) << 16);
    int32_t v = (int32_t)clamp(p->crop_v + (int64_t)y * p->crop_dv,
                               (int64_t)(l->height - 1) << 16);
    int32_t y0 = v >> 16, y1 = (int32_t)clamp(y0 + 1, l->height - 1);
    const struct pixel_pair pair = {l->pixels + y0 * l->stride_bytes,
                                    l->pixels + y1 * l->stride_bytes,
                                    (uint32_t)v >> 9 & 127};
    const struct pixel_resample one = {
        .u = u, .max_u = (l->width - 1) << 16, .n = 1, .n_texels = l->width};
    oracle_kernels.resample_rows(&one, &pair, 1, NULL, out, 0);
}

static void noise_pixel(const struct plan *p, int32_t x, const uint8_t *row,
                        uint8_t out[3])
{
    for (int c = 0; c < 3; c++)
        out[c] = row[p->noise_is_grey ? x : x * 3 + c];
}

static void context_pixel(const struct catalog *c, const struct plan *p,
                          int32_t x, int32_t y, uint8_t *row, uint8_t out[3])
{
    if (p->context == CONTEXT_NOISE) {
        oracle_kernels.noise_row(p->noise_key, (uint32_t)y, p->noise_lo,
                                 p->noise_hi, p->width, row);
        noise_pixel(p, x, row, out);
    } else if (p->context == CONTEXT_GAUSSIAN_NOISE) {
        oracle_kernels.normal_row(p->noise_key, (uint32_t)y, p->noise_amplitude,
                                  p->width, row);
        noise_pixel(p, x, row, out);
    } else if (p->context == CONTEXT_GRADIENT) {
        oracle_kernels.gradient_row(&p->gradient, y, p->width, row);
        memcpy(out, row + x * 3, 3);
    } else if (p->context == CONTEXT_TEXTURE) {
        oracle_kernels.texture_row(&p->texture, y, p->width, row);
        memcpy(out, row + x * 3, 3);
    } else if (p->context == CONTEXT_SOLID) {
        oracle_kernels.solid_row(p->solid, 1, out);
    } else {
        uint8_t plain[3];
        background_pixel(&c->backgrounds[p->background].level[p->crop_level], p,
                         x, y, plain);
        memcpy(out, plain, 3);
        if (p->has_background_colour)
            oracle_kernels.colour_row(plain, p->background_colour, 1, out);
    }
}

static void widen(struct image_box *b, int32_t x, int32_t y)
{
    b->x0 = x < b->x0 ? x : b->x0;
    b->y0 = y < b->y0 ? y : b->y0;
    b->x1 = x >= b->x1 ? x + 1 : b->x1;
    b->y1 = y >= b->y1 ? y + 1 : b->y1;
}

/* Does the plan match colours, of an object that is seen? */
static bool find_match(const struct catalog *catalog, const struct plan *plan,
                       uint8_t *row, int32_t out[3][4])
{
    const struct image_level *object = level_of(catalog, plan);
    const struct image_box none = {INT32_MAX, INT32_MAX, 0, 0};
    struct image_box solid = none, any = none;
    struct match_sums of_object = {0}, of_context = {0};
    for (int32_t i = 0; i < plan->width * plan->height; i++) {
        uint8_t over[4];
        object_pixel(object, plan, i % plan->width, i / plan->width, over);
        match_add_object(&of_object, over, 1);
        if (over[3] >= 128)
            widen(&solid, i % plan->width, i / plan->width);
        if (over[3] > 0)
            widen(&any, i % plan->width, i / plan->width);
    }
    if (plan->match_q16 == 0 || of_object.weight == 0)
        return false;
    const struct image_box *box = solid.x1 > 0 ? &solid : &any;
    for (int32_t y = box->y0; y < box->y1; y++)
        for (int32_t x = box->x0; x < box->x1; x++) {
            uint8_t pixel[3];
            context_pixel(catalog, plan, x, y, row, pixel);
            match_add_context(&of_context, pixel, 1);
        }
    match_matrix(&of_object, &of_context, plan->match_mode, plan->match_q16,
                 out);
    return true;
}

void brute_sample(const struct catalog *catalog, const struct plan *plan,
                  uint8_t *rgb, struct image_box *out_box)
{
    const struct image_level *object = level_of(catalog, plan);
    const struct image_box none = {INT32_MAX, INT32_MAX, 0, 0};
    struct image_box solid = none, any = none;
    uint8_t *row = malloc((size_t)plan->width * 4);
    int32_t match[3][4];
    const bool has_match = row && find_match(catalog, plan, row, match);
    for (int32_t i = 0; row && i < plan->width * plan->height; i++) {
        int32_t x = i % plan->width, y = i / plan->width;
        uint8_t pixel[3], over[4], peak[4] = {0};
        context_pixel(catalog, plan, x, y, row, pixel);
        object_pixel(object, plan, x, y, over);
        if (has_match)
            oracle_kernels.tint_row(over, match, 1);
        if (plan->blend != BLEND_OVER)
            oracle_kernels.fade_row(over, (const uint8_t[]){170}, 1);
        if (plan->blend == BLEND_TWO_THIRDS_FRAME) {
            oracle_kernels.third_row(pixel, 1);
            oracle_kernels.add_row(pixel, over, 1, peak);
        } else {
            oracle_kernels.over_row(pixel, over, 1, peak);
        }
        if (plan->has_colour)
            oracle_kernels.colour_row(pixel, plan->colour, 1, rgb + i * 3);
        else
            memcpy(rgb + i * 3, pixel, 3);
        if (over[3] >= 128)
            widen(&solid, x, y);
        if (over[3] > 0)
            widen(&any, x, y);
    }
    free(row);
    *out_box = solid.x1 > 0 ? solid : any;
    if (out_box->x1 == 0)
        *out_box = (struct image_box){0, 0, 0, 0};
}
