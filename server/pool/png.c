/* PNG of every kind to straight 8-bit pixels, by libpng's low-level reader.
 * Does not read files and keeps no text, profile or other chunk that decides no
 * pixel.
 *
 * Errors: libpng leaves by longjmp; only guarded() below sees that. No step
 * that it runs holds anything that would have to be released.
 * Source: libpng manual, sections "Reading PNG files" and "User limits". */
#include "server/pool/png.h"

#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include "server/base/mem.h"
#include "server/pixel/image.h"
#include "server/pixel/mip.h"

#define PNG_HEADER_BYTES 33 /* signature and the IHDR chunk */

struct reader {
    png_structp png;
    png_infop info;
    const uint8_t *at, *end;
    const struct pool_limits *limits;
    bool want_alpha;
    bool out_of_memory;
    int32_t n_channels, width, height;
    int n_passes;
    uint8_t *pixels;
    char message[200];
};

bool pool_png_is(const uint8_t *bytes, size_t n_bytes)
{
    return n_bytes >= 8 && png_sig_cmp(bytes, 0, 8) == 0;
}

static uint32_t read_u32_big(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

int pool_png_size(const uint8_t *bytes, size_t n_bytes, uint32_t *out_width,
                  uint32_t *out_height, struct fault *fault)
{
    if (!pool_png_is(bytes, n_bytes) || n_bytes < PNG_HEADER_BYTES ||
        memcmp(bytes + 12, "IHDR", 4) != 0)
        return fault_set(fault, ERROR_BAD_FILE, "no PNG header");
    *out_width = read_u32_big(bytes + 16);
    *out_height = read_u32_big(bytes + 20);
    return 0;
}

/* Refuses more or longer chunks than the limits allow. Image data, also an
 * animation's, may be as long as the file. Stops quietly where the chunks do:
 * libpng judges that. */
static int check_chunks(const uint8_t *bytes, size_t n_bytes,
                        const struct pool_limits *limits, struct fault *fault)
{
    const uint8_t *at = bytes + 8;
    size_t n_left = n_bytes > 8 ? n_bytes - 8 : 0;
    uint32_t n_chunks = 0;

    while (n_left >= 12) {
        const uint32_t length = read_u32_big(at);
        const bool is_data = !memcmp(at + 4, "IDAT", 4) ||
                             !memcmp(at + 4, "fdAT", 4) ||
                             !memcmp(at + 4, "fcTL", 4);

        n_chunks += !is_data;
        if (n_chunks > limits->max_png_chunks)
            return fault_set(fault, ERROR_TOO_LARGE,
                             "more PNG chunks than the limit of %u",
                             limits->max_png_chunks);
        if (!is_data && length > limits->max_png_chunk_bytes)
            return fault_set(fault, ERROR_TOO_LARGE,
                             "a PNG chunk of %u bytes, more than the limit "
                             "of %u",
                             length, limits->max_png_chunk_bytes);
        if (length > n_left - 12)
            break;
        at += 12 + (size_t)length;
        n_left -= 12 + (size_t)length;
    }
    return 0;
}

static void on_error(png_structp png, png_const_charp message)
{
    struct reader *r = png_get_error_ptr(png);

    snprintf(r->message, sizeof(r->message), "%s", message);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
    if (strncmp(message, "tRNS:", 5) == 0)
        png_error(png, message);
}

static png_voidp on_malloc(png_structp png, png_alloc_size_t n_bytes)
{
    struct reader *r = png_get_mem_ptr(png);
    void *p = mem_calloc(1, n_bytes);

    if (!p)
        r->out_of_memory = true;
    return p;
}

static void on_free(png_structp png, png_voidp p)
{
    (void)png;
    mem_free(p);
}

static void on_read(png_structp png, png_bytep out, size_t n_bytes)
{
    struct reader *r = png_get_io_ptr(png);

    if (n_bytes > (size_t)(r->end - r->at))
        png_error(png, "the file ends too early");
    memcpy(out, r->at, n_bytes);
    r->at += n_bytes;
}

/* The one setjmp. False when the step left by longjmp. */
static bool guarded(struct reader *r, void (*step)(struct reader *))
{
    if (setjmp(png_jmpbuf(r->png)))
        return false;
    step(r);
    return true;
}

static void set_limits(struct reader *r)
{
    png_set_user_limits(r->png, IMAGE_MAX_SIDE, IMAGE_MAX_SIDE);
    /* -1: all but IHDR, PLTE, tRNS, IDAT and IEND. They decide no pixel, and
     * some of their parsers allocate what the length claims, whatever limits
     * libpng is given (a length of 2^31 - 1 took 1.5 s and 2 GiB). Passed
     * over, they are still checked by their CRC. */
    png_set_keep_unknown_chunks(r->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
}

static void read_header(struct reader *r)
{
    set_limits(r);
    png_set_read_fn(r->png, r, on_read);
    png_read_info(r->png, r->info);
    const bool has_alpha =
        (png_get_color_type(r->png, r->info) & PNG_COLOR_MASK_ALPHA) ||
        png_get_valid(r->png, r->info, PNG_INFO_tRNS);

    png_set_expand(r->png);
    png_set_strip_16(r->png);
    png_set_gray_to_rgb(r->png);
    if (!has_alpha && r->want_alpha)
        png_set_add_alpha(r->png, 255, PNG_FILLER_AFTER);
    r->n_passes = png_set_interlace_handling(r->png);
    png_read_update_info(r->png, r->info);
    r->width = (int32_t)png_get_image_width(r->png, r->info);
    r->height = (int32_t)png_get_image_height(r->png, r->info);
    r->n_channels = png_get_channels(r->png, r->info);
    if ((r->n_channels != 3 && r->n_channels != 4) ||
        png_get_rowbytes(r->png, r->info) !=
            (size_t)r->width * (size_t)r->n_channels)
        png_error(r->png, "an unexpected row layout");
}

static void read_pixels(struct reader *r)
{
    const size_t row_bytes = (size_t)r->width * (size_t)r->n_channels;

    for (int pass = 0; pass < r->n_passes; pass++)
        for (int32_t y = 0; y < r->height; y++)
            png_read_row(r->png, r->pixels + (size_t)y * row_bytes, NULL);
    png_read_end(r->png, NULL);
}

static int failed(const struct reader *r, struct fault *fault)
{
    if (r->out_of_memory)
        return fault_set(fault, ERROR_NO_MEMORY, "no memory to decode a PNG");
    return fault_set(fault, ERROR_BAD_FILE, "not a valid PNG: %s", r->message);
}

static int decode(struct reader *r, struct pool_raster *out,
                  struct fault *fault)
{
    int code;

    if (!guarded(r, read_header))
        return failed(r, fault);
    if ((uint64_t)r->width * (uint64_t)r->height > r->limits->max_pixels)
        return fault_set(fault, ERROR_TOO_LARGE,
                         "%d x %d px, more than the limit of %llu px", r->width,
                         r->height, (unsigned long long)r->limits->max_pixels);
    code = pool_raster_init(out, r->width, r->height, r->n_channels, fault);
    if (code)
        return code;
    r->pixels = out->pixels;
    /* A chunk that libpng dropped for want of memory is no verdict. */
    if (!guarded(r, read_pixels) || r->out_of_memory) {
        pool_raster_fini(out);
        return failed(r, fault);
    }
    if (!r->want_alpha && out->n_channels == 4) {
        mip_flatten_on_black(out->pixels, out->width, out->height);
        out->n_channels = 3;
    }
    return 0;
}

int pool_png_decode(const uint8_t *bytes, size_t n_bytes, bool want_alpha,
                    const struct pool_limits *limits, struct pool_raster *out,
                    struct fault *fault)
{
    struct reader r = {.at = bytes,
                       .end = bytes + n_bytes,
                       .limits = limits,
                       .want_alpha = want_alpha};
    uint32_t width, height;
    int code;

    memset(out, 0, sizeof(*out));
    if ((code = pool_png_size(bytes, n_bytes, &width, &height, fault)) ||
        (code = check_chunks(bytes, n_bytes, limits, fault)))
        return code;
    r.png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &r, on_error,
                                     on_warning, &r, on_malloc, on_free);
    r.info = r.png ? png_create_info_struct(r.png) : NULL;
    if (!r.info)
        code = fault_set(fault, ERROR_NO_MEMORY, "no memory to decode a PNG");
    else
        code = decode(&r, out, fault);
    png_destroy_read_struct(&r.png, &r.info, NULL);
    return code;
}
