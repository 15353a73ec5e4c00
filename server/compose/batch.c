/* The layout of a batch and the one way a sample gets into it: plan, render,
 * convert, label. Knows no session and no checksum (who sends adds those).
 * Source: common/PROTOCOL.md "BATCH". */
#include <assert.h>
#include <string.h>

#include "common/bytes.h"
#include "common/wire.h"
#include "server/compose/chained.h"
#include "server/compose/compose.h"
#include "server/compose/distractor.h"
#include "server/compose/match.h"
#include "server/compose/output.h"
#include "server/compose/render.h"
#include "server/compose/stage.h"
#include "server/recipe/field.h"

/* By enum recipe_tensor; the image's shape is the recipe's, the names are
 * recipe/field.h's. */
static const struct {
    uint8_t dtype;
    uint8_t n_columns; /* beside the samples; 0 for a vector */
    uint8_t n_layers;  /* bytes a pixel of the frame; 0: has no pixels */
} tensors[TENSOR_N] = {
    [TENSOR_LABEL] = {TENSOR_I64, 0, 0},
    [TENSOR_OBJECT] = {TENSOR_I32, 0, 0},
    [TENSOR_BACKGROUND] = {TENSOR_I32, 0, 0},
    [TENSOR_POSITION] = {TENSOR_I64, 0, 0},
    [TENSOR_BOX] = {TENSOR_F32, 4, 0},
    [TENSOR_VISIBLE] = {TENSOR_F32, 0, 0},
    [TENSOR_DISTRACTOR] = {TENSOR_I32, 0, 0},
    [TENSOR_CANDIDATE] = {TENSOR_I32, 0, 0},
    [TENSOR_KEYPOINTS] = {TENSOR_F32, 3, 0}, /* of as many as there are */
    [TENSOR_MASK] = {TENSOR_U8, 0, 1},
    [TENSOR_PLANE] = {TENSOR_U8, 0, 4},
    [TENSOR_CONTEXT] = {TENSOR_U8, 0, 3},
    [TENSOR_IMAGE] = {TENSOR_U8, 0, 0},
};

_Static_assert(TENSOR_N <= TENSOR_MAX_COUNT, "a batch holds every tensor");
_Static_assert(TENSOR_IMAGE == TENSOR_N - 1, "the image stands last");

static uint64_t aligned(uint64_t n_bytes)
{
    return (n_bytes + TENSOR_ALIGN_BYTES - 1) / TENSOR_ALIGN_BYTES *
           TENSOR_ALIGN_BYTES;
}

/* Shape and bytes; a sample's image is at most 2048 * 2048 * 3 * 4 bytes, so
 * 2^32 samples stay far below 2^64. */
static void describe(const struct batch_layout *l, int tensor,
                     struct tensor_desc *t)
{
    memset(t, 0, sizeof *t);
    const char *name = field_tensor_name((enum recipe_tensor)tensor);
    assert(strlen(name) < TENSOR_NAME_BYTES);
    memcpy(t->name, name, strlen(name) + 1);
    t->dtype = tensors[tensor].dtype;
    t->n_dims = 1;
    t->shape[0] = l->n_samples;
    if (tensor == TENSOR_KEYPOINTS)
        t->shape[t->n_dims++] = l->n_keypoints;
    if (tensors[tensor].n_columns)
        t->shape[t->n_dims++] = tensors[tensor].n_columns;
    if (tensors[tensor].n_layers) {
        t->shape[t->n_dims++] = (uint64_t)l->height;
        t->shape[t->n_dims++] = (uint64_t)l->width;
    }
    if (tensors[tensor].n_layers > 1)
        t->shape[t->n_dims++] = tensors[tensor].n_layers;
    if (tensor == TENSOR_IMAGE) {
        const bool planes = l->format.layout == TENSOR_NCHW;
        const uint64_t channels = tensor_channel_count(l->format.channels);
        t->dtype = l->format.dtype;
        t->n_dims = 4;
        t->shape[1] = planes ? channels : (uint64_t)l->height;
        t->shape[2] = (uint64_t)(planes ? l->height : l->width);
        t->shape[3] = planes ? (uint64_t)l->width : channels;
    }
    t->n_bytes = tensor_item_bytes(t->dtype);
    for (int d = 0; d < t->n_dims; d++)
        t->n_bytes *= t->shape[d];
}

static uint32_t wanted_tensors(const struct recipe *recipe,
                               uint32_t n_candidates)
{
    return recipe->labels.tensors | 1u << TENSOR_IMAGE |
           (uint32_t)(n_candidates > 1) << TENSOR_CANDIDATE;
}

int batch_layout_init(struct batch_layout *out, const struct recipe *recipe,
                      const struct catalog *catalog, uint32_t n_samples,
                      uint8_t dtype, uint8_t layout)
{
    return batch_layout_init_candidates(out, recipe, catalog, n_samples, 1,
                                        dtype, layout);
}

int batch_layout_init_candidates(struct batch_layout *out,
                                 const struct recipe *recipe,
                                 const struct catalog *catalog,
                                 uint32_t n_positions, uint32_t n_candidates,
                                 uint8_t dtype, uint8_t layout)
{
    const uint32_t k = n_candidates ? n_candidates : 1;
    if (k > PLAN_MAX_CANDIDATES || n_positions > UINT32_MAX / k)
        return -ERROR_TOO_LARGE;
    const uint32_t n_samples = n_positions * k;
    struct batch_layout l = {
        .n_samples = n_samples,
        .n_candidates = k,
        .format = {.dtype = dtype ? dtype : recipe->output.dtype,
                   .layout = layout ? layout : recipe->output.layout,
                   .channels = recipe->output.channels},
        .n_keypoints = catalog ? catalog->n_keypoints : 0,
        .height = recipe->height,
        .width = recipe->width,
        .normalize = recipe->output.normalize,
        .region = normalize_region(recipe->width, recipe->height,
                                   recipe->output.region),
    };
    const uint32_t wanted = wanted_tensors(recipe, k);
    if (n_samples == 0 || !convert_possible(&l.format) ||
        (wanted >> TENSOR_KEYPOINTS & 1 && l.n_keypoints == 0))
        return -ERROR_BAD_ARGUMENT;
    for (int i = 0; i < TENSOR_N; i++) {
        bool is_wanted = wanted >> i & 1;
        l.index[i] = is_wanted ? (int8_t)l.n_tensors : -1;
        if (is_wanted)
            describe(&l, i, &l.tensor[l.n_tensors++]);
    }
    uint64_t at = aligned(WIRE_BATCH_HEAD_BYTES +
                          (uint64_t)l.n_tensors * WIRE_TENSOR_BYTES);
    for (uint32_t i = 0; i < l.n_tensors; i++) {
        l.tensor[i].offset_bytes = at;
        at = aligned(at + l.tensor[i].n_bytes);
    }
    /* With the largest checksum table. */
    if (at + 8 * ((uint64_t)n_samples + 1) > WIRE_MAX_BATCH_BYTES)
        return -ERROR_TOO_LARGE;
    const struct tensor_desc *image = &l.tensor[l.index[TENSOR_IMAGE]];
    l.image_offset_bytes = image->offset_bytes;
    l.sample_bytes = image->n_bytes / n_samples;
    l.tensors_bytes = at;
    convert_table_init(&l.table, &l.format, recipe->output.mean,
                       recipe->output.std);
    *out = l;
    return 0;
}

void batch_write_head(const struct batch_layout *l, uint64_t first_position,
                      uint8_t *payload)
{
    struct bytes_writer w;
    bytes_writer_init(&w, payload, (size_t)l->tensors_bytes);
    struct wire_batch_head head = {
        .first_position = first_position,
        .n_samples = l->n_samples,
        .n_tensors = (uint16_t)l->n_tensors,
        .tensors_bytes = l->tensors_bytes,
    };
    wire_encode_batch_head(&w, &head, l->tensor);
    assert(!w.failed);
    /* From the end of each part to the start of the next. */
    uint64_t end = bytes_written(&w);
    for (uint32_t i = 0; i <= l->n_tensors; i++) {
        uint64_t next =
            i < l->n_tensors ? l->tensor[i].offset_bytes : l->tensors_bytes;
        memset(payload + end, 0, (size_t)(next - end));
        if (i < l->n_tensors)
            end = next + l->tensor[i].n_bytes;
    }
}

static size_t plain_scratch_bytes(const struct recipe *recipe)
{
    return output_scratch_bytes(recipe) +
           compose_scratch_bytes(recipe->width, recipe->height) +
           stage_scratch_bytes(recipe) + distractor_scratch_bytes(recipe);
}

size_t batch_scratch_bytes(const struct recipe *recipe)
{
    return plain_scratch_bytes(recipe) +
           (recipe->chain.slots > 0 ? 2 * chained_frame_bytes(recipe) : 0);
}

uint8_t *batch_chained_frame(const struct batch_composer *c, int which)
{
    assert(c->recipe->chain.slots > 0);
    return (uint8_t *)c->scratch + plain_scratch_bytes(c->recipe) +
           (which ? chained_frame_bytes(c->recipe) : 0);
}

/* Where item `index` of a tensor lies, or NULL when the batch has it not. */
static uint8_t *item(const struct batch_layout *l, int tensor, uint32_t index,
                     uint8_t *payload)
{
    if (l->index[tensor] < 0)
        return NULL;
    const struct tensor_desc *t = &l->tensor[l->index[tensor]];
    return payload + t->offset_bytes + t->n_bytes / l->n_samples * index;
}

static void put_u32(uint8_t *p, uint32_t v)
{
    if (p)
        memcpy(p, &v, sizeof v); /* little-endian hosts only: convert.c */
}

static void put_u64(uint8_t *p, uint64_t v)
{
    if (p)
        memcpy(p, &v, sizeof v);
}

static void put_f32(uint8_t *p, float v)
{
    if (p)
        memcpy(p, &v, sizeof v);
}

static void write_labels(const struct batch_layout *l, const struct plan *plan,
                         const struct image_box *box, uint32_t index,
                         uint8_t *payload)
{
    put_u64(item(l, TENSOR_LABEL, index, payload), plan->class_id);
    put_u32(item(l, TENSOR_OBJECT, index, payload), plan->object);
    put_u32(item(l, TENSOR_BACKGROUND, index, payload), plan->background);
    put_u64(item(l, TENSOR_POSITION, index, payload), plan->position);
    put_u32(item(l, TENSOR_CANDIDATE, index, payload), plan->candidate);
    put_f32(item(l, TENSOR_VISIBLE, index, payload),
            (float)plan->visible_q16 / 65536.0f);
    uint8_t *corner = item(l, TENSOR_BOX, index, payload);
    if (!corner)
        return;
    const int32_t side[4] = {box->x0, box->y0, box->x1, box->y1};
    for (int i = 0; i < 4; i++)
        put_f32(corner + 4 * i, (float)side[i]);
}

void batch_composer_init(struct batch_composer *c, const struct batch_layout *l,
                         const struct recipe *recipe,
                         const struct catalog *catalog, void *scratch,
                         uint8_t *payload)
{
    c->layout = l;
    c->recipe = recipe;
    c->catalog = catalog;
    c->feedback = NULL;
    c->has_distractors = recipe_wants_distractor(recipe);
    c->scratch = scratch;
    c->payload = payload;
    c->due = 0;
    c->is_planned = false;
    c->is_ending = false;
    c->is_streamed = l->tensors_bytes > BATCH_CACHED_BYTES;
}

static void make_plan(struct batch_composer *c, const struct batch_sample *s,
                      struct plan *out)
{
    plan_make_candidate(c->recipe, c->catalog, s->position, s->edge,
                        s->candidate, out);
    if (s->context)
        plan_give_context(out);
    assert(out->width == c->layout->width && out->height == c->layout->height);
}

/* The plan due, and room for the one after. */
static struct plan *take_plan(struct batch_composer *c,
                              const struct batch_sample *sample)
{
    struct plan *plan = &c->plan[c->due];
    if (!c->is_planned)
        make_plan(c, sample, plan);
    else
        assert(c->planned_position == sample->position &&
               c->planned_candidate == sample->candidate);
    c->due ^= 1;
    c->is_planned = false;
    return plan;
}

static const struct plan *plan_next(struct batch_composer *c,
                                    const struct batch_sample *next)
{
    if (!next)
        return NULL;
    make_plan(c, next, &c->plan[c->due]);
    c->is_planned = true;
    c->planned_position = next->position;
    c->planned_candidate = next->candidate;
    return &c->plan[c->due];
}

static struct layers layers_of(const struct batch_composer *c,
                               const struct plan *plan,
                               const struct batch_sample *sample)
{
    const uint32_t index = sample->index;
    uint8_t *keypoints = item(c->layout, TENSOR_KEYPOINTS, index, c->payload);
    return (struct layers){
        .mask = item(c->layout, TENSOR_MASK, index, c->payload),
        .plane = item(c->layout, TENSOR_PLANE, index, c->payload),
        .context = item(c->layout, TENSOR_CONTEXT, index, c->payload),
        .composite = sample->composite,
        .finished = sample->finished,
        .keypoints = keypoints_begin(keypoints, c->layout->n_keypoints, plan,
                                     c->catalog),
    };
}

/* The pixels that the plan's object is pasted on, NULL where they are the
 * plan's; with the class of the distractor among them. */
static const uint8_t *take_context(const struct batch_composer *c,
                                   const struct batch_sample *sample,
                                   struct plan *plan, uint8_t *own,
                                   int32_t *out_distractor)
{
    if (!c->has_distractors)
        return sample->context;
    uint8_t *frame = own + compose_scratch_bytes(plan->width, plan->height) +
                     stage_scratch_bytes(c->recipe);
    const uint8_t *given =
        distractor_paste(c, plan, sample->context, own, frame, out_distractor);
    if (given)
        plan_give_context(plan);
    return given;
}

/* The composite is the image of a plan whose image section does nothing. */
static void hand_on(const struct batch_composer *c, struct render *render,
                    struct plan *plan, const struct batch_sample *sample)
{
    if (sample->composite) {
        plan->has_colour = false;
        plan->operations.n = 0;
    }
    output_frame(render, c->scratch,
                 sample->composite ? sample->composite : sample->finished);
}

void batch_composer_run(struct batch_composer *c,
                        const struct batch_sample *sample,
                        const struct batch_sample *next)
{
    assert(sample->is_handed_on_only || sample->index < c->layout->n_samples);
    struct plan *plan = take_plan(c, sample);
    struct render render;
    uint8_t *own = (uint8_t *)c->scratch + output_scratch_bytes(c->recipe);
    int32_t other = -1;
    const uint8_t *given = take_context(c, sample, plan, own, &other);
    render_init(&render, c->catalog, plan, given, plan_next(c, next), own);
    stage_run(&render, own + compose_scratch_bytes(plan->width, plan->height));
    match_run(&render);
    if (sample->is_handed_on_only) {
        hand_on(c, &render, plan, sample);
        return;
    }
    render.is_streamed = c->is_streamed;
    render.layers = layers_of(c, plan, sample);
    output_image(c->layout, &render, c->scratch,
                 item(c->layout, TENSOR_IMAGE, sample->index, c->payload));
    struct compose_facts facts = render_facts(&render);
    write_labels(c->layout, plan, &facts.box, sample->index, c->payload);
    put_u32(item(c->layout, TENSOR_DISTRACTOR, sample->index, c->payload),
            (uint32_t)other);
    /* Not after each: later stores would wait for the memory. */
    if (c->is_streamed && (!next || c->is_ending))
        render.kernels->stream_end();
}

void batch_compose_sample(const struct batch_layout *l,
                          const struct recipe *recipe,
                          const struct catalog *catalog,
                          const struct batch_sample *sample, void *scratch,
                          uint8_t *payload)
{
    struct batch_composer c;
    batch_composer_init(&c, l, recipe, catalog, scratch, payload);
    batch_composer_run(&c, sample, NULL);
}
