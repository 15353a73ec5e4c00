/* Runs single image operations for a script that knows what should come out.
 *
 *   apply_operation --list     every operation's name, one a line
 *   apply_operation            requests on stdin until it ends:
 *                              NAME WIDTH HEIGHT P0 P1 ...\n and the frame's
 *                              bytes; writes the frame's bytes to stdout
 *
 * Frame and scratch touch inaccessible pages, and every table of kernels must
 * give the same bytes. Compares nothing else. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/pixel/image.h"
#include "server/pixel/kernels.h"
#include "server/recipe/operation.h"
#include "tests/kernel/guard.h"

#define MOST_BYTES (1u << 22)

struct request {
    enum operation_id id;
    int32_t width, height;
    int32_t p[OPERATION_MAX_PARAMETERS];
    uint8_t *frame, *expected; /* MOST_BYTES each */
    size_t n_bytes;
};

static void die(const char *text)
{
    fprintf(stderr, "apply_operation: %s\n", text);
    exit(1);
}

/* False at the end of the input. */
static bool read_request(struct request *r)
{
    char line[512], name[40];
    int used = 0, more = 0;
    if (!fgets(line, sizeof line, stdin))
        return false;
    if (sscanf(line, "%39s %d %d%n", name, &r->width, &r->height, &used) != 3)
        die("a bad request");
    r->id = operation_find(name);
    if (r->id == OPERATION_N || r->width < 1 || r->height < 1)
        die("no such operation");
    memset(r->p, 0, sizeof r->p);
    for (int i = 0; i < OPERATION_MAX_PARAMETERS &&
                    sscanf(line + used, "%d%n", &r->p[i], &more) == 1;
         i++)
        used += more;
    r->n_bytes = (size_t)r->width * (size_t)r->height * 3;
    if (r->n_bytes > MOST_BYTES ||
        fread(r->frame, 1, r->n_bytes, stdin) != r->n_bytes)
        die("no frame");
    return true;
}

/* The frame at either end of its pages; the result goes to expected, or must
 * equal it. */
static void run(struct request *r, struct guard *pixels, struct guard *memory,
                bool is_first, bool at_end)
{
    size_t n_scratch = operation_scratch_bytes(r->width, r->height);
    n_scratch = (n_scratch + 63) / 64 * 64;
    const struct operation_frame f = {
        .rgb = guard_place(pixels, r->n_bytes, at_end),
        .width = r->width,
        .height = r->height,
        .scratch = guard_place(memory, n_scratch, true),
    };
    memcpy(f.rgb, r->frame, r->n_bytes);
    operation_apply(&f, r->id, r->p);
    if (!guard_is_intact(pixels) || !guard_is_intact(memory))
        die("wrote beyond its memory");
    if (is_first)
        memcpy(r->expected, f.rgb, r->n_bytes);
    else if (memcmp(r->expected, f.rgb, r->n_bytes) != 0)
        die("not the same bytes at another place or by other kernels");
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--list") == 0) {
        for (uint32_t i = 0; i < OPERATION_N; i++)
            puts(operation_table[i].name);
        return 0;
    }
    struct request r = {.frame = malloc(MOST_BYTES),
                        .expected = malloc(MOST_BYTES)};
    struct guard pixels, memory;
    if (!r.frame || !r.expected)
        die("out of memory");
    guard_init(&pixels, 1u << 18);
    guard_init(&memory, 1u << 20);
    while (read_request(&r)) {
        const struct pixel_kernels *k;
        for (uint32_t i = 0; (k = pixel_kernels_at(i)); i++) {
            pixel_kernels_select(k->name, NULL);
            run(&r, &pixels, &memory, i == 0, true);
            run(&r, &pixels, &memory, false, false);
        }
        if (fwrite(r.expected, 1, r.n_bytes, stdout) != r.n_bytes)
            die("cannot write");
    }
    guard_fini(&pixels);
    guard_fini(&memory);
    free(r.frame);
    free(r.expected);
    return 0;
}
