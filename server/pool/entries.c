/* The list of files that a pool will be made of. Knows neither folders nor
 * manifests: scan.c and manifest.c fill it. */
#include "server/pool/entries.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/mem.h"
#include "server/pool/natural.h"

static int no_memory(struct fault *fault)
{
    return fault_set(fault, ERROR_NO_MEMORY, "no memory for a list of files");
}

int pool_entry_set(char **field, const char *text, struct fault *fault)
{
    char *copy = mem_strdup(text);

    if (!copy)
        return no_memory(fault);
    mem_free(*field);
    *field = copy;
    return 0;
}

static int grow(struct pool_entries *list, struct fault *fault)
{
    const uint32_t capacity = list->capacity ? 2 * list->capacity : 64;
    struct pool_entry *at =
        mem_realloc(list->at, (size_t)capacity * sizeof(*at));

    if (!at)
        return no_memory(fault);
    list->at = at;
    list->capacity = capacity;
    return 0;
}

void pool_entry_fini(struct pool_entry *e)
{
    mem_free(e->name);
    mem_free(e->path);
    mem_free(e->class_name);
    mem_free(e->mask_path);
    mem_free(e->problem);
    mem_free(e->keypoints);
}

int pool_entries_add(struct pool_entries *list, const char *name,
                     const char *path, uint32_t max_files,
                     struct pool_entry **out_entry, struct fault *fault)
{
    struct pool_entry e = {0};
    int code;

    if (list->n >= max_files)
        return fault_set(fault, ERROR_TOO_LARGE,
                         "more files than the limit of %u", max_files);
    if (list->n == list->capacity && (code = grow(list, fault)))
        return code;
    code = pool_entry_set(&e.name, name, fault);
    if (!code && path)
        code = pool_entry_set(&e.path, path, fault);
    if (code) {
        pool_entry_fini(&e);
        return code;
    }
    list->at[list->n] = e;
    *out_entry = &list->at[list->n++];
    return 0;
}

void pool_entries_fini(struct pool_entries *list)
{
    for (uint32_t i = 0; i < list->n; i++)
        pool_entry_fini(&list->at[i]);
    mem_free(list->at);
    memset(list, 0, sizeof(*list));
}

static int compare(const void *a, const void *b)
{
    const struct pool_entry *x = a, *y = b;
    int order = 0;

    if (x->class_name && y->class_name)
        order = natural_compare(x->class_name, y->class_name);
    else if (x->class_name || y->class_name)
        order = x->class_name ? 1 : -1;
    if (order == 0)
        order = natural_compare(x->name, y->name);
    if (order == 0)
        order = x->order < y->order ? -1 : x->order > y->order;
    return order;
}

void pool_entries_sort(struct pool_entries *list)
{
    if (list->n > 1)
        qsort(list->at, list->n, sizeof(*list->at), compare);
}
