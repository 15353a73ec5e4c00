/* The last step of a load: classes in order, objects by class, the list of what
 * was skipped, the digest. Decodes nothing; moves, does not copy, pixels. */
#include <stdlib.h>
#include <string.h>

#include "server/base/mem.h"
#include "server/pool/load.h"

/* A class by name, to find its id. */
struct class_key {
    const char *name;
    uint32_t id;
};

struct classes {
    struct class_key *keys; /* by name once sorted */
    uint32_t n;
    uint32_t *id_of_item; /* of each object that is used */
};

static int no_memory(struct fault *fault)
{
    return fault_set(fault, ERROR_NO_MEMORY, "no memory for the catalog");
}

static bool is_used(const struct load_item *item)
{
    return !item->problem && !item->left_out;
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(((const struct class_key *)a)->name,
                  ((const struct class_key *)b)->name);
}

static const struct class_key *find(const struct classes *c, const char *name)
{
    const struct class_key wanted = {.name = name};

    return c->n == 0 ? NULL
                     : bsearch(&wanted, c->keys, c->n, sizeof(*c->keys),
                               compare_keys);
}

/* The explicit list, if there is one, to keys sorted by name. */
static int list_explicit(const struct load *l, struct classes *c,
                         struct catalog_store *s, struct fault *fault)
{
    const struct pool_config *config = l->config;
    const bool by_config = config->n_classes > 0;
    const uint32_t n = by_config ? config->n_classes : l->manifest_classes.n;

    for (uint32_t i = 0; i < n; i++) {
        s->classes[i] = mem_strdup(by_config ? config->classes[i]
                                             : l->manifest_classes.names[i]);
        if (!s->classes[i])
            return no_memory(fault);
        s->public.n_classes = i + 1;
        c->keys[i] = (struct class_key){s->classes[i], i};
    }
    c->n = n;
    if (n > 1)
        qsort(c->keys, n, sizeof(*c->keys), compare_keys);
    for (uint32_t i = 1; i < n; i++)
        if (!strcmp(c->keys[i - 1].name, c->keys[i].name))
            return fault_set(fault, ERROR_BAD_CONFIG,
                             "class \"%s\" is listed twice", c->keys[i].name);
    return 0;
}

/* Gives every used object its class id. Unlisted classes follow the listed
 * ones as they come: the entries are in natural order of classes. */
static int number_classes(const struct load *l, struct classes *c,
                          struct catalog_store *s, struct fault *fault)
{
    const char *last = NULL;
    uint32_t id = 0;

    for (uint32_t i = 0; i < l->objects.n; i++) {
        const char *name = l->objects.at[i].class_name;

        if (!is_used(&l->items[i]))
            continue;
        if (!last || strcmp(last, name) != 0) {
            const struct class_key *key = find(c, name);

            id = key ? key->id : s->public.n_classes;
            if (!key && !(s->classes[id] = mem_strdup(name)))
                return no_memory(fault);
            s->public.n_classes += !key;
            last = name;
        }
        c->id_of_item[i] = id;
        s->class_first[id + 1]++;
        s->public.n_objects++;
    }
    return 0;
}

/* Counts to prefix sums; a listed class must not stay empty. */
static int sum_classes(struct catalog_store *s, struct fault *fault)
{
    for (uint32_t i = 0; i < s->public.n_classes; i++) {
        if (s->class_first[i + 1] == 0)
            return fault_set(fault, ERROR_BAD_FILE,
                             "class \"%s\" is listed but no object of it can "
                             "be used",
                             s->classes[i]);
        s->class_first[i + 1] += s->class_first[i];
    }
    return 0;
}

static void move_memory(struct catalog_store *s, struct pool_image *image)
{
    if (image->own)
        s->own[s->n_own++] = image->own;
    image->own = NULL;
}

static void move_object(struct catalog_store *s, struct load_item *item,
                        uint32_t class_id, uint32_t place)
{
    struct pool_object *o = &s->objects[place];
    struct pool_image *image = &item->image;

    o->name = item->entry->name;
    o->keypoints = item->entry->keypoints;
    o->n_keypoints = item->entry->n_keypoints;
    o->size_mm = item->entry->size_mm;
    item->entry->name = NULL;
    item->entry->keypoints = NULL;
    o->class_id = class_id;
    o->width = image->width;
    o->height = image->height;
    o->alpha_box = image->alpha_box;
    memcpy(o->coverage, image->coverage, sizeof(o->coverage));
    o->n_levels = image->n_levels;
    memcpy(o->level, image->level, sizeof(o->level));
    o->stroke = image->stroke;
    o->digest = image->digest;
    move_memory(s, image);
}

static void move_background(struct catalog_store *s, struct load_item *item)
{
    struct pool_background *b = &s->backgrounds[s->public.n_backgrounds++];
    struct pool_image *image = &item->image;

    b->name = item->entry->name;
    item->entry->name = NULL;
    b->width = image->width;
    b->height = image->height;
    b->n_levels = image->n_levels;
    memcpy(b->level, image->level, sizeof(b->level));
    b->digest = image->digest;
    move_memory(s, image);
}

static void count_pixels(struct catalog_store *s, const struct load_item *item)
{
    s->public.image_bytes += pool_image_level_bytes(
        item->image.width, item->image.height, item->is_object ? 4 : 3);
    if (item->image.stroke)
        s->public.image_bytes += pool_image_stroke_level_bytes(
            item->image.width, item->image.height);
}

/* Objects to their class's next place, backgrounds in order. */
static void move_images(struct load *l, const struct classes *c,
                        struct catalog_store *s, uint32_t *next_of_class)
{
    memcpy(next_of_class, s->class_first,
           s->public.n_classes * sizeof(*next_of_class));
    for (uint32_t i = 0; i < l->n_items; i++) {
        struct load_item *item = &l->items[i];

        if (!is_used(item))
            continue;
        count_pixels(s, item);
        if (item->is_object)
            move_object(s, item, c->id_of_item[i],
                        next_of_class[c->id_of_item[i]]++);
        else
            move_background(s, item);
    }
    pool_blocks_move(&s->blocks, &l->blocks);
}

static int list_skips(struct load *l, struct catalog_store *s,
                      struct fault *fault)
{
    s->skips = mem_calloc(POOL_MAX_SKIPS_KEPT, sizeof(*s->skips));
    if (!s->skips)
        return no_memory(fault);
    s->public.skips = s->skips;
    for (uint32_t i = 0; i < l->n_items; i++) {
        struct load_item *item = &l->items[i];
        struct pool_skip *skip = &s->skips[s->public.n_skips];

        if (!item->problem)
            continue;
        if (item->is_object)
            s->public.n_objects_skipped++;
        else
            s->public.n_backgrounds_skipped++;
        if (s->public.n_skips == POOL_MAX_SKIPS_KEPT)
            continue;
        s->public.n_skips++;
        skip->path = item->entry->path;
        skip->reason = item->problem;
        item->entry->path = NULL;
        item->problem = NULL;
    }
    return 0;
}

static void digest_keypoints(struct digest_state *s, const struct catalog *c)
{
    for (uint32_t i = 0; i < c->n_objects; i++) {
        const struct pool_object *o = &c->objects[i];

        digest_update_u32(s, o->n_keypoints);
        for (uint32_t k = 0; k < o->n_keypoints; k++) {
            const double at[2] = {o->keypoints[k].x, o->keypoints[k].y};
            uint64_t bits[2];

            memcpy(bits, at, sizeof(bits));
            digest_update_u64(s, bits[0]);
            digest_update_u64(s, bits[1]);
        }
    }
}

static void digest_catalog(struct catalog *c)
{
    struct digest_state s;

    digest_init(&s);
    digest_update_u32(&s, c->n_classes);
    for (uint32_t i = 0; i < c->n_classes; i++)
        digest_update_string(&s, c->classes[i]);
    digest_update_u32(&s, c->n_objects);
    for (uint32_t i = 0; i < c->n_objects; i++) {
        digest_update_u32(&s, c->objects[i].class_id);
        digest_update(&s, c->objects[i].digest.bytes, DIGEST_BYTES);
    }
    digest_update_u32(&s, c->n_backgrounds);
    for (uint32_t i = 0; i < c->n_backgrounds; i++)
        digest_update(&s, c->backgrounds[i].digest.bytes, DIGEST_BYTES);
    if (c->n_keypoints > 0)
        digest_keypoints(&s, c);
    c->digest = digest_final(&s);
}

/* "no usable KIND in PATH", with the first file's reason. */
static int nothing_left(const struct load *l, bool objects, struct fault *fault)
{
    const struct load_item *first = NULL;
    uint32_t n_bad = 0;

    for (uint32_t i = 0; i < l->n_items; i++) {
        const struct load_item *item = &l->items[i];

        if (item->is_object != objects || !item->problem)
            continue;
        first = first ? first : item;
        n_bad++;
    }
    const char *kind = objects ? "object" : "background";
    const char *path =
        objects ? l->config->objects_path : l->config->backgrounds_path;

    if (!first)
        return fault_set(fault, ERROR_BAD_FILE, "no %s in %s", kind, path);
    return fault_set(fault, ERROR_BAD_FILE,
                     "no usable %s in %s; %u skipped, the first: %s: %s", kind,
                     path, n_bad, first->entry->path, first->problem);
}

static int allocate(const struct load *l, struct catalog_store *s,
                    struct classes *c, struct fault *fault)
{
    const size_t n_listed =
        (size_t)l->config->n_classes + l->manifest_classes.n;
    const size_t n_classes = n_listed + l->objects.n + 1;
    uint32_t n_objects = 0, n_backgrounds = 0;

    for (uint32_t i = 0; i < l->n_items; i++) {
        n_objects += l->items[i].is_object && is_used(&l->items[i]);
        n_backgrounds += !l->items[i].is_object && is_used(&l->items[i]);
    }
    if (n_objects == 0 || n_backgrounds == 0)
        return nothing_left(l, n_objects == 0, fault);
    s->classes = mem_calloc(n_classes, sizeof(*s->classes));
    s->class_first = mem_calloc(n_classes + 1, sizeof(*s->class_first));
    s->objects = mem_calloc(n_objects, sizeof(*s->objects));
    s->backgrounds = mem_calloc(n_backgrounds, sizeof(*s->backgrounds));
    s->own = mem_calloc((size_t)n_objects + n_backgrounds, sizeof(void *));
    c->keys = mem_calloc(n_listed + 1, sizeof(*c->keys));
    c->id_of_item = mem_calloc(l->n_items, sizeof(*c->id_of_item));
    if (!s->classes || !s->class_first || !s->objects || !s->backgrounds ||
        !s->own || !c->keys || !c->id_of_item)
        return no_memory(fault);
    return 0;
}

static void publish(const struct load *l, struct catalog_store *s)
{
    struct catalog *c = &s->public;

    c->classes = (const char *const *)s->classes;
    c->class_first = s->class_first;
    c->objects = s->objects;
    for (uint32_t i = 0; i < c->n_objects; i++)
        if (c->n_keypoints < s->objects[i].n_keypoints)
            c->n_keypoints = s->objects[i].n_keypoints;
    c->backgrounds = s->backgrounds;
    c->predicted_bytes = l->predicted_bytes;
    c->has_strokes = l->config->strokes;
    c->private_state = s;
    digest_catalog(c);
}

static int fill(struct load *l, struct catalog_store *s, struct classes *c,
                struct fault *fault)
{
    uint32_t *next_of_class;
    int code;

    if ((code = allocate(l, s, c, fault)) ||
        (code = list_explicit(l, c, s, fault)) ||
        (code = number_classes(l, c, s, fault)) ||
        (code = sum_classes(s, fault)))
        return code;
    next_of_class = mem_calloc(s->public.n_classes, sizeof(*next_of_class));
    if (!next_of_class)
        return no_memory(fault);
    move_images(l, c, s, next_of_class);
    mem_free(next_of_class);
    return list_skips(l, s, fault);
}

int load_assemble(struct load *l, struct catalog **out_catalog,
                  struct fault *fault)
{
    struct catalog_store *s = mem_calloc(1, sizeof(*s));
    struct classes c = {0};
    int code;

    if (!s)
        return no_memory(fault);
    atomic_init(&s->n_references, 1);
    code = fill(l, s, &c, fault);
    mem_free(c.keys);
    mem_free(c.id_of_item);
    if (code) {
        catalog_store_destroy(s);
        return code;
    }
    publish(l, s);
    *out_catalog = &s->public;
    return 0;
}
