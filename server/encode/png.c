/* RGB rows and whole batches as PNG, in memory. Reads no PNG and no file.
 * Errors: libpng's leave through one setjmp in write_image(); nothing that
 * must be freed is made between it and the jump. Threads: any worker.
 * Source: libpng manual, section IV. */
#include "server/encode/encode.h"

#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <png.h>
#include <zlib.h>

#include "server/base/mem.h"

#define GRID_GAP_PX   2
#define GRID_GAP_BYTE 255 /* white */
/* Level 3 is about twice as fast as 6 and a few per cent larger; the filter is
 * one for all rows, so that no heuristic decides bytes. */
#define ZLIB_LEVEL 3

/* Where rows come from: one row of width * 3 bytes, valid until the next. */
struct row_source {
    int32_t width, height;
    const uint8_t *(*row)(void *context, int32_t y);
    void *context;
};

struct png_sink {
    uint8_t *data;
    size_t n_bytes, capacity;
    int code; /* positive error_code once something failed */
    char text[128];
};

static void on_error(png_structp png, png_const_charp text)
{
    struct png_sink *sink = png_get_error_ptr(png);

    if (!sink->code)
        sink->code = ERROR_INTERNAL;
    snprintf(sink->text, sizeof(sink->text), "%s", text);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
}

static png_voidp on_malloc(png_structp png, png_alloc_size_t n_bytes)
{
    struct png_sink *sink = png_get_mem_ptr(png);
    void *p = mem_calloc(1, n_bytes);

    if (!p)
        sink->code = ERROR_NO_MEMORY;
    return p;
}

static void on_free(png_structp png, png_voidp p)
{
    mem_free(p);
}

static void on_write(png_structp png, png_bytep data, size_t n_bytes)
{
    struct png_sink *sink = png_get_io_ptr(png);

    if (n_bytes > sink->capacity - sink->n_bytes) {
        size_t capacity = 2 * (sink->n_bytes + n_bytes);
        uint8_t *grown = mem_realloc(sink->data, capacity);

        if (!grown) {
            sink->code = ERROR_NO_MEMORY;
            png_error(png, "no memory for the file");
        }
        sink->data = grown;
        sink->capacity = capacity;
    }
    memcpy(sink->data + sink->n_bytes, data, n_bytes);
    sink->n_bytes += n_bytes;
}

static void on_flush(png_structp png)
{
}

/* Everything between setjmp and longjmp; nonzero when libpng gave up. */
static int write_image(png_structp png, png_infop info,
                       const struct row_source *source)
{
    if (setjmp(png_jmpbuf(png)))
        return -1;
    png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_compression_level(png, ZLIB_LEVEL);
    png_set_compression_strategy(png, Z_FILTERED);
    png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_SUB);
    png_set_IHDR(png, info, (png_uint_32)source->width,
                 (png_uint_32)source->height, 8, PNG_COLOR_TYPE_RGB,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    for (int32_t y = 0; y < source->height; y++)
        png_write_row(png, source->row(source->context, y));
    png_write_end(png, NULL);
    return 0;
}

static int write_png(const struct row_source *source, struct encoded *out,
                     struct fault *fault)
{
    struct png_sink sink = {0};
    png_infop info = NULL;
    png_structp png;
    int rc = -1;

    if (source->width < 1 || source->height < 1)
        return fault_set(fault, ERROR_BAD_ARGUMENT, "an image without pixels");
    png = png_create_write_struct_2(PNG_LIBPNG_VER_STRING, &sink, on_error,
                                    on_warning, &sink, on_malloc, on_free);
    if (png)
        info = png_create_info_struct(png);
    if (info) {
        png_set_write_fn(png, &sink, on_write, on_flush);
        rc = write_image(png, info, source);
    } else {
        sink.code = ERROR_NO_MEMORY;
    }
    png_destroy_write_struct(&png, &info);
    if (rc == 0) {
        *out = (struct encoded){.data = sink.data, .n_bytes = sink.n_bytes};
        return 0;
    }
    mem_free(sink.data);
    return fault_set(fault, (enum error_code)sink.code, "PNG: %s",
                     sink.text[0] ? sink.text : "no memory");
}

struct strided {
    const uint8_t *rgb;
    ptrdiff_t stride_bytes;
};

static const uint8_t *strided_row(void *context, int32_t y)
{
    const struct strided *image = context;

    return image->rgb + y * image->stride_bytes;
}

int encode_png(const uint8_t *rgb, int32_t width, int32_t height,
               ptrdiff_t stride_bytes, struct encoded *out, struct fault *fault)
{
    struct strided image = {.rgb = rgb, .stride_bytes = stride_bytes};
    const struct row_source source = {.width = width,
                                      .height = height,
                                      .row = strided_row,
                                      .context = &image};

    return write_png(&source, out, fault);
}

/* Tiles of a batch, left to right, then down; one row is put together at a
 * time. */
struct grid {
    const uint8_t *images;
    uint32_t n_samples, n_columns;
    int32_t tile_width, tile_height;
    uint8_t channels; /* enum tensor_channels */
    uint8_t *row;     /* of the whole grid */
    size_t row_bytes;
};

/* n pixels as RGB. */
static void put_rgb(const uint8_t *in, uint8_t channels, int32_t n,
                    uint8_t *out)
{
    if (channels == TENSOR_RGB) {
        memcpy(out, in, (size_t)n * 3);
        return;
    }
    for (int32_t i = 0; i < n; i++, out += 3)
        if (channels == TENSOR_GREY) {
            memset(out, in[i], 3);
        } else {
            out[0] = in[i * 3 + 2];
            out[1] = in[i * 3 + 1];
            out[2] = in[i * 3];
        }
}

static const uint8_t *grid_row(void *context, int32_t y)
{
    const struct grid *g = context;
    int32_t cell = g->tile_height + GRID_GAP_PX;
    uint32_t first = (uint32_t)(y / cell) * g->n_columns;
    size_t tile_row = (size_t)g->tile_width * tensor_channel_count(g->channels);
    size_t cell_row = ((size_t)g->tile_width + GRID_GAP_PX) * 3;
    size_t tile_bytes = tile_row * (size_t)g->tile_height;

    memset(g->row, GRID_GAP_BYTE, g->row_bytes);
    if (y % cell >= g->tile_height)
        return g->row;
    for (uint32_t i = 0; i < g->n_columns && first + i < g->n_samples; i++)
        put_rgb(g->images + (first + i) * tile_bytes +
                    (size_t)(y % cell) * tile_row,
                g->channels, g->tile_width, g->row + i * cell_row);
    return g->row;
}

/* The fewest columns that make the grid at least as wide as high. */
static uint32_t grid_columns(uint32_t n, int32_t width, int32_t height)
{
    uint32_t columns = 1;

    while (columns < n && (uint64_t)columns * (uint32_t)(width + GRID_GAP_PX) <
                              (uint64_t)((n - 1) / columns + 1) *
                                  (uint32_t)(height + GRID_GAP_PX))
        columns++;
    return columns;
}

int encode_grid_png(const struct batch_layout *layout, const uint8_t *payload,
                    struct encoded *out, struct fault *fault)
{
    struct grid g = {
        .images = payload + layout->image_offset_bytes,
        .n_samples = layout->n_samples,
        .tile_width = layout->width,
        .tile_height = layout->height,
        .channels = layout->format.channels,
    };
    struct row_source source = {.row = grid_row, .context = &g};
    int rc;

    if (layout->format.dtype != TENSOR_U8 ||
        layout->format.layout != TENSOR_NHWC)
        return fault_set(fault, ERROR_UNSUPPORTED,
                         "a grid is made of u8 NHWC images only");
    g.n_columns = grid_columns(g.n_samples, g.tile_width, g.tile_height);
    source.width =
        (int32_t)g.n_columns * (g.tile_width + GRID_GAP_PX) - GRID_GAP_PX;
    source.height = (int32_t)((g.n_samples - 1) / g.n_columns + 1) *
                        (g.tile_height + GRID_GAP_PX) -
                    GRID_GAP_PX;
    g.row_bytes = (size_t)source.width * 3;
    g.row = mem_calloc(1, g.row_bytes);
    if (!g.row)
        return fault_set(fault, ERROR_NO_MEMORY, "no memory for a grid");
    rc = write_png(&source, out, fault);
    mem_free(g.row);
    return rc;
}

static char encoder_text[64];

static void name_encoder(void)
{
    snprintf(encoder_text, sizeof(encoder_text), "libpng %s, zlib %s",
             png_get_libpng_ver(NULL), zlibVersion());
}

const char *encode_png_encoder(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    /* The libraries that run decide the bytes, not those we compiled with. */
    pthread_once(&once, name_encoder);
    return encoder_text;
}
