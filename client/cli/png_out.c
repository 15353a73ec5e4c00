/* Writes RGB pixels as PNG through libpng's simplified interface. */
#include "client/cli/png_out.h"

#include <png.h>
#include <stdio.h>
#include <unistd.h>

bool png_out_write(const char *path, const uint8_t *rgb, uint32_t height,
                   uint32_t width)
{
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = width,
                       .height = height,
                       .format = PNG_FORMAT_RGB};
    if (png_image_write_to_file(&image, path, 0, rgb, 0, NULL))
        return true;
    fprintf(stderr, "pastectl: %s: %s\n", path, image.message);
    png_image_free(&image);
    unlink(path);
    return false;
}
