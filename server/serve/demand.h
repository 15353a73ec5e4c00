/* Who takes batches, whether they find them ready, and how many servers that
 * needs. Each consumer (a session with an open stream) registers; what it tells
 * of its pace, or else what is seen of it, becomes numbers for metrics and
 * reports. Composes nothing.
 *
 *   worth of servers = sum over consumers of rate * cost / workers
 *     rate   batches a second that it would take if it never waited: one over
 *            the time that it works on a batch
 *     cost   worker seconds that a sample costs on average, counted over the
 *            samples asked for (so what is shared costs once), times samples
 *
 * Threads: loop thread only.
 * Source: Little's law (busy servers = arrival rate * service time), as
 * tf.data service scales its workers: consumption rates over the throughput of
 * one worker (tensorflow/core/data/service/auto_scaler.h). */
#ifndef PASTED_SERVE_DEMAND_H
#define PASTED_SERVE_DEMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stream;
struct store;
struct stream_set;

/* Of one stream, since the server began; the last two fade. */
struct stream_load {
    uint64_t n_ready, n_waited; /* batches asked for that were ready, or not */
    uint64_t stall_ns;
    uint64_t n_first, first_ns;     /* from OPEN to the first batch */
    uint64_t compose_ns, n_samples; /* work done, samples asked for */
};

/* Samples after which what was measured counts half. */
#define DEMAND_FADE_SAMPLES 65536
/* No consumer is worth more servers than this: one that does nothing with its
 * batches would take all. */
#define DEMAND_MAX_MILLI 64000

void stream_load_composed(struct stream_load *load, uint64_t compose_ns);
void stream_load_answered(struct stream_load *load, uint64_t n_samples);

/* In the session's memory; linked while its stream is open. */
struct consumer {
    struct consumer *previous, *next;
    struct store *store; /* NULL: not linked */
    struct stream *stream;
    const char *peer, *client; /* the session's */
    uint64_t session;
    uint32_t n_samples;
    uint64_t batch_bytes;
    uint64_t opened_ns, first_ns, sent_ns; /* first_ns: OPEN to first batch */
    uint64_t n_batches, n_ready, n_waited, stall_ns;
    uint64_t busy_ns;  /* a batch, faded; 0: not known */
    uint64_t taken_ns; /* when it last took one */
    bool tells;        /* its pace: what is seen of it does not count */
};

/* A zeroed consumer with the session's own facts filled in; not linked. */
void consumer_open(struct consumer *c, struct store *store,
                   struct stream *stream, uint64_t now_ns);
void consumer_close(struct consumer *c); /* not linked is fine */

/* What the consumer tells with its CREDIT (PROTOCOL.md). */
struct pace {
    uint32_t n_ready, n_waited;
    uint64_t busy_ns, wait_ns;
};
void consumer_tells(struct consumer *c, const struct pace *pace,
                    uint64_t now_ns);
/* A batch went to its socket; stall_ns: how long the socket was empty for want
 * of it, while there was credit. */
void consumer_sent(struct consumer *c, bool was_ready, uint64_t stall_ns,
                   uint64_t now_ns);

/* Servers that the consumers of the stream are worth, in thousandths; of all
 * streams with NULL. */
uint64_t demand_milli(const struct store *s, const struct stream *stream,
                      uint64_t now_ns);
/* At least 1. */
uint64_t demand_replicas(const struct store *s, uint64_t now_ns);

/* Prometheus' text of all streams, and the JSON of consumers and streams;
 * mem_free. NULL when memory is short. */
char *demand_metrics_text(const struct store *s, const struct stream_set *set,
                          uint64_t now_ns);
char *demand_json_text(const struct store *s, const struct stream_set *set,
                       uint64_t now_ns);

#endif
