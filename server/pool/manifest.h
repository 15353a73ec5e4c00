/* The JSON manifest: objects one by one, for pools that folders cannot say.
 * Opens no image. Threads: any.
 *
 *   {
 *     "classes": ["stop", "yield"],            optional: the order of classes
 *     "objects": [
 *       {
 *         "path": "signs/stop.png",            required, below the manifest
 *         "class": "stop",                     required
 *         "matte": "corners",                  alpha, corners, mask,
 *                                              mask-inverted; else the pool's
 *         "mask": "signs/stop-cut.png",        instead of NAME.mask.png; means
 *                                              matte "mask" where none is said
 *         "keypoints": [[12.5, 30], [40, 31]], px from the top left corner
 *         "size_mm": 900                       longer side in the world, > 0
 *       }
 *     ]
 *   }
 *
 * Any other key is refused. Paths use '/', are relative to the manifest's
 * folder and never leave it: no leading '/', no ".." in them. */
#ifndef PASTED_POOL_MANIFEST_H
#define PASTED_POOL_MANIFEST_H

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "server/pool/catalog.h"
#include "server/pool/entries.h"

#define MANIFEST_MAX_KEYPOINTS   256
#define MANIFEST_MAX_CLASS_BYTES 255

/* The optional "classes"; owned copies. */
struct manifest_classes {
    char **names;
    uint32_t n;
};
void manifest_classes_fini(struct manifest_classes *c);

/* Parses a manifest that was read from `file` (its path: for messages, and its
 * folder for the entries' paths); of the config its matte and limits count.
 * Masks are not looked for. Errors, as "FILE:/objects/3/path: sentence":
 * -ERROR_BAD_FILE, -ERROR_TOO_LARGE, -ERROR_NO_MEMORY; what was added to list
 * stays there. */
int manifest_parse(const void *json, size_t n_bytes, const char *file,
                   const struct pool_config *config, struct pool_entries *list,
                   struct manifest_classes *classes, struct fault *fault);

/* Reads and parses, finds the masks, sorts. Also pool_file_read's errors. */
int manifest_load(const char *file, const struct pool_config *config,
                  struct pool_entries *list, struct manifest_classes *classes,
                  struct fault *fault);

#endif
