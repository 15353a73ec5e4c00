/* The rig of serve's tests. */
#include "tests/unit/serve_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "server/pool/load.h"
#include "tests/unit/synthetic.h"

static struct synthetic made;
static struct catalog_store references = {.n_references = 1};

int rig_make_catalog(void **state)
{
    static uint8_t pixels[24 * 24 * 4];
    uint32_t random = 1;

    synthetic_init(&made, RIG_CLASSES, RIG_BACKGROUNDS);
    for (uint32_t i = 0; i < RIG_CLASSES + RIG_BACKGROUNDS; i++) {
        for (size_t k = 0; k < sizeof(pixels); k++) {
            random = random * 1664525 + 1013904223;
            pixels[k] = (uint8_t)(random >> 24);
        }
        if (i < RIG_CLASSES)
            synthetic_set_object(&made, i, 10 + (int32_t)i, 14, pixels);
        else
            synthetic_set_background(&made, i - RIG_CLASSES, 24, 12, pixels);
    }
    made.catalog.private_state = &references;
    return 0;
}

int rig_drop_catalog(void **state)
{
    bool returned = references.n_references == 1;

    synthetic_fini(&made);
    return returned ? 0 : -1;
}

struct catalog *rig_catalog(void)
{
    return &made.catalog;
}

struct stream *rig_stream(const char *recipe)
{
    struct recipe r;
    struct stream *s = NULL;
    struct fault fault = {0};

    if (recipe_parse(recipe, strlen(recipe), &r, &fault) < 0 ||
        stream_create("s", &made.catalog, &r, &s, &fault) < 0)
        fail_msg("%s", fault.text);
    return s;
}

struct stream *rig_usual;

int rig_make_usual(void **state)
{
    rig_usual = rig_stream(RIG_RECIPE);
    return 0;
}

int rig_drop_usual(void **state)
{
    stream_destroy(rig_usual);
    return 0;
}

struct store_config rig_config(void)
{
    return (struct store_config){
        .budget_bytes = 4 << 20,
        .epoch_budget_bytes = 1 << 20,
        .max_queued = 64,
        .max_samples = 256,
    };
}

void rig_start(struct rig *rig, uint32_t n_workers,
               const struct store_config *config)
{
    struct fault fault = {0};

    assert_int_equal(uv_loop_init(&rig->loop), 0);
    if (workers_create(&rig->loop, n_workers, &rig->workers, &fault) < 0 ||
        store_create(rig->workers, config, &rig->store, &fault) < 0)
        fail_msg("%s", fault.text);
}

void rig_stop(struct rig *rig)
{
    workers_destroy(rig->workers);
    store_destroy(rig->store);
    uv_run(&rig->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&rig->loop), 0);
}

void rig_settle(struct rig *rig)
{
    while (workers_pending(rig->workers) > 0)
        uv_run(&rig->loop, UV_RUN_ONCE);
}

static void on_done(struct store_request *request, int status,
                    struct batch *batch, const struct fault *fault)
{
    struct ask *a = request->context;

    assert_false(a->answered);
    a->answered = true;
    a->status = status;
    a->batch = batch;
    a->fault = *fault;
}

void ask_init(struct ask *a, struct stream *stream, uint64_t first,
              uint32_t n_samples)
{
    *a = (struct ask){
        .request = {.stream = stream,
                    .first_position = first,
                    .n_samples = n_samples,
                    .class = WORKER_BULK,
                    .done = on_done},
    };
    a->request.context = a;
}

int ask_send(struct rig *rig, struct ask *a)
{
    int rc = store_get(rig->store, &a->request, &a->batch, &a->fault);

    a->answered = rc == 1;
    return rc;
}

struct batch *ask_batch(struct rig *rig, struct ask *a)
{
    int rc = ask_send(rig, a);

    if (rc < 0)
        fail_msg("refused: %s", a->fault.text);
    while (!a->answered)
        uv_run(&rig->loop, UV_RUN_ONCE);
    if (a->status < 0)
        fail_msg("failed: %s", a->fault.text);
    return a->batch;
}

void rig_warm(struct rig *rig, struct stream *stream, uint64_t position)
{
    struct ask a;

    ask_init(&a, stream, position, 1);
    batch_unref(ask_batch(rig, &a));
}

/* The latest of each slot of a chain, on the way from the earliest position
 * that can matter. */
struct slot {
    bool is_set;
    uint32_t class_id;
    uint8_t *frame[2]; /* what it handed on is in frame[now] */
    int now;
};

static struct slot *make_slots(const struct stream *stream)
{
    const struct recipe *r = &stream->recipe;
    struct slot *slots = calloc(r->chain.slots + 1, sizeof(*slots));

    assert_non_null(slots);
    for (uint32_t i = 0; i < 2 * r->chain.slots; i++) {
        slots[i / 2].frame[i % 2] =
            malloc((size_t)r->height * (size_t)r->width * 3);
        assert_non_null(slots[i / 2].frame[i % 2]);
    }
    return slots;
}

static void free_slots(struct slot *slots, uint32_t n)
{
    for (uint32_t i = 0; i < 2 * n; i++)
        free(slots[i / 2].frame[i % 2]);
    free(slots);
}

/* Where the sample's context is, and what it hands on goes. */
static void chain_sample(struct stream *stream, struct slot *slots,
                         struct batch_sample *sample)
{
    struct slot *s = &slots[sample->position % stream->chain.slots];
    uint32_t class_id = stream->catalog->objects[sample->edge.object].class_id;

    if (s->is_set && chain_link(&stream->chain, sample->position, class_id,
                                s->class_id) == LINK_PARENT)
        sample->context = s->frame[s->now];
    s->now ^= 1;
    s->is_set = true;
    s->class_id = class_id;
    if (stream->recipe.chain.handed_on == HANDED_ON_IMAGE)
        sample->finished = s->frame[s->now];
    else
        sample->composite = s->frame[s->now];
}

/* Each sample is composed where it belongs; those before the batch, where its
 * first will be. */
uint8_t *rig_direct(struct stream *stream, uint64_t first, uint32_t n_samples,
                    const struct batch_layout *layout)
{
    uint8_t *payload = malloc(layout->tensors_bytes);
    void *scratch =
        aligned_alloc(64, (batch_scratch_bytes(&stream->recipe) + 63) & ~63u);
    struct slot *slots = make_slots(stream);
    struct graph_epoch *epoch = NULL;
    const uint32_t k = layout->n_candidates;
    uint64_t built = UINT64_MAX, end = first + n_samples / k;

    assert_true(payload && scratch);
    batch_write_head(layout, first, payload);
    for (uint64_t p = chain_reach(&stream->chain, first); p < end; p++) {
        struct batch_sample sample = {
            .position = p, .index = p < first ? 0 : (uint32_t)(p - first) * k};
        uint64_t e = p / stream->edges_per_epoch / stream->turns;

        if (e != built) {
            graph_epoch_destroy(epoch);
            assert_int_equal(
                graph_epoch_create(&stream->graph, e, &epoch, NULL), 0);
            built = e;
        }
        sample.edge = graph_epoch_edge(epoch, p % stream->edges_per_epoch);
        if (stream->chain.slots > 0)
            chain_sample(stream, slots, &sample);
        for (; sample.candidate < (p < first ? 1 : k); sample.candidate++) {
            batch_compose_sample(layout, &stream->recipe, stream->catalog,
                                 &sample, scratch, payload);
            sample.index++; /* the others hand nothing on */
            sample.composite = sample.finished = NULL;
        }
    }
    free_slots(slots, stream->chain.slots);
    graph_epoch_destroy(epoch);
    free(scratch);
    return payload;
}

void rig_check_batch(const struct batch *b)
{
    const struct batch_layout *l = &b->layout;
    uint8_t *expected =
        rig_direct(b->stream, b->first_position, l->n_samples, l);

    assert_memory_equal(b->payload, expected, l->tensors_bytes);
    for (int kind = 1; kind < CHECKSUM_N_KINDS; kind++) {
        const uint64_t *sums = b->checksums[kind];

        for (uint32_t i = 0; sums && i < l->n_samples; i++)
            assert_true(sums[i] ==
                        checksum_of((enum checksum_kind)kind,
                                    expected + l->image_offset_bytes +
                                        i * l->sample_bytes,
                                    l->sample_bytes));
        if (sums)
            assert_true(sums[l->n_samples] ==
                        checksum_of((enum checksum_kind)kind, expected,
                                    l->image_offset_bytes));
    }
    free(expected);
}
