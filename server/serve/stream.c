/* Streams: made of a catalog and a recipe, named by a fingerprint; and the
 * arithmetic of ranks. Composes nothing and keeps no position.
 * Threads: immutable once created; create and destroy on the loop thread. */
#include "server/serve/stream.h"

#include <inttypes.h>
#include <string.h>

#include "server/base/mem.h"
#include "server/base/version.h"
#include "server/plan/scene.h"
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

static int fingerprint(struct stream *s, struct fault *fault)
{
    char *canonical = recipe_canonical(&s->recipe, false);
    struct digest_state state;

    if (!canonical)
        return fault_set(fault, ERROR_NO_MEMORY, "no memory for a recipe");
    digest_init(&state);
    digest_update_u32(&state, ENGINE_VERSION);
    digest_update(&state, s->catalog->digest.bytes, DIGEST_BYTES);
    digest_update_string(&state, canonical);
    digest_update_u64(&state, s->recipe.seed);
    s->fingerprint = digest_final(&state);
    digest_hex(&s->fingerprint, s->fingerprint_hex);
    mem_free(canonical);
    return 0;
}

int stream_create(const char *name, struct catalog *catalog,
                  const struct recipe *recipe, struct stream **out_stream,
                  struct fault *fault)
{
    struct stream *s;
    int rc = check_name(name, fault);

    if (rc < 0)
        return rc;
    s = mem_calloc(1, sizeof(*s));
    if (!s)
        return fault_set(fault, ERROR_NO_MEMORY, "no memory for a stream");
    memcpy(s->name, name, strlen(name) + 1);
    s->catalog = catalog_ref(catalog);
    s->recipe = *recipe;
    s->graph = scene_graph(recipe, catalog);
    s->turns = scene_turns(recipe);
    rc = graph_spec_check(&s->graph, fault);
    if (rc < 0)
        goto destroy;
    s->edges_per_epoch = graph_edges_per_epoch(&s->graph);
    rc = fingerprint(s, fault);
    if (rc < 0)
        goto destroy;
    rc = epochs_create(&s->epochs, fault);
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
