/* Catalogs from arrays, through the same kernels as the pool's. Tests nothing
 * itself. */
#include "tests/unit/synthetic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/pixel/mip.h"
#include "server/pixel/stroke.h"

static void *allocate(size_t n, size_t size)
{
    void *p = calloc(n, size);
    if (!p)
        abort();
    return p;
}

void synthetic_init(struct synthetic *s, uint32_t n_objects,
                    uint32_t n_backgrounds)
{
    memset(s, 0, sizeof *s);
    s->objects = allocate(n_objects, sizeof *s->objects);
    s->backgrounds = allocate(n_backgrounds, sizeof *s->backgrounds);
    char **classes = allocate(n_objects, sizeof *classes);
    uint32_t *first = allocate((size_t)n_objects + 1, sizeof *first);
    for (uint32_t i = 0; i < n_objects; i++) {
        classes[i] = allocate(24, 1);
        snprintf(classes[i], 24, "class-%u", i);
        s->objects[i].name = classes[i];
        s->objects[i].class_id = i;
        first[i + 1] = i + 1;
    }
    for (uint32_t i = 0; i < n_backgrounds; i++)
        s->backgrounds[i].name = "background";
    s->catalog.n_classes = n_objects;
    s->catalog.classes = (const char *const *)classes;
    s->catalog.class_first = first;
    s->catalog.n_objects = n_objects;
    s->catalog.objects = s->objects;
    s->catalog.n_backgrounds = n_backgrounds;
    s->catalog.backgrounds = s->backgrounds;
}

/* Each level is an allocation of its own, so sanitizers see its end. */
static void make_levels(struct image_level *level, uint32_t n_levels,
                        int32_t width, int32_t height, int32_t pixel_bytes)
{
    for (uint32_t i = 0; i < n_levels; i++) {
        uint8_t *pixels =
            allocate((size_t)height, (size_t)width * (size_t)pixel_bytes);
        level[i] = (struct image_level){.pixels = pixels,
                                        .width = width,
                                        .height = height,
                                        .stride_bytes =
                                            (ptrdiff_t)width * pixel_bytes};
        width = mip_half(width);
        height = mip_half(height);
    }
}

void synthetic_set_object(struct synthetic *s, uint32_t i, int32_t width,
                          int32_t height, const uint8_t *rgba)
{
    struct pool_object *o = &s->objects[i];
    o->width = width;
    o->height = height;
    o->n_levels = mip_n_levels(width, height);
    make_levels(o->level, o->n_levels, width, height, 4);
    uint8_t *pixels = (uint8_t *)o->level[0].pixels;
    memcpy(pixels, rgba, (size_t)width * (size_t)height * 4);
    mip_premultiply(pixels, width, height, o->level[0].stride_bytes);
    for (uint32_t l = 1; l < o->n_levels; l++)
        mip_halve_rgba(&o->level[l - 1], (uint8_t *)o->level[l].pixels,
                       o->level[l].stride_bytes);
    for (uint32_t l = 0; l < o->n_levels; l++)
        o->level[l].trim = mip_trim(&o->level[l]);
    o->alpha_box = mip_alpha_box(&o->level[0]);
    if (o->alpha_box.x1 > 0)
        mip_coverage(&o->level[0], &o->alpha_box, o->coverage);
}

void synthetic_add_stroke(struct synthetic *s, uint32_t i, int32_t width,
                          int32_t height, const uint8_t *rgba)
{
    const struct image_level straight = {.pixels = rgba,
                                         .width = width,
                                         .height = height,
                                         .stride_bytes = (ptrdiff_t)width * 4};
    struct pool_object *o = &s->objects[i];
    struct pool_stroke *stroke = allocate(1, sizeof *stroke);
    void *scratch = allocate(1, stroke_scratch_bytes(width, height));
    const int32_t reach = stroke_reach(width, height);
    stroke->reach = reach;
    make_levels(stroke->level, o->n_levels, width + 2 * reach,
                height + 2 * reach, 4);
    stroke_plane(&straight, (uint8_t *)stroke->level[0].pixels, scratch);
    for (uint32_t l = 1; l < o->n_levels; l++)
        mip_halve_rgba(&stroke->level[l - 1],
                       (uint8_t *)stroke->level[l].pixels,
                       stroke->level[l].stride_bytes);
    free(scratch);
    o->stroke = stroke;
    s->catalog.has_strokes = true;
}

void synthetic_set_background(struct synthetic *s, uint32_t i, int32_t width,
                              int32_t height, const uint8_t *rgb)
{
    struct pool_background *b = &s->backgrounds[i];
    b->width = width;
    b->height = height;
    b->n_levels = mip_n_levels(width, height);
    make_levels(b->level, b->n_levels, width, height, 3);
    memcpy((uint8_t *)b->level[0].pixels, rgb,
           (size_t)width * (size_t)height * 3);
    for (uint32_t l = 1; l < b->n_levels; l++)
        mip_halve_rgb(&b->level[l - 1], (uint8_t *)b->level[l].pixels,
                      b->level[l].stride_bytes);
}

void synthetic_set_keypoints(struct synthetic *s, uint32_t i,
                             const struct pool_keypoint *points, uint32_t n)
{
    struct pool_keypoint *own = allocate((size_t)n + 1, sizeof *own);
    memcpy(own, points, n * sizeof *own);
    s->objects[i].keypoints = own;
    s->objects[i].n_keypoints = n;
    if (s->catalog.n_keypoints < n)
        s->catalog.n_keypoints = n;
}

void synthetic_fini(struct synthetic *s)
{
    for (uint32_t i = 0; i < s->catalog.n_objects; i++) {
        for (uint32_t l = 0; l < s->objects[i].n_levels; l++)
            free((uint8_t *)s->objects[i].level[l].pixels);
        for (uint32_t l = 0; s->objects[i].stroke && l < IMAGE_MAX_LEVELS; l++)
            free((uint8_t *)s->objects[i].stroke->level[l].pixels);
        free((struct pool_stroke *)s->objects[i].stroke);
        free((char *)s->catalog.classes[i]);
        free((struct pool_keypoint *)s->objects[i].keypoints);
    }
    for (uint32_t i = 0; i < s->catalog.n_backgrounds; i++)
        for (uint32_t l = 0; l < s->backgrounds[i].n_levels; l++)
            free((uint8_t *)s->backgrounds[i].level[l].pixels);
    free(s->objects);
    free(s->backgrounds);
    free((char **)s->catalog.classes);
    free((uint32_t *)s->catalog.class_first);
}
