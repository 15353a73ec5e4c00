/* Temporary folders and image files for the pool's tests, written by libpng and
 * libjpeg-turbo. Reads no image. */
#define _GNU_SOURCE /* asprintf, nftw */
#include "tests/unit/pool_files.h"

#include <assert.h>
#include <ftw.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <turbojpeg.h>
#include <unistd.h>

char *files_temporary(void)
{
    const char *base = getenv("TMPDIR");
    char *folder = NULL;

    if (asprintf(&folder, "%s/pasted-test-XXXXXX", base ? base : "/tmp") < 0 ||
        !mkdtemp(folder))
        abort();
    return folder;
}

static int remove_one(const char *path, const struct stat *st, int kind,
                      struct FTW *ftw)
{
    return remove(path);
}

void files_remove(char *folder)
{
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(folder);
}

const char *files_path(const char *folder, const char *name)
{
    static char paths[8][1024];
    static int next;
    char *path = paths[next++ % 8];

    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

void files_make_folder(const char *folder, const char *name)
{
    if (mkdir(files_path(folder, name), 0700))
        abort();
}

void files_write(const char *path, const void *bytes, size_t n_bytes)
{
    FILE *f = fopen(path, "wb");

    if (!f || fwrite(bytes, 1, n_bytes, f) != n_bytes || fclose(f))
        abort();
}

void files_write_text(const char *path, const char *text)
{
    files_write(path, text, strlen(text));
}

uint8_t *files_read(const char *path, size_t *out_n_bytes)
{
    FILE *f = fopen(path, "rb");
    struct stat st;
    uint8_t *bytes;

    if (!f || fstat(fileno(f), &st))
        abort();
    bytes = malloc((size_t)st.st_size + 1);
    *out_n_bytes = fread(bytes, 1, (size_t)st.st_size, f);
    fclose(f);
    return bytes;
}

static void set_transparency(png_structp p, png_infop info,
                             const struct files_png *png)
{
    const uint8_t *t = png->transparency;
    png_color_16 key = {0};

    if (!t)
        return;
    if (png->color_type == PNG_COLOR_TYPE_PALETTE) {
        png_set_tRNS(p, info, t, png->n_transparency, NULL);
        return;
    }
    key.gray = (png_uint_16)(t[0] << 8 | t[1]);
    if (png->n_transparency == 6) {
        key.red = key.gray;
        key.green = (png_uint_16)(t[2] << 8 | t[3]);
        key.blue = (png_uint_16)(t[4] << 8 | t[5]);
    }
    png_set_tRNS(p, info, NULL, 0, &key);
}

void files_write_png(const char *path, const struct files_png *png)
{
    FILE *f = fopen(path, "wb");
    png_structp p = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL,
                                            NULL); /* an error aborts */
    png_infop info = png_create_info_struct(p);
    png_color palette[256];

    if (!f || !info)
        abort();
    png_init_io(p, f);
    png_set_IHDR(p, info, (png_uint_32)png->width, (png_uint_32)png->height,
                 png->bit_depth, png->color_type, png->interlace, 0, 0);
    for (int i = 0; i < png->n_palette; i++)
        memcpy(&palette[i], png->palette[i], 3);
    if (png->n_palette)
        png_set_PLTE(p, info, palette, png->n_palette);
    set_transparency(p, info, png);
    png_write_info(p, info);
    const int n_passes = png_set_interlace_handling(p);

    for (int pass = 0; pass < n_passes; pass++)
        for (int32_t y = 0; y < png->height; y++)
            png_write_row(p, png->rows + (size_t)y * png->row_bytes);
    png_write_end(p, info);
    png_destroy_write_struct(&p, &info);
    fclose(f);
}

void files_write_pixels(const char *path, const uint8_t *pixels, int32_t width,
                        int32_t height, int n_channels)
{
    static const int TYPES[] = {[1] = PNG_COLOR_TYPE_GRAY,
                                [3] = PNG_COLOR_TYPE_RGB,
                                [4] = PNG_COLOR_TYPE_RGBA};

    files_write_png(path, &(struct files_png){.width = width,
                                              .height = height,
                                              .bit_depth = 8,
                                              .color_type = TYPES[n_channels],
                                              .rows = pixels,
                                              .row_bytes = (size_t)width *
                                                           (size_t)n_channels});
}

void files_write_solid(const char *path, int32_t width, int32_t height,
                       const uint8_t rgba[4])
{
    const size_t n_px = (size_t)width * (size_t)height;
    uint8_t *pixels = malloc(n_px * 4);

    for (size_t i = 0; i < n_px; i++)
        memcpy(pixels + 4 * i, rgba, 4);
    files_write_pixels(path, pixels, width, height, 4);
    free(pixels);
}

/* An Exif segment with an orientation as its second entry, after SOI. */
static size_t exif_segment(const struct files_jpeg *j, uint8_t out[64])
{
    static const uint8_t BIG[] = {
        0xff, 0xe1, 0, 42, 'E', 'x', 'i', 'f', 0,   0,           /* */
        'M',  'M',  0, 42, 0,   0,   0,   8,                     /* header */
        0,    2,                                                 /* 2 entries */
        1,    0x0f, 0, 2,  0,   0,   0,   4,   'a', 'b', 'c', 0, /* maker */
        1,    0x12, 0, 3,  0,   0,   0,   1,   0,   0,   0,   0};
    static const uint8_t LITTLE[] = {
        0xff, 0xe1, 0,    42, 'E', 'x',  'i', 'f', 0, 0, 'I', 'I', 42, 0,   8,
        0,    0,    0,    2,  0,   0x0f, 1,   2,   0, 4, 0,   0,   0,  'a', 'b',
        'c',  0,    0x12, 1,  3,   0,    1,   0,   0, 0, 0,   0,   0,  0};

    _Static_assert(sizeof(BIG) == 44 && sizeof(LITTLE) == 44, "42 + marker");
    memcpy(out, j->big_endian ? BIG : LITTLE, sizeof(BIG));
    out[sizeof(BIG) - 4 + (j->big_endian ? 1 : 0)] = (uint8_t)j->orientation;
    return sizeof(BIG);
}

void files_write_jpeg(const char *path, const struct files_jpeg *j)
{
    tjhandle tj = tjInitCompress();
    unsigned char *bytes = NULL;
    unsigned long n_bytes = 0;
    uint8_t exif[64];
    FILE *f = fopen(path, "wb");
    const int format = j->cmyk ? TJPF_CMYK : TJPF_RGB;

    if (!f || tjCompress2(tj, j->rgb, j->width, 0, j->height, format, &bytes,
                          &n_bytes, j->grey ? TJSAMP_GRAY : TJSAMP_444, 95,
                          j->progressive ? TJFLAG_PROGRESSIVE : 0))
        abort();
    fwrite(bytes, 1, 2, f);
    if (j->orientation)
        fwrite(exif, 1, exif_segment(j, exif), f);
    fwrite(bytes + 2, 1, n_bytes - 2, f);
    if (fclose(f))
        abort();
    tjFree(bytes);
    tjDestroy(tj);
}

char *files_pools(void)
{
    char *folder = files_temporary();

    files_make_folder(folder, "objects");
    files_make_folder(folder, "backgrounds");
    return folder;
}

struct pool_config files_config(const char *folder)
{
    static char objects[1024], backgrounds[1024];

    snprintf(objects, sizeof(objects), "%s/objects", folder);
    snprintf(backgrounds, sizeof(backgrounds), "%s/backgrounds", folder);
    return (struct pool_config){.objects_path = objects,
                                .backgrounds_path = backgrounds,
                                .n_threads = 2,
                                .limits = pool_limits_default()};
}

void files_put(const char *folder, const char *name, int number)
{
    const uint8_t rgba[4] = {(uint8_t)number, (uint8_t)(number >> 8), 77, 255};

    files_write_solid(files_path(folder, name), 6 + number % 3, 5, rgba);
}

void files_put_backgrounds(const char *folder, int n)
{
    char name[64];

    for (int i = 0; i < n; i++) {
        snprintf(name, sizeof(name), "backgrounds/%d.png", i);
        files_put(folder, name, 1000 + i);
    }
}
