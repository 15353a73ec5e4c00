/* Writes the synthetic pools as PNG files, so that a daemon can serve what the
 * benchmark composes from. Measures nothing. */
#include <errno.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/bench/compose_pools.h"

static void die(const char *path, const char *why)
{
    fprintf(stderr, "compose: %s: %s\n", path, why);
    exit(1);
}

static void write_png(const char *path, const uint8_t *pixels, int32_t width,
                      int32_t height, uint32_t format)
{
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = (uint32_t)width,
                       .height = (uint32_t)height,
                       .format = format,
                       .flags = PNG_IMAGE_FLAG_FAST};
    if (!png_image_write_to_file(&image, path, 0, pixels, 0, NULL))
        die(path, image.message);
}

/* Numbered from 0; the pool's natural order is the number's. */
static void write_all(const char *folder, const char *kind, uint32_t n,
                      bool is_object)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, kind);
    if (mkdir(path, 0777) != 0)
        die(path, strerror(errno));
    for (uint32_t i = 0; i < n; i++) {
        int32_t w, h;
        uint32_t k = i % POOLS_DRAWN;
        uint8_t *pixels =
            is_object ? synthetic_draw_object(&pools_spec, k, &w, &h)
                      : synthetic_draw_background(&pools_spec, k, &w, &h);
        snprintf(path, sizeof path, "%s/%s/%u.png", folder, kind, i);
        write_png(path, pixels, w, h,
                  is_object ? PNG_FORMAT_RGBA : PNG_FORMAT_RGB);
        free(pixels);
    }
}

void pools_write(const struct pools *p, const char *folder)
{
    write_all(folder, "objects", p->catalog->n_objects, true);
    write_all(folder, "backgrounds", p->catalog->n_backgrounds, false);
}
