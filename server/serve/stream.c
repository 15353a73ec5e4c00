/* Streams: made of a catalog and a recipe, named by a fingerprint; and the
 * arithmetic of ranks. Composes nothing and keeps no position.
 * Threads: immutable once created; create and destroy on the loop thread. */
#include "server/serve/stream.h"

#include <inttypes.h>
#include <string.h>

#include "common/fingerprint.h"
#include "common/tensor.h"
#include "server/base/mem.h"
#include "server/base/version.h"
#include "server/plan/scene.h"
#include "server/serve/composites.h"
#include "server/serve/epochs.h"

#define NAME_MAX_CHARS 64
#define NAME_CHARS                                                             \
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"

static int check_name(const char *name, struct fault *fault)
{
    size_t n_chars = strnlen(name, NAME_MAX_CHARS + 1);

    if (n_chars == 0 || n_chars > NAME_MAX_CHARS ||
        strspn(name, NAME_CHARS) != n_chars)
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "a stream's name is 1 to %d of A-Z a-z 0-9 _ . -",
                         NAME_MAX_CHARS);
    return 0;
}

static int check_keypoints(const struct catalog *catalog,
                           const struct recipe *recipe, struct fault *fault)
{
    if (recipe->labels.tensors >> TENSOR_KEYPOINTS & 1 &&
        catalog->n_keypoints == 0)
        return fault_set(fault, ERROR_BAD_RECIPE,
                         "/labels/tensors: keypoints are asked for, but no "
                         "object of the pool has any; a manifest of objects "
                         "gives them");
    return 0;
}

static struct digest digest_of_seed(uint64_t seed)
{
    struct digest_state state;

    digest_init(&state);
    digest_update_u64(&state, seed);
    return digest_final(&state);
}

/* Of the canonical recipe but for its seed. */
static int digest_of_recipe(const struct recipe *recipe, bool everything,
                            struct digest *out, struct fault *fault)
{
    struct recipe unseeded = *recipe;
    struct digest_state state;
    char *canonical;

    unseeded.seed = 0;
    canonical = recipe_canonical(&unseeded, everything);
    if (!canonical)
        return fault_set(fault, ERROR_NO_MEMORY, "no memory for a recipe");
    digest_init(&state);
    digest_update_string(&state, canonical);
    mem_free(canonical);
    *out = digest_final(&state);
    return 0;
}

static void take(struct digest *out, int from, int to, const struct digest *of)
{
    memcpy(out->bytes + from, of->bytes, (size_t)(to - from));
}

static int fingerprint(struct stream *s, struct fault *fault)
{
    const struct digest seed = digest_of_seed(s->recipe.seed);
    struct digest recipe, *f = &s->fingerprint;
    int rc = digest_of_recipe(&s->recipe, false, &recipe, fault);

    if (rc < 0)
        return rc;
    f->bytes[0] = ENGINE_VERSION >> 8;
    f->bytes[1] = ENGINE_VERSION & 255;
    take(f, FINGERPRINT_SEED_AT, FINGERPRINT_CATALOG_AT, &seed);
    take(f, FINGERPRINT_CATALOG_AT, FINGERPRINT_RECIPE_AT, &s->catalog->digest);
    take(f, FINGERPRINT_RECIPE_AT, FINGERPRINT_BYTES, &recipe);
    digest_hex(f, s->fingerprint_hex);
    return 0;
}

/* Without what a request names for itself: batch, dtype and layout. */
static int name_output(struct stream *s, struct fault *fault)
{
    struct recipe r = s->recipe;
    struct digest all;
    int rc;

    r.batch = 1;
    r.output.dtype = TENSOR_U8;
    r.output.layout = TENSOR_NHWC;
    rc = digest_of_recipe(&r, true, &all, fault);
    if (rc < 0)
        return rc;
    s->output = 0;
    for (int i = 0; i < 8; i++)
        s->output = s->output << 8 | all.bytes[i];
    return 0;
}

static int create_chain(struct stream *s, struct fault *fault)
{
    chain_init(&s->chain, &s->recipe, s->catalog);
    return s->chain.slots > 0
               ? composites_create(&s->recipe, &s->composites, fault)
               : 0;
}

int stream_create(const char *name, struct catalog *catalog,
                  const struct recipe *recipe, struct stream **out_stream,
                  struct fault *fault)
{
    struct stream *s;
    int rc = check_name(name, fault);

    rc = rc < 0 ? rc : check_keypoints(catalog, recipe, fault);
    if (rc < 0)
        return rc;
    s = mem_calloc(1, sizeof(*s));
    if (!s)
        return fault_set(fault, ERROR_NO_MEMORY, "no memory for a stream");
    memcpy(s->name, name, strlen(name) + 1);
    s->catalog = catalog_ref(catalog);
    s->recipe = *recipe;
    if (recipe_wants_strokes(recipe) && !catalog->has_strokes) {
        rc = fault_set(fault, ERROR_BAD_RECIPE,
                       "/object/stroke: the pool was loaded without outlines");
        goto destroy;
    }
    s->graph = scene_graph(recipe, catalog);
    s->turns = scene_turns(recipe);
    rc = graph_spec_check(&s->graph, fault);
    if (rc < 0)
        goto destroy;
    s->edges_per_epoch = graph_edges_per_epoch(&s->graph);
    rc = fingerprint(s, fault);
    if (rc == 0)
        rc = name_output(s, fault);
    if (rc < 0)
        goto destroy;
    rc = epochs_create(&s->epochs, fault);
    if (rc == 0)
        rc = create_chain(s, fault);
    if (rc < 0)
        goto destroy;
    *out_stream = s;
    return 0;

destroy:
    stream_destroy(s);
    return rc;
}

void stream_destroy(struct stream *s)
{
    if (!s)
        return;
    composites_destroy(s->composites);
    epochs_destroy(s->epochs);
    catalog_unref(s->catalog);
    mem_free(s);
}

struct stream *stream_find(const struct stream_set *set, const char *name)
{
    for (uint32_t i = 0; i < set->n_streams; i++) {
        if (strcmp(set->stream[i]->name, name) == 0)
            return set->stream[i];
    }
    return NULL;
}

int stream_slice(uint64_t position, uint32_t global_batch, uint32_t rank,
                 uint32_t world, struct stream_slice *out, struct fault *fault)
{
    uint32_t n_samples;

    if (global_batch == 0)
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "a global batch of 0 samples: at least 1 is needed");
    if (world == 0 || global_batch % world != 0)
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "world %" PRIu32
                         " does not divide the global batch %" PRIu32,
                         world, global_batch);
    if (rank >= world)
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "rank %" PRIu32 " of world %" PRIu32
                         ": ranks count from 0",
                         rank, world);
    if (position > (UINT64_C(1) << 63) - global_batch)
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "position %" PRIu64 " is beyond the last one, 2^63",
                         position);
    n_samples = global_batch / world;
    if (n_samples > RECIPE_MAX_BATCH)
        return fault_set(fault, ERROR_TOO_LARGE,
                         "%" PRIu32 " samples in one rank's slice: at most %d "
                         "are possible",
                         n_samples, RECIPE_MAX_BATCH);
    out->first_position = position + (uint64_t)rank * n_samples;
    out->n_samples = n_samples;
    return 0;
}

int stream_check_candidates(uint32_t n_candidates, struct fault *fault)
{
    if (n_candidates <= PLAN_MAX_CANDIDATES)
        return 0;
    return fault_set(fault, ERROR_BAD_ARGUMENT,
                     "candidates: %" PRIu32 " of each sample, at most %d are "
                     "composed",
                     n_candidates, PLAN_MAX_CANDIDATES);
}
