/* pastectl bench: what the stream delivers, beside memcpy and a raw loopback
 * socket moving the same bytes, in turns within one run, so that the ratios
 * hold on a machine whose clock wanders.
 *
 * Every round gives each way the same time. The stream begins at an epoch
 * drawn by the clock: positions that no cache holds. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/cli/args.h"
#include "client/cli/progress.h"
#include "client/cli/raw_socket.h"

#define N_ROUNDS 5
/* memcpy goes through this much, so that it reads memory and not a cache. */
#define COPY_BYTES (256u << 20)

enum way { STREAM, MEMCPY, RAW, N_WAYS };

struct bench {
    pasted_client *client;
    struct raw_socket *raw;
    uint64_t n_bytes; /* of a batch */
    uint32_t n_samples;
    char *from, *to; /* n_blocks batches each */
    uint64_t n_blocks, n_copied;
    double bytes_per_s[N_WAYS][N_ROUNDS];
};

/* Moves one batch of bytes that way. */
static int move_once(struct bench *b, enum way way)
{
    pasted_batch *batch;
    uint64_t at;
    int rc;
    switch (way) {
    case STREAM:
        rc = pasted_next(b->client, &batch);
        if (rc != 0)
            return args_fail(b->client, rc);
        pasted_batch_release(batch);
        return EXIT_OK;
    case MEMCPY:
        at = b->n_copied % b->n_blocks * b->n_bytes;
        memcpy(b->to + at, b->from + at, (size_t)b->n_bytes);
        b->n_copied++;
        return EXIT_OK;
    case RAW:
    case N_WAYS:
        break;
    }
    return raw_socket_receive(b->raw, b->to) ? EXIT_OK : EXIT_ERROR;
}

static int measure(struct bench *b, enum way way, double seconds,
                   double *out_bytes_per_s)
{
    /* What was prefetched while others ran is not this round's. */
    for (int i = 0; way != MEMCPY && i < 4; i++) {
        int code = move_once(b, way);
        if (code != EXIT_OK)
            return code;
    }
    uint64_t n = 0;
    double start = progress_now_s(), now = start;
    while (now - start < seconds) {
        int code = move_once(b, way);
        if (code != EXIT_OK)
            return code;
        n++;
        now = progress_now_s();
    }
    *out_bytes_per_s = (double)n * (double)b->n_bytes / (now - start);
    return EXIT_OK;
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static void report(struct bench *b)
{
    static const char *const names[] = {"stream", "memcpy",
                                        "raw loopback socket"};
    double median[N_WAYS];
    printf("%-22s %12s %10s %21s %8s\n", "", "images/s", "MB/s", "spread MB/s",
           "stream/");
    for (int way = 0; way < N_WAYS; way++) {
        double *v = b->bytes_per_s[way];
        qsort(v, N_ROUNDS, sizeof *v, compare);
        median[way] = v[N_ROUNDS / 2];
        printf("%-22s %12.0f %10.1f %10.1f..%-9.1f %8.3f\n", names[way],
               median[way] / (double)b->n_bytes * b->n_samples,
               median[way] / 1e6, v[0] / 1e6, v[N_ROUNDS - 1] / 1e6,
               median[STREAM] / median[way]);
    }
}

/* A cursor that was hardly ever asked for: the begin of some later epoch. */
static int go_somewhere_new(struct bench *b, const struct args *args,
                            const struct pasted_info *info)
{
    struct timespec t;
    uint64_t position = 0;
    clock_gettime(CLOCK_REALTIME, &t);
    uint64_t epoch =
        1 + ((uint64_t)t.tv_nsec / 1000 + (uint64_t)t.tv_sec) % 1000000;
    int rc = 0;
    if (args->position == NULL)
        rc = pasted_seek(b->client, epoch * info->edges_per_epoch);
    if (rc == 0)
        rc = pasted_position(b->client, &position);
    printf("stream %s, %u images of %u x %u in a batch, %.2f MB, from "
           "position %" PRIu64 "\n",
           info->stream, info->n_samples, info->height, info->width,
           (double)info->batch_bytes / 1e6, position);
    return rc == 0 ? EXIT_OK : args_fail(b->client, rc);
}

static bool make_blocks(struct bench *b)
{
    b->n_blocks = COPY_BYTES / 2 / b->n_bytes + 1;
    size_t n_bytes = (size_t)(b->n_blocks * b->n_bytes);
    b->from = malloc(n_bytes);
    b->to = malloc(n_bytes);
    if (b->from == NULL || b->to == NULL) {
        fprintf(stderr, "pastectl: out of memory\n");
        return false;
    }
    memset(b->from, 1, n_bytes);
    memset(b->to, 2, n_bytes);
    return true;
}

static int run_rounds(struct bench *b, double seconds)
{
    for (int round = 0; round < N_ROUNDS; round++)
        for (int way = 0; way < N_WAYS; way++) {
            int code = measure(b, (enum way)way, seconds / N_ROUNDS / N_WAYS,
                               &b->bytes_per_s[way][round]);
            if (code != EXIT_OK)
                return code;
        }
    return EXIT_OK;
}

int bench_run(const struct args *args)
{
    int code = EXIT_OK;
    struct pasted_info info;
    struct bench b = {.client = args_open(args, &code, NULL)};
    if (b.client == NULL)
        return code;
    int rc = pasted_info(b.client, &info, sizeof info);
    if (rc != 0) {
        code = args_fail(b.client, rc);
        goto destroy_client;
    }
    b.n_bytes = info.batch_bytes;
    b.n_samples = info.n_samples;
    b.raw = raw_socket_start((size_t)b.n_bytes);
    code = b.raw != NULL && make_blocks(&b) ? EXIT_OK : EXIT_ERROR;
    if (code == EXIT_OK)
        code = go_somewhere_new(&b, args, &info);
    if (code == EXIT_OK)
        code = run_rounds(&b, (double)args->seconds);
    if (code == EXIT_OK)
        report(&b);
    free(b.from);
    free(b.to);
    raw_socket_stop(b.raw);
destroy_client:
    pasted_destroy(b.client);
    return code;
}
