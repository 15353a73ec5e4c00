/* Writes what an independent reader needs to recompute a batch: straight source
 * images, the plan of each sample as JSON, and the batch itself. Compares
 * nothing (numerics.py does).
 *
 *   dump_samples demo|synthetic RECIPE.json FIRST_POSITION N_SAMPLES DIR [K]
 *
 * K candidates of each sample, 1 where not given; plan-I is of item I.
 * DIR gets batch.bin, plan-I.json, images.json, object-I.rgba and
 * background-I.rgb (raw rows, no padding) of the images that the plans use. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/mem.h"
#include "server/compose/chained.h"
#include "server/plan/distractor.h"
#include "server/pool/demo.h"
#include "tests/unit/synthetic.h"

/* Small, odd and 1-px sides; objects and backgrounds of every shape. */
static const struct synthetic_spec spec = {
    .seed = 99,
    .n_objects = 23,
    .n_backgrounds = 17,
    .object_least = 1,
    .object_most = 150,
    .background_least = 1,
    .background_most = 260,
    .strokes = true,
};

struct source {
    bool is_demo;
    struct synthetic made;
    struct catalog *catalog;
};

__attribute__((format(printf, 1, 2), noreturn)) static void
die(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fputs("dump_samples: ", stderr);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    va_end(list);
    exit(1);
}

__attribute__((format(printf, 4, 5))) static void
write_file(const char *folder, const void *data, size_t n_bytes,
           const char *name, ...)
{
    char path[1024];
    va_list list;
    int n = snprintf(path, sizeof path, "%s/", folder);
    va_start(list, name);
    vsnprintf(path + n, sizeof path - (size_t)n, name, list);
    va_end(list);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(data, 1, n_bytes, f) != n_bytes || fclose(f) != 0)
        die("%s: %s", path, strerror(errno));
}

static char *read_text(const char *path, size_t *out_bytes)
{
    static char text[RECIPE_MAX_BYTES];
    FILE *f = fopen(path, "rb");
    if (!f)
        die("%s: %s", path, strerror(errno));
    *out_bytes = fread(text, 1, sizeof text, f);
    fclose(f);
    return text;
}

static void open_source(struct source *s, const char *kind)
{
    s->is_demo = strcmp(kind, "demo") == 0;
    if (!s->is_demo) {
        synthetic_make(&s->made, &spec);
        s->catalog = &s->made.catalog;
        return;
    }
    const struct pool_config config = {.demo = true,
                                       .strokes = true,
                                       .n_threads = 2,
                                       .limits = pool_limits_default()};
    struct fault fault = {0};
    if (catalog_load(&config, &s->catalog, &fault) < 0)
        die("%s", fault.text);
}

static void close_source(struct source *s)
{
    if (s->is_demo)
        catalog_unref(s->catalog);
    else
        synthetic_fini(&s->made);
}

/* The demo's own number of what the catalog sorted. */
static uint32_t demo_number(const char *name, uint32_t n,
                            const char *(*name_of)(uint32_t))
{
    for (uint32_t i = 0; i < n; i++)
        if (strcmp(name_of(i), name) == 0)
            return i;
    die("the demo pools have no %s", name);
}

/* Straight pixels, free() by the caller. */
static uint8_t *draw(const struct source *s, bool is_object, uint32_t i,
                     int32_t *w, int32_t *h)
{
    if (!s->is_demo)
        return is_object ? synthetic_draw_object(&spec, i, w, h)
                         : synthetic_draw_background(&spec, i, w, h);
    const char *name = is_object ? s->catalog->objects[i].name
                                 : s->catalog->backgrounds[i].name;
    uint32_t k =
        is_object
            ? demo_number(name, demo_n_objects(), demo_object_name)
            : demo_number(name, demo_n_backgrounds(), demo_background_name);
    (is_object ? demo_object_size : demo_background_size)(k, w, h);
    ptrdiff_t stride = *w * (is_object ? 4 : 3);
    uint8_t *pixels = malloc((size_t)stride * (size_t)*h);
    if (!pixels)
        die("out of memory");
    (is_object ? demo_draw_object : demo_draw_background)(k, pixels, stride);
    return pixels;
}

static void dump_images(const struct source *s, const bool *used,
                        bool is_object, FILE *index, const char *folder)
{
    uint32_t n = is_object ? s->catalog->n_objects : s->catalog->n_backgrounds;
    bool is_first = true;
    fprintf(index, "\"%s\": {", is_object ? "objects" : "backgrounds");
    for (uint32_t i = 0; i < n; i++) {
        if (!used[i])
            continue;
        int32_t w, h;
        uint8_t *pixels = draw(s, is_object, i, &w, &h);
        size_t n_bytes = (size_t)w * (size_t)h * (is_object ? 4 : 3);
        write_file(folder, pixels, n_bytes,
                   is_object ? "object-%u.rgba" : "background-%u.rgb", i);
        fprintf(index, "%s\"%u\": [%d, %d]", is_first ? "" : ", ", i, w, h);
        is_first = false;
        free(pixels);
    }
    fputs("}", index);
}

/* Every digit, so that they read back as the same doubles. */
static void dump_keypoints(const struct catalog *c, const bool *used,
                           FILE *index)
{
    const char *before = "";
    fputs("\"keypoints\": {", index);
    for (uint32_t i = 0; i < c->n_objects; i++) {
        const struct pool_object *o = &c->objects[i];
        if (!used[i])
            continue;
        fprintf(index, "%s\"%u\": [", before, i);
        for (uint32_t k = 0; k < o->n_keypoints; k++)
            fprintf(index, "%s[%.17g, %.17g]", k ? ", " : "", o->keypoints[k].x,
                    o->keypoints[k].y);
        fputs("]", index);
        before = ", ";
    }
    fputs("}", index);
}

static struct graph_edge edge_of(const void *catalog, uint64_t position)
{
    const struct catalog *c = catalog;
    return (struct graph_edge){(uint32_t)(position % c->n_objects),
                               (uint32_t)(position * 7 % c->n_backgrounds)};
}

static bool make_plans(const struct recipe *recipe, const struct catalog *c,
                       const struct batch_sample *sample, struct plan *plan,
                       struct plan *other)
{
    plan_make_candidate(recipe, c, sample->position, sample->edge,
                        sample->candidate, plan);
    return distractor_make(recipe, c, NULL, plan, other);
}

static void dump_plan(const struct recipe *recipe, const struct catalog *c,
                      const struct chain *chain,
                      const struct batch_sample *sample, const char *folder)
{
    struct plan plan, other;
    const bool has_other = make_plans(recipe, c, sample, &plan, &other);
    if (chain->slots > 0) {
        const uint64_t p = sample->position;
        const uint64_t earlier = p < chain->slots ? 0 : p - chain->slots;
        const uint32_t class_id =
            c->objects[edge_of(c, earlier).object].class_id;
        chain_to_plan(chain, chain_link(chain, p, plan.class_id, class_id),
                      &plan);
    }
    char *json = plan_to_json(&plan, has_other ? &other : NULL, c);
    if (!json)
        die("out of memory");
    write_file(folder, json, strlen(json), "plan-%u.json", sample->index);
    mem_free(json);
}

static void compose_chain(const struct batch_layout *l,
                          const struct recipe *recipe,
                          const struct catalog *catalog,
                          const struct chain *chain, uint64_t first,
                          void *scratch, uint8_t *payload)
{
    struct batch_composer composer;
    struct chained chained = {.composer = &composer,
                              .chain = chain,
                              .first_position = first,
                              .edge_of = edge_of,
                              .source = catalog};
    batch_composer_init(&composer, l, recipe, catalog, scratch, payload);
    chained_run(&chained, 0,
                chained_columns(chain, l->n_samples / l->n_candidates));
}

static void dump_batch(const struct recipe *recipe, const struct source *s,
                       uint64_t first, const uint32_t n[2], const char *folder)
{
    struct batch_layout l;
    if (batch_layout_init_candidates(&l, recipe, s->catalog, n[0], n[1], 0, 0) <
        0)
        die("no such batch");
    size_t scratch_bytes = (batch_scratch_bytes(recipe) + 63) / 64 * 64;
    uint8_t *payload = aligned_alloc(64, (l.tensors_bytes + 63) / 64 * 64);
    void *scratch = aligned_alloc(64, scratch_bytes);
    if (!payload || !scratch)
        die("out of memory");
    batch_write_head(&l, first, payload);
    struct chain chain;
    chain_init(&chain, recipe, s->catalog);
    for (uint32_t i = 0; i < l.n_samples; i++) {
        const struct batch_sample sample = {
            .position = first + i / n[1],
            .edge = edge_of(s->catalog, first + i / n[1]),
            .index = i,
            .candidate = i % n[1]};
        if (chain.slots == 0)
            batch_compose_sample(&l, recipe, s->catalog, &sample, scratch,
                                 payload);
        dump_plan(recipe, s->catalog, &chain, &sample, folder);
    }
    if (chain.slots > 0)
        compose_chain(&l, recipe, s->catalog, &chain, first, scratch, payload);
    write_file(folder, payload, (size_t)l.tensors_bytes, "batch.bin");
    free(scratch);
    free(payload);
}

static void dump_used_images(const struct recipe *recipe,
                             const struct source *s, uint64_t first, uint32_t n,
                             const char *folder)
{
    const struct catalog *c = s->catalog;
    bool *objects = calloc(c->n_objects, 1);
    bool *backgrounds = calloc(c->n_backgrounds, 1);
    char path[1024];
    snprintf(path, sizeof path, "%s/images.json", folder);
    FILE *index = fopen(path, "w");
    if (!objects || !backgrounds || !index)
        die("%s: %s", path, strerror(errno));
    for (uint32_t i = 0; i < n; i++) {
        const struct batch_sample sample = {.position = first + i,
                                            .edge = edge_of(c, first + i)};
        struct plan plan, other;
        if (make_plans(recipe, c, &sample, &plan, &other))
            objects[other.object] = true;
        objects[plan.object] = true;
        backgrounds[plan.background] = true;
    }
    fputs("{", index);
    dump_images(s, objects, true, index, folder);
    fputs(", ", index);
    dump_images(s, backgrounds, false, index, folder);
    fputs(", ", index);
    dump_keypoints(c, objects, index);
    fputs("}\n", index);
    if (fclose(index) != 0)
        die("%s: %s", path, strerror(errno));
    free(objects);
    free(backgrounds);
}

int main(int argc, char **argv)
{
    if (argc != 6 && argc != 7)
        die("usage: demo|synthetic RECIPE FIRST N DIR [K]");
    struct source source = {0};
    struct recipe recipe;
    struct fault fault = {0};
    size_t n_bytes;
    const char *text = read_text(argv[2], &n_bytes);
    if (recipe_parse(text, n_bytes, &recipe, &fault) < 0)
        die("%s", fault.text);
    open_source(&source, argv[1]);
    uint64_t first = strtoull(argv[3], NULL, 10);
    const uint32_t n[2] = {(uint32_t)strtoul(argv[4], NULL, 10),
                           argc == 7 ? (uint32_t)strtoul(argv[6], NULL, 10)
                                     : 1};
    dump_batch(&recipe, &source, first, n, argv[5]);
    dump_used_images(&recipe, &source, first, n[0], argv[5]);
    close_source(&source);
    return 0;
}
