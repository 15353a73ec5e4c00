/* The first step of a load: which images there are to be. Opens manifests and
 * folders, no image. */
#include <string.h>
#include <sys/stat.h>

#include "server/base/mem.h"
#include "server/pool/demo.h"
#include "server/pool/load.h"
#include "server/pool/scan.h"

static int add_demo_keypoints(struct pool_entry *e, uint32_t i,
                              struct fault *fault)
{
    e->keypoints = mem_calloc(DEMO_MAX_KEYPOINTS, sizeof(*e->keypoints));
    if (!e->keypoints)
        return fault_set(fault, ERROR_NO_MEMORY, "no memory for keypoints");
    e->n_keypoints = demo_object_keypoints(i, e->keypoints);
    return 0;
}

static int gather_demo(struct load *l, struct fault *fault)
{
    struct pool_entry *e;
    int code = 0;

    for (uint32_t i = 0; !code && i < demo_n_objects(); i++) {
        code = pool_entries_add(&l->objects, demo_object_name(i), NULL,
                                UINT32_MAX, &e, fault);
        if (code)
            break;
        e->order = i;
        code = pool_entry_set(&e->class_name, demo_object_class(i), fault);
        code = code ? code : add_demo_keypoints(e, i, fault);
    }
    for (uint32_t i = 0; !code && i < demo_n_backgrounds(); i++) {
        code = pool_entries_add(&l->backgrounds, demo_background_name(i), NULL,
                                UINT32_MAX, &e, fault);
        if (!code)
            e->order = i;
    }
    if (!code) {
        pool_entries_sort(&l->objects);
        pool_entries_sort(&l->backgrounds);
    }
    return code;
}

static int gather_objects(struct load *l, struct fault *fault)
{
    const struct pool_config *config = l->config;
    const char *path = config->objects_path;
    struct stat st;

    if (!path || stat(path, &st))
        return fault_set(fault, ERROR_NOT_FOUND,
                         "%s: no such folder or manifest of objects",
                         path ? path : "(none)");
    if (S_ISREG(st.st_mode))
        return manifest_load(path, config, &l->objects, &l->manifest_classes,
                             fault);
    return scan_objects(path, config->matte, &config->limits, &l->objects,
                        fault);
}

static int gather_files(struct load *l, struct fault *fault)
{
    const struct pool_config *config = l->config;
    int code = gather_objects(l, fault);

    if (code)
        return code;
    if (!config->backgrounds_path)
        return fault_set(fault, ERROR_NOT_FOUND,
                         "(none): no such folder of backgrounds");
    return scan_folder(config->backgrounds_path, &config->limits,
                       &l->backgrounds, fault);
}

int load_gather(struct load *l, struct fault *fault)
{
    int code = l->config->demo ? gather_demo(l, fault) : gather_files(l, fault);

    if (code)
        return code;
    const uint64_t n_items = (uint64_t)l->objects.n + l->backgrounds.n;

    if (n_items == 0)
        return fault_set(fault, ERROR_BAD_FILE, "no image in %s and %s",
                         l->config->objects_path, l->config->backgrounds_path);
    if (n_items > UINT32_MAX)
        return fault_set(fault, ERROR_TOO_LARGE, "more than 2^32 images");
    l->items = mem_calloc(n_items, sizeof(*l->items));
    if (!l->items)
        return fault_set(fault, ERROR_NO_MEMORY, "no memory to list images");
    for (uint32_t i = 0; i < n_items; i++) {
        struct load_item *item = &l->items[i];

        item->is_object = i < l->objects.n;
        item->entry = item->is_object ? &l->objects.at[i]
                                      : &l->backgrounds.at[i - l->objects.n];
    }
    l->n_items = (uint32_t)n_items;
    return 0;
}
