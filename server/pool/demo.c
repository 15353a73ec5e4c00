/* The list of the demo pools: digits, then signs; materials, patterns, scenes.
 * Draws nothing itself. */
#include "server/pool/demo.h"

#include <assert.h>
#include <string.h>

#include "server/pool/demo_parts.h"

#define N_DIGITS 10

#define OBJECT_FOLDER     "demo/objects/"
#define BACKGROUND_FOLDER "demo/backgrounds/"

static const char *const digit_names[N_DIGITS] = {
    OBJECT_FOLDER "digit-0", OBJECT_FOLDER "digit-1", OBJECT_FOLDER "digit-2",
    OBJECT_FOLDER "digit-3", OBJECT_FOLDER "digit-4", OBJECT_FOLDER "digit-5",
    OBJECT_FOLDER "digit-6", OBJECT_FOLDER "digit-7", OBJECT_FOLDER "digit-8",
    OBJECT_FOLDER "digit-9",
};

uint32_t demo_n_objects(void)
{
    return N_DIGITS + demo_n_signs();
}

const char *demo_object_name(uint32_t i)
{
    assert(i < demo_n_objects());
    return i < N_DIGITS ? digit_names[i] : demo_sign_name(i - N_DIGITS);
}

const char *demo_object_class(uint32_t i)
{
    return demo_object_name(i) + strlen(OBJECT_FOLDER);
}

/* Signs of a few sizes, as real pools have. */
void demo_object_size(uint32_t i, int32_t *out_width, int32_t *out_height)
{
    assert(i < demo_n_objects());
    *out_width = i < N_DIGITS ? 104 : 112 + (int32_t)(i % 3) * 8;
    *out_height = *out_width;
}

uint32_t demo_object_keypoints(uint32_t i,
                               struct pool_keypoint out[DEMO_MAX_KEYPOINTS])
{
    const int32_t middle[1][2] = {{500, 500}};
    const int32_t(*points)[2] = middle;
    int32_t width, height;
    demo_object_size(i, &width, &height);
    const uint32_t n =
        i < N_DIGITS ? 1 : demo_sign_points(i - N_DIGITS, &points);
    for (uint32_t k = 0; k < n; k++)
        out[k] = (struct pool_keypoint){points[k][0] * width / 1000.0,
                                        points[k][1] * height / 1000.0};
    return n;
}

void demo_draw_object(uint32_t i, uint8_t *rgba, ptrdiff_t stride_bytes)
{
    struct demo_canvas c = {
        .pixels = rgba,
        .stride_bytes = stride_bytes,
        .n_channels = 4,
    };
    demo_object_size(i, &c.width, &c.height);
    for (int32_t y = 0; y < c.height; y++)
        memset(rgba + y * stride_bytes, 0, (size_t)c.width * 4);
    if (i < N_DIGITS)
        demo_draw_digit(&c, i);
    else
        demo_draw_sign(&c, i - N_DIGITS);
}

uint32_t demo_n_backgrounds(void)
{
    return demo_n_materials + demo_n_patterns + demo_n_scenes;
}

static const struct demo_background *background(uint32_t i)
{
    assert(i < demo_n_backgrounds());
    if (i < demo_n_materials)
        return &demo_materials[i];
    i -= demo_n_materials;
    if (i < demo_n_patterns)
        return &demo_patterns[i];
    return &demo_scenes[i - demo_n_patterns];
}

const char *demo_background_name(uint32_t i)
{
    return background(i)->name;
}

void demo_background_size(uint32_t i, int32_t *out_width, int32_t *out_height)
{
    *out_width = background(i)->width;
    *out_height = background(i)->height;
}

static void draw_pixels(const struct demo_background *b, struct demo_canvas *c)
{
    for (int32_t y = 0; y < c->height; y++) {
        uint8_t *at = c->pixels + y * c->stride_bytes;
        for (int32_t x = 0; x < c->width; x++) {
            uint32_t colour = b->pixel(b, x, y);
            *at++ = (uint8_t)(colour >> 16);
            *at++ = (uint8_t)(colour >> 8);
            *at++ = (uint8_t)colour;
        }
    }
}

void demo_draw_background(uint32_t i, uint8_t *rgb, ptrdiff_t stride_bytes)
{
    const struct demo_background *b = background(i);
    struct demo_canvas c = {
        .pixels = rgb,
        .stride_bytes = stride_bytes,
        .width = b->width,
        .height = b->height,
        .n_channels = 3,
    };
    if (b->pixel != NULL)
        draw_pixels(b, &c);
    else
        b->paint(b, &c);
}
