/* What lies in a folder: image files, in natural order, and the class of each
 * by where it lies. Opens no image. Threads: any. */
#ifndef PASTED_POOL_SCAN_H
#define PASTED_POOL_SCAN_H

#include "common/error.h"
#include "server/pool/catalog.h"
#include "server/pool/entries.h"

/* Adds one entry for each *.png, *.jpg and *.jpeg (any case) below root, named
 * by its path from there. Symbolic links are followed, but not into a folder
 * that holds them. What begins with a dot is passed over; so are files of other
 * kinds, except that images of formats that are not read (gif, webp, ...),
 * unreadable folders, loops and folders beyond max_depth become entries with a
 * problem, so that nobody wonders. Errors: -ERROR_NOT_FOUND (root is no
 * folder), -ERROR_TOO_LARGE (max_files), -ERROR_NO_MEMORY. */
int scan_folder(const char *root, const struct pool_limits *limits,
                struct pool_entries *list, struct fault *fault);

/* scan_folder, and the classes: with images in folders below root the first
 * folder of each is its class (images beside those folders get a problem);
 * else each file's name without extension. With a mask matte, NAME.mask.EXT
 * and NAME_mask.EXT are masks, not objects; each object gets the mask beside
 * it, or a problem where there is none. */
int scan_objects(const char *root, enum pool_matte matte,
                 const struct pool_limits *limits, struct pool_entries *list,
                 struct fault *fault);

/* Finds NAME.mask.png or NAME_mask.png beside e->path and sets e->mask_path, or
 * e->problem. -ERROR_NO_MEMORY. */
int scan_find_mask(struct pool_entry *e, struct fault *fault);

#endif
