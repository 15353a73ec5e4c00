/* What the files of this folder share while a catalog is being loaded. Not for
 * other folders: they see catalog.h.
 *
 *   gather -> probe -> predict -> decode -> assemble
 *   names     headers  memory     pixels    classes, digest
 *
 * Threads: probing and decoding touch one item each; all else is one thread. */
#ifndef PASTED_POOL_LOAD_H
#define PASTED_POOL_LOAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "server/pool/blocks.h"
#include "server/pool/catalog.h"
#include "server/pool/decode.h"
#include "server/pool/entries.h"
#include "server/pool/image.h"
#include "server/pool/manifest.h"

struct load_item {
    struct pool_entry *entry; /* in one of the load's lists */
    bool is_object;
    bool left_out; /* belongs to the other split */
    char *problem; /* why it is skipped, or NULL; owned */
    struct pool_header header;
    struct pool_image image;
};

struct load {
    const struct pool_config *config;
    struct pool_entries objects, backgrounds;
    struct manifest_classes manifest_classes;
    struct load_item *items; /* the objects, then the backgrounds */
    uint32_t n_items;
    uint64_t predicted_bytes;
    uint64_t reserve_bytes; /* of address space, for the images' blocks */
    struct pool_blocks blocks;
    _Atomic uint64_t kept_bytes; /* so far, by the decoding threads */
};

/* Fills both lists and the items. catalog_load's errors. */
int load_gather(struct load *l, struct fault *fault);

/* After probing: fills predicted_bytes, reserve_bytes; -ERROR_TOO_LARGE when
 * they and what decoding needs exceed the limit, with what would fit. */
int load_predict(struct load *l, struct fault *fault);

/* Moves what was decoded into a new catalog. catalog_load's errors; the load
 * keeps what was not moved and is freed as ever. */
int load_assemble(struct load *l, struct catalog **out_catalog,
                  struct fault *fault);

/* The catalog with what it owns. */
struct catalog_store {
    struct catalog public;
    atomic_uint_fast32_t n_references;
    struct pool_object *objects;         /* with their names, keypoints */
    struct pool_background *backgrounds; /* with their names */
    char **classes;
    uint32_t *class_first;
    struct pool_skip *skips;   /* with their texts */
    struct pool_blocks blocks; /* of the images */
    void **own;                /* those of images that had no room there */
    uint32_t n_own;
};
void catalog_store_destroy(struct catalog_store *s); /* NULL, half-built */

#endif
