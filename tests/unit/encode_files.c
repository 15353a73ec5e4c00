/* Writes the batch of known content in every format into a folder, for
 * test_encode_numpy.py. Checks nothing. Usage: encode_files FOLDER */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/mem.h"
#include "server/encode/encode.h"
#include "server/encode/zip.h"
#include "tests/unit/encode_pattern.h"

static const char *folder;

static void write_file(const char *name, const void *data, size_t n_bytes)
{
    char path[4096];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "wb");
    if (!file || fwrite(data, 1, n_bytes, file) != n_bytes ||
        fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

static void write_encoded(const char *name, int rc, struct encoded *e,
                          const struct fault *fault)
{
    if (rc < 0) {
        fprintf(stderr, "%s: %s\n", name, fault->text);
        exit(1);
    }
    write_file(name, e->data, e->n_bytes);
    mem_free(e->data);
}

/* Three members with every number that may be 64 bits wide made so. */
static void write_zip64(const char *name, uint64_t limit)
{
    static uint8_t data[4096];
    struct zip_writer z;

    zip_init(&z, data);
    z.limit = limit;
    for (int i = 0; i < 3; i++) {
        static const char *const names[] = {"a", "bc", "def.bin"};
        size_t n_bytes = (size_t)i * 100 + 1;

        memset(zip_begin_member(&z, names[i], n_bytes), 'x' + i, n_bytes);
        zip_end_member(&z);
    }
    write_file(name, data, zip_finish(&z));
}

int main(int argc, char **argv)
{
    struct batch_layout l;
    struct encoded e;
    struct fault fault = {0};
    uint8_t *payload;

    if (argc != 2)
        return 2;
    folder = argv[1];
    payload = pattern_make(&l, 6, 10, 7, TENSOR_U8);
    write_encoded("u8.npz", encode_npz(&l, payload, &e, &fault), &e, &fault);
    write_encoded("u8.json", encode_batch_json(&l, payload, &e, &fault), &e,
                  &fault);
    write_encoded("grid.png", encode_grid_png(&l, payload, &e, &fault), &e,
                  &fault);
    write_encoded(
        "sample.png",
        encode_png(payload + l.image_offset_bytes, 10, 6, 30, &e, &fault), &e,
        &fault);
    free(payload);
    payload = pattern_make(&l, 6, 10, 1, TENSOR_F32);
    write_encoded("f32.npz", encode_npz(&l, payload, &e, &fault), &e, &fault);
    free(payload);
    write_zip64("all64.zip", 0);
    write_zip64("some64.zip", 200);
    write_zip64("none64.zip", ZIP_LIMIT_32);
    return 0;
}
