/* Renders the rows of one sample through the kernels. Computes geometry and
 * boxes only; every pixel is a kernel's. Source: NUMERICS.md. */
#include "server/compose/render.h"

#include <assert.h>
#include <string.h>

#include "server/compose/crop_box.h"
#include "server/compose/scratch.h"
#include "server/compose/turn_rows.h"

_Static_assert((IMAGE_MAX_SIDE + 1) * 3 + PIXEL_SLACK_BYTES + SCRATCH_ALIGN <=
                   PIXEL_STAGE_BYTES,
               "a row of the widest background fits");

int32_t render_block_rows(int32_t width)
{
    int32_t rows = RENDER_BLOCK_PX / width;
    return rows < 1 ? 1 : rows < RENDER_BLOCK_ROWS ? rows : RENDER_BLOCK_ROWS;
}

static size_t block_bytes(int32_t width)
{
    return scratch_aligned((size_t)width * 3 *
                           (size_t)render_block_rows(width));
}

static size_t object_bytes(int32_t width)
{
    return scratch_aligned((size_t)width * 4 *
                               (size_t)render_block_rows(width) +
                           PIXEL_SLACK_BYTES);
}

size_t compose_scratch_bytes(int32_t width, int32_t height)
{
    (void)height; /* blocks of rows are finished one by one */
    return scratch_aligned(PIXEL_STAGE_BYTES) +
           scratch_aligned(pixel_resample_bytes(width)) +
           2 * block_bytes(width) + object_bytes(width) +
           2 * scratch_aligned((size_t)width * 4) +
           scratch_aligned((size_t)width) + feather_scratch_bytes(width);
}

static void check_plan(const struct plan *p, const struct catalog *c)
{
    assert(p->width >= 1 && p->width <= FRAME_MAX_SIDE);
    assert(p->height >= 1 && p->height <= FRAME_MAX_SIDE);
    assert(p->object < c->n_objects);
    assert(p->object_level < c->objects[p->object].n_levels);
    assert(p->stroke.reach == 0 || c->objects[p->object].stroke);
    if (p->context != CONTEXT_BACKGROUND)
        return;
    assert(p->background < c->n_backgrounds);
    assert(p->crop_level < c->backgrounds[p->background].n_levels);
    int64_t end = p->crop_u + (int64_t)p->width * p->crop_du;
    assert(end >= INT32_MIN && end <= INT32_MAX);
}

static uint8_t *take(uint8_t **scratch, size_t n_bytes)
{
    uint8_t *p = *scratch;
    *scratch += scratch_aligned(n_bytes);
    return p;
}

static void init_context(struct render *r, const struct catalog *catalog,
                         uint8_t **scratch)
{
    const struct plan *p = r->plan;
    r->stage = take(scratch, PIXEL_STAGE_BYTES);
    uint8_t *table = take(scratch, pixel_resample_bytes(p->width));
    if (p->context != CONTEXT_BACKGROUND)
        return;
    r->context = &catalog->backgrounds[p->background].level[p->crop_level];
    if (p->has_turn)
        return;
    r->crop = crop_box(p, r->context);
    r->resample = (struct pixel_resample){
        .u = p->crop_u - (r->crop.x0 << 16), /* rows start at crop.x0 */
        .du = p->crop_du,
        .max_u = (r->context->width - 1 - r->crop.x0) << 16,
        .n = p->width,
        .n_texels = r->crop.x1 - r->crop.x0,
        .table = table,
    };
    r->kernels->resample_prepare(&r->resample);
}

void render_rewind(struct render *r)
{
    const struct plan *p = r->plan;
    const struct pixel_span all = {0, p->width};
    if (feather_is_asked(p))
        feather_init(&r->feather, r->kernels, r->object_level, p,
                     r->feather_scratch);
    else
        object_walk_init(&r->object, r->object_level, p->m, 0, all);
    for (int i = 0; i < 2; i++)
        memset(r->peak[i], 0, (size_t)p->width * 4);
    r->solid_y[0] = r->any_y[0] = INT32_MAX;
    r->solid_y[1] = r->any_y[1] = 0;
}

void render_init(struct render *r, const struct catalog *catalog,
                 const struct plan *plan, const uint8_t *given,
                 const struct plan *next, void *scratch)
{
    check_plan(plan, catalog);
    assert((plan->context == CONTEXT_GIVEN) == (given != NULL));
    r->kernels = pixel_kernels();
    r->plan = plan;
    uint8_t *at = scratch;
    init_context(r, catalog, &at);
    r->block = take(&at, block_bytes(plan->width));
    r->photo = take(&at, block_bytes(plan->width));
    r->object_rows = take(&at, object_bytes(plan->width));
    r->peak[0] = take(&at, (size_t)plan->width * 4);
    r->peak[1] = take(&at, (size_t)plan->width * 4);
    r->two_thirds = take(&at, (size_t)plan->width);
    if (plan->blend != BLEND_OVER)
        memset(r->two_thirds, 170, (size_t)plan->width);
    r->feather_scratch = at;
    r->object_level = object_level_of(plan, catalog);
    r->has_match = false;
    render_rewind(r);
    ahead_init(&r->ahead, catalog, next);
    r->is_streamed = false;
    r->layers = (struct layers){0};
    r->staged_context = given;
    r->staged_object = NULL;
}

/* The two source rows around v, from the first column that the crop needs. */
static struct pixel_pair pair_of(const struct render *r, int32_t y)
{
    const struct plan *p = r->plan;
    const struct image_level *level = r->context;
    const int32_t last_y = level->height - 1;
    int64_t v = crop_clamp(p->crop_v + (int64_t)y * p->crop_dv, 0,
                           (int64_t)last_y << 16);
    int32_t y0 = (int32_t)(v >> 16), y1 = y0 < last_y ? y0 + 1 : y0;
    const uint8_t *column = level->pixels + (ptrdiff_t)r->crop.x0 * 3;
    return (struct pixel_pair){column + y0 * level->stride_bytes,
                               column + y1 * level->stride_bytes,
                               (uint32_t)(v >> 9) & 127};
}

static void background_rows(const struct render *r, int32_t y, int32_t n_rows,
                            uint8_t *rgb, ptrdiff_t stride_bytes)
{
    if (r->plan->has_turn) {
        const struct turn_frame frame = {y, n_rows, r->plan->width, rgb,
                                         stride_bytes};
        turn_rows(r->kernels, &r->plan->turn, r->context, &frame);
        return;
    }
    struct pixel_pair pair[RENDER_BLOCK_ROWS];
    for (int32_t i = 0; i < n_rows; i++)
        pair[i] = pair_of(r, y + i);
    r->kernels->resample_rows(&r->resample, pair, n_rows, r->stage, rgb,
                              stride_bytes);
}

static void photo_rows(const struct render *r, int32_t y, int32_t n_rows,
                       uint8_t *rgb, ptrdiff_t stride_bytes)
{
    const struct plan *p = r->plan;
    if (!p->has_background_colour) {
        background_rows(r, y, n_rows, rgb, stride_bytes);
        return;
    }
    const ptrdiff_t row_bytes = (ptrdiff_t)p->width * 3;
    background_rows(r, y, n_rows, r->photo, row_bytes);
    for (int32_t i = 0; i < n_rows; i++)
        r->kernels->colour_row(r->photo + i * row_bytes, p->background_colour,
                               p->width, rgb + i * stride_bytes);
}

static void noise_row(const struct render *r, int32_t y, int32_t n,
                      uint8_t *rgb)
{
    const struct plan *p = r->plan;
    if (p->context == CONTEXT_NOISE)
        r->kernels->noise_row(p->noise_key, (uint32_t)y, p->noise_lo,
                              p->noise_hi, n, rgb);
    else
        r->kernels->normal_row(p->noise_key, (uint32_t)y, p->noise_amplitude, n,
                               rgb);
}

/* Of a third of the pixels, and as many bytes, when all channels are alike. */
static void any_noise_row(const struct render *r, int32_t y, uint8_t *rgb)
{
    const int32_t width = r->plan->width;
    if (!r->plan->noise_is_grey) {
        noise_row(r, y, width, rgb);
        return;
    }
    noise_row(r, y, (width + 2) / 3, r->photo);
    r->kernels->grey_row(r->photo, width, rgb);
}

/* But for a background, whose rows are sampled in blocks. */
static void context_row(const struct render *r, int32_t y, uint8_t *rgb)
{
    const struct plan *p = r->plan;
    const struct pixel_kernels *k = r->kernels;
    if (p->context == CONTEXT_NOISE || p->context == CONTEXT_GAUSSIAN_NOISE)
        any_noise_row(r, y, rgb);
    else if (p->context == CONTEXT_GRADIENT)
        k->gradient_row(&p->gradient, y, p->width, rgb);
    else if (p->context == CONTEXT_TEXTURE)
        k->texture_row(&p->texture, y, p->width, rgb);
    else
        k->solid_row(p->solid, p->width, rgb);
}

void render_context_rows(const struct render *r, int32_t y, int32_t n_rows,
                         uint8_t *rgb, ptrdiff_t stride_bytes)
{
    if (r->plan->context == CONTEXT_BACKGROUND) {
        photo_rows(r, y, n_rows, rgb, stride_bytes);
        return;
    }
    for (int32_t i = 0; i < n_rows; i++)
        context_row(r, y + i, rgb + i * stride_bytes);
}

void render_put_context(const struct render *r, int32_t y, int32_t n_rows,
                        uint8_t *rgb, ptrdiff_t stride_bytes)
{
    const ptrdiff_t row_bytes = (ptrdiff_t)r->plan->width * 3;
    if (!r->staged_context) {
        render_context_rows(r, y, n_rows, rgb, stride_bytes);
        return;
    }
    for (int32_t i = 0; i < n_rows; i++)
        memcpy(rgb + i * stride_bytes, r->staged_context + (y + i) * row_bytes,
               (size_t)row_bytes);
}

static void widen(int32_t range[2], int32_t y)
{
    range[0] = y < range[0] ? y : range[0];
    range[1] = y + 1;
}

/* Along lines, all rows at once. */
static int32_t sample_lines(struct render *r, int32_t n_rows,
                            struct pixel_span *span)
{
    struct pixel_line line[RENDER_BLOCK_ROWS];
    int32_t n = 0;
    object_walk_rows(&r->object, n_rows, span, line);
    for (int32_t i = 0; i < n_rows; i++)
        n += span[i].end - span[i].begin;
    if (n > 0)
        r->kernels->object_lines(r->object_level, line, n_rows, r->object_rows);
    return n;
}

/* Row by row: through the feather's ring, or along a warp. */
static int32_t sample_rows(struct render *r, int32_t y, int32_t n_rows,
                           struct pixel_span *span)
{
    const struct plan *p = r->plan;
    const struct pixel_span all = {0, p->width};
    int32_t n = 0;
    for (int32_t i = 0; i < n_rows; i++) {
        uint8_t *rgba = r->object_rows + (ptrdiff_t)n * 4;
        span[i] = feather_is_asked(p)
                      ? feather_row(&r->feather, y + i, rgba)
                      : object_warp_row(r->kernels, r->object_level, &p->warp,
                                        y + i, all, rgba);
        n += span[i].end - span[i].begin;
    }
    return n;
}

int32_t render_object_rows(struct render *r, int32_t y, int32_t n_rows,
                           struct pixel_span *span)
{
    const struct plan *p = r->plan;
    const bool by_rows = feather_is_asked(p) || p->has_warp;
    const int32_t n = by_rows ? sample_rows(r, y, n_rows, span)
                              : sample_lines(r, n_rows, span);
    if (n == 0)
        return 0;
    if (p->stroke.reach > 0 && !feather_is_asked(p))
        stroke_row(r->kernels, r->object_rows, &p->stroke, n);
    if (p->edge == EDGE_HARD)
        r->kernels->harden_row(r->object_rows, n);
    if (p->has_object_colour)
        r->kernels->tint_row(r->object_rows, p->object_colour, n);
    return n;
}

uint8_t *render_take_object(struct render *r, int32_t y, int32_t n_rows,
                            struct pixel_span *span, int32_t *out_n_px)
{
    const int32_t width = r->plan->width;
    if (!r->staged_object) {
        *out_n_px = render_object_rows(r, y, n_rows, span);
        return r->object_rows;
    }
    for (int32_t i = 0; i < n_rows; i++)
        span[i] = (struct pixel_span){0, width};
    *out_n_px = n_rows * width;
    return r->staged_object + (ptrdiff_t)y * width * 4;
}

/* What is done to n pixels of the object as they are pasted. */
static void finish_object(const struct render *r, uint8_t *rgba, int32_t n)
{
    const struct plan *p = r->plan;
    if (r->has_match)
        r->kernels->tint_row(rgba, r->match, n);
    for (int32_t i = 0; p->blend != BLEND_OVER && i < n; i += p->width)
        r->kernels->fade_row(rgba + (ptrdiff_t)i * 4, r->two_thirds,
                             n - i < p->width ? n - i : p->width);
}

static uint8_t paste_row(const struct render *r, int32_t y, uint8_t *rgb,
                         const uint8_t *rgba, struct pixel_span span)
{
    const bool adds = r->plan->blend == BLEND_TWO_THIRDS_FRAME;
    return (adds ? r->kernels->add_row : r->kernels->over_row)(
        rgb + (ptrdiff_t)span.begin * 3, rgba, span.end - span.begin,
        r->peak[y & 1] + (ptrdiff_t)span.begin * 4);
}

static void paste_rows(struct render *r, int32_t y, int32_t n_rows,
                       uint8_t *rgb, ptrdiff_t stride_bytes)
{
    struct pixel_span span[RENDER_BLOCK_ROWS];
    int32_t n_px;
    uint8_t *rgba = render_take_object(r, y, n_rows, span, &n_px);
    if (n_px > 0)
        finish_object(r, rgba, n_px);
    layers_put_object(&r->layers, r->plan->width, y, n_rows,
                      n_px > 0 ? span : NULL, rgba);
    for (int32_t i = 0; r->plan->blend == BLEND_TWO_THIRDS_FRAME && i < n_rows;
         i++)
        r->kernels->third_row(rgb + i * stride_bytes, r->plan->width);
    if (n_px == 0)
        return;
    for (int32_t i = 0; i < n_rows; i++, rgb += stride_bytes) {
        const int32_t n = span[i].end - span[i].begin;
        if (n <= 0)
            continue;
        const uint8_t highest = paste_row(r, y + i, rgb, rgba, span[i]);
        if (highest >= 128)
            widen(r->solid_y, y + i);
        if (highest > 0)
            widen(r->any_y, y + i);
        rgba += (ptrdiff_t)n * 4;
    }
}

static void colour_rows(const struct render *r, int32_t n_rows, uint8_t *rgb,
                        ptrdiff_t stride_bytes)
{
    const struct plan *p = r->plan;
    const ptrdiff_t row_bytes = (ptrdiff_t)p->width * 3;
    if (stride_bytes == row_bytes) {
        (r->is_streamed ? r->kernels->colour_stream : r->kernels->colour_row)(
            r->block, p->colour, n_rows * p->width, rgb);
        return;
    }
    for (int32_t i = 0; i < n_rows; i++)
        r->kernels->colour_row(r->block + i * row_bytes, p->colour, p->width,
                               rgb + i * stride_bytes);
}

void render_rows(struct render *r, int32_t y, int32_t n_rows, uint8_t *rgb,
                 ptrdiff_t stride_bytes)
{
    const struct plan *p = r->plan;
    const ptrdiff_t row_bytes = (ptrdiff_t)p->width * 3;
    uint8_t *plain = p->has_colour ? r->block : rgb;
    const ptrdiff_t plain_stride = p->has_colour ? row_bytes : stride_bytes;
    assert(n_rows <= render_block_rows(p->width));
    render_put_context(r, y, n_rows, plain, plain_stride);
    layers_put_context(&r->layers, p->width, y, n_rows, plain, plain_stride);
    paste_rows(r, y, n_rows, plain, plain_stride);
    layers_put_composite(&r->layers, p->width, y, n_rows, plain, plain_stride);
    ahead_advance(&r->ahead, y + n_rows, p->height);
    if (p->has_colour)
        colour_rows(r, n_rows, rgb, stride_bytes);
}

void render_whole(struct render *r, uint8_t *rgb, ptrdiff_t stride_bytes)
{
    const int32_t most = render_block_rows(r->plan->width);
    for (int32_t y = 0; y < r->plan->height; y += most) {
        const int32_t left = r->plan->height - y;
        render_rows(r, y, left < most ? left : most, rgb + y * stride_bytes,
                    stride_bytes);
    }
}

static uint8_t peak_of(const struct render *r, int32_t x)
{
    const uint8_t even = r->peak[0][x * 4 + 3], odd = r->peak[1][x * 4 + 3];
    return even > odd ? even : odd;
}

/* The columns that reach `least`, between the rows that do. */
static struct image_box box_of(const struct render *r, uint8_t least,
                               const int32_t y[2])
{
    int32_t first = 0, last = r->plan->width - 1;
    while (peak_of(r, first) < least)
        first++;
    while (peak_of(r, last) < least)
        last--;
    return (struct image_box){first, y[0], last + 1, y[1]};
}

struct compose_facts render_facts(const struct render *r)
{
    struct compose_facts facts = {{0, 0, 0, 0}};
    if (r->solid_y[1] > 0)
        facts.box = box_of(r, 128, r->solid_y);
    else if (r->any_y[1] > 0)
        facts.box = box_of(r, 1, r->any_y);
    return facts;
}
