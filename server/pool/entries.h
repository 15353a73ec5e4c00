/* The list of files that a pool will be made of. Reads nothing itself.
 * Threads: one. */
#ifndef PASTED_POOL_ENTRIES_H
#define PASTED_POOL_ENTRIES_H

#include <stdint.h>

#include "common/error.h"
#include "server/pool/catalog.h"

struct pool_entry {
    char *name;       /* relative to the pool: what people and orders see */
    char *path;       /* to open; NULL for a demo image */
    char *class_name; /* NULL for a background */
    char *mask_path;  /* NULL unless the matte is a mask */
    char *problem; /* why it cannot be used, known before decoding; or NULL */
    enum pool_matte matte;
    uint32_t order; /* place in a manifest or among the demo images */
    struct pool_keypoint *keypoints;
    uint32_t n_keypoints;
    double size_mm; /* 0 when unknown */
};

struct pool_entries {
    struct pool_entry *at;
    uint32_t n, capacity;
};

/* A new zeroed entry with copies of name and path (NULL stays NULL); the
 * pointer holds until the next call. -ERROR_TOO_LARGE beyond max_files,
 * -ERROR_NO_MEMORY; the list is then as it was. */
int pool_entries_add(struct pool_entries *list, const char *name,
                     const char *path, uint32_t max_files,
                     struct pool_entry **out_entry, struct fault *fault);
/* Copies text into *field. -ERROR_NO_MEMORY. */
int pool_entry_set(char **field, const char *text, struct fault *fault);
void pool_entry_fini(struct pool_entry *e);
void pool_entries_fini(struct pool_entries *list);

/* By class (none first), then name, both natural; entries that still compare
 * equal keep their order. */
void pool_entries_sort(struct pool_entries *list);

#endif
