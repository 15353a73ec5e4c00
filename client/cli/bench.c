/* pastectl bench: what the stream delivers and what of the processor its client
 * takes, beside memcpy, reading, and a raw loopback socket moving the same
 * bytes, in turns within one run, so that the ratios hold on a machine whose
 * clock wanders.
 *
 * A batch in the server's memory (ring) is read through, as one that comes by a
 * socket is written: else nothing would have been delivered. What that reading
 * takes by itself stands in a line of its own: memory that another processor
 * has just written, after a sleep, is not read as fast as one's own ("read").
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

enum way { STREAM, MEMCPY, READ, RAW, RAW_MARKED, N_WAYS };

struct bench {
    pasted_client *client;
    struct raw_socket *raw;
    uint64_t n_bytes; /* of a batch */
    uint32_t n_samples;
    char *from, *to; /* n_blocks batches each */
    uint64_t n_blocks, n_copied;
    bool is_mapped; /* the stream's batches lie in the server's memory */
    uint64_t sum;   /* of what was read, so that it is read */
    double read_s;  /* of the processor, for reading mapped batches through */
    double bytes_per_s[N_WAYS][N_ROUNDS], cpu_s_per_gib[N_WAYS][N_ROUNDS];
    double read_s_per_gib[N_ROUNDS]; /* of the stream's part */
};

static void read_through(struct bench *b, const void *data, uint64_t n_bytes)
{
    const char *at = data;
    uint64_t sum[8] = {0}, word[8];
    for (uint64_t i = 0; i + sizeof word <= n_bytes; i += sizeof word) {
        memcpy(word, at + i, sizeof word);
        for (int k = 0; k < 8; k++)
            sum[k] += word[k];
    }
    for (int k = 0; k < 8; k++)
        b->sum += sum[k];
}

static double cpu_of(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void read_batch(struct bench *b, const pasted_batch *batch)
{
    double start = cpu_of(CLOCK_THREAD_CPUTIME_ID);
    for (uint32_t i = 0; i < pasted_batch_n_tensors(batch); i++) {
        struct pasted_tensor t;
        if (pasted_batch_tensor_at(batch, i, &t) == 0)
            read_through(b, t.data, t.n_bytes);
    }
    b->read_s += cpu_of(CLOCK_THREAD_CPUTIME_ID) - start;
}

static int take_batch(struct bench *b)
{
    pasted_batch *batch;
    int rc = pasted_next(b->client, &batch);
    if (rc != 0)
        return args_fail(b->client, rc);
    if (b->is_mapped)
        read_batch(b, batch);
    pasted_batch_release(batch);
    return EXIT_OK;
}

/* Moves one batch of bytes that way. */
static int move_once(struct bench *b, enum way way)
{
    uint64_t at;
    switch (way) {
    case STREAM:
        return take_batch(b);
    case READ:
        at = b->n_copied++ % b->n_blocks * b->n_bytes;
        read_through(b, b->from + at, b->n_bytes);
        return EXIT_OK;
    case MEMCPY:
        at = b->n_copied % b->n_blocks * b->n_bytes;
        memcpy(b->to + at, b->from + at, (size_t)b->n_bytes);
        b->n_copied++;
        return EXIT_OK;
    case RAW:
    case RAW_MARKED:
    case N_WAYS:
        break;
    }
    return raw_socket_receive(b->raw, b->to, way == RAW_MARKED) ? EXIT_OK
                                                                : EXIT_ERROR;
}

/* Of the stream's client: both its threads. Of a socket: who receives. */
static double cpu_s(enum way way)
{
    return cpu_of(way == STREAM ? CLOCK_PROCESS_CPUTIME_ID
                                : CLOCK_THREAD_CPUTIME_ID);
}

static int measure(struct bench *b, enum way way, double seconds, int round)
{
    /* What was prefetched while others ran is not this round's. */
    for (int i = 0; (way != MEMCPY && way != READ) && i < 4; i++) {
        int code = move_once(b, way);
        if (code != EXIT_OK)
            return code;
    }
    uint64_t n = 0;
    double start = progress_now_s(), now = start, cpu_start = cpu_s(way);
    b->read_s = 0;
    while (now - start < seconds) {
        int code = move_once(b, way);
        if (code != EXIT_OK)
            return code;
        n++;
        now = progress_now_s();
    }
    double n_bytes = (double)n * (double)b->n_bytes;
    b->bytes_per_s[way][round] = n_bytes / (now - start);
    double gib = n_bytes / (1u << 30);
    b->cpu_s_per_gib[way][round] = (cpu_s(way) - cpu_start) / gib;
    if (way == STREAM)
        b->read_s_per_gib[round] = b->read_s / gib;
    return EXIT_OK;
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static void report(struct bench *b)
{
    const char *const names[] = {b->is_mapped ? "stream, ring" : "stream",
                                 "memcpy", "read", "raw loopback socket",
                                 "raw, woken per MB"};
    double median[N_WAYS];
    printf("%-20s %10s %9s %20s %8s %9s\n", "", "images/s", "MB/s",
           "spread MB/s", "stream/", "CPU s/GiB");
    for (int way = 0; way < N_WAYS; way++) {
        double *v = b->bytes_per_s[way], *cpu = b->cpu_s_per_gib[way];
        qsort(v, N_ROUNDS, sizeof *v, compare);
        qsort(cpu, N_ROUNDS, sizeof *cpu, compare);
        median[way] = v[N_ROUNDS / 2];
        printf("%-20s %10.0f %9.1f %9.1f..%-9.1f %8.3f %9.3f\n", names[way],
               median[way] / (double)b->n_bytes * b->n_samples,
               median[way] / 1e6, v[0] / 1e6, v[N_ROUNDS - 1] / 1e6,
               median[STREAM] / median[way], cpu[N_ROUNDS / 2]);
    }
    if (!b->is_mapped)
        return;
    qsort(b->read_s_per_gib, N_ROUNDS, sizeof(double), compare);
    printf("%-20s %50s %9.3f\n", "of the ring, reading", "",
           b->read_s_per_gib[N_ROUNDS / 2]);
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
    struct pasted_stats stats;
    if (rc == 0)
        rc = take_batch(b) == EXIT_OK
                 ? pasted_stats(b->client, &stats, sizeof stats)
                 : PASTED_CLOSED;
    b->is_mapped = rc == 0 && stats.mapped > 0;
    printf("stream %s, %u images of %u x %u in a batch, %.2f MB, from "
           "position %" PRIu64 "\n",
           info->stream, info->n_samples, info->height, info->width,
           (double)info->batch_bytes / 1e6, position);
    if (rc == 0)
        printf("first batch %.1f ms after the stream was opened\n",
               (double)stats.first_batch_ns / 1e6);
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

/* Memory is slow the first time it is seen: the server's, and its mapping. */
static int warm_up(struct bench *b, double seconds)
{
    int code = EXIT_OK;
    for (double end = progress_now_s() + seconds;
         code == EXIT_OK && progress_now_s() < end;)
        code = move_once(b, STREAM);
    return code;
}

static int run_rounds(struct bench *b, double seconds)
{
    for (int round = 0; round < N_ROUNDS; round++)
        for (int way = 0; way < N_WAYS; way++) {
            int code =
                measure(b, (enum way)way, seconds / N_ROUNDS / N_WAYS, round);
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
    b.n_samples = info.n_samples * info.candidates;
    b.raw = raw_socket_start((size_t)b.n_bytes);
    code = b.raw != NULL && make_blocks(&b) ? EXIT_OK : EXIT_ERROR;
    if (code == EXIT_OK)
        code = go_somewhere_new(&b, args, &info);
    if (code == EXIT_OK)
        code = warm_up(&b, (double)args->seconds / 4);
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
