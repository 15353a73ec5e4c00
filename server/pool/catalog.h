/* The catalog: an immutable, digested snapshot of both pools in memory.
 * Knows no recipe. Threads: immutable after catalog_load; the count of
 * references is atomic. */
#ifndef PASTED_POOL_CATALOG_H
#define PASTED_POOL_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "server/base/digest.h"
#include "server/pixel/image.h"

#define POOL_COVERAGE_CELLS 16 /* a side of the coverage grid */

/* A point of an object, px of level 0, from a manifest. */
struct pool_keypoint {
    double x, y;
};

/* An object with its outline (pixel/stroke.h), `reach` texels larger on each
 * side; as many levels as the object. */
struct pool_stroke {
    int32_t reach;
    struct image_level level[IMAGE_MAX_LEVELS];
};

struct pool_object {
    const char *name;      /* path relative to the pool, or "demo/..." */
    uint32_t class_id;     /* objects are sorted by class, then natural name */
    int32_t width, height; /* of level 0, px */
    /* Tight box of alpha > 0 at level 0; never empty after loading. */
    struct image_box alpha_box;
    /* Mean alpha (0..255, rounded to nearest) of each cell of a 16 x 16 grid
     * over alpha_box, [row][column]: how much of the object lies where. */
    uint8_t coverage[POOL_COVERAGE_CELLS][POOL_COVERAGE_CELLS];
    uint32_t n_levels;
    struct image_level level[IMAGE_MAX_LEVELS]; /* RGBA8 premultiplied */
    const struct pool_stroke *stroke; /* NULL unless the config asked for it */
    struct digest digest; /* of size and straight-alpha decoded pixels */
    uint32_t n_keypoints; /* 0 unless a manifest gives them */
    const struct pool_keypoint *keypoints;
    double size_mm; /* longer side of the object in the world; 0 unknown */
};

struct pool_background {
    const char *name;
    int32_t width, height;
    uint32_t n_levels;
    struct image_level level[IMAGE_MAX_LEVELS]; /* RGB24 */
    struct digest digest;
};

/* A file that was not used. */
struct pool_skip {
    const char *path;
    const char *reason; /* a sentence */
};

#define POOL_MAX_SKIPS_KEPT 256

struct catalog {
    uint32_t n_classes;
    const char *const *classes;  /* [n_classes], unique */
    const uint32_t *class_first; /* [n_classes + 1]: objects of class c are
                                    class_first[c] .. class_first[c + 1] - 1 */
    uint32_t n_objects;
    const struct pool_object *objects;
    uint32_t n_keypoints; /* the most of any object */
    uint32_t n_backgrounds;
    const struct pool_background *backgrounds;
    /* Over engine-independent content: ordered class names, then every
     * object's class and digest, then every background's digest, then, where
     * some object has any, every object's keypoints. File names and mips are
     * not in it. */
    struct digest digest;
    uint64_t image_bytes; /* decoded pixels of all levels, outlines too */
    bool has_strokes;
    /* What the headers promised before decoding: all that stays, each image's
     * padded block and its entry here; resident memory grows by this and by
     * what the decoding threads hold for a while. */
    uint64_t predicted_bytes;
    uint32_t n_objects_skipped, n_backgrounds_skipped;
    uint32_t n_skips; /* kept below: at most POOL_MAX_SKIPS_KEPT */
    const struct pool_skip *skips;
    void *private_state;
};

enum pool_matte {
    POOL_MATTE_ALPHA,   /* the file's own alpha (opaque when it has none) */
    POOL_MATTE_CORNERS, /* flood near-white (R+G+B > 382) from the corners */
    POOL_MATTE_MASK,    /* NAME.mask.png / NAME_mask.png: white = object */
    POOL_MATTE_MASK_INVERTED, /* black = object */
};

/* "alpha", "corners", "mask", "mask-inverted" -> kind, else -1. */
int pool_matte_from_name(const char *name);

enum pool_split { POOL_SPLIT_ALL, POOL_SPLIT_TRAIN, POOL_SPLIT_VAL };
int pool_split_from_name(const char *name); /* "all", "train", "val", or -1 */

/* Bounds on untrusted files; pool_limits_default() is what the daemon uses. */
struct pool_limits {
    uint64_t max_file_bytes;      /* 256 MiB */
    uint64_t max_pixels;          /* 64 Mpx an image */
    uint32_t max_png_chunk_bytes; /* ancillary chunk, 8 MiB */
    uint32_t max_png_chunks;      /* that are no image data, 1000 */
    uint32_t max_jpeg_scans;      /* 100 */
    uint32_t max_files;           /* of one pool, 4,000,000 */
    uint32_t max_depth;           /* of folders, 16 */
};
struct pool_limits pool_limits_default(void);

struct pool_config {
    bool demo; /* built-in pools; the paths are ignored */
    /* objects: a folder per class, a flat folder (each file its own class),
     * or a JSON manifest file. backgrounds: a folder tree. */
    const char *objects_path;
    const char *backgrounds_path;
    const char *const *classes; /* explicit order, or NULL for natural sort */
    uint32_t n_classes;
    enum pool_matte matte;
    /* Of the backgrounds: val = first 8 bytes (little-endian) mod 10 == 0 of
     * the digest of the whole image, before max_side, so that an image stays
     * on its side whatever the size. */
    enum pool_split split;
    /* Backgrounds are halved until no side is longer; 0 off. */
    int32_t max_side;
    bool strokes;                /* keep every object's outline as well */
    bool strict;                 /* a bad file refuses the whole load */
    uint64_t memory_limit_bytes; /* 0: no limit */
    uint32_t n_threads;          /* decoders; >= 1 */
    struct pool_limits limits;
    /* Called from the loading thread, now and then and at the end; may be
     * NULL. */
    void (*progress)(void *context, uint64_t n_done, uint64_t n_total);
    void *progress_context;
};

/* Decodes everything. Success: *out_catalog with one reference. Errors:
 * -ERROR_NOT_FOUND (no such path), -ERROR_BAD_FILE (strict, or nothing usable
 * left), -ERROR_TOO_LARGE (memory_limit; the text says what would fit),
 * -ERROR_BAD_CONFIG (a class listed twice), -ERROR_NO_MEMORY, -ERROR_IO.
 * Blocking: runs before the loop or off it. Fixes glibc's M_MMAP_THRESHOLD for
 * the process at its default (load.c says why). */
int catalog_load(const struct pool_config *config, struct catalog **out_catalog,
                 struct fault *fault);

struct catalog *catalog_ref(struct catalog *c);
void catalog_unref(struct catalog *c); /* NULL is fine */

#endif
