/* Which graphs are possible, and how many edges they have. Draws nothing.
 * Threads: pure functions, any thread. */
#include "server/graph/epoch.h"

#include <stddef.h>

uint32_t graph_n_objects(const struct graph_spec *spec)
{
    return spec->class_first[spec->n_classes];
}

static uint32_t class_size(const struct graph_spec *spec, uint32_t c)
{
    return spec->class_first[c + 1] - spec->class_first[c];
}

static bool sizes_are_equal(const struct graph_spec *spec)
{
    for (uint32_t c = 1; c < spec->n_classes; c++)
        if (class_size(spec, c) != class_size(spec, 0))
            return false;
    return true;
}

bool graph_spec_is_decked(const struct graph_spec *spec)
{
    return spec->balance == GRAPH_BY_CLASS || sizes_are_equal(spec);
}

bool graph_has_blocks(const struct graph_spec *spec)
{
    return spec->pairing != GRAPH_INDEPENDENT &&
           spec->order != GRAPH_SHUFFLED && graph_spec_is_decked(spec);
}

uint32_t graph_class_of(const struct graph_spec *spec, uint32_t object)
{
    const uint32_t *first = spec->class_first;
    uint32_t n = spec->n_classes; /* first[0] <= object < first[n] */
    while (n > 1) {
        uint32_t half = n / 2;
        first += first[half] <= object ? half : 0; /* without a branch */
        n -= half;
    }
    return (uint32_t)(first - spec->class_first);
}

/* The rounding up to whole rounds of K never asks a background for a class
 * more often than ceil(dB / K). Without rounds (by object, unequal sizes) it
 * could exceed the full product, which is then the end of it. */
uint64_t graph_edges_per_epoch(const struct graph_spec *spec)
{
    uint64_t k = spec->n_classes;
    uint64_t wanted =
        (uint64_t)spec->n_backgrounds * spec->objects_per_background;
    uint64_t rounded = (wanted + k - 1) / k * k;
    uint64_t full = (uint64_t)spec->n_backgrounds * graph_n_objects(spec);
    if (!graph_spec_is_decked(spec) && rounded > full)
        return full;
    return rounded;
}

uint64_t graph_epoch_bytes(const struct graph_spec *spec)
{
    uint64_t n_bytes = sizeof(struct graph_epoch);
    uint64_t n_edges = graph_edges_per_epoch(spec);
    if (spec->pairing == GRAPH_INDEPENDENT)
        return n_bytes;
    n_bytes += (n_edges + spec->n_backgrounds) * sizeof(uint32_t);
    if (spec->order == GRAPH_MIXED && graph_spec_is_decked(spec))
        n_bytes += n_edges * sizeof(uint16_t);
    return n_bytes;
}

static int check_classes(const struct graph_spec *spec, struct fault *fault)
{
    if (spec->n_classes == 0)
        return fault_set(fault, ERROR_BAD_RECIPE, "there is no class");
    if (spec->n_classes > GRAPH_MAX_CLASSES)
        return fault_set(fault, ERROR_BAD_RECIPE, "%u classes; the limit is %u",
                         spec->n_classes, (unsigned)GRAPH_MAX_CLASSES);
    if (spec->class_first[0] != 0)
        return fault_set(fault, ERROR_BAD_RECIPE,
                         "the objects of class 0 begin at %u, not at 0",
                         spec->class_first[0]);
    for (uint32_t c = 0; c < spec->n_classes; c++)
        if (spec->class_first[c + 1] <= spec->class_first[c])
            return fault_set(fault, ERROR_BAD_RECIPE, "class %u has no object",
                             c);
    return 0;
}

static int check_counts(const struct graph_spec *spec, struct fault *fault)
{
    uint32_t n_objects = graph_n_objects(spec);
    uint32_t per_background = spec->objects_per_background;
    if (spec->n_backgrounds == 0)
        return fault_set(fault, ERROR_BAD_RECIPE, "there is no background");
    if (per_background == 0)
        return fault_set(fault, ERROR_BAD_RECIPE,
                         "objects_per_background is 0; it must be at least 1");
    if (per_background > n_objects)
        return fault_set(fault, ERROR_BAD_RECIPE,
                         "objects_per_background is %u, but there are only %u "
                         "objects, and no background takes one twice",
                         per_background, n_objects);
    uint64_t n_edges = graph_edges_per_epoch(spec);
    if (n_edges > GRAPH_MAX_EDGES)
        return fault_set(fault, ERROR_BAD_RECIPE,
                         "an epoch would have %llu edges (%u backgrounds x "
                         "%u objects); the limit is %llu",
                         (unsigned long long)n_edges, spec->n_backgrounds,
                         per_background, GRAPH_MAX_EDGES);
    return 0;
}

/* A background takes up to ceil(dB / K) different objects of each class. */
static int check_class_sizes(const struct graph_spec *spec, struct fault *fault)
{
    if (spec->pairing == GRAPH_INDEPENDENT || !graph_spec_is_decked(spec))
        return 0;
    uint32_t k = spec->n_classes;
    uint32_t needed = (spec->objects_per_background - 1) / k + 1;
    for (uint32_t c = 0; c < k; c++)
        if (class_size(spec, c) < needed)
            return fault_set(
                fault, ERROR_BAD_RECIPE,
                "class %u has %u object(s), but %u objects per background "
                "from %u classes need %u of each class, none twice; in the "
                "recipe lower /graph/objects_per_background to %llu or "
                "balance by object",
                c, class_size(spec, c), spec->objects_per_background, k, needed,
                (unsigned long long)class_size(spec, c) * k);
    return 0;
}

/* Each class has a background of its own at least. */
static int check_own_backgrounds(const struct graph_spec *spec,
                                 struct fault *fault)
{
    if (spec->pairing != GRAPH_CORRELATED ||
        spec->n_backgrounds >= spec->n_classes)
        return 0;
    return fault_set(fault, ERROR_BAD_RECIPE,
                     "correlated pairing gives each class backgrounds of its "
                     "own: %u classes need as many at least, not %u",
                     spec->n_classes, spec->n_backgrounds);
}

static int check_exact_by_object(const struct graph_spec *spec,
                                 struct fault *fault)
{
    uint64_t n_edges = graph_edges_per_epoch(spec);
    uint32_t n_objects = graph_n_objects(spec);
    if (n_edges % n_objects == 0)
        return 0;
    return fault_set(fault, ERROR_BAD_RECIPE,
                     "strict: %llu edges do not divide among %u objects",
                     (unsigned long long)n_edges, n_objects);
}

/* Exact degrees: every background dB, every class E/K, every object the same
 * number as its peers (of the class, or of all, as the balance says). */
static int check_strict(const struct graph_spec *spec, struct fault *fault)
{
    if (!spec->strict)
        return 0;
    if (spec->pairing == GRAPH_INDEPENDENT)
        return fault_set(fault, ERROR_BAD_RECIPE,
                         "strict: independent pairing has no exact degrees");
    if (spec->pairing == GRAPH_CORRELATED &&
        (!graph_spec_is_decked(spec) ||
         spec->n_backgrounds % spec->n_classes != 0))
        return fault_set(fault, ERROR_BAD_RECIPE,
                         "strict: correlated pairing of %u classes with %u "
                         "backgrounds has no exact degrees",
                         spec->n_classes, spec->n_backgrounds);
    uint32_t k = spec->n_classes;
    uint64_t n_edges = graph_edges_per_epoch(spec);
    uint64_t wanted =
        (uint64_t)spec->n_backgrounds * spec->objects_per_background;
    if (n_edges != wanted)
        return fault_set(fault, ERROR_BAD_RECIPE,
                         "strict: %u backgrounds x %u objects = %llu edges "
                         "are not a multiple of %u classes",
                         spec->n_backgrounds, spec->objects_per_background,
                         (unsigned long long)wanted, k);
    if (!graph_spec_is_decked(spec))
        return check_exact_by_object(spec, fault);
    for (uint32_t c = 0; c < k; c++)
        if (n_edges / k % class_size(spec, c) != 0)
            return fault_set(fault, ERROR_BAD_RECIPE,
                             "strict: the %llu edges of class %u do not "
                             "divide among its %u objects",
                             (unsigned long long)(n_edges / k), c,
                             class_size(spec, c));
    return 0;
}

int graph_spec_check(const struct graph_spec *spec, struct fault *fault)
{
    int rc = check_classes(spec, fault);
    if (rc == 0)
        rc = check_counts(spec, fault);
    if (rc == 0)
        rc = check_class_sizes(spec, fault);
    if (rc == 0)
        rc = check_own_backgrounds(spec, fault);
    if (rc == 0)
        rc = check_strict(spec, fault);
    return rc;
}
