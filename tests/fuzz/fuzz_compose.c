/* Fuzz target: bytes as a recipe that is made by the table of keys, a position
 * and an edge. What parses is composed with every table of kernels, in scratch
 * of exactly the size asked for and full of different rubbish, and must give
 * the same batch; what does not parse must say where and why. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/mem.h"
#include "server/compose/chained.h"
#include "server/plan/scene.h"
#include "server/recipe/recipe.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/recipe_maker.h"
#include "tests/unit/synthetic.h"

#define N_SAMPLES 3

/* A pool refuses objects without any alpha. */
enum fill { OPAQUE, CORNER, FAINT, ROUND, RUBBISH };

static const struct {
    int32_t width, height;
    enum fill fill;
} objects[] = {{1, 1, OPAQUE},    {1, 1, FAINT},  {9, 7, CORNER},
               {37, 41, ROUND},   {64, 2, FAINT}, {1, 50, OPAQUE},
               {24, 24, RUBBISH}, {90, 70, ROUND}};
#define N_OBJECTS (sizeof objects / sizeof objects[0])

static const struct {
    int32_t width, height;
} backgrounds[] = {{1, 1}, {2, 1}, {1, 64}, {33, 17}, {100, 70}, {7, 200}};
#define N_BACKGROUNDS (sizeof backgrounds / sizeof backgrounds[0])

static struct synthetic made;

static uint8_t alpha_at(enum fill fill, int64_t x, int64_t y, int64_t w,
                        int64_t h, uint8_t rubbish)
{
    const int64_t dx = 2 * x + 1 - w, dy = 2 * y + 1 - h;
    switch (fill) {
    case OPAQUE:
        return 255;
    case CORNER:
        return x == 0 && y == h - 1;
    case FAINT:
        return 1;
    case ROUND:
        return dx * dx * h * h + dy * dy * w * w < w * w * h * h ? 255 : 0;
    default:
        return rubbish;
    }
}

static void make_catalog(void)
{
    static uint8_t pixels[90 * 70 * 4];
    uint32_t random = 1;
    synthetic_init(&made, N_OBJECTS, N_BACKGROUNDS);
    for (size_t k = 0; k < sizeof pixels; k++) {
        random = random * 1664525 + 1013904223;
        pixels[k] = (uint8_t)(random >> 24);
    }
    for (uint32_t i = 0; i < N_BACKGROUNDS; i++)
        synthetic_set_background(&made, i, backgrounds[i].width,
                                 backgrounds[i].height, pixels + i);
    for (uint32_t i = 0; i < N_OBJECTS; i++) {
        const int32_t w = objects[i].width, h = objects[i].height;
        for (int32_t at = 0; at < w * h; at++)
            pixels[at * 4 + 3] =
                alpha_at(objects[i].fill, at % w, at / w, w, h, pixels[at * 4]);
        synthetic_set_object(&made, i, w, h, pixels);
        synthetic_add_stroke(&made, i, w, h, pixels);
        const struct pool_keypoint points[] = {
            {0, 0}, {w * 0.5, h * 0.25}, {-1e6, 1e6}};
        synthetic_set_keypoints(&made, i, points, i % 4);
    }
}

static void refuse_well(const struct fault *fault, const char *json)
{
    if (fault->code == ERROR_BAD_RECIPE && strstr(fault->text, ": "))
        return;
    fprintf(stderr, "refused without a word: %s\n%s\n", fault->text, json);
    abort();
}

/* The canonical form is the same recipe. */
static void check_canonical(const struct recipe *r)
{
    struct recipe again;
    char *text = recipe_canonical(r, true);
    if (!text || recipe_parse(text, strlen(text), &again, NULL) != 0)
        abort();
    char *text_again = recipe_canonical(&again, true);
    if (!text_again || strcmp(text, text_again) != 0)
        abort();
    mem_free(text);
    mem_free(text_again);
}

static void *allocate_exactly(size_t n_bytes, int rubbish)
{
    void *p = NULL;
    if (posix_memalign(&p, 64, n_bytes ? n_bytes : 1) != 0)
        abort();
    memset(p, rubbish, n_bytes);
    return p;
}

static struct graph_edge edge_from(const void *first_edge, uint64_t position)
{
    const uint32_t edge = *(const uint32_t *)first_edge;
    return (struct graph_edge){
        (uint32_t)((edge + position) % N_OBJECTS),
        (uint32_t)((edge / 8 + position) % N_BACKGROUNDS)};
}

/* Columns [from, to) of the composer's batch. */
static void compose_columns(struct batch_composer *c, const struct chain *chain,
                            uint64_t position, const uint32_t *edge,
                            uint32_t from, uint32_t to)
{
    struct chained chained = {.composer = c,
                              .chain = chain,
                              .first_position = position,
                              .edge_of = edge_from,
                              .source = edge};
    chained_run(&chained, from, to);
}

/* Of a chain the batch in two parts, and its last sample alone: it is the same
 * sample. */
static void compose_chain(struct batch_composer *c, uint64_t position,
                          uint32_t edge)
{
    struct chain chain;
    struct batch_layout one;
    const struct batch_layout *l = c->layout;
    const uint64_t last = position + N_SAMPLES - 1;
    uint8_t *payload = c->payload;
    chain_init(&chain, c->recipe, c->catalog);
    const uint32_t n = chained_columns(&chain, N_SAMPLES);
    if (n > 1)
        compose_columns(c, &chain, position, &edge, 1, n);
    compose_columns(c, &chain, position, &edge, 0, 1);
    if (batch_layout_init(&one, c->recipe, c->catalog, 1, 0, 0) != 0)
        abort();
    c->layout = &one;
    c->payload = allocate_exactly((size_t)one.tensors_bytes, 0x33);
    compose_columns(c, &chain, last, &edge, 0, 1);
    if (memcmp(c->payload + one.image_offset_bytes,
               payload + l->image_offset_bytes +
                   (N_SAMPLES - 1) * l->sample_bytes,
               l->sample_bytes) != 0)
        abort();
    free(c->payload);
    c->payload = payload;
    c->layout = l;
}

static uint8_t *compose_with(const struct recipe *r,
                             const struct batch_layout *l, uint64_t position,
                             uint32_t edge, int rubbish)
{
    void *scratch = allocate_exactly(batch_scratch_bytes(r), rubbish);
    uint8_t *payload = allocate_exactly((size_t)l->tensors_bytes, rubbish);
    struct batch_composer c;
    struct batch_sample sample[N_SAMPLES];
    for (uint32_t i = 0; i < N_SAMPLES; i++)
        sample[i] = (struct batch_sample){
            .position = position + i,
            .edge = {(edge + i) % N_OBJECTS, (edge / 8 + i) % N_BACKGROUNDS},
            .index = i,
        };
    batch_write_head(l, position, payload);
    batch_composer_init(&c, l, r, &made.catalog, scratch, payload);
    c.is_streamed = rubbish & 1;
    if (r->chain.slots > 0)
        compose_chain(&c, position, edge);
    for (uint32_t i = 0; r->chain.slots == 0 && i < N_SAMPLES; i++)
        batch_composer_run(&c, &sample[i],
                           i + 1 < N_SAMPLES && (rubbish & 2) ? &sample[i + 1]
                                                              : NULL);
    free(scratch);
    return payload;
}

static void check_every_table(const struct recipe *r,
                              const struct batch_layout *l, uint64_t position,
                              uint32_t edge, const char *json)
{
    uint8_t *expected = NULL;
    const struct pixel_kernels *k;
    for (uint32_t i = 0; (k = pixel_kernels_at(i)) != NULL; i++) {
        if (pixel_kernels_select(k->name, NULL) != 0)
            abort();
        uint8_t *payload =
            compose_with(r, l, position, edge, 0x5A + 0x25 * (int)i);
        if (i == 0) {
            expected = payload;
            continue;
        }
        if (memcmp(expected, payload, (size_t)l->tensors_bytes) != 0) {
            fprintf(stderr, "%s differs at %llu of edge %u: %s\n", k->name,
                    (unsigned long long)position, edge, json);
            abort();
        }
        free(payload);
    }
    free(expected);
}

static void check_plan(const struct recipe *r, uint64_t position, uint32_t edge)
{
    struct plan plan;
    plan_make(r, &made.catalog, position,
              (struct graph_edge){edge % N_OBJECTS, edge / 8 % N_BACKGROUNDS},
              &plan);
    char *text = plan_to_json(&plan, NULL, &made.catalog);
    if (!text)
        abort();
    mem_free(text);
}

static uint64_t make_position(struct feed *f)
{
    static const uint64_t far[] = {0, 1ull << 31, 1ull << 53, 1ull << 62,
                                   (1ull << 63) - 8};
    return far[feed_byte(f) % (sizeof far / sizeof far[0])] + feed_byte(f) % 4;
}

/* So that a few samples are links of it. */
static void shorten_chain(struct recipe *r)
{
    if (r->chain.slots > 0)
        r->chain.slots = 1 + r->chain.slots % N_SAMPLES;
    r->chain.max_length = 2 + r->chain.max_length % 4;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    struct feed feed = {data, n_bytes, 0};
    struct fault fault = {0};
    struct recipe r;
    struct batch_layout l;
    if (made.objects == NULL)
        make_catalog();
    const uint64_t position = make_position(&feed);
    const uint32_t edge = feed_byte(&feed);
    char *json = recipe_maker_json(&feed);
    if (!json)
        abort();
    if (recipe_parse(json, strlen(json), &r, &fault) != 0) {
        refuse_well(&fault, json);
    } else {
        check_canonical(&r);
        shorten_chain(&r);
        const struct graph_spec graph = scene_graph(&r, &made.catalog);
        if (graph_spec_check(&graph, &fault) == 0 &&
            batch_layout_init(&l, &r, &made.catalog, N_SAMPLES, 0, 0) == 0) {
            check_plan(&r, position, edge);
            check_every_table(&r, &l, position, edge, json);
        }
    }
    free(json);
    return 0;
}
