/* What the pool's tests stand on: a temporary folder, and image files written
 * by the format's own libraries. Tests nothing itself; every failure aborts. */
#ifndef PASTED_TESTS_POOL_FILES_H
#define PASTED_TESTS_POOL_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/pool/catalog.h"

/* A new empty folder; mem: free(). Removed with everything below it by
 * files_remove. */
char *files_temporary(void);
void files_remove(char *folder);

/* FOLDER/NAME, in a static buffer of its own for each of the last 8 calls. */
const char *files_path(const char *folder, const char *name);
void files_make_folder(const char *folder, const char *name);
void files_write(const char *path, const void *bytes, size_t n_bytes);
void files_write_text(const char *path, const char *text);
/* malloc; the whole file. */
uint8_t *files_read(const char *path, size_t *out_n_bytes);

/* A PNG as libpng writes it from rows in its own format: [height] rows of
 * row_bytes. color_type and interlace as in png.h; palette and alpha entries
 * for tRNS may be NULL. */
struct files_png {
    int32_t width, height;
    int bit_depth, color_type, interlace;
    const uint8_t *rows;
    size_t row_bytes;
    const uint8_t (*palette)[3];
    int n_palette;
    const uint8_t *transparency; /* palette: alphas; grey and RGB: u16 big */
    int n_transparency;          /* bytes of it */
};
void files_write_png(const char *path, const struct files_png *png);
/* n_channels 1, 3 or 4, 8 bits. */
void files_write_pixels(const char *path, const uint8_t *pixels, int32_t width,
                        int32_t height, int n_channels);
/* One colour. */
void files_write_solid(const char *path, int32_t width, int32_t height,
                       const uint8_t rgba[4]);

struct files_jpeg {
    int32_t width, height;
    const uint8_t *rgb;
    bool progressive, grey, cmyk;
    int orientation; /* 0: no Exif segment */
    bool big_endian; /* the Exif segment's */
};
void files_write_jpeg(const char *path, const struct files_jpeg *jpeg);

/* A temporary folder with empty "objects" and "backgrounds" in it, and the
 * config that loads them (its paths live until the next call). */
char *files_pools(void);
struct pool_config files_config(const char *folder);
/* A small image of one colour, another one for each number: 6 + number % 3
 * by 5 px. The backgrounds are backgrounds/0.png and so on. */
void files_put(const char *folder, const char *name, int number);
void files_put_backgrounds(const char *folder, int n);

#endif
