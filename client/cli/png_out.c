/* Writes pixels as PNG through libpng's simplified interface. */
#include "client/cli/png_out.h"

#include <errno.h>
#include <png.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/include/pasted.h"

static png_uint_32 format_of(uint32_t channels)
{
    if (channels == PASTED_GREY)
        return PNG_FORMAT_GRAY;
    return channels == PASTED_BGR ? PNG_FORMAT_BGR : PNG_FORMAT_RGB;
}

/* What is cut short goes, unless it was never ours: a device. */
static void remove_file(const char *path)
{
    struct stat st;

    if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
        unlink(path);
}

bool png_out_write(const char *path, const uint8_t *pixels, uint32_t height,
                   uint32_t width, uint32_t channels)
{
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = width,
                       .height = height,
                       .format = format_of(channels)};
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        fprintf(stderr, "pastectl: %s: %s\n", path, strerror(errno));
        return false;
    }
    bool good = png_image_write_to_stdio(&image, file, 0, pixels, 0, NULL);
    if (!good)
        fprintf(stderr, "pastectl: %s: %s\n", path, image.message);
    if (fclose(file) != 0 && good) {
        fprintf(stderr, "pastectl: %s: %s\n", path, strerror(errno));
        good = false;
    }
    if (!good) {
        png_image_free(&image);
        remove_file(path);
    }
    return good;
}
