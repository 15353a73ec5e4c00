/* pastectl pull: batches into an .npz file, or samples into a folder of PNGs.
 * Changes no pixel. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "client/cli/args.h"
#include "client/cli/npz.h"
#include "client/cli/png_out.h"
#include "client/cli/progress.h"

enum format { ONE_NPZ, NPZ_FOLDER, PNG_FOLDER };

struct pull {
    const struct args *args;
    pasted_client *client;
    enum format format;
    struct npz npz; /* ONE_NPZ */
    uint64_t n_images;
    uint32_t channels; /* PNG_FOLDER */
};

static bool ends_with_npz(const char *path)
{
    size_t n = strlen(path);
    return n >= 4 && strcmp(path + n - 4, ".npz") == 0;
}

static int choose_format(const struct args *args, enum format *out)
{
    const char *format = args->format;
    if (args->out == NULL) {
        fprintf(stderr, "pastectl: pull needs --out FILE.npz or --out DIR\n");
        return EXIT_USAGE;
    }
    bool file = ends_with_npz(args->out);
    if (format == NULL)
        format = file ? "npz" : "png";
    if (strcmp(format, "npz") == 0) {
        *out = file ? ONE_NPZ : NPZ_FOLDER;
    } else if (strcmp(format, "png") == 0 && !file) {
        *out = PNG_FOLDER;
    } else {
        fprintf(stderr,
                "pastectl: --format %s does not go with --out %s; npz goes "
                "into FILE.npz or a folder, png into a folder\n",
                format, args->out);
        return EXIT_USAGE;
    }
    if (*out == ONE_NPZ || mkdir(args->out, 0777) == 0 || errno == EEXIST)
        return EXIT_OK;
    fprintf(stderr, "pastectl: %s: %s\n", args->out, strerror(errno));
    return EXIT_ERROR;
}

/* A class's name as part of a file's name. */
static void file_word(const char *name, char *out, size_t out_bytes)
{
    size_t n = 0;
    for (; name[n] != '\0' && n + 1 < out_bytes; n++)
        out[n] = strchr("/\\:*?\"<>| ", name[n]) != NULL ? '_' : name[n];
    out[n] = '\0';
}

static bool write_pngs(const struct pull *p, const pasted_batch *b)
{
    struct pasted_tensor image, label;
    if (pasted_batch_tensor(b, "image", &image) != 0)
        return false;
    bool labelled = pasted_batch_tensor(b, "label", &label) == 0 &&
                    label.dtype == PASTED_I64;
    uint64_t sample_bytes = image.n_bytes / image.shape[0];
    for (uint64_t i = 0; i < image.shape[0]; i++) {
        char path[4400], word[64] = "unlabelled";
        int64_t class = labelled ? ((const int64_t *)label.data)[i] : -1;
        const char *name = class >= 0 && class <= UINT32_MAX
                               ? pasted_class_name(p->client, (uint32_t) class)
                               : NULL;
        if (name != NULL)
            file_word(name, word, sizeof word);
        snprintf(path, sizeof path, "%s/%012" PRIu64 "_%s.png", p->args->out,
                 pasted_batch_first_position(b) + i, word);
        if (!png_out_write(path, (const uint8_t *)image.data + i * sample_bytes,
                           (uint32_t)image.shape[1], (uint32_t)image.shape[2],
                           p->channels))
            return false;
    }
    return true;
}

static bool write_one_npz(const char *path, const pasted_batch *b)
{
    struct npz z;
    if (!npz_open(&z, path, b, 1))
        return false;
    if (npz_append(&z, b))
        return npz_close(&z);
    npz_abandon(&z);
    return false;
}

static bool write_batch(struct pull *p, const pasted_batch *b, uint64_t step)
{
    char path[4400];
    p->n_images += pasted_batch_n_samples(b);
    switch (p->format) {
    case PNG_FOLDER:
        return write_pngs(p, b);
    case NPZ_FOLDER:
        snprintf(path, sizeof path, "%s/%012" PRIu64 ".npz", p->args->out,
                 pasted_batch_first_position(b));
        return write_one_npz(path, b);
    case ONE_NPZ:
        if (step == 0 && !npz_open(&p->npz, p->args->out, b, p->args->steps))
            return false;
        return npz_append(&p->npz, b);
    }
    return false;
}

static int pull_all(struct pull *p)
{
    struct pasted_info info;
    int rc = pasted_info(p->client, &info, sizeof info);
    if (rc != 0)
        return args_fail(p->client, rc);
    p->channels = info.channels;
    struct progress progress;
    progress_start(&progress, p->args->steps, p->args->quiet);
    for (uint64_t step = 0; step < p->args->steps; step++) {
        pasted_batch *b;
        rc = pasted_next(p->client, &b);
        if (rc != 0)
            return args_fail(p->client, rc);
        bool good = write_batch(p, b, step);
        pasted_batch_release(b);
        if (!good)
            return EXIT_ERROR;
        progress_show(&progress, step + 1, p->n_images);
    }
    return EXIT_OK;
}

/* What is written is done: pasted_next acknowledges the steps before the last
 * only, and another member would be given that one again. */
static int finish_group(const struct pull *p)
{
    if (p->args->group == NULL)
        return EXIT_OK;
    int rc = pasted_ack(p->client);
    return rc == 0 ? EXIT_OK : args_fail(p->client, rc);
}

int pull_run(const struct args *args)
{
    struct pull p = {.args = args, .npz = {.fd = -1}};
    int code = choose_format(args, &p.format);
    if (code != EXIT_OK)
        return code;
    p.client = p.format == PNG_FOLDER ? args_open(args, &code, "dtype", "u8",
                                                  "layout", "nhwc", NULL)
                                      : args_open(args, &code, NULL);
    if (p.client == NULL)
        return code;
    code = pull_all(&p);
    if (p.format == ONE_NPZ && code == EXIT_OK && !npz_close(&p.npz))
        code = EXIT_ERROR;
    npz_abandon(&p.npz);
    if (code == EXIT_OK)
        code = finish_group(&p);
    if (code == EXIT_OK && !args->quiet)
        printf("%" PRIu64 " images in %s\n", p.n_images, args->out);
    pasted_destroy(p.client);
    return code;
}
