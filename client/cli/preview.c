/* pastectl preview: one batch as a grid in a PNG. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "client/cli/args.h"
#include "client/cli/png_out.h"

#define GAP_PX     2
#define GAP_LEVEL  255
#define MAX_PIXELS (256ull << 20)

struct grid {
    uint32_t columns, rows, height, width; /* cells, and pixels of a cell */
    uint32_t n_channels;
    uint64_t out_height, out_width;
};

/* Near square in pixels when no number of columns is given. */
static void lay_out(struct grid *g, uint64_t n, uint64_t columns)
{
    if (columns == 0) {
        columns = 1;
        while (columns * columns * g->width < n * g->height)
            columns++;
    }
    if (columns > n)
        columns = n;
    g->columns = (uint32_t)columns;
    g->rows = (uint32_t)((n + columns - 1) / columns);
    g->out_height = (uint64_t)g->rows * (g->height + GAP_PX) + GAP_PX;
    g->out_width = (uint64_t)g->columns * (g->width + GAP_PX) + GAP_PX;
}

static void paste_cell(const struct grid *g, uint8_t *out, uint64_t index,
                       const uint8_t *pixels)
{
    uint64_t top = index / g->columns * (g->height + GAP_PX) + GAP_PX;
    uint64_t left = index % g->columns * (g->width + GAP_PX) + GAP_PX;
    size_t row_bytes = (size_t)g->width * g->n_channels;
    for (uint32_t y = 0; y < g->height; y++)
        memcpy(out + ((top + y) * g->out_width + left) * g->n_channels,
               pixels + y * row_bytes, row_bytes);
}

static int write_grid(const struct args *args, const struct pasted_tensor *t,
                      uint32_t channels)
{
    struct grid g = {.height = (uint32_t)t->shape[1],
                     .width = (uint32_t)t->shape[2],
                     .n_channels = (uint32_t)t->shape[3]};
    uint64_t n = t->shape[0];
    lay_out(&g, n, args->columns);
    if (g.out_width > MAX_PIXELS / g.out_height) {
        fprintf(stderr, "pastectl: the grid would be too large; give a "
                        "smaller --batch\n");
        return EXIT_ERROR;
    }
    size_t n_bytes = (size_t)(g.out_height * g.out_width * g.n_channels);
    uint8_t *out = malloc(n_bytes);
    if (out == NULL) {
        fprintf(stderr, "pastectl: out of memory\n");
        return EXIT_ERROR;
    }
    memset(out, GAP_LEVEL, n_bytes);
    for (uint64_t i = 0; i < n; i++)
        paste_cell(&g, out, i, (const uint8_t *)t->data + i * (t->n_bytes / n));
    bool good = png_out_write(args->out, out, (uint32_t)g.out_height,
                              (uint32_t)g.out_width, channels);
    free(out);
    if (good && !args->quiet)
        printf("%" PRIu64 " images in %s, %" PRIu64 " x %" PRIu64 " px\n", n,
               args->out, g.out_width, g.out_height);
    return good ? EXIT_OK : EXIT_ERROR;
}

/* Says PNG, or says nothing as /dev/stdout does. */
static bool is_png_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *dot = strrchr(slash != NULL ? slash : path, '.');
    return dot == NULL || strcasecmp(dot, ".png") == 0;
}

int preview_run(const struct args *args)
{
    int code = EXIT_OK;
    struct pasted_tensor image;
    struct pasted_info info;
    pasted_batch *b;
    if (args->out == NULL) {
        fprintf(stderr, "pastectl: preview needs --out FILE.png\n");
        return EXIT_USAGE;
    }
    if (!is_png_name(args->out)) {
        fprintf(stderr,
                "pastectl: preview writes PNG, which %s is not the name of; "
                "--out FILE.png\n",
                args->out);
        return EXIT_USAGE;
    }
    pasted_client *c = args_open(args, &code, "dtype", "u8", "layout", "nhwc",
                                 "prefetch", "0", NULL);
    if (c == NULL)
        return code;
    int rc = pasted_info(c, &info, sizeof info);
    if (rc == 0)
        rc = pasted_next(c, &b);
    if (rc != 0) {
        code = args_fail(c, rc);
    } else {
        rc = pasted_batch_tensor(b, "image", &image);
        code = rc == 0 ? write_grid(args, &image, info.channels) : EXIT_ERROR;
        pasted_batch_release(b);
    }
    pasted_destroy(c);
    return code;
}
